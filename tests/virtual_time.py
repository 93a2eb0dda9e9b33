"""An event loop whose clock jumps to the next timer: hours of waiting pass in milliseconds, in the right order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START = 1_772_452_800.0
"""2026-03-02 12:00 UTC; the loop's own time begins there too, so that one clock serves all."""


class _Selector(selectors.SelectSelector):
    """Waits for nobody: where the real one would sleep, the time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise AssertionError("everybody waits, and nothing can happen any more")
        if not events and timeout:
            self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that waits for timers only; what comes from a thread or a socket may be too late."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-6  # Of a time so large a float cannot tell less apart.

    def time(self) -> float:
        return self._virtual.now


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def now() -> float:
    """Unix time in the running loop."""
    return asyncio.get_running_loop().time()
