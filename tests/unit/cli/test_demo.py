"""The demo's pure parts: its script, its pictures, its words on the terminal."""

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from supportbot.cli.demo.desk import Ticket, to_tickets
from supportbot.cli.demo.group import describe, to_request
from supportbot.cli.demo.pictures import make_png
from supportbot.cli.demo.script import Line, Script, load_script
from supportbot.cli.demo.summary import print_ledger
from supportbot.cli.demo.view import View
from supportbot.contracts import Decision, Kind, Outcome, Priority, Tier, TrailEntry
from supportbot.trail import Ledger

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
REF = "m_" + "a" * 20
INCIDENT = "i_" + "a" * 20


def entry(outcome: Outcome, decision: Decision | None = None, *, ref: str = REF) -> TrailEntry:
    return TrailEntry(
        message_ref=ref,
        group_ref="0" * 16,
        stage="classifier",
        outcome=outcome,
        at=NOW,
        reasons=("is courtesy",),
        decision=decision,
    )


def shown(console_is_terminal: bool, decision: Decision | None, outcome: Outcome) -> str:
    output = io.StringIO()
    console = Console(file=output, width=100, force_terminal=console_is_terminal, color_system=None)
    View(console).message(NOW, "Ana", "la 909 no imprime", entry(outcome, decision))
    return output.getvalue()


def test_script_has_what_the_demo_promises() -> None:
    script = load_script()
    assert len(script.messages) >= 60
    assert any(line.edit for line in script.messages)
    assert any(line.delete for line in script.messages)
    assert any(line.photo for line in script.messages)


def test_script_refuses_a_quote_of_a_later_message() -> None:
    with pytest.raises(ValueError, match="line 1 refers to 'b'"):
        Script.model_validate(
            {
                "title": "t",
                "people": {"a": {"name": "A", "phone": "+1"}},
                "messages": [{"after": 0, "from": "a", "quote": "b"}],
            }
        )


def test_conversation_ends_now() -> None:
    script = load_script()
    times = [at for at, _ in script.timed(NOW)]
    assert times[-1] == NOW
    assert times == sorted(times)
    assert NOW - times[0] > timedelta(days=1)


def test_pictures_are_pngs_and_differ() -> None:
    first, second = make_png("one"), make_png("two")
    assert first != second
    width, height = struct.unpack(">II", first[16:24])
    data = first[first.index(b"IDAT") + 4 : first.index(b"IEND") - 8]
    assert len(zlib.decompress(data)) == height * (1 + 3 * width)


def test_edit_becomes_an_edit() -> None:
    line = Line.model_validate({"after": 1, "from": "a", "edit": "x", "text": "new"})
    assert to_request(line, "demo-001") == ("edits", {"id": "demo-001-edit", "target": "x", "text": "new"})
    assert describe(line) == "✎ edits: new"


def test_plain_output_is_one_line_per_fact() -> None:
    decision = Decision(
        kind=Kind.INCIDENT,
        incident_id=INCIDENT,
        opens=True,
        category="technical",
        priority=Priority.HIGH,
        confidence=0.9,
        tier=Tier.KEYWORDS,
    )
    assert shown(False, decision, Outcome.CLASSIFIED).splitlines()[1:] == [
        "15:00 Ana: la 909 no imprime",
        "      -> ● OPENS INCIDENT #1 · technical · High · keywords 0.90 · is courtesy",
    ]


def test_terminal_output_fits_100_columns() -> None:
    lines = shown(True, None, Outcome.IGNORED).splitlines()
    assert max(len(line) for line in lines) <= 100
    assert any("is courtesy" in line for line in lines)


def test_ticket_counts_its_own_comments_and_files() -> None:
    ticket = {"id": "1", "ticketNumber": "101", "subject": "s", "priority": None}
    state = {
        "tickets": [ticket],
        "comments": [{"ticketId": "1"}, {"ticketId": "2"}],
        "attachments": [{"ticketId": "1"}],
    }
    assert to_tickets(state) == [Ticket(number="101", subject="s", priority="–", messages=2, attachments=1)]


def test_ledger_names_what_is_unaccounted() -> None:
    output = io.StringIO()
    other = "m_" + "b" * 20
    ledger = Ledger([entry(Outcome.RECEIVED), entry(Outcome.IGNORED), entry(Outcome.RECEIVED, ref=other)])
    print_ledger(Console(file=output, width=100), ledger)
    assert "2 messages received" in output.getvalue()
    assert "1 unaccounted: the sum does not hold" in output.getvalue()
