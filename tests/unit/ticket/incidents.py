"""Invented people, messages and incidents for the tests of the ticket service."""

from datetime import UTC, datetime, timedelta
from typing import Any

from supportbot.contracts import (
    Decision,
    Evidence,
    IncidentState,
    Kind,
    Media,
    MessageClassified,
    MessageReceived,
    Person,
    Priority,
)

AT = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
GROUP = "0123456789abcdef"
ANA = Person(ref="a" * 16, phone="+525550100001", push_name="Ana Pérez Soto")
BETO = Person(ref="b" * 16, phone="+525550100002", push_name="Beto")
LID = Person(ref="c" * 16)


def make_ref(number: int) -> str:
    """A `message_ref` for a number."""
    digits = "abcdefghijklmnopqrstuvwxyz234567"
    return f"m_{digits[number // 32 % 32]}{digits[number % 32]}{'q' * 18}"


def make_incident(number: int = 1, **changes: Any) -> IncidentState:
    """An incident that message `number` opened."""
    ref = make_ref(number)
    state = IncidentState(
        incident_id="i_" + ref[2:],
        opening_ref=ref,
        opened_at=AT,
        reporter=ANA,
        subject="la 909 no puede recepcionar",
        category="technical",
        priority=Priority.HIGH,
        sites=("909",),
    )
    return state.model_copy(update=changes)


def make_message(number: int, text: str = "", *, media: Media | None = None, sender: Person = ANA) -> MessageReceived:
    """Message `number` of a group, a minute after the one before."""
    at = AT + timedelta(minutes=number - 1)
    return MessageReceived(
        message_ref=make_ref(number), group_ref=GROUP, sender=sender, sent_at=at, received_at=at, text=text, media=media
    )


def make_classified(
    message: MessageReceived,
    kind: Kind = Kind.INCIDENT,
    *,
    incident: IncidentState | None = None,
    opens: bool = False,
    joined: tuple[Evidence, ...] = (),
) -> MessageClassified:
    """What the classifier says about a message."""
    incident_id = incident.incident_id if incident else None
    return MessageClassified(
        message_ref=message.message_ref,
        group_ref=message.group_ref,
        message=message,
        decision=Decision(kind=kind, incident_id=incident_id, opens=opens),
        incident=incident,
        joined=joined,
    )
