"""What a person edits is read as it was written, and what is wrong is told by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.evaluation.talk import START, make_row

from supportbot.errors import UserError
from supportbot.evaluation.conversation import Row
from supportbot.evaluation.sheet import CHECKED, Sheet, dump_sheet, is_sheet, next_name
from supportbot.evaluation.sheet_reader import parse_sheet

ROWS = (
    make_row(1, "evidence", "A", text="", media="document", filename="a[1].pdf"),
    make_row(2, "open", "A", text="la 909\nno imprime", category="technical", priority="High", sites=("909", "305")),
    make_row(3, "agent", "A", "B", author="Soporte: 2", staff=True, quoted="2", mentions=("Ana",), forwarded=True),
    make_row(4, "chatter", text="[image] no es foto \\ ⏎"),
)
LINES = dump_sheet(Sheet(ROWS, 2, "Tiendas")).split("\n")


def edited(old: str, new: str) -> str:
    text = "\n".join(LINES)
    assert old in text
    return text.replace(old, new)


def fault(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_sheet(text, "x.labels.txt")
    return str(caught.value).split("\n  ", 1)[1]


def test_a_sheet_looks_so() -> None:
    assert LINES[LINES.index("") + 1 : -1] == [
        "== 2026-03-02 +00:00",
        "evidence A          |    1 09:01:00 Ana: [document: a\\[1\\].pdf]",
        "open     A          |    2 09:02:00 Ana: la 909⏎no imprime",
        "                    ^ technical High 909 305",
        "",
        "=== checked up to here ===",
        "agent    A B        |    3 09:03:00 * Soporte\\: 2: [quotes: 2] [forwarded] [mentions: Ana] x",
        "chatter             |    4 09:04:00 Ana: \\[image\\] no es foto \\\\ \\⏎",
    ]
    assert is_sheet("\n".join(LINES))


def test_what_was_written_is_read() -> None:
    sheet = parse_sheet("\n".join(LINES), "x")
    assert sheet == Sheet(ROWS, 2, "Tiendas")
    assert sheet.done == ROWS[:2]


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"), max_size=30)
words = st.from_regex(r"[A-Z]{1,2}", fullmatch=True)


@given(texts, texts, st.lists(words, max_size=2, unique=True), st.booleans())
def test_any_text_and_any_name_survive(text: str, name: str, incidents: list[str], staff: bool) -> None:
    author = name.replace("\n", "") or "Ana"
    row = Row(
        id="1", at=START, author=author, text=text, staff=staff, role="followup", incidents=tuple(incidents)
    )  # fmt: skip
    assert parse_sheet(dump_sheet(Sheet((row,), 1)), "x").rows == (row,)


def test_editors_of_windows_and_short_roles_do_no_harm() -> None:
    text = edited("evidence A", "e a,B").replace("\n", "\r\n")
    assert parse_sheet(text, "x").rows[0].incidents == ("a", "B")


def test_without_the_mark_everything_is_checked() -> None:
    assert parse_sheet(edited(CHECKED, ""), "x").checked == 4


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("evidence A", "foto A", "line 15: 'foto' is no role"),
        ("09:01:00 Ana", "9:01 Ana", "line 15: this is no message line"),
        ("technical High", "technical High Low", "line 17: 'Low' is a second priority"),
        ("technical High", "technical access", "line 17: 'access' is a second category"),
        ("agent    A B", "agent    A B|", "line 20: this is no message line"),
        (
            "                    ^ technical",
            "chatter | 9 09:02:01 Ana: x\n  ^ technical",
            "line 18: fields stand below",
        ),
        (CHECKED, "=== up to here ===", "line 19: this line is"),
        ("# supportbot labels 1", "# supportbot labels 9", "line 1: this version reads"),
    ],
)
def test_faults_are_told_by_line(old: str, new: str, told: str) -> None:
    assert fault(edited(old, new)).startswith(told)


def test_a_lost_line_is_noticed() -> None:
    assert fault("\n".join(line for line in LINES if "no es foto" not in line)) == (
        "it holds 3 messages and not 4, as it says at its top; which got lost?"
    )


def test_names_go_on_after_z() -> None:
    assert [next_name(["A", "C"]), next_name(map(chr, range(ord("A"), ord("Z") + 1)))] == ["B", "AA"]
