"""Whether the watches still see everything: what a list shows must be in the store, now or a little later.

A watch task can end while its process goes on (kopf#1276); nothing else would notice.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator.kube import ForbiddenError, Object
from supportbot_operator.store import BotName, Identity, Store, identity
from supportbot_operator.watch import BOTS, CHILDREN, SELECTOR, Watched

POLL_S = 0.2
PERIOD_S = 120.0
"""Between two looks. What one look missed must be there at the next."""

log = structlog.get_logger(__name__)


class Lists(Protocol):
    """What of the cluster is needed."""

    async def list(self, api_version: str, kind: str, namespace: str | None = None, **query: str) -> list[Object]:
        """All objects of a kind."""


class Lag:
    """Compares lists with the store.

    Args:
        lists: The API server.
        store: What the watches fill.
        namespaces: Where bots may be; empty means everywhere.
        gone: Is told the bot of an object that the watches did not tell the end of.
    """

    def __init__(
        self, lists: Lists, store: Store, namespaces: Collection[str], gone: Callable[[BotName], None]
    ) -> None:
        self._lists, self._store, self._gone = lists, store, gone
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._behind: dict[Identity, str | None] = {}
        """What the last look found behind, with the version that the store had."""
        self._absent: set[Identity] = set()
        """What the last look did not find though the store has it."""

    async def until_complete(self) -> None:
        """Return once the store has everything that exists: before that, nothing may be made or pruned."""
        listed, _ = await self._list()
        while any(self._store.version(obj) is None for obj in listed):
            await asyncio.sleep(POLL_S)
            listed, _ = await self._list()

    async def look(self) -> list[Identity]:
        """What has not moved in the store since the last look, although it had changed before it.

        What is gone for two looks is taken out of the store: after a "410 Gone" kopf lists anew and never tells of what
        was deleted meanwhile.
        """
        listed, unlisted = await self._list()
        behind = {}
        for obj in listed:
            has = self._store.version(obj)
            if has != obj["metadata"]["resourceVersion"]:
                behind[identity(obj)] = has
        stuck = [one for one, has in behind.items() if one in self._behind and self._behind[one] == has]
        self._behind = behind
        self._drop({identity(obj) for obj in listed}, unlisted)
        return stuck

    async def watch(self) -> None:
        """Look again and again; return when the watches are stuck. A list that fails says nothing about them."""
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                stuck = await self.look()
            except (TemporaryError, PermanentError) as exc:
                log.warning("watch_lag_unknown", error=str(exc))
                continue
            if stuck:
                log.error("watches_stuck", objects=["/".join(one) for one in stuck[:10]], count=len(stuck))
                return

    def _drop(self, listed: set[Identity], unlisted: set[str]) -> None:
        known = {identity(obj): obj for obj in self._store.objects() if obj["metadata"]["namespace"] not in unlisted}
        absent = {one for one in known if one not in listed}
        for one in absent & self._absent:
            log.warning("deletion_missed", object="/".join(one))
            bot = self._store.see("DELETED", known[one])
            if bot is not None:
                self._gone(bot)
        self._absent = absent

    async def _list(self) -> tuple[list[Object], set[str]]:
        """Everything that is watched, and the namespaces that cannot be listed: their Role went with them."""
        found: list[Object] = []
        unlisted: set[str] = set()
        for namespace in self._namespaces:
            try:
                found += await self._list_kind(BOTS, namespace)
                for kind in CHILDREN:
                    found += await self._list_kind(kind, namespace, labelSelector=SELECTOR)
            except ForbiddenError as exc:
                if namespace is None or len(self._namespaces) == 1:
                    raise
                log.warning("namespace_forbidden", namespace=namespace, error=str(exc))
                unlisted.add(namespace)
        return found, unlisted

    async def _list_kind(self, kind: Watched, namespace: str | None, **query: str) -> list[Object]:
        items = await self._lists.list(kind.api_version, kind.kind, namespace, **query)
        # The items of a list have no kind of their own.
        return [{**item, "apiVersion": kind.api_version, "kind": kind.kind} for item in items]
