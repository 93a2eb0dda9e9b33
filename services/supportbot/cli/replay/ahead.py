"""Prepares the texts of the next messages in threads, while the ones before are decided on.

An embedding takes most of a replay's time, and needs neither the conversation nor Python's lock.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Ahead:
    """`with Ahead(prepare) as ahead: ahead.start(texts)`, and `wait` before they are needed.

    Args:
        prepare: May be called on any thread; None where there is nothing to prepare.
    """

    def __init__(self, prepare: Callable[[str], None] | None) -> None:
        self._prepare = prepare
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="ahead")
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(self, texts: Iterable[str]) -> None:
        """Begin with these texts; `wait` first for those before."""
        if self._prepare is not None:
            self._running = [self._pool.submit(self._prepare, text) for text in dict.fromkeys(texts)]

    async def wait(self) -> None:
        """Wait until all texts are prepared. Raises what `prepare` does."""
        for one in self._running:
            await asyncio.wrap_future(one)
