"""The link as this process keeps it: dials, listens, redials, and says when there is no point in going on.

The library reconnects by itself after a lost connection, at once and after 2 s, but then waits ever longer: from there
on a new client is dialled. What this process cannot mend it ends with, and the service decides what comes then.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from supportbot.whatsapp.gateway import LinkState
from supportbot.whatsapp.neonize.backoff import redial_s
from supportbot.whatsapp.neonize.link_states import STARTING, Heard, Link, LinkEvent, advance

TAKE_OVER_S = 2.5
"""So long after a lost connection the library has tried twice."""
DIAL_TIMEOUT_S = 20.0
"""So long a new client may take."""
SYNC_STALL_S = 30.0
"""A backlog of which nothing has come for so long is taken for whole."""

_ENDS = frozenset({Heard.LOGGED_OUT, Heard.BANNED, Heard.REPLACED, Heard.OUTDATED})

_log = structlog.get_logger(__name__)


class Dialler(Protocol):
    """What the line needs of the library."""

    async def dial(self) -> "asyncio.Task[None]":
        """Connect a new client; the task ends with the link."""

    async def hang_up(self) -> None:
        """Store what has come, and stop."""

    async def cut(self) -> None:
        """Take no more."""


class Line:
    """The link of one process.

    Args:
        library: Dials.
        tell: Told of every change.
        stalled: Called when a backlog has stopped coming without an end.
        last_arrival: When something came last, by `time.monotonic`.
        may_dial: Whether a device is linked, or is to be; without one the library would offer a code to nobody.
    """

    def __init__(
        self,
        library: Dialler,
        *,
        tell: Callable[[Link], None],
        stalled: Callable[[], None],
        last_arrival: Callable[[], float],
        may_dial: bool,
    ) -> None:
        self._library = library
        self._tell = tell
        self._stalled = stalled
        self._last_arrival = last_arrival
        self._may_dial = may_dial
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[int, LinkEvent]] = asyncio.Queue()
        self._generation = 0
        self._redials = 0
        self._redial_at: float | None = None
        self._held = False
        self.link = STARTING

    @property
    def is_connected(self) -> bool:
        """Whether anything can be sent."""
        return self.link.state is LinkState.CONNECTED

    def hear(self, event: LinkEvent) -> None:
        """Take an event of the library; thread-safe."""
        self._loop.call_soon_threadsafe(self._events.put_nowait, (self._generation, event))

    async def run(self) -> None:
        """Keep the link until it is ended for good, or can only be mended by a new process."""
        await self._dial()
        while True:
            event = await self._next_event()
            if event is None:
                continue
            self._move(advance(self.link, event, now=datetime.now(UTC)))
            if self.link.is_terminal or (event.heard is Heard.FAILED and not self._held):
                return
            await self._react(event)

    async def _react(self, event: LinkEvent) -> None:
        match event.heard:
            case Heard.CONNECTED:
                self._held, self._redials, self._redial_at = True, 0, None
            case Heard.STORE_FAILED:
                self._redial_at = None
                await self._library.cut()
            case Heard.DISCONNECTED if self._held and self.link.state is LinkState.RECONNECTING:
                self._redial_at = self._redial_at or time.monotonic() + TAKE_OVER_S
            case Heard.STORE_WORKS | Heard.FAILED:
                await self._redial()

    async def _redial(self) -> None:
        await self._library.hang_up()
        await asyncio.sleep(redial_s(self._redials, random.SystemRandom()))
        self._redials += 1
        await self._dial()
        self._redial_at = time.monotonic() + DIAL_TIMEOUT_S

    async def _dial(self) -> None:
        self._generation += 1
        if not self._may_dial:
            self._events.put_nowait((self._generation, LinkEvent(heard=Heard.LOGGED_OUT)))
            return
        if not self._held:
            self._move(advance(self.link, LinkEvent(heard=Heard.DIALLING), now=datetime.now(UTC)))
        task = await self._library.dial()
        task.add_done_callback(self._make_ending(self._generation))

    def _make_ending(self, generation: int) -> Callable[["asyncio.Task[None]"], None]:
        def ended(task: "asyncio.Task[None]") -> None:
            error = None if task.cancelled() else task.exception()
            event = LinkEvent(heard=Heard.FAILED, text=str(error) if error else "the library has ended the session")
            self._events.put_nowait((generation, event))

        return ended

    async def _next_event(self) -> LinkEvent | None:
        """The next event of the present client; None when there was an older one's, or it was time to do something."""
        due = SYNC_STALL_S if self._redial_at is None else max(self._redial_at - time.monotonic(), 0)
        try:
            async with asyncio.timeout(due):
                generation, event = await self._events.get()
        except TimeoutError:
            if self._redial_at is None:
                self._end_stalled_backlog()
            else:
                await self._redial()
            return None
        # The end of the account is the end, whichever client has heard of it.
        return event if generation == self._generation or event.heard in _ENDS else None

    def _end_stalled_backlog(self) -> None:
        if self.link.state is LinkState.SYNCING and time.monotonic() - self._last_arrival() > SYNC_STALL_S:
            _log.warning("backlog_stalled", announced=self.link.backlog)
            self._stalled()
            self._move(advance(self.link, LinkEvent(heard=Heard.BACKLOG_DONE), now=datetime.now(UTC)))

    def _move(self, link: Link) -> None:
        if link != self.link:
            _log.info("link_changed", state=link.state.value, before=self.link.state.value, backlog=link.backlog)
            self.link = link
            self._tell(link)
