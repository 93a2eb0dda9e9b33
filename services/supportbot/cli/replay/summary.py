"""A replay in figures: what was read, and the summary that `--json` prints. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from supportbot.cli.replay.people import Staff
from supportbot.cli.replay.result import Result, Ticket
from supportbot.contracts import Outcome
from supportbot.export.chat import ExportedChat, ExportedMessage


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What was read."""

    file: str
    title: str | None
    form: str
    date_order: str
    timezone: str | None
    """As it was asked for; None for the machine's own."""
    first: datetime
    last: datetime
    messages: int
    """Of people, in the period."""
    notices: int
    """By WhatsApp, in the period."""
    authors: tuple[str, ...]
    staff: Staff

    @classmethod
    def of(
        cls,
        file: str,
        chat: ExportedChat,
        messages: Sequence[ExportedMessage],
        moments: Sequence[datetime],
        *,
        staff: Staff,
        timezone: str | None,
    ) -> Self:
        """The heading of the messages of a period, and their times."""
        authors = tuple(dict.fromkeys(one.author for one in messages if one.author is not None))
        notices = sum(one.author is None for one in messages)
        return cls(
            file=file,
            title=chat.title,
            form=chat.form,
            date_order=chat.date_order,
            timezone=timezone,
            first=min(moments),
            last=max(moments),
            messages=len(messages) - notices,
            notices=notices,
            authors=authors,
            staff=staff,
        )

    @property
    def zone(self) -> str:
        """The time zone in words."""
        return self.timezone or f"{self.first.tzname()} (this machine's time zone)"


def describe_result(heading: Heading, result: Result, *, seconds: float) -> dict[str, Any]:
    """The summary as JSON."""
    counts = result.ledger.counts()
    return {
        "file": heading.file,
        "title": heading.title,
        "form": heading.form,
        "date_order": heading.date_order,
        "timezone": heading.timezone or heading.first.tzname(),
        "first_at": heading.first.isoformat(),
        "last_at": heading.last.isoformat(),
        "messages": heading.messages,
        "notices": heading.notices,
        "authors": len(heading.authors),
        "staff": sorted(heading.staff.authors),
        "unknown_staff": [name for name, _ in heading.staff.unknown],
        "kinds": dict(result.kinds()),
        "tickets": [_describe_ticket(ticket) for ticket in result.tickets],
        "ledger": {
            "received": len(result.ledger.received),
            **{outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]},
            "unaccounted": len(result.ledger.unaccounted()),
        },
        "dead_letters": counts[Outcome.DEAD_LETTER],
        "seconds": round(seconds, 1),
    }


def _describe_ticket(ticket: Ticket) -> dict[str, Any]:
    incident = ticket.incident
    opening = next((line for line in ticket.lines if line.opens), None)
    return {
        "incident": ticket.label,
        "line": opening.message.line if opening else None,
        "opened_at": opening.at.isoformat() if opening else incident.opened_at.isoformat(),
        "subject": incident.subject,
        "category": incident.category,
        "priority": incident.priority.value,
        "sites": list(incident.sites),
        "reporter": ticket.reporter,
        "affected": len(incident.affected),
        "resolved": incident.resolved,
        "messages": len(ticket.lines),
        "attachments": ticket.attachments,
    }
