"""Which lines start a message, and who wrote them."""

# ruff: noqa: DTZ001  (An export holds the local time of a phone, without a zone.)

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from tests.unit.export.parsing import parse

from supportbot.export.archive import FolderMedia
from supportbot.export.chat import ExportedChat, parse_chat

NINE_05 = datetime(2026, 1, 31, 9, 5)
NINE_05_33 = datetime(2026, 1, 31, 9, 5, 33)
EVENING = datetime(2026, 1, 31, 21, 5)


@dataclass(frozen=True)
class Case:
    line: str
    at: datetime
    form: str = "android"
    order: str = "DMY"


CASES = (
    Case("31/1/26, 9:05 - Ana: hola", NINE_05),
    Case("31/01/2026 09:05 - Ana: hola", NINE_05),
    Case("31/1/26, 9:05 a. m. - Ana: hola", NINE_05),
    Case("31/1/26, 9:05\u202fa.\u00a0m. - Ana: hola", NINE_05),
    Case("31/1/26, 9:05 a.m. - Ana: hola", NINE_05),
    Case("31/1/26, 9:05 p. m. - Ana: hola", EVENING),
    Case("31/1/26, 9:05 pm - Ana: hola", EVENING),
    Case("1/31/26, 9:05\u202fPM - Ana: hola", EVENING, order="MDY"),
    Case("1/31/26, 12:05 AM - Ana: hola", datetime(2026, 1, 31, 0, 5), order="MDY"),
    Case("1/31/26, 12:05 PM - Ana: hola", datetime(2026, 1, 31, 12, 5), order="MDY"),
    Case("31.01.26, 09:05 - Ana: hola", NINE_05),
    Case("31.1.2026 klo 9.05 - Ana: hola", NINE_05),
    Case("31-01-2026 09:05 - Ana: hola", NINE_05),
    Case("2026-01-31, 09:05 - Ana: hola", NINE_05, order="YMD"),
    Case("2026/01/31 09:05 – Ana: hola", NINE_05, order="YMD"),
    Case("\ufeff31/1/26, 9:05 - Ana: hola", NINE_05),
    Case("\u200e\u202a31/1/26, 9:05 - Ana: hola", NINE_05),
    Case("[31/1/26, 9:05:33 a. m.] Ana: hola", NINE_05_33, form="ios"),
    Case("[31/1/26 9:05:33] Ana: hola", NINE_05_33, form="ios"),
    Case("\u200f[31.01.26, 09:05:33] Ana: hola", NINE_05_33, form="ios"),
    Case("[1/31/26, 9:05:33\u202fAM] Ana: hola", NINE_05_33, form="ios", order="MDY"),
    Case("[2026-01-31, 09:05:33] Ana: hola", NINE_05_33, form="ios", order="YMD"),
    Case("[31/01/2026, 09:05] Ana: hola", NINE_05, form="ios"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.line))
def test_a_stamp_is_read(case: Case) -> None:
    chat = parse(case.line)
    (message,) = chat.messages
    assert (chat.form, chat.date_order, message.at) == (case.form, case.order, case.at)
    assert (message.author, message.text, message.line) == ("Ana", "hola", 1)


NOT_STAMPS = (
    "31/1/26 se mandó - Ana: hola",
    "31/1, 9:05 - Ana: hola",
    "31/1/26, 25:05 - Ana: hola",
    "31/1/26, 9:65 - Ana: hola",
    "45/77/26, 9:05 - Ana: hola",
    "31/1/1926, 9:05 - Ana: hola",
    "31/1.26, 9:05 - Ana: hola",
    "[9:05, 31/1/2026] Ana: hola",
    "31/1/26, 9:05 Ana: hola",
    "2026-01-31T09:05:33Z - Ana: hola",
    "Ana: hola",
    "",
)


@pytest.mark.parametrize("line", NOT_STAMPS)
def test_other_lines_are_no_messages(line: str) -> None:
    assert parse_chat(line, title=None, media=FolderMedia(Path())) is None


@pytest.mark.parametrize("line", [line for line in NOT_STAMPS if line])
def test_other_lines_continue_the_message(line: str) -> None:
    chat = parse(f"31/1/26, 9:04 - Luis: va\n{line}\n31/1/26, 9:06 - Luis: fin")
    assert [message.text for message in chat.messages] == [f"va\n{line}", "fin"]


def _texts(chat: ExportedChat) -> list[str]:
    return [message.text for message in chat.messages]


def test_a_line_of_the_other_form_was_pasted() -> None:
    chat = parse("[31/1/26, 9:04:00] Luis: miren\n30/1/26, 9:04 - Ana: no abre\n[31/1/26, 9:05:00] Luis: eso")
    assert _texts(chat) == ["miren\n30/1/26, 9:04 - Ana: no abre", "eso"]


def test_a_line_of_a_rare_shape_was_pasted() -> None:
    """A phone writes all stamps alike; a log with seconds is not a message."""
    lines = [f"31/1/26, 9:{minute:02} - Luis: {minute}" for minute in range(20)]
    lines.insert(10, "30/1/26, 9:04:33 - ERROR: 502")
    assert parse("\n".join(lines)).messages[9].text == "9\n30/1/26, 9:04:33 - ERROR: 502"


def test_two_shapes_of_one_form_that_are_both_common_are_both_read() -> None:
    chat = parse("31/1/26, 9:04 - Luis: a\n31/1/2026, 9:05 - Luis: b")
    assert _texts(chat) == ["a", "b"]


def test_blank_lines_inside_stay_and_those_at_the_end_go() -> None:
    chat = parse("31/1/26, 9:04 - Luis: a\r\n\r\n b\r\n\r\n31/1/26, 9:05 - Luis: c\r\n\r\n")
    assert _texts(chat) == ["a\n\n b", "c"]
    assert [message.line for message in chat.messages] == [1, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_as_one_line(end: str) -> None:
    chat = parse(end.join(("31/1/26, 9:04 - Luis: a", "b", "31/1/26, 9:05 - Luis: c", "")))
    assert [(message.line, message.text) for message in chat.messages] == [(1, "a\nb"), (3, "c")]


def test_unusual_line_separators_are_text() -> None:
    assert _texts(parse("31/1/26, 9:04 - Luis: a\u2028b\x0bc\x85d")) == ["a\u2028b\x0bc\x85d"]


def test_lines_before_the_first_message_are_left_out() -> None:
    chat = parse("recortado\n31/1/26, 9:04 - Luis: a")
    assert [(message.line, message.text) for message in chat.messages] == [(2, "a")]


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("Ana", "Ana"),
        ("~\u202fAna", "~ Ana"),
        ("~ Nombre", "~ Nombre"),
        ("\u202a+52 998 123 4567\u202c", "+52 998 123 4567"),
        ("+52\u00a0998\u00a0123\u00a04567", "+52 998 123 4567"),
        ("Ana 🦊 Tienda", "Ana 🦊 Tienda"),
        ("Ana (IT) - 305", "Ana (IT) - 305"),
        ("Ana:IT", "Ana:IT"),
        ("Ñandú Ibáñez", "Ñandú Ibáñez"),
    ],
)
def test_an_author(written: str, author: str) -> None:
    assert parse(f"31/1/26, 9:05 - {written}: hola: mundo").messages[0].author == author


def test_an_author_with_a_colon_is_known_by_all_lines() -> None:
    lines = [f"31/1/26, 9:0{n} - Tienda: Centro: mensaje" for n in range(3)]
    lines.insert(1, "31/1/26, 9:00 - Tienda: Centro: <Multimedia omitido>")
    messages = parse("\n".join(lines)).messages
    assert [(message.author, message.text) for message in messages] == [
        ("Tienda: Centro", text) for text in ("mensaje", "", "mensaje", "mensaje")
    ]


def test_a_form_that_somebody_always_fills_in_is_no_name() -> None:
    chat = parse("\n".join(f"31/1/26, 9:0{n} - Ana: Tienda: {n}" for n in range(9)))
    assert [(message.author, message.text) for message in chat.messages] == [("Ana", f"Tienda: {n}") for n in range(9)]


def test_one_line_with_two_colons_is_no_evidence_of_a_name() -> None:
    chat = parse("31/1/26, 9:01 - Ana: folio: 12\n31/1/26, 9:02 - Ana: folio: 13\n31/1/26, 9:03 - Ana: hola")
    assert [(message.author, message.text) for message in chat.messages] == [
        ("Ana", "folio: 12"),
        ("Ana", "folio: 13"),
        ("Ana", "hola"),
    ]


def test_three_locations_are_no_name() -> None:
    line = "31/1/26, 9:01 - Ana: ubicación: https://maps.google.com/?q=1,2"
    assert {message.author for message in parse("\n".join([line] * 3)).messages} == {"Ana"}


@pytest.mark.parametrize("line", ["31/1/26, 9:05 - Ana:", "31/1/26, 9:05 - Ana: "])
def test_a_message_without_text(line: str) -> None:
    message = parse(line).messages[0]
    assert (message.author, message.text, message.system) == ("Ana", "", False)
