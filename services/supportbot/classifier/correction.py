"""What an edit, a deletion or a reaction came to. Pure."""

from dataclasses import dataclass, field

from supportbot.classifier.assembly import Assembly
from supportbot.classifier.labels import Word
from supportbot.classifier.memory import Incident
from supportbot.contracts import (
    Change,
    Decision,
    Event,
    IncidentCorrected,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionReceived,
)


@dataclass(frozen=True)
class Correction:
    """The outcome."""

    reason: str
    events: tuple[Event, ...] = ()
    """To be published behind those of `assembly`."""
    message: MessageReceived | None = None
    """With `assembly`: the earlier message that it decides."""
    assembly: Assembly | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    """Earlier messages that are decided otherwise now, by reference."""
    words: tuple[Word, ...] = ()
    """What is kept as labels."""


def corrected(
    event: MessageEdited | MessageDeleted | ReactionReceived, incident: Incident, change: Change
) -> IncidentCorrected:
    """The event of a correction."""
    text = event.text if isinstance(event, MessageEdited) else ""
    if isinstance(event, ReactionReceived):
        text = event.emoji
    return IncidentCorrected(
        message_ref=event.message_ref,
        group_ref=event.group_ref,
        target_ref=event.target_ref,
        sender=event.sender,
        sent_at=event.sent_at,
        change=change,
        text=text,
        incident=incident.state,
    )
