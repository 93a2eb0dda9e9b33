"""What could not be processed: list it, show it, put it back on its way, or drop it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supportbot.bus import Bus


@dataclass(frozen=True)
class DeadLetter:
    """One entry of the stream `<bot>-dlq`."""

    seq: int
    stage: str
    reason: str
    error: str
    attempts: int
    first_at: datetime
    at: datetime
    event_type: str
    event_id: str
    message_ref: str
    group_ref: str
    body: bytes


async def list_dead_letters(bus: "Bus", *, stage: str | None = None) -> list[DeadLetter]:
    """The dead letters, oldest first."""
    raise NotImplementedError


async def show_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """One dead letter. Raises UserError when there is none."""
    raise NotImplementedError


async def replay_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """Put a dead letter back on its stream and delete it here."""
    raise NotImplementedError


async def drop_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """Delete a dead letter for good."""
    raise NotImplementedError
