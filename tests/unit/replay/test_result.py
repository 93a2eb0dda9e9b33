"""What is made of a trail: one line per message, as it stood at the end."""

from datetime import UTC, datetime
from typing import Any, Literal

from tests.unit.replay.exported import exported

from supportbot.cli.replay.decisions import describe_line
from supportbot.cli.replay.pipeline import Run
from supportbot.cli.replay.result import Result, fold_run
from supportbot.contracts import Decision, IncidentState, Kind, Outcome, Person, Priority, Tier, TrailEntry
from supportbot.ids import make_incident_id, make_message_ref

AT = datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
GROUP = "0" * 16
NOTICE, PHOTO, REPORT, THANKS = (
    exported("Ana creó el grupo", line=1, author=None),
    exported(line=2, media="image"),
    exported("la 909 no cobra", line=3),
    exported("gracias", line=6, author="Óscar"),
)
CHAT = (NOTICE, PHOTO, REPORT, THANKS)
REFS = {
    one.line: make_message_ref(bytes(32), chat="c", sender=one.author, message_id=str(one.line))
    for one in CHAT
    if one.author
}


def entry(line: int, stage: Literal["whatsapp", "classifier", "ticket"], outcome: Outcome, **more: Any) -> TrailEntry:
    return TrailEntry(message_ref=REFS[line], group_ref=GROUP, stage=stage, outcome=outcome, at=AT, **more)


def decided(line: int, outcome: Outcome, decision: Decision) -> TrailEntry:
    return entry(line, "classifier", outcome, decision=decision, incident_id=decision.incident_id)


def incident(line: int, priority: Priority = Priority.URGENT) -> IncidentState:
    return IncidentState(
        incident_id=make_incident_id(REFS[line]),
        opening_ref=REFS[line],
        opened_at=AT,
        reporter=Person(ref=GROUP),
        subject="la 909 no cobra",
        category="technical",
        priority=priority,
        sites=("909",),
    )


RECEIVED = tuple(entry(line, "whatsapp", Outcome.RECEIVED) for line in REFS)
ID = make_incident_id(REFS[3])
WAITS = Decision(kind=Kind.EVIDENCE, reasons=("photo waits",), tier=Tier.KEYWORDS)
OPENS = Decision(
    kind=Kind.INCIDENT,
    incident_id=ID,
    opens=True,
    category="operations",
    priority=Priority.LOW,
    confidence=0.98765,
    tier=Tier.KEYWORDS,
)
SHOWS = Decision(kind=Kind.EVIDENCE, incident_id=ID, reasons=("explained by a later message",))
COURTESY = Decision(kind=Kind.CHATTER, reasons=("is courtesy",), tier=Tier.KEYWORDS)
USUAL = (
    *RECEIVED,
    decided(2, Outcome.REVIEW, WAITS),
    decided(3, Outcome.CLASSIFIED, OPENS),
    decided(2, Outcome.CLASSIFIED, SHOWS),
    entry(3, "ticket", Outcome.TICKET, incident_id=ID),
    entry(2, "ticket", Outcome.EVIDENCE, incident_id=ID),
    decided(6, Outcome.IGNORED, COURTESY),
)


def fold(trail: tuple[TrailEntry, ...], *incidents: IncidentState) -> Result:
    states = {one.incident_id: one for one in incidents}
    return fold_run(CHAT, [AT] * len(CHAT), REFS, Run(trail, states))


def test_one_line_for_every_message_as_it_stood_at_the_end() -> None:
    """The photo that waited is evidence; category and priority are those that the incident ended with."""
    result = fold(USUAL, incident(3))
    at = "2026-02-02T15:00:00+00:00"
    assert [describe_line(line) for line in result.lines] == [
        {
            "line": 1, "at": at, "author": "", "kind": "system", "incident": None, "opens": False, "category": None,
            "priority": None, "sites": [], "tier": "none", "confidence": None, "degraded": False,
            "reasons": ["written by WhatsApp itself"],
        },
        {
            "line": 2, "at": at, "author": "Ana 909", "kind": "evidence", "incident": "#1", "opens": False,
            "category": "technical", "priority": "Urgent", "sites": ["909"], "tier": "structure", "confidence": 0.0,
            "degraded": False, "reasons": ["explained by a later message"],
        },
        {
            "line": 3, "at": at, "author": "Ana 909", "kind": "incident", "incident": "#1", "opens": True,
            "category": "technical", "priority": "Urgent", "sites": ["909"], "tier": "keywords", "confidence": 0.988,
            "degraded": False, "reasons": [],
        },
        {
            "line": 6, "at": at, "author": "Óscar", "kind": "chatter", "incident": None, "opens": False,
            "category": None, "priority": None, "sites": [], "tier": "keywords", "confidence": 0.0,
            "degraded": False, "reasons": ["is courtesy"],
        },
    ]  # fmt: skip


def test_the_ticket_has_its_messages_in_the_order_of_the_file() -> None:
    (ticket,) = fold(USUAL, incident(3)).tickets
    assert (ticket.label, ticket.reporter, ticket.attachments) == ("#1", "Ana 909", 1)
    assert [line.message for line in ticket.lines] == [PHOTO, REPORT]


def test_a_run_is_complete_when_every_message_is_settled() -> None:
    assert fold(USUAL, incident(3)).complete
    assert not fold(USUAL[:-1], incident(3)).complete
    assert not fold(USUAL[1:], incident(3)).complete


def test_a_dead_letter_has_its_line_and_is_not_complete() -> None:
    dead = entry(6, "classifier", Outcome.DEAD_LETTER, reasons=("bug",))
    result = fold((*USUAL[:-1], dead), incident(3))
    assert not result.complete
    assert (result.lines[3].kind, result.lines[3].reasons) == ("chatter", ("dead letter: bug",))


def test_a_message_that_nobody_settled_has_its_line() -> None:
    line = fold(USUAL[:-1], incident(3)).lines[3]
    assert (line.kind, line.ticket, line.reasons) == ("chatter", None, ("no stage settled it",))


def test_a_ticket_that_lost_its_messages_to_another_one_is_still_shown() -> None:
    """The photo had opened a ticket before its author's sentence took it."""
    own = make_incident_id(REFS[2])
    opened = Decision(kind=Kind.INCIDENT, incident_id=own, opens=True)
    early = (decided(2, Outcome.CLASSIFIED, opened), entry(2, "ticket", Outcome.TICKET, incident_id=own))
    tickets = fold((*RECEIVED, *early, *USUAL[4:]), incident(2), incident(3)).tickets
    assert [(ticket.label, len(ticket.lines)) for ticket in tickets] == [("#1", 0), ("#2", 2)]


def test_the_message_on_whose_arrival_a_photo_became_an_incident_opens_it() -> None:
    late = make_incident_id(REFS[2])
    photo = Decision(kind=Kind.INCIDENT, incident_id=late, opens=True, opened_on=REFS[6])
    answer = Decision(kind=Kind.STAFF, incident_id=late)
    other = Decision(kind=Kind.STAFF, incident_id=ID)
    for reaction, opening in ((answer, 6), (other, 2)):
        trail = (
            *RECEIVED,
            decided(2, Outcome.REVIEW, WAITS),
            decided(3, Outcome.CLASSIFIED, OPENS),
            decided(6, Outcome.CLASSIFIED, reaction),
            decided(2, Outcome.CLASSIFIED, photo),
        )
        lines = fold(trail, incident(2), incident(3)).lines
        assert {line.message.line for line in lines if line.opens} == {3, opening}
