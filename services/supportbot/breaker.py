"""A circuit breaker: while a dependency is away the lanes wait here instead of burning attempts, or go another way.

It opens when enough of the last calls failed, or at once when the dependency asks for a pause, and lets one probe
through when its time is up. Replicas share it through the bucket `breakers`: the latest change wins.

Who can wait calls `ready` before each call; who cannot (a model in a chain) asks `acquire`, and leaves the sharing to
`share_breakers` in the background, so that no decision ever waits for the bucket.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from supportbot import metrics
from supportbot.errors import PermanentError, TemporaryError
from supportbot.kv import KeyValue

log = structlog.get_logger(__name__)

POLL_S = 0.5
SYNC_S = 2.0
MAX_DOUBLINGS = 32
"""More than any policy needs; an outage of a day has so many openings that the power would overflow."""


class BreakerState(StrEnum):
    """Closed: all calls pass. Open: none. Half-open: one probe."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_GAUGE = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


@dataclass(frozen=True)
class BreakerPolicy:
    """When a breaker opens and for how long."""

    window_s: float = 60.0
    min_calls: int = 5
    """Fewer calls in the window say nothing."""
    failure_ratio: float = 0.5
    """Opens at this share of failures among the calls in the window."""
    max_failures: float = math.inf
    """Opens at so many failures in the window, however many calls there were."""
    max_run: float = math.inf
    """Opens at so many failures in a row."""
    open_s: float = 15.0
    """The first opening; each further one in a row lasts twice as long."""
    max_open_s: float = 300.0
    probe_s: float = 10.0
    """A probe that reports nothing within this time gives way to the next."""


DEFAULT_POLICY = BreakerPolicy()


class Breaker:
    """One dependency's breaker.

    Args:
        name: Of the dependency; the label of the metric, and the key in the bucket where `key` is absent.
        key: In the bucket, for a name that cannot be one.
        policy: Its thresholds.
        bucket: Shares the state among replicas; it may be set later.
        clock: Unix time in seconds.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        key: str | None = None,
        policy: BreakerPolicy = DEFAULT_POLICY,
        bucket: KeyValue | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.key, self.bucket = name, key or name, bucket
        self._policy, self._clock, self._sleep = policy, clock, sleep
        self._calls: deque[tuple[float, float]] = deque()
        """When each call of the window ended, and how much of a failure it was."""
        self._run = 0.0
        self._until: float | None = None
        self._openings = 0
        self._probe_until = 0.0
        self._changed_at = 0.0
        self._shared_at = 0.0
        self._synced_at = 0.0
        metrics.CIRCUIT_STATE.labels(name).set(0)

    @property
    def state(self) -> BreakerState:
        """The state now."""
        if self._until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._until else BreakerState.HALF_OPEN

    @property
    def open_until(self) -> float | None:
        """Unix time of the next probe; None while closed."""
        return self._until

    async def ready(self) -> None:
        """Return when a call may be tried: at once while closed, as the one probe after an opening."""
        while True:
            await self.sync()
            if self.acquire():
                return
            await self._sleep(POLL_S)

    def acquire(self) -> bool:
        """Whether a call may be made now. After an opening the first who asks is the probe, and the others wait.

        Whoever got True tells the outcome by one of `record_success`, `record_answer`, `record_failure`, `release`.
        """
        state, now = self.state, self._clock()
        metrics.CIRCUIT_STATE.labels(self.name).set(_GAUGE[state])
        if state is BreakerState.HALF_OPEN and now >= self._probe_until:
            self._probe_until = now + self._policy.probe_s
            return True
        return state is BreakerState.CLOSED

    def record_success(self) -> None:
        """The dependency did what it was asked."""
        match self.state:
            case BreakerState.CLOSED:
                self._note(0.0)
            case BreakerState.HALF_OPEN:
                self._change(None, openings=0)
            case BreakerState.OPEN:  # The answer to a call from before.
                pass

    def record_answer(self) -> None:
        """The dependency is there, but the call says neither that it works nor that it fails: a refusal, say."""
        if self.state is BreakerState.HALF_OPEN:
            self._change(None, openings=0)

    def record_failure(self, retry_after_s: float | None = None, *, weight: float = 1.0) -> None:
        """The dependency failed; with `retry_after_s` it is to be left alone for so long, which opens at once.

        Args:
            retry_after_s: Seconds.
            weight: How much of a failure it is, while the breaker is closed.
        """
        if retry_after_s is not None:
            self._open(retry_after_s)
            return
        match self.state:
            case BreakerState.CLOSED:
                self._note(weight)
                if self._fails_too_often():
                    self._open(self._policy.open_s)
            case BreakerState.HALF_OPEN:
                doublings = min(self._openings, MAX_DOUBLINGS)
                self._open(min(self._policy.open_s * 2.0**doublings, self._policy.max_open_s))
            case BreakerState.OPEN:
                pass

    def release(self) -> None:
        """The call ended without an outcome, being cancelled: another may be the probe."""
        self._probe_until = 0.0

    async def sync(self) -> None:
        """Share what changed here, and take over what changed elsewhere; at most every 2 s, and never an error."""
        now = self._clock()
        changed = self._changed_at > self._shared_at
        if self.bucket is None or (not changed and now - self._synced_at < SYNC_S):
            return
        self._synced_at = now
        try:
            await self._exchange(self.bucket)
        except (TemporaryError, PermanentError) as exc:
            log.debug("breaker_not_shared", dependency=self.name, error=str(exc))

    async def _exchange(self, bucket: KeyValue) -> None:
        entry = await bucket.get(self.key)
        theirs: dict[str, Any] = json.loads(entry.value) if entry else {"at": 0.0}
        if theirs["at"] > self._changed_at:
            self._until, self._openings = theirs["until"], theirs["openings"]
            self._changed_at = self._shared_at = theirs["at"]
            self._probe_until = self._run = 0.0
            self._calls.clear()
        elif self._changed_at > theirs["at"]:
            at = self._changed_at
            mine = {"at": at, "until": self._until, "openings": self._openings}
            await bucket.put(self.key, json.dumps(mine).encode())
            self._shared_at = at  # What changed during the put is still to be shared.

    def _note(self, weight: float) -> None:
        now = self._clock()
        self._calls.append((now, weight))
        self._run = self._run + weight if weight else 0.0
        while self._calls[0][0] < now - self._policy.window_s:
            self._calls.popleft()

    def _fails_too_often(self) -> bool:
        policy, failures = self._policy, sum(weight for _, weight in self._calls)
        if len(self._calls) >= policy.min_calls and failures >= policy.failure_ratio * len(self._calls):
            return True
        return failures >= policy.max_failures or self._run >= policy.max_run

    def _open(self, for_s: float) -> None:
        self._change(max(self._clock() + for_s, self._until or 0.0), openings=self._openings + 1)

    def _change(self, until: float | None, *, openings: int) -> None:
        self._until, self._openings = until, openings
        self._changed_at = self._clock()
        self._probe_until = self._run = 0.0
        self._calls.clear()
        state = self.state
        metrics.CIRCUIT_STATE.labels(self.name).set(_GAUGE[state])
        log.warning("breaker_changed", dependency=self.name, state=state.value, openings=openings)


async def share_breakers(
    breakers: Sequence[Breaker], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Keep breakers whose users never wait in step with those of the other replicas, until cancelled."""
    while True:
        for breaker in breakers:
            await breaker.sync()
        await sleep(SYNC_S)
