"""The ledger of messages: every message that was received has a terminal outcome, or it is unaccounted."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from supportbot.contracts import Outcome, TrailEntry
from supportbot.reader import read_stream
from supportbot.topology import trail_stream

if TYPE_CHECKING:
    from supportbot.bus import Bus


class Ledger:
    """Folds trail entries in the order of the stream (pure)."""

    def __init__(self, entries: Iterable[TrailEntry] = ()) -> None:
        self.received: dict[str, TrailEntry] = {}
        """Per message the entry of its receipt."""
        self.last: dict[str, TrailEntry] = {}
        """Per message its last terminal entry, which counts."""
        for entry in entries:
            self.add(entry)

    def add(self, entry: TrailEntry) -> None:
        """Take the next entry."""
        if entry.outcome is Outcome.RECEIVED:
            self.received.setdefault(entry.message_ref, entry)
        elif entry.outcome.terminal and (entry.stage, entry.outcome) != ("whatsapp", Outcome.DEAD_LETTER):
            # An answer that could not be sent is no fate of the message that it answers.
            self.last[entry.message_ref] = entry

    def counts(self) -> Counter[Outcome]:
        """Messages per terminal outcome."""
        return Counter(entry.outcome for entry in self.last.values())

    def unaccounted(self) -> list[TrailEntry]:
        """The receipts of messages without a terminal outcome, oldest first.

        `received = Σ counts + unaccounted`, apart from messages that have an outcome and whose receipt was lost.
        """
        missing = (entry for ref, entry in self.received.items() if ref not in self.last)
        return sorted(missing, key=lambda entry: entry.at)

    def unreceived(self) -> list[TrailEntry]:
        """Terminal entries of messages whose receipt is not in the trail (any more)."""
        return [entry for ref, entry in self.last.items() if ref not in self.received]


async def read_trail(bus: "Bus", *, after: int = 0) -> list[TrailEntry]:
    """All entries of the trail in order, from behind the sequence `after`. Raises UnavailableError."""
    entries, _ = await read_trail_from(bus, after)
    return entries


async def read_trail_from(bus: "Bus", after: int, *, limit: int | None = None) -> tuple[list[TrailEntry], int]:
    """The entries behind the sequence `after`, at most `limit`, and where to go on from. Raises UnavailableError."""
    stored = await read_stream(bus.nc, trail_stream(bus.bot), after=after, limit=limit)
    entries = [TrailEntry.model_validate_json(message.data) for message in stored]
    return entries, stored[-1].seq if stored else after
