"""Decisions of a replay find their labels, or are refused."""

import json
from typing import Any

import pytest
from tests.unit.evaluation.talk import make_row, make_talk

from supportbot.errors import UserError
from supportbot.evaluation.measures import figures, measure
from supportbot.evaluation.recorded import DecidedLine, count_tiers, parse_decisions, to_outcome

BY_ORDER = make_talk(
    make_row(1, "open", "A", category="billing", sites=("909",)),
    make_row(2, "chatter", author="Berta"),
    make_row(3, "resolved", "A"),
)
BY_LINE = make_talk(make_row(1, "open", "A", id="L5"), make_row(3, "resolved", "A", id="L8"))


def decided(line: int, author: str, incident: str | None = None, **more: Any) -> str:
    fields = {"line": line, "at": "2026-03-02T09:00:00+00:00", "author": author, "kind": "chatter"}
    return json.dumps({**fields, "incident": incident, "opens": False, "tier": "local", "new": 1, **more})


FILE = "\n".join(
    [
        decided(1, "", kind="system", tier="none"),
        decided(5, "Ana", "#1", opens=True, category="billing", priority="High", sites=["909"]),
        decided(6, "Berta"),
        decided(8, "Ana", "#1", category="billing"),
        "",
    ]
)


@pytest.mark.parametrize("talk", [BY_ORDER, BY_LINE], ids=["by order", "by line"])
def test_labels_and_decisions_meet(talk: Any) -> None:
    lines = parse_decisions(FILE, "d.jsonl")
    found = figures(measure(talk, to_outcome(talk, lines, "d.jsonl")))
    assert (found["f1"], found["b3"]) == (1.0, 1.0)
    assert count_tiers(lines) == {"local": 3}


def test_the_fields_of_the_opening_count() -> None:
    found = figures(measure(BY_ORDER, to_outcome(BY_ORDER, parse_decisions(FILE, "d"), "d")))
    assert (found["category"], found["sites_recall"], found["affected_recall"]) == (1.0, 1.0, None)


def test_a_file_of_another_length_is_refused() -> None:
    with pytest.raises(UserError, match="has 2 messages of people, and the labels have 3"):
        to_outcome(BY_ORDER, parse_decisions(FILE, "d")[:2], "d")


def test_a_file_of_another_period_is_refused() -> None:
    with pytest.raises(UserError, match="decides nothing on 'L8'"):
        to_outcome(BY_LINE, parse_decisions(FILE, "d")[:2], "d")


def test_a_file_of_another_chat_is_refused_by_its_authors() -> None:
    for name in ("Berta", "Carla"):
        lines = [
            line.model_copy(update={"author": name}) if line.line == 8 else line for line in parse_decisions(FILE, "d")
        ]
        with pytest.raises(UserError, match=r"line 8 of the chat in 'd' is not by who wrote '3'"):
            to_outcome(BY_ORDER, lines, "d")


def test_two_people_of_the_labels_are_not_one_of_the_chat() -> None:
    lines = [line.model_copy(update={"author": "Ana"}) for line in parse_decisions(FILE, "d")]
    with pytest.raises(UserError, match="not by who wrote '2'"):
        to_outcome(BY_ORDER, lines, "d")


def test_other_names_do_no_harm_when_they_are_other_everywhere() -> None:
    names = {"Ana": "Alba", "Berta": "Bruno"}
    lines = [line.model_copy(update={"author": names[line.author]}) for line in parse_decisions(FILE, "d")]
    assert to_outcome(BY_ORDER, lines, "d").predictions["1"].opens


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(UserError, match="line 2 is no decision"):
        parse_decisions(f"{decided(1, 'Ana')}\n{{}}\n", "d")
    assert DecidedLine.model_validate_json(decided(1, "Ana")).sites is None
