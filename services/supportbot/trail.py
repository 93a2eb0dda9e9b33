"""The ledger of messages: every message that was received has a terminal outcome, or it is unaccounted."""

from collections import Counter
from typing import TYPE_CHECKING

from supportbot.contracts import Outcome, TrailEntry

if TYPE_CHECKING:
    from supportbot.bus import Bus


class Ledger:
    """Folds trail entries in stream order."""

    last: dict[str, TrailEntry]
    """Per message its last terminal entry."""

    def add(self, entry: TrailEntry) -> None:
        """Take the next entry."""
        raise NotImplementedError

    def counts(self) -> Counter[Outcome]:
        """Messages per terminal outcome."""
        raise NotImplementedError

    def unaccounted(self) -> list[TrailEntry]:
        """The `received` entries of messages without a terminal outcome, oldest first."""
        raise NotImplementedError


async def read_trail(bus: "Bus", *, after: int = 0) -> list[TrailEntry]:
    """All entries of the trail in order, from behind the sequence `after`."""
    raise NotImplementedError
