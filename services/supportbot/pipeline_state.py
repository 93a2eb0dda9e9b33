"""How far a bot's messages are, read from the bus by who looks at it from outside: queues, dead letters, the ledger.

The operator makes one `PipelineWatch` per bot and calls `look` now and then; a call costs some two dozen requests, and
reads of the trail what came since the last one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from types import MappingProxyType

import structlog
from nats.js.api import ConsumerInfo

from supportbot import metrics, topology
from supportbot.bus import Bus
from supportbot.contracts import Outcome, TrailEntry
from supportbot.nats_errors import broker_errors
from supportbot.reader import read_message
from supportbot.topology import Stage
from supportbot.trail import read_trail_from

log = structlog.get_logger(__name__)

UNACCOUNTED_AFTER = timedelta(minutes=15)
KEEP_SETTLED = timedelta(hours=24)
"""How long a settled message is remembered, since a later stage may settle it anew."""
PORTION = 1000
"""Entries of the trail that are read at once: what is held meanwhile costs the garbage collector pauses."""

SLICE = 5000
"""Open messages that are looked at before others get their turn; some milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What waits for a stage, over all of its lanes."""

    pending: int
    """Not delivered yet."""
    ack_pending: int
    """Delivered, not settled."""
    redelivered: int
    """Of those the ones that were delivered before."""
    oldest_at: datetime | None
    """When the oldest message that is not settled came."""


@dataclass(frozen=True, kw_only=True)
class PipelineState:
    """A bot's pipeline at one moment."""

    at: datetime
    queues: Mapping[Stage, Queue]
    dead_letters: Mapping[Stage, int]
    """That wait for a person."""
    received: int
    """Messages since the trail began, or since it gave up its oldest entries (37 days)."""
    outcomes: Mapping[Outcome, int]
    """Messages per terminal outcome. One whose outcome changes after a day counts by the later one too."""
    open: int
    """Messages without a terminal outcome."""
    open_since: datetime | None
    """When the oldest of them was received."""
    unaccounted: tuple[str, ...]
    """The `message_ref` of those that have been open for longer than is normal, in the order of the trail."""

    @property
    def tickets(self) -> int:
        """Messages that opened a ticket."""
        return self.outcomes.get(Outcome.TICKET, 0)

    @property
    def dead_lettered(self) -> int:
        """Messages that ended as dead letters and have not been brought further since."""
        return self.outcomes.get(Outcome.DEAD_LETTER, 0)


class RunningLedger:
    """Folds the trail as it grows, as `trail.Ledger` does at once, in bounded memory (pure).

    What is open is remembered, and what was settled within a day: a message may be settled anew, and a stage may say
    its word again.
    """

    def __init__(self) -> None:
        self.received = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.open: dict[str, datetime] = {}
        self._settled: dict[str, tuple[Outcome, datetime, bool]] = {}
        """Per message its outcome, when it was said, and whether the receipt was seen."""

    def add(self, entry: TrailEntry) -> None:
        """Take the next entry."""
        ref = entry.message_ref
        if entry.outcome is Outcome.RECEIVED:
            self._receive(ref, entry.at)
        elif entry.outcome.terminal and (entry.stage, entry.outcome) != ("whatsapp", Outcome.DEAD_LETTER):
            before = self._settled.pop(ref, None)
            if before is not None:
                self.outcomes[before[0]] -= 1
            is_received = self.open.pop(ref, None) is not None or (before is not None and before[2])
            self.outcomes[entry.outcome] += 1
            self._settled[ref] = entry.outcome, entry.at, is_received

    def forget(self, before: datetime) -> None:
        """Forget what was settled before a time; it stays counted."""
        # They are in the order of their settlement, but for clocks that differ.
        for ref, _ in tuple(takewhile(lambda item: item[1][1] < before, self._settled.items())):
            del self._settled[ref]

    async def find_late(self, before: datetime) -> tuple[tuple[str, ...], datetime | None]:
        """The open messages of before a time, in the order of the trail, and when the oldest open one came.

        Others get their turn meanwhile: after an outage there may be very many.
        """
        late: list[str] = []
        oldest: datetime | None = None
        for number, (ref, at) in enumerate(self.open.items()):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if at < before:
                late.append(ref)
            if oldest is None or at < oldest:
                oldest = at
        return tuple(late), oldest

    def _receive(self, ref: str, at: datetime) -> None:
        known = self._settled.get(ref)
        if known is None:
            if ref not in self.open:
                self.received += 1
                self.open[ref] = at
        elif not known[2]:
            self.received += 1
            self._settled[ref] = known[0], known[1], True


class PipelineWatch:
    """Looks at one bot again and again. After an UnavailableError the next look goes on where this one ended.

    Args:
        bus: The bot's.
        lanes: The number that the bot was created with.
        unaccounted_after: How long a message may be without an outcome.
        now: Aware UTC now.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        lanes: int,
        unaccounted_after: timedelta = UNACCOUNTED_AFTER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bus, self._lanes = bus, lanes
        self._after, self._now = unaccounted_after, now
        self._ledger = RunningLedger()
        self._seq = 0
        self._trail_made_at: datetime | None = None
        self._told: set[str] | None = None
        self._strange: set[str] = set()
        metrics.LEDGER_DISCREPANCIES.labels(bus.bot)  # Alerts want it before anything happens.

    async def look(self) -> PipelineState:
        """The state now; it also goes into the metrics.

        What the first look finds unaccounted for is not counted: whoever watched before has done so.

        Raises:
            StreamMissingError: The bot's streams do not exist (yet).
            UnavailableError: The broker is away.
        """
        queues = dict(zip(Stage, await asyncio.gather(*(self._read_queue(stage) for stage in Stage)), strict=True))
        letters = await self._count_dead_letters()
        now = self._now()
        await self._follow_trail(now)
        state = await self._make_state(now, queues, letters)
        self._measure(state)
        return state

    async def _follow_trail(self, now: datetime) -> None:
        """Take what the trail has gained, in portions: after a restart it is all of 37 days."""
        await self._begin_anew_if_lost()
        while True:
            part = await read_trail_from(self._bus, self._seq, limit=PORTION)
            self._seq = part.seq
            for entry in part.entries:
                self._ledger.add(entry)
            self._ledger.forget(now - KEEP_SETTLED)
            if len(part.entries) + part.skipped < PORTION:
                return

    async def _begin_anew_if_lost(self) -> None:
        """Begin a new ledger where the broker has lost its store, or got an older one back."""
        with broker_errors():
            trail = await self._bus.js.stream_info(topology.trail_stream(self._bus.bot))
        if self._trail_made_at not in {None, trail.created} or trail.state.last_seq < self._seq:
            log.warning("ledger_begun_anew", bot=self._bus.bot, seq=self._seq, last_seq=trail.state.last_seq)
            self._ledger, self._seq = RunningLedger(), 0
        self._trail_made_at = trail.created

    def forget_metrics(self) -> None:
        """Take the bot's series away, once it is gone."""
        bot = self._bus.bot
        for stage in Stage:
            for gauge in _QUEUE_GAUGES:
                gauge.remove(bot, stage.value)
            metrics.DEAD_LETTER_MESSAGES.remove(bot, stage.value)
        for one in (metrics.LEDGER_OPEN, metrics.LEDGER_OLDEST_OPEN, metrics.LEDGER_DISCREPANCIES):
            one.remove(bot)

    async def _read_queue(self, stage: Stage) -> Queue:
        stream = topology.stream_name(self._bus.bot, stage)
        names = [topology.consumer_name(stage, lane) for lane in range(self._lanes)]
        with broker_errors():
            lanes = await asyncio.gather(*(self._bus.js.consumer_info(stream, name) for name in names))
        waiting = [self._read_oldest(stream, lane) for lane in lanes if lane.num_pending or lane.num_ack_pending]
        return Queue(
            pending=sum(lane.num_pending or 0 for lane in lanes),
            ack_pending=sum(lane.num_ack_pending or 0 for lane in lanes),
            redelivered=sum(lane.num_redelivered or 0 for lane in lanes),
            oldest_at=_earliest(await asyncio.gather(*waiting)),
        )

    async def _read_oldest(self, stream: str, lane: ConsumerInfo) -> datetime | None:
        """When the first message behind what the lane has settled came."""
        assert lane.ack_floor is not None
        subject = lane.config.filter_subject
        stored = await read_message(self._bus.nc, stream, lane.ack_floor.stream_seq + 1, next_of=subject)
        return stored.at if stored is not None else None

    async def _count_dead_letters(self) -> dict[Stage, int]:
        stream = topology.dead_letter_stream(self._bus.bot)
        with broker_errors():
            info = await self._bus.js.stream_info(stream, subjects_filter=f"dlq.{self._bus.bot}.>")
        counts = dict.fromkeys(Stage, 0)
        for subject, count in (info.state.subjects or {}).items():
            name = subject.split(".")[2]
            if name in counts:
                counts[Stage(name)] += count
            elif name not in self._strange:
                self._strange.add(name)
                metrics.ERRORS.labels("pipeline", "UnknownStage").inc()
                log.warning("dead_letters_of_unknown_stage", bot=self._bus.bot, stage=name, count=count)
        return counts

    async def _make_state(self, now: datetime, queues: dict[Stage, Queue], letters: dict[Stage, int]) -> PipelineState:
        late, since = await self._ledger.find_late(now - self._after)
        return PipelineState(
            at=now,
            queues=MappingProxyType(queues),
            dead_letters=MappingProxyType(letters),
            received=self._ledger.received,
            outcomes=MappingProxyType(dict(+self._ledger.outcomes)),
            open=len(self._ledger.open),
            open_since=since,
            unaccounted=late,
        )

    def _measure(self, state: PipelineState) -> None:
        bot = self._bus.bot
        for stage, queue in state.queues.items():
            values = (queue.pending, queue.ack_pending, queue.redelivered, _age_s(state.at, queue.oldest_at))
            for gauge, value in zip(_QUEUE_GAUGES, values, strict=True):
                gauge.labels(bot, stage.value).set(value)
            metrics.DEAD_LETTER_MESSAGES.labels(bot, stage.value).set(state.dead_letters[stage])
        metrics.LEDGER_OPEN.labels(bot).set(state.open)
        metrics.LEDGER_OLDEST_OPEN.labels(bot).set(_age_s(state.at, state.open_since))
        late = set(state.unaccounted)
        metrics.LEDGER_DISCREPANCIES.labels(bot).inc(0 if self._told is None else len(late - self._told))
        self._told = late


_QUEUE_GAUGES = (
    metrics.QUEUE_PENDING,
    metrics.QUEUE_ACK_PENDING,
    metrics.QUEUE_REDELIVERED,
    metrics.QUEUE_OLDEST_AGE,
)


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)


def _age_s(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
