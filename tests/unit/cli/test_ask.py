"""Going through a labelling file on the terminal: what an answer does to it."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from tests.unit.evaluation.talk import make_row

from supportbot.cli.evaluate.ask import Stop, apply, ask
from supportbot.evaluation.sheet import Sheet

ROWS = (
    make_row(1, "open", "A", category="technical", priority="High", sites=("909",)),
    make_row(2, "open", "B", text="sigue igual", category="technical"),
    make_row(3, "agent", "B", author="Berta", staff=True),
    make_row(4, "chatter"),
)
SHEET = Sheet(ROWS, 0, "Tiendas")


def labels(sheet: Sheet) -> list[str]:
    return [" ".join([row.role.value, *row.incidents]) for row in sheet.rows]


def answered(*answers: str) -> Sheet:
    sheet = SHEET
    for answer in answers:
        sheet = apply(sheet, answer)
    return sheet


def test_enter_takes_the_proposal() -> None:
    assert answered("") == replace(SHEET, checked=1)


def test_other_labels_replace_it() -> None:
    assert labels(answered("", "c"))[1] == "chatter"
    assert labels(answered("", "", "a A B"))[2] == "agent A B"
    assert answered("", "c").rows[1].category is None


def test_what_the_bot_opened_wrongly_takes_its_messages_along() -> None:
    sheet = answered("", "f A")
    assert (labels(sheet)[1:3], sheet.checked) == (["followup A", "agent A"], 2)


def test_a_new_incident_gets_the_next_letter_and_its_fields() -> None:
    sheet = answered("", "", "", "o ^ billing urgent 305")
    assert (labels(sheet)[3], sheet.rows[3].category, sheet.rows[3].sites) == ("open C", "billing", ("305",))
    assert answered("o").rows[0] == ROWS[0]


def test_back_asks_again() -> None:
    assert answered("", "b") == SHEET
    assert answered("b") == SHEET


@pytest.mark.parametrize("answer", ["x", "c A", "f A ^ billing", "o ^ billing technical", "?"])
def test_what_cannot_be_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        apply(SHEET, answer)


def test_a_stop_leaves_the_rest_for_another_day() -> None:
    with pytest.raises(Stop):
        apply(SHEET, "q")
    answers, kept = iter(["", "nonsense", "f A", "q"]), list[Sheet]()
    out = io.StringIO()
    console = Console(file=out, width=80, color_system=None)
    left = ask(SHEET, console, kept.append, lambda _: next(answers))
    assert [sheet.checked for sheet in kept] == [1, 2]
    assert left == kept[-1]
    assert "2 of 4; proposed: open B ^ technical" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 120


def test_everything_answered_is_the_end() -> None:
    console = Console(file=io.StringIO(), width=80)
    assert ask(SHEET, console, lambda _: None, lambda _: "").checked == 4
