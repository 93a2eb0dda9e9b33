"""When the process of the link runs: started when there is something to link, restarted with back-off, ended in order.

There is none while no device is linked and nobody wants to pair one, and none in a state that another try would worsen.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from supportbot.errors import UnavailableError
from supportbot.metrics import WHATSAPP_LOST, WHATSAPP_RECONNECTS, WHATSAPP_UNDECRYPTABLE
from supportbot.whatsapp.gateway import InboundSink, LinkState, PairingOffer
from supportbot.whatsapp.neonize.backoff import STABLE_S, Backoff
from supportbot.whatsapp.neonize.link_states import (
    STARTING,
    STOPPED,
    UNPAIRED,
    Heard,
    Link,
    LinkEvent,
    advance,
    end_of_ban,
    unpaired_after,
)
from supportbot.whatsapp.neonize.memory import LinkMemory
from supportbot.whatsapp.neonize.process import COMMAND, DRAIN_TIMEOUT_S, LinkProcess
from supportbot.whatsapp.neonize.session_file import last_rowid, read_device
from supportbot.whatsapp.neonize.wire import FromProcess, LinkNotice, Noticed, OfferNotice, Pairing, Seen, Start

SILENCE_S = 60.0
"""A process that has not said for so long that it lives is killed."""
UNLINKED_S = 300.0
"""So long without a link, and a new process tries."""
WATCH_INTERVAL_S = 5.0
SEEN_INTERVAL_S = 3600.0
SEEN_LAG_S = 60.0
"""Longer than anything takes from its secret to the journal."""

PAIRING = Link(
    state=LinkState.PAIRING,
    message="waiting for the bot's phone: WhatsApp, Linked devices, Link a device, then scan or type the code",
)
_LINKED = frozenset({LinkState.CONNECTED, LinkState.SYNCING})
_PATIENT = frozenset({*_LINKED, LinkState.STORE_FAILED, LinkState.PASSKEY_REQUIRED, LinkState.PAIRING})
"""States that a new process would not improve."""
_OUTLIVING = frozenset({LinkState.BANNED, LinkState.LOGGED_OUT})
"""Ends that a restart of the service does not undo."""
_CUT_SHORT = frozenset({*_LINKED, LinkState.STARTING, LinkState.CONNECTING})
"""States that say nothing any more once their process has ended."""

_log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Shown:
    """What is known of the link, for whoever asks."""

    link: Link = STOPPED
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    own_jids: frozenset[str] = frozenset()
    phone: str | None = None
    offer: PairingOffer | None = None

    def show(self, link: Link) -> None:
        """Show another state."""
        if link.state is not self.link.state:
            self.since = datetime.now(UTC)
        self.link = link


class Supervisor:
    """Runs one process after the other.

    Args:
        start: What each of them is told, but for what changes.
        memory: What outlives them.
        command: Starts one.
        backoff: How long to wait between them.
    """

    def __init__(
        self, start: Start, memory: LinkMemory, *, command: tuple[str, ...] = COMMAND, backoff: Backoff | None = None
    ) -> None:
        self.shown = Shown()
        self.process: LinkProcess | None = None
        self.is_running = False
        self._start = start
        self._memory = memory
        self._command = command
        self._backoff = backoff or Backoff()
        self._rng: random.Random = random.SystemRandom()
        self._wake = asyncio.Event()
        self._pairing: Pairing | None = None
        self._ended: Link | None = None
        self._was_linked = False
        self._resume_at = datetime.min.replace(tzinfo=UTC)
        self._linked_at: float | None = None

    @property
    def pairing(self) -> Pairing | None:
        """The pairing that is wanted, until it has succeeded or come to nothing."""
        return self._pairing

    async def run(self, sink: InboundSink) -> None:
        """Keep the link up until cancelled; then everything that has come is stored first."""
        self.is_running = True
        self._ended, self._was_linked = await self._memory.ended(), await self._memory.linked()
        try:
            while True:
                await self._until_wanted()
                await self._run_once(sink)
        finally:
            self.is_running = False
            self.shown.show(STOPPED)

    def pair(self, pairing: Pairing | None) -> None:
        """Want a pairing, or no longer."""
        self._pairing = pairing
        if pairing is None and self.process is not None and self.shown.link.state not in _LINKED:
            self.process.kill()  # Nothing can be lost: no device is linked.
        self._wake.set()

    async def forget(self) -> None:
        """Forget how the link ended: the session is another."""
        self._ended, self._was_linked = None, False
        await self._memory.put_ended(None)
        await self._memory.put_linked(is_linked=False)
        self._wake.set()

    async def _until_wanted(self) -> None:
        while True:
            self._wake.clear()
            wait_s = await self._wait_s()
            if wait_s is not None and wait_s <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _wait_s(self) -> float | None:
        """Seconds until a process may be started; None when somebody must do something first."""
        device = await asyncio.to_thread(read_device, self._start.session)
        shown, now = self.shown, datetime.now(UTC)
        shown.own_jids, shown.phone = (device.own_jids, device.phone) if device else (frozenset(), None)
        if self._pairing is not None and device is None:
            return 0
        self._pairing = None
        if self._ended is not None and self._ended.state is LinkState.LOGGED_OUT and device is not None:
            await self.forget()  # It has been paired again.
        if device is not None:
            await self._note_linked()
        elif self._was_linked and self._ended is None:
            await self._end_unheard()
        if self._ended is not None:
            return await self._wait_after_end_s(self._ended, now)
        if device is None:
            unpaired = shown.link.state in (LinkState.UNPAIRED, LinkState.PASSKEY_REQUIRED)
            shown.show(shown.link if unpaired else UNPAIRED)
            return None
        return (self._resume_at - now).total_seconds()

    async def _note_linked(self) -> None:
        if not self._was_linked:
            self._was_linked = True
            await self._memory.put_linked(is_linked=True)

    async def _end_unheard(self) -> None:
        """The library has deleted the device, as it does at a logout, and nobody has heard why.

        It does not tell of a refusal that comes before its `connect` has returned.
        """
        _log.error("device_gone", reason="the library has deleted it without a word")
        gone = LinkEvent(heard=Heard.LOGGED_OUT, text="WhatsApp's reason was not heard")
        self._ended = advance(STARTING, gone, now=datetime.now(UTC))
        await self._memory.put_ended(self._ended)

    async def _wait_after_end_s(self, ended: Link, now: datetime) -> float | None:
        self.shown.show(ended)
        if ended.state is not LinkState.BANNED or ended.until is None:
            return None
        rest = (end_of_ban(ended.until, self._rng.random()) - now).total_seconds()
        if rest <= 0:
            await self.forget()
        return rest

    async def _run_once(self, sink: InboundSink) -> None:
        """One process, from its start to its end."""
        pairing = self._pairing
        self.shown.show(STARTING)
        self._linked_at = None
        start = self._start.model_copy(
            update={"seen_rowid": await self._memory.seen_rowid(), "pairing": pairing},
        )
        process = await LinkProcess.spawn(start, self._command)
        self.process = process
        reading = asyncio.create_task(process.run(lambda frame: self._take(frame, sink)))
        helpers = (asyncio.create_task(self._watch(process)), asyncio.create_task(self._move_seen()))
        try:
            status = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await _drain(process, reading)
            raise
        finally:
            for helper in helpers:
                helper.cancel()
            process.kill()
            self.process, self.shown.offer = None, None
        await self._judge(status, pairing)

    async def _judge(self, status: int, pairing: Pairing | None) -> None:
        """What is to be done after the end of a process."""
        link = self.shown.link
        if status != 0:
            _log.error("link_process_died", status=status, state=link.state.value)
        if pairing is not None and self._pairing is pairing:
            self._pairing = None  # It came to nothing.
            if link.state not in (LinkState.UNPAIRED, LinkState.PASSKEY_REQUIRED):
                self.shown.show(unpaired_after(link))
        elif link.is_terminal:
            self._ended = link
            if link.state in _OUTLIVING:
                await self._memory.put_ended(link)
        elif link.state is not LinkState.UNPAIRED:
            self._pause(link)

    def _pause(self, link: Link) -> None:
        if self._linked_at is not None and time.monotonic() - self._linked_at > STABLE_S:
            self._backoff.reset()
        WHATSAPP_RECONNECTS.labels("process_ended").inc()
        now = datetime.now(UTC)
        self._resume_at = max(now + timedelta(seconds=self._backoff.next_s()), link.until or now)
        if link.state in _CUT_SHORT or not link.message:
            state = LinkState.RECONNECTING if link.state in _CUT_SHORT else link.state
            link = Link(state=state, message="the process of the link has ended; it is started again")
        self.shown.show(link.model_copy(update={"until": self._resume_at}))

    async def _watch(self, process: LinkProcess) -> None:
        """Kill a process that is stuck, or that finds no link."""
        unlinked_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            if self.shown.link.state in _PATIENT:
                unlinked_at = time.monotonic()
            for what, is_so in (
                ("silent", process.silence_s > SILENCE_S),
                ("unlinked", time.monotonic() - unlinked_at > UNLINKED_S),
            ):
                if is_so:
                    _log.error("link_process_stuck", what=what, state=self.shown.link.state.value)
                    process.kill()
                    return

    async def _move_seen(self) -> None:
        """Keep up with the messages that are accounted for: the journal forgets them one day."""
        while True:
            await asyncio.sleep(SEEN_INTERVAL_S)
            rowid = await asyncio.to_thread(last_rowid, self._start.session)
            await asyncio.sleep(SEEN_LAG_S)
            await self._memory.put_seen_rowid(rowid)

    async def _take(self, frame: FromProcess, sink: InboundSink) -> None:
        match frame:
            case LinkNotice():
                await self._take_link(frame)
            case OfferNotice():
                self.shown.offer = frame.offer
                if frame.offer is not None:
                    self.shown.show(PAIRING)
            case Noticed():
                sink.noticed(stored=frame.stored, repeated=frame.repeated, ignored=frame.ignored)
                WHATSAPP_UNDECRYPTABLE.inc(frame.undecryptable)
                WHATSAPP_LOST.inc(frame.lost)
            case Seen():
                rowid = frame.rowid
                if rowid is None:
                    rowid = await asyncio.to_thread(last_rowid, self._start.session)
                await self._memory.put_seen_rowid(rowid)

    async def _take_link(self, notice: LinkNotice) -> None:
        shown, link = self.shown, notice.link
        if link.state is LinkState.CONNECTED and shown.link.state is LinkState.RECONNECTING:
            WHATSAPP_RECONNECTS.labels("connection_lost").inc()
        shown.own_jids, shown.phone = frozenset(notice.own_jids), notice.phone
        shown.show(link)
        if link.state in _LINKED:
            self._linked_at = self._linked_at or time.monotonic()
            if self._pairing is not None:
                self._pairing, shown.offer = None, None
                await self._memory.put_pairing("linked", datetime.now(UTC))
                await self._memory.put_seen_rowid(await asyncio.to_thread(last_rowid, self._start.session))
                await self.forget()
            await self._note_linked()


async def _drain(process: LinkProcess, reading: "asyncio.Task[int]") -> None:
    """Have the process store what has come; whoever cancels this as well has it killed."""
    with suppress(UnavailableError):
        process.drain()
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            await asyncio.shield(reading)
    except TimeoutError:
        _log.error("link_process_killed", reason="it did not end in time")
        process.kill()
        await reading
