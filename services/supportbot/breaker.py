"""A circuit breaker: while a dependency is away the lanes wait here instead of burning attempts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from supportbot.kv import KeyValue


class BreakerState(StrEnum):
    """Closed: all calls pass. Open: none. Half-open: one probe."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True)
class BreakerPolicy:
    """When a breaker opens and for how long."""

    window_s: float = 60.0
    min_calls: int = 5
    failure_ratio: float = 0.5
    open_s: float = 15.0
    max_open_s: float = 300.0
    probe_s: float = 10.0


class Breaker:
    """One dependency's breaker; shared among replicas when given the bucket `breakers`."""

    def __init__(
        self,
        name: str,
        *,
        policy: BreakerPolicy = BreakerPolicy(),
        bucket: KeyValue | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name

    @property
    def state(self) -> BreakerState:
        """The state now."""
        raise NotImplementedError

    @property
    def open_until(self) -> float | None:
        """Unix time of the next probe; None while closed."""
        raise NotImplementedError

    async def ready(self) -> None:
        """Return when a call may be tried: at once while closed, as the one probe after an opening."""
        raise NotImplementedError

    def record_success(self) -> None:
        """The dependency answered."""
        raise NotImplementedError

    def record_failure(self, retry_after_s: float | None = None) -> None:
        """The dependency did not answer; with `retry_after_s` it asked to be left alone, which opens at once."""
        raise NotImplementedError
