"""Follows the trail, so that the demo can tell what became of each message."""

import asyncio

from supportbot.bus import Bus
from supportbot.contracts import TrailEntry
from supportbot.trail import Ledger, read_trail_from

POLL_S = 0.05


class Follower:
    """Reads the trail as it grows."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._after = 0
        self._classified: dict[str, TrailEntry] = {}
        self.ledger = Ledger()

    async def catch_up(self) -> None:
        """Read what has been added."""
        part = await read_trail_from(self._bus, self._after)
        self._after = part.seq
        for entry in part.entries:
            self.ledger.add(entry)
            if entry.stage == "classifier":
                self._classified[entry.message_ref] = entry

    async def classified(self, message_ref: str, *, timeout_s: float) -> TrailEntry:
        """The classifier's word about a message, or how it ended without one.

        Raises:
            TimeoutError: There was none in time.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                await self.catch_up()
                entry = self._classified.get(message_ref) or self.ledger.last.get(message_ref)
                if entry is not None:
                    return entry
                await asyncio.sleep(POLL_S)

    async def drained(self, expected: int, *, timeout_s: float) -> bool:
        """Whether `expected` messages were received and each has a terminal outcome, within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    await self.catch_up()
                    if len(self.ledger.received) >= expected and not self.ledger.unaccounted():
                        return True
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return False
