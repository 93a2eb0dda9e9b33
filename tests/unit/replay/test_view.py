"""What the terminal shows; the plain output is tested with the command itself."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from tests.unit.replay.exported import exported

from supportbot.cli.replay.people import Staff
from supportbot.cli.replay.result import Line, Result, Ticket
from supportbot.cli.replay.summary import Heading
from supportbot.cli.replay.view import show_heading, show_result
from supportbot.contracts import IncidentState, Outcome, Person, Priority
from supportbot.trail import Ledger

AT = datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
ESCAPE = "\x1b]0;title\x07\x1b[31m"
LONG = "la 909 no puede recepcionar desde ayer, " * 10
INCIDENT = IncidentState(
    incident_id="i_" + "a" * 20,
    opening_ref="m_" + "a" * 20,
    opened_at=AT,
    reporter=Person(ref="0" * 16),
    subject="la 909 no puede recepcionar desde ayer, la 909 no puede recepcionar desde ayer, la 909",
    category="general_inquiry",
    priority=Priority.MEDIUM,
    sites=("909", "00078110290123", "305"),
)
HEADING = Heading(
    file="chat.txt",
    title="Soporte",
    form="android",
    date_order="DMY",
    timezone=None,
    first=AT,
    last=AT,
    messages=1,
    notices=0,
    authors=("Ana 909",),
    staff=Staff(),
)


def line(text: str = LONG, *, author: str = "Ana 909", **more: Any) -> Line:
    fields: dict[str, Any] = {"kind": "incident", "opens": True, "ticket": "#1", "reasons": ("tells a problem",) * 9}
    fields |= {"tier": "local", "confidence": 0.971}
    return Line(message=exported(text, author=author), at=AT, **{**fields, **more})


def show(*lines: Line, heading: Heading = HEADING, terminal: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    reporter = lines[0].message.author or ""
    tickets = (Ticket(label="#1", incident=INCIDENT, reporter=reporter, lines=lines),)
    show_heading(console, heading)
    show_result(console, Result(lines=lines, tickets=tickets, ledger=Ledger()), brief=False, every=True)
    return out.getvalue()


def test_everything_fits_100_columns() -> None:
    many = replace(HEADING, authors=tuple(f"Somebody Called {number}" for number in range(9)))
    text = show(line(), line(author="Somebody With A Very Long Name Indeed"), heading=many)
    assert max(map(cell_len, text.splitlines())) <= 100
    assert "╰ local 0.97 · tells a problem; tells a problem; tells" in text


def test_what_strangers_wrote_cannot_speak_to_the_terminal() -> None:
    text = show(line(f"{ESCAPE}hola", author=f"Ana {ESCAPE}"), heading=HEADING)
    text += show(line(f"{ESCAPE}hola", author=f"Ana {ESCAPE}"), terminal=False)
    assert "\x1b" not in text
    assert "\x07" not in text


def test_dead_letters_and_what_waits_are_always_shown() -> None:
    alone: dict[str, Any] = {"kind": "chatter", "opens": False, "ticket": None}
    waits = line("¿folio?", outcome=Outcome.REVIEW, reasons=("fragment waits for more words",), **alone)
    dead = line("hola", outcome=Outcome.DEAD_LETTER, reasons=("dead letter: bug",), confidence=None, **alone)
    shown = show(line(), waits, dead, terminal=False).splitlines()
    assert "No ticket, but not settled either: a person would have to look" in shown
    assert "        - chatter: dead letter: bug" in shown


def test_a_message_that_got_lost_is_said() -> None:
    assert "something got lost; please report it" in show(line())
