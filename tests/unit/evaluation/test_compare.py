"""Two reports side by side, and limits."""

from typing import Any

import pytest

from supportbot.errors import UserError
from supportbot.evaluation.compare import Change, Limit, broken, compare, losses, parse_limit, read_report
from supportbot.evaluation.interval import intervals
from supportbot.evaluation.measures import IncidentScore, Scores
from supportbot.evaluation.report import Report, Run, to_markdown

RIGHT = IncidentScore(right=True, messages=2, precision=2.0, recall=1.0, category=True)
MISSED = IncidentScore(photo_only=True, messages=2, precision=1.0, recall=1.0)


def report(*incidents: IncidentScore, false: int = 0, tier: str = "keywords") -> dict[str, Any]:
    scores = Scores(messages=9, incidents=incidents, false=false, chatter=4, chatter_opens=1, chatter_attached=2)
    return Report.of([Run(tier=tier, staff="none", groups={"talk": scores})]).to_json()


def test_a_report_holds_totals_groups_and_intervals() -> None:
    document = report(RIGHT, MISSED)
    (run,) = document["runs"]
    assert (document["groups"], document["messages"], document["incidents"]) == (["talk"], 9, 2)
    assert (run["tier"], run["staff"], run["without"]) == ("keywords", "none", [])
    assert (run["total"]["f1"], run["total"]["chatter_opens"], run["total"]["b3_recall"]) == (0.6667, 0.25, 0.5)
    low, high = run["total"]["intervals"]["f1"]
    assert 0 <= low < 0.6667 < high <= 1
    assert run["groups"]["talk"]["right"] == 1


def test_what_got_better_and_what_got_worse() -> None:
    changes = {one.measure: one for one in compare(report(RIGHT, MISSED, false=1), report(RIGHT, RIGHT, false=1))}
    assert changes["f1"].gain > 0
    assert Change("x", "chatter_opens", 0.1, 0.3).gain == pytest.approx(-0.2)
    assert Change("x", "f1", None, 0.3).gain == 0


@pytest.mark.parametrize(("tier", "most", "count"), [("keywords", 0.01, 3), ("keywords", 0.4, 1), ("rule", 0.0, 0)])
def test_losses_beyond_a_limit_are_told(tier: str, most: float, count: int) -> None:
    """F1 falls from 1 to .5, that of texts to .67, threads from .67 to .6; the rule may be what it is."""
    lost = losses(compare(report(RIGHT, RIGHT, tier=tier), report(RIGHT, MISSED, false=1, tier=tier)), most)
    assert len(lost) == count


def test_reports_of_other_data_cannot_be_compared() -> None:
    with pytest.raises(UserError, match="other conversations"):
        compare(report(RIGHT), report(RIGHT, MISSED))
    with pytest.raises(UserError, match="no tier in common"):
        compare(report(RIGHT), report(RIGHT, tier="local"))
    wrong: tuple[object, ...] = ([], {"runs": [], "format": 0})
    for document in wrong:
        with pytest.raises(UserError, match="--compare"):
            read_report(document, "x")


def test_limits_are_read_and_kept() -> None:
    assert parse_limit("f1=.88", "--fail-below", least=True) == Limit("f1", 0.88, least=True)
    for text in ("f1>.88", "f1", "beauty=1"):
        with pytest.raises(UserError, match="--fail-below"):
            parse_limit(text, "--fail-below", least=True)
    document = report(RIGHT, MISSED)
    assert broken(document, [Limit("f1", 0.66, least=True), Limit("chatter_opens", 0.25, least=False)]) == []
    assert broken(document, [Limit("f1", 0.67, least=True), Limit("chatter_opens", 0.2, least=False)]) == [
        "keywords, staff none: f1 is 0.6667, and least is 0.67",
        "keywords, staff none: chatter_opens is 0.25, and most is 0.2",
    ]
    assert broken(report(RIGHT, MISSED, tier="rule"), [Limit("f1", 0.9, least=True)]) == []
    assert len(broken(document, [Limit("priority", 0.1, least=True)])) == 1


def test_intervals_are_the_same_each_time_and_narrow_with_more_data() -> None:
    few, many = Scores(incidents=(RIGHT, MISSED) * 5), Scores(incidents=(RIGHT, MISSED) * 50)
    assert intervals(few) == intervals(few)
    assert intervals(many)["f1"].high - intervals(many)["f1"].low < intervals(few)["f1"].high - intervals(few)["f1"].low
    assert intervals(Scores()) == {}
    assert intervals(Scores(incidents=(RIGHT,) * 20))["f1"].low == 1.0
    assert intervals(Scores(incidents=(RIGHT,) * 20, false=5))["f1"].low < 0.9


def test_markdown_has_a_row_for_each_run() -> None:
    run = Run(tier="local", staff="listed", without=("context",), groups={"t": Scores(incidents=(RIGHT, MISSED))})
    lines = to_markdown([run]).split("\n")
    assert len(lines) == 3
    assert lines[2].startswith("| local without context | yes | 1.00 / .50 / **.67** (1.00) |")
    assert len({line.count("|") for line in lines}) == 1
