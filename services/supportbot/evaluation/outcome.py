"""What a bot made of a conversation, as it stood at the end; whichever way it was found out."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What became of one message."""

    incident: str | None = None
    """The incident that it belongs to, by any name."""
    opens: bool = False
    """The incident was opened when this message came: for a photo that waited, the later message that made it open."""
    opened_on: str | None = None
    """With `opens`: the id of the later message that made it open, when that one is not of the incident itself."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of an incident at the end; None for what nobody told."""

    category: str | None = None
    priority: str | None = None
    sites: tuple[str, ...] | None = None
    affected: tuple[str, ...] | None = None
    """References of people."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything that is measured."""

    predictions: Mapping[str, Prediction]
    """By the id of the message; one that is absent was left alone."""
    incidents: Mapping[str, Facts] = field(default_factory=dict)
    emptied: int = 0
    """Tickets that were opened, and whose opening message was put elsewhere later: nobody's, but they are there."""
