"""Streams of bots that are gone although nobody saw their deletion: marked, kept for a while, and then deleted.

The operator was down; or, with GitOps and after a restore, the bots come later than the platform.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator import metrics
from supportbot_operator.config import OperatorConfig
from supportbot_operator.kube import API_VERSION, NotFoundError, Object
from supportbot_operator.store import BotName, Store

PERIOD_S = 600.0
RETRY_S = 5.0

log = structlog.get_logger(__name__)


class Streams(Protocol):
    """What of the broker is needed."""

    async def with_streams(self) -> dict[BotName, datetime | None]:
        """The bots of this installation that have streams, with the time since which they are known to be gone."""

    async def mark_orphaned(self, bot: BotName, at: datetime) -> None:
        """Note that the bot is gone."""

    async def forget(self, bot: BotName) -> None:
        """Delete its streams."""


class Resources(Protocol):
    """What of the cluster is needed."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object, or NotFoundError."""


class Sweeper:
    """Looks for such streams.

    Streams hold messages, so the API server itself must say that the bot is not there; a bot in a namespace that is not
    watched (any more) is left alone.
    """

    def __init__(self, streams: Streams, cluster: Resources, store: Store, config: OperatorConfig) -> None:
        self._streams, self._cluster, self._store = streams, cluster, store
        self._namespaces = config.watch_namespaces
        self._keep = timedelta(hours=config.orphans.keep_hours)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look(datetime.now(UTC))
            except (TemporaryError, PermanentError) as exc:
                log.info("sweep_postponed", error=str(exc))
                await asyncio.sleep(RETRY_S)
            else:
                await asyncio.sleep(PERIOD_S)

    async def look(self, now: datetime) -> None:
        """Look once. Raises TemporaryError or PermanentError when the broker does not answer."""
        orphans = 0
        for bot, since in (await self._streams.with_streams()).items():
            is_ours = not self._namespaces or bot.namespace in self._namespaces
            if not is_ours or self._store.bot(bot) is not None or not await self._is_gone(bot):
                continue
            orphans += 1
            if since is None:
                log.warning("streams_without_bot", namespace=bot.namespace, bot=bot.name, kept_h=self._keep_h)
                await self._streams.mark_orphaned(bot, now)
            if now - (since or now) >= self._keep:
                await self._streams.forget(bot)
        metrics.ORPHANS.set(orphans)

    @property
    def _keep_h(self) -> float:
        return self._keep.total_seconds() / 3600

    async def _is_gone(self, bot: BotName) -> bool:
        """Whether the API server says so; not to know is no reason to delete."""
        try:
            await self._cluster.get(API_VERSION, "SupportBot", bot.namespace, bot.name)
        except NotFoundError as exc:
            return exc.is_about(bot.name)
        except (TemporaryError, PermanentError) as exc:
            log.warning("bot_not_looked_up", namespace=bot.namespace, bot=bot.name, error=str(exc))
        return False
