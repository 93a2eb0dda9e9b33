"""What `supportbot eval` reads and shows."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.evaluation.talk import make_row, make_talk

from supportbot.classifier.policy import make_policy
from supportbot.classifier.turn import judge_by_keywords
from supportbot.cli.evaluate.data import find_files, name_of, read_data
from supportbot.cli.evaluate.eval_command import StaffList, make_conditions
from supportbot.cli.evaluate.story import tell
from supportbot.cli.evaluate.view import WIDTH, show_changes, show_corrections, show_report
from supportbot.cli.replay.bot import default_bot
from supportbot.errors import UserError
from supportbot.evaluation.compare import compare
from supportbot.evaluation.conversation import Row, dump_row
from supportbot.evaluation.corrections import CorrectionScore
from supportbot.evaluation.evaluate import Condition, evaluate
from supportbot.evaluation.run import decide
from supportbot.evaluation.sheet import Sheet, dump_sheet
from supportbot.evaluation.tiers import Part, TierName, make_decide

POLICY = make_policy(default_bot([]).spec)
ROWS = [
    make_row(1, "open", "A", text="buen día, la 909 no puede recepcionar, su apoyo", category="operations"),
    make_row(2, "evidence", "A", text="", media="image"),
    make_row(3, "chatter", author="Hugo", text="excelente día"),
    make_row(4, "open", "B", author="Carla", text="la cosa esa otra vez"),
    make_row(5, "resolved", "A", author="Berta", staff=True, text="ya quedó la 909"),
]


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(dump_row(row) + "\n" for row in rows), encoding="utf-8")
    return path


def shown(action: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None)
    action(console)  # type: ignore[operator]
    return out.getvalue()


def test_tables_fit_the_terminal_whatever_is_measured() -> None:
    conditions = [
        Condition(tier=TierName.KEYWORDS, without=(Part.CONTEXT, Part.MEMORY)),
        *make_conditions([TierName.KEYWORDS, TierName.RULE], StaffList.BOTH, ()),
    ]
    report = evaluate({"stores": ROWS, "a-conversation-with-a-very-long-name": ROWS}, conditions, POLICY)
    changes = compare(report.to_json(), report.to_json())
    text = shown(lambda console: show_report(console, report)) + shown(lambda console: show_changes(console, changes))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "10 messages, 4 incidents in 2 conversations" in text
    assert "−memory" in text
    assert "…" not in text.replace("a-conversation-with-a…", "")


def test_corrections_are_shown_apart_and_only_if_there_are_any() -> None:
    score = CorrectionScore(name="as decided then", texts=9, reports=4, found=2, alarms=3, kinds=1)
    assert shown(lambda console: show_corrections(console, [])) == ""
    assert "9 corrected texts, no sample: 4 of them are reports" in shown(
        lambda console: show_corrections(console, [score])
    )


def test_a_story_marks_what_is_not_where_people_see_it() -> None:
    talk = make_talk(*ROWS)
    course = decide(talk, lambda turn: judge_by_keywords(turn, POLICY), POLICY)
    lines = [str(told) for told in tell(talk, course, mistakes_only=False)]
    assert [line[0] for line in lines] == [" ", " ", " ", "!", " "]
    assert "OPENS" in lines[0]
    assert [told.labelled.id for told in tell(talk, course, mistakes_only=True)] == ["4"]


def test_without_memory_nothing_goes_on() -> None:
    talk = make_talk(*ROWS)
    course = make_decide(TierName.KEYWORDS, POLICY, [Part.MEMORY])(talk)
    assert [decision.incident_id for decision in course.decisions.values()].count(None) >= 3


def test_conditions_cross_tiers_and_staff() -> None:
    both = make_conditions([TierName.KEYWORDS, TierName.RULE], StaffList.BOTH, (Part.CONTEXT,))
    assert [(one.tier, one.staff, one.without) for one in both] == [
        ("keywords", "listed", (Part.CONTEXT,)),
        ("keywords", "none", (Part.CONTEXT,)),
        ("rule", "listed", ()),
        ("rule", "none", ()),
    ]
    (none,) = make_conditions([TierName.KEYWORDS], StaffList.BOTH, (Part.STAFF,))
    assert none.staff == "none"


@pytest.mark.parametrize(("tier", "part"), [(TierName.RULE, Part.CONTEXT), (TierName.KEYWORDS, Part.EMBEDDINGS)])
def test_a_tier_cannot_go_without_what_it_has_not(tier: TierName, part: Part) -> None:
    with pytest.raises(UserError, match="could go without"):
        make_decide(tier, POLICY, [part])


def test_folders_hold_both_forms(tmp_path: Path) -> None:
    write(tmp_path / "stores.jsonl", ROWS)
    (tmp_path / "clinic.labels.txt").write_text(dump_sheet(Sheet(tuple(ROWS), 3)), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    assert [name_of(path) for path in find_files([tmp_path])] == ["clinic", "stores"]
    found = read_data([tmp_path])
    assert {name: len(rows) for name, rows in found.conversations.items()} == {"stores": 5, "clinic": 3}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([ROWS[0].model_copy(update={"incidents": ()})], "opens an incident and names none"),
        ([], "nothing in"),
    ],
)
def test_faulty_and_empty_labels_are_refused(rows: list[Row], told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        read_data([write(tmp_path / "x.jsonl", rows)])


def test_a_chat_that_nobody_labelled_is_sent_to_be_labelled(tmp_path: Path) -> None:
    chat = tmp_path / "team.txt"
    chat.write_text("2/2/26, 9:01 a. m. - Nora: buen día\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"holds no labels; of an exported chat `supportbot label .*team\.txt --out team\."
    ):
        read_data([chat])


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for paths, told in (([tmp_path / "x.jsonl"], "does not exist"), ([other], "holds no labelled conversation")):
        with pytest.raises(UserError, match=told):
            find_files(paths)
    twice = [write(tmp_path / "x.jsonl", ROWS), write(other / "x.jsonl", ROWS)]
    with pytest.raises(UserError, match="two of the files are called 'x'"):
        find_files(twice)
