"""The workers between the queue and `reconcile`: never two on one bot, retries with backoff, a heartbeat."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot.health import Health, State
from supportbot.logs import describe_error
from supportbot.metrics import ERRORS
from supportbot_operator import metrics
from supportbot_operator.store import BotName, Store
from supportbot_operator.workqueue import WorkQueue

COUNT = 4
LONG_DELAY_S = 30.0
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

    async def run(self) -> None:
        """Work until cancelled; begins with every bot."""
        self._health.set("workers", State.OK)
        for bot in self._store.bots():
            self._queue.add(bot)
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(COUNT):
                    tasks.create_task(self._work(), name=f"worker-{number}")
        finally:
            self._queue.close()

    async def _work(self) -> None:
        while True:
            bot = await self._queue.get()
            metrics.QUEUE_DEPTH.set(len(self._queue))
            metrics.RESOURCES.set(len(list(self._store.bots())))
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
                    metrics.forget_conditions(bot.namespace, bot.name)

    def _retry(self, bot: BotName, error: Exception) -> None:
        """Try again with backoff; what is refused or broken has more time, since only another world mends it."""
        passes = isinstance(error, TemporaryError | TimeoutError)
        delay_s = getattr(error, "delay_s", None) or (0.0 if passes else LONG_DELAY_S)
        delay_s = self._queue.failed(bot, at_least_s=delay_s)
        tell = log.warning if passes else log.error
        where = {"namespace": bot.namespace, "bot": bot.name, "delay_s": round(delay_s, 1)}
        tell("reconcile_failed", **where, **describe_error(error))
