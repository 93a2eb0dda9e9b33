"""A queue of keys: each waits once, is worked on by one worker at a time, and comes back after a failure.

The rules of client-go's workqueue: a key that is added while it is worked on is done again afterwards.
"""

import asyncio
import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 300.0
JITTER = 0.1
MIN_INTERVAL_S = 0.2
"""From the end of one work on a key to the next: whoever fights us over an object cannot make us spin."""


class WorkQueue(Generic[K]):
    """Not for threads.

    Args:
        jitter: A number from 0 to 1 for each delay; tests give a constant.
    """

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._ready: dict[K, None] = {}  # In the order of arrival.
        self._active: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._ended: dict[K, float] = {}
        self._wake = asyncio.Event()
        self._jitter = jitter

    def __len__(self) -> int:
        """How many keys wait to be worked on now."""
        return len(self._ready) + len(self._again)

    def add(self, key: K) -> None:
        """Work on the key as soon as possible."""
        if key in self._active:
            self._again.add(key)
            return
        rest_s = self._ended.get(key, -MIN_INTERVAL_S) + MIN_INTERVAL_S - asyncio.get_running_loop().time()
        if rest_s > 0:
            self.add_after(key, rest_s)
        else:
            self._put(key)

    def add_after(self, key: K, delay_s: float) -> None:
        """Work on the key in `delay_s`, unless something makes it due earlier."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_s
        waiting = self._timers.get(key)
        if waiting is not None and waiting.when() <= due:
            return
        if waiting is not None:
            waiting.cancel()
        self._timers[key] = loop.call_at(due, self._put, key)

    async def get(self) -> K:
        """The next key; `done` or `failed` must follow."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = next(iter(self._ready))
        del self._ready[key]
        self._active.add(key)
        return key

    def done(self, key: K, *, again_s: float | None = None) -> None:
        """The work succeeded; do it again in `again_s` (± 10 %) at the latest."""
        self._failures.pop(key, None)
        self._release(key)
        if again_s is not None:
            self.add_after(key, again_s * (1 + JITTER * (2 * self._jitter() - 1)))

    def failed(self, key: K, *, at_least_s: float = 0.0) -> float:
        """The work failed; the seconds after which it is tried again: 1 · 2ⁿ up to 300, and up to 10 % more."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        delay_s = max(at_least_s, min(FIRST_BACKOFF_S * 2.0 ** min(count, 20), MAX_BACKOFF_S))
        delay_s *= 1 + JITTER * self._jitter()
        self._release(key)
        self.add_after(key, delay_s)
        return delay_s

    def forget(self, key: K) -> None:
        """Forget failures and timers of a key whose object is gone."""
        self._failures.pop(key, None)
        self._ended.pop(key, None)
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()

    def close(self) -> None:
        """Cancel all timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _put(self, key: K) -> None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        if key in self._active:
            self._again.add(key)
        else:
            self._ready[key] = None
            self._wake.set()

    def _release(self, key: K) -> None:
        self._active.discard(key)
        self._ended[key] = asyncio.get_running_loop().time()
        if key in self._again:
            self._again.discard(key)
            self.add(key)
