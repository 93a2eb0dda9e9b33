"""A labelling file of an exported chat, filled with what the bot decided in a replay. Pure."""

from collections.abc import Sequence
from datetime import datetime

from supportbot.cli.replay.events import Converter
from supportbot.cli.replay.people import Cast, Staff
from supportbot.cli.replay.result import SYSTEM, Line
from supportbot.contracts import Kind, MessageReceived, Person, Priority
from supportbot.evaluation.conversation import Role, Row
from supportbot.evaluation.sheet import next_name

_ROLES = {
    Kind.INCIDENT: Role.OPEN,
    Kind.FOLLOW_UP: Role.FOLLOW_UP,
    Kind.EVIDENCE: Role.EVIDENCE,
    Kind.STAFF: Role.AGENT,
    Kind.RESOLUTION: Role.RESOLVED,
    Kind.CHATTER: Role.CHATTER,
}
_KEY = b"labels"
"""References are only compared with each other here."""


def make_rows(lines: Sequence[Line], staff: Staff) -> list[Row]:
    """A row for each message that a person wrote, with the bot's opinion as its labels.

    Args:
        lines: Of a replay.
        staff: Who solves.
    """
    people = [line for line in lines if line.kind != SYSTEM]
    authors = list(dict.fromkeys(line.message.author or "" for line in people))
    cast = Cast(_KEY, authors, staff.authors)
    converter = Converter(_KEY, "labels", cast)
    names = _name_tickets(people)
    written = {cast.person(author).ref: author for author in authors}
    return [_row(line, converter.event(line.message, line.at), names, written) for line in people]


def _name_tickets(lines: Sequence[Line]) -> dict[str, str]:
    """A letter for each ticket, in the order of their first messages."""
    names: dict[str, str] = {}
    for line in lines:
        if line.ticket is not None and line.ticket not in names:
            names[line.ticket] = next_name(names.values())
    return names


def _row(line: Line, event: MessageReceived, names: dict[str, str], written: dict[str, str]) -> Row:
    role = _ROLES[Kind(line.kind)]
    if line.ticket is None and role is not Role.AGENT:
        role = Role.CHATTER  # The bot left it alone, or only asked.
    opens = role is Role.OPEN
    return Row(
        id=f"L{line.message.line}",
        at=_to_second(line.at),
        author=line.message.author or "",
        text=event.text,
        media=event.media.kind if event.media else None,
        filename=event.media.filename if event.media else None,
        note=event.note,
        staff=event.sender.staff,
        mentions=tuple(_author(person, written) for person in event.mentions),
        role=role,
        incidents=() if line.ticket is None else (names[line.ticket],),
        category=line.category if opens else None,
        priority=Priority(line.priority) if opens and line.priority else None,
        sites=line.sites if opens and line.sites else None,
    )


def _author(person: Person, written: dict[str, str]) -> str:
    """As the chat writes the person; a number for somebody who never wrote."""
    return written.get(person.ref) or person.phone or person.push_name or ""


def _to_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
