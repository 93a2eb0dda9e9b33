"""Streams of bots that were deleted while no operator looked: they are found again, and their bots forgotten."""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator.kube import API_VERSION, NotFoundError, Object
from supportbot_operator.store import BotName, Store

PERIOD_S = 600.0
RETRY_S = 5.0

log = structlog.get_logger(__name__)


class Streams(Protocol):
    """What of the broker is needed."""

    async def with_streams(self) -> list[BotName]:
        """The bots of this installation that have streams."""


class Resources(Protocol):
    """What of the cluster is needed."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object, or NotFoundError."""


async def sweep(
    streams: Streams, cluster: Resources, store: Store, gone: Callable[[BotName], None], namespaces: Collection[str]
) -> None:
    """Tell `gone` of every bot that has streams and does not exist; again and again until cancelled.

    Streams hold messages, so the API server itself must say that the bot is not there; a bot in a namespace that is not
    watched (any more) is left alone.
    """
    while True:
        try:
            for bot in await streams.with_streams():
                if store.bot(bot) is None and (not namespaces or bot.namespace in namespaces):
                    await _ask(cluster, bot, gone)
        except (TemporaryError, PermanentError) as exc:
            log.info("sweep_postponed", error=str(exc))
            await asyncio.sleep(RETRY_S)
        else:
            await asyncio.sleep(PERIOD_S)


async def _ask(cluster: Resources, bot: BotName, gone: Callable[[BotName], None]) -> None:
    try:
        await cluster.get(API_VERSION, "SupportBot", bot.namespace, bot.name)
    except NotFoundError:
        log.info("streams_without_bot", namespace=bot.namespace, bot=bot.name)
        gone(bot)
