"""The ledger of messages: every message that was received has a terminal outcome, or it is unaccounted."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from supportbot.contracts import Outcome, TrailEntry
from supportbot.metrics import ERRORS
from supportbot.reader import Stored, read_stream
from supportbot.topology import trail_stream

if TYPE_CHECKING:
    from supportbot.bus import Bus

log = structlog.get_logger(__name__)

SLICE = 250
"""Entries that are parsed before others get their turn; some milliseconds."""


@dataclass(frozen=True, kw_only=True)
class TrailPart:
    """A part of the trail."""

    entries: tuple[TrailEntry, ...]
    """In order."""
    skipped: int
    """Entries among them that could not be read."""
    seq: int
    """The last sequence: the next part begins behind it."""


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


async def read_trail(bus: "Bus") -> tuple[TrailEntry, ...]:
    """All entries of the trail in order. Raises UnavailableError."""
    return (await read_trail_from(bus, 0)).entries


async def read_trail_from(bus: "Bus", after: int, *, limit: int | None = None) -> TrailPart:
    """What is behind the sequence `after`, at most `limit` entries. Raises UnavailableError.

    An entry that cannot be read, say of a later version, is skipped: whatever follows it counts.
    """
    stored = await read_stream(bus.nc, trail_stream(bus.bot), after=after, limit=limit)
    part = await parse_part(stored, after=after)
    if part.skipped:
        ERRORS.labels("trail", "UnreadableEntry").inc(part.skipped)
        log.warning("trail_entries_skipped", bot=bus.bot, count=part.skipped, after=after, seq=part.seq)
    return part


async def parse_part(stored: Sequence[Stored], *, after: int) -> TrailPart:
    """What was read behind the sequence `after`. Others get their turn between slices."""
    entries: list[TrailEntry] = []
    for number, message in enumerate(stored):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        with suppress(ValidationError):
            entries.append(TrailEntry.model_validate_json(message.data))
    return TrailPart(
        entries=tuple(entries), skipped=len(stored) - len(entries), seq=stored[-1].seq if stored else after
    )
