"""Running work that must end when it is cancelled, though a library on its way loses the cancellation."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def end_for_sure(
    work: Coroutine[Any, Any, None], *, again_s: float = 0.5, is_finishing: Callable[[], bool] = lambda: False
) -> None:
    """Run `work`; once cancelled, cancel it again every `again_s` until it has ended, or is finishing in its own way.

    `asyncio.wait_for` of Python 3.11 returns normally when it is cancelled in the moment of its result
    (python/cpython#86296), and nats-py waits by it for every answer: stops right after the start often met that.
    May go with Python 3.12, whose `wait_for` keeps the cancellation.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
        task.result()
    finally:
        task.cancel()
        while not task.done():
            await asyncio.wait({task}, timeout=again_s)
            if not is_finishing():
                task.cancel()
