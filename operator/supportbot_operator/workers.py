"""The workers between the queue and `reconcile`: never two on one bot, retries with backoff, a heartbeat."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from supportbot.cancellation import end_for_sure
from supportbot.errors import PermanentError, TemporaryError
from supportbot.health import Health, State
from supportbot.logs import describe_error
from supportbot.metrics import ERRORS
from supportbot_operator import metrics
from supportbot_operator.store import BotName, Store
from supportbot_operator.workqueue import WorkQueue

COUNT = 4
LONG_DELAY_S = 30.0
BEAT_S = 10.0
TIMEOUT_S = 120.0
"""A reconcile that takes longer is cancelled and tried again: every call inside has a limit of its own."""

log = structlog.get_logger(__name__)


class Workers:
    """Runs reconciles.

    Args:
        queue: The bots to look at.
        reconcile: Looks at one; the seconds until the next look, or None when it is gone.
        store: For the number of bots.
        health: Gets the check `workers`.
    """

    def __init__(
        self,
        queue: WorkQueue[BotName],
        reconcile: Callable[[BotName], Awaitable[float | None]],
        store: Store,
        health: Health,
    ) -> None:
        self._queue, self._reconcile, self._store, self._health = queue, reconcile, store, health
        self._begun: dict[BotName, float] = {}

    async def run(self) -> None:
        """Work until cancelled; begins with every bot."""
        metrics.QUEUE_DEPTH.set_function(lambda: len(self._queue))
        for bot in self._store.bots():
            self._queue.add(bot)
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(COUNT):
                    tasks.create_task(end_for_sure(self._work()), name=f"worker-{number}")
                tasks.create_task(self._beat(), name="heartbeat")
        finally:
            self._queue.close()

    async def _work(self) -> None:
        while True:
            bot = await self._queue.get()
            metrics.RESOURCES.set(len(list(self._store.bots())))
            self._begun[bot] = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    again_s = await self._reconcile(bot)
            except (TemporaryError, PermanentError, TimeoutError) as exc:
                self._retry(bot, exc)
            except Exception as exc:  # noqa: BLE001 - a bug in one bot's reconcile must not stop the others'
                ERRORS.labels("operator", type(exc).__name__).inc()
                self._retry(bot, exc)
            else:
                self._queue.done(bot, again_s=again_s)
                if again_s is None:
                    self._queue.forget(bot)
            finally:
                self._begun.pop(bot, None)

    async def _beat(self) -> None:
        """Say that the workers are alive: a reconcile that does not even end by its limit hangs for ever."""
        while True:
            now = asyncio.get_running_loop().time()
            hanging = [bot for bot, begun in self._begun.items() if now - begun > 2 * TIMEOUT_S]
            if hanging:
                self._health.set("process", State.DOWN, f"the reconcile of {hanging[0].name} hangs")
            self._health.set("workers", State.DOWN if hanging else State.OK)
            await asyncio.sleep(BEAT_S)

    def _retry(self, bot: BotName, error: Exception) -> None:
        """Try again with backoff; what is refused or broken has more time, since only another world mends it."""
        passes = isinstance(error, TemporaryError | TimeoutError)
        delay_s = getattr(error, "delay_s", None) or (0.0 if passes else LONG_DELAY_S)
        delay_s = self._queue.failed(bot, at_least_s=delay_s)
        tell = log.warning if passes else log.error
        where = {"namespace": bot.namespace, "bot": bot.name, "delay_s": round(delay_s, 1)}
        tell("reconcile_failed", **where, **describe_error(error))
