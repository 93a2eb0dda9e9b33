"""The objects that a bot owns: applied, pruned, and the gateway's volume, which Kubernetes leaves to us."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from supportbot.errors import PermanentError
from supportbot_operator import metrics
from supportbot_operator.desired import Bot, Component, Desired
from supportbot_operator.desired.bot import MANAGED_BY_LABEL
from supportbot_operator.desired.objects import DATA_CLAIM, WORKLOADS
from supportbot_operator.kube import ForbiddenError, NotFoundError, Object, object_path
from supportbot_operator.quantities import is_smaller
from supportbot_operator.store import MANAGED_BY, BotName, Store, identity
from supportbot_operator.watch import WATCHED_KINDS

WRITES_AT_ONCE = 8

_POD_MONITOR = ("monitoring.coreos.com/v1", "PodMonitor")

log = structlog.get_logger(__name__)


class API(Protocol):
    """What of the cluster is needed; `kube.Cluster` says what is raised."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object."""

    async def apply(self, obj: Object, *, subresource: str = "") -> Object:
        """Make the fields of the object so."""

    async def merge(self, api_version: str, kind: str, namespace: str, name: str, patch: Object) -> Object:
        """A merge patch."""

    async def delete(self, obj: Object) -> None:
        """Delete exactly this object."""


class Children:
    """Writes to the cluster, and at once to the store: what was applied must count before its watch tells of it."""

    def __init__(self, api: API, store: Store) -> None:
        self._api, self._store = api, store
        self._met: set[str] = set()
        """Bots (by uid) of which this process has made sure once that their names are their own."""
        self._volume_problems: dict[str, str] = {}

    async def apply(self, bot: Bot, wanted: Desired) -> None:
        """Bring all objects of the bot to what is wanted, and delete what is not.

        Raises:
            PermanentError: The API server refuses one, or one belongs to somebody else; the others are applied.
            TemporaryError: It may succeed later.
        """
        if bot.uid not in self._met:
            await self._meet(bot, wanted)
        await self._apply(wanted.first)
        await self._apply(wanted.workloads)
        await self._prune(bot, wanted)

    def workloads(self, bot: Bot) -> list[Object]:
        """The bot's Deployments and StatefulSets as the API server has them."""
        return [child for child in self._owned(bot) if child["kind"] in WORKLOADS]

    def first_storage(self, bot: Bot) -> str:
        """The size in the template that the gateway's StatefulSet was made with; empty while there is none."""
        for child in self.workloads(bot):
            if child["kind"] == "StatefulSet":
                size: str = child["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
                return size
        return ""

    async def keep_volume(self, bot: Bot) -> None:
        """Make the gateway's claim go with the bot, not with its StatefulSet; ask for more room where the spec does.

        The claim is patched since its template can never change. Where the API server refuses to let it grow,
        `volume_problem` says why.

        Raises:
            TemporaryError: It may succeed later.
        """
        self._volume_problems.pop(bot.uid, None)
        first, size = self.first_storage(bot), bot.spec.whatsapp.storage.size
        if not first:
            return
        name = f"{DATA_CLAIM}-{bot.child_name(Component.WHATSAPP)}-0"
        try:
            claim = await self._api.get("v1", "PersistentVolumeClaim", bot.namespace, name)
            if not any(owner["uid"] == bot.uid for owner in claim["metadata"].get("ownerReferences", ())):
                await self._adopt(bot, name)
            if is_smaller(claim["spec"]["resources"]["requests"]["storage"], size):
                await self._patch(bot, name, {"spec": {"resources": {"requests": {"storage": size}}}})
        except NotFoundError:
            return
        except PermanentError as exc:
            self._volume_problems[bot.uid] = str(exc)

    def volume_problem(self, bot: Bot) -> str:
        """Why the volume does not grow; empty when there is nothing to say."""
        return self._volume_problems.get(bot.uid, "")

    async def _meet(self, bot: Bot, wanted: Desired) -> None:
        """Once per bot and process: leave Secrets of others alone, and remove what is not wanted and not watched."""
        for obj in wanted.first:
            if obj["kind"] == "Secret":
                await self._require_own(obj)
        if not any(obj["kind"] == "PodMonitor" for obj in wanted.all):
            await self._remove_pod_monitor(bot)
        self._met.add(bot.uid)

    async def _require_own(self, obj: Object) -> None:
        meta = obj["metadata"]
        try:
            found = await self._api.get("v1", "Secret", meta["namespace"], meta["name"])
        except NotFoundError:
            return
        if found["metadata"].get("labels", {}).get(MANAGED_BY_LABEL) != MANAGED_BY:
            message = f"Secret {meta['name']} is somebody else's; rename it, or give the bot another name"
            raise PermanentError(message, reason="name_taken")

    async def _remove_pod_monitor(self, bot: Bot) -> None:
        try:
            found = await self._api.get(*_POD_MONITOR, bot.namespace, bot.name)
            if found["metadata"].get("labels", {}).get(MANAGED_BY_LABEL) == MANAGED_BY:
                await self._api.delete({**found, "apiVersion": _POD_MONITOR[0], "kind": _POD_MONITOR[1]})
        except NotFoundError:  # The object, or its kind.
            return

    async def _apply(self, objects: Sequence[Object]) -> None:
        """Apply all, even when one fails; raise the first failure, one that will stay before one that may pass."""
        gate = asyncio.Semaphore(WRITES_AT_ONCE)

        async def apply(obj: Object) -> None:
            async with gate:
                metrics.APPLIES.inc()
                try:
                    stored = await self._api.apply(obj)
                except NotFoundError:
                    # The kind is missing, or the namespace, with which the bot goes too.
                    if obj["kind"] != "PodMonitor":
                        raise
                    return
            if obj["kind"] in WATCHED_KINDS:
                self._store.see("MODIFIED", stored)

        ended = await asyncio.gather(*(apply(obj) for obj in objects), return_exceptions=True)
        errors = [error for error in ended if isinstance(error, BaseException)]
        for error in sorted(errors, key=lambda error: not isinstance(error, PermanentError)):
            raise error

    async def _prune(self, bot: Bot, wanted: Desired) -> None:
        """Delete what the bot owns and does not want any more."""
        kept = {identity(obj) for obj in wanted.all}
        for obj in self._owned(bot):
            if identity(obj) in kept or "deletionTimestamp" in obj["metadata"]:
                continue
            try:
                await self._api.delete(obj)
            except NotFoundError:
                continue
            log.info("child_pruned", path=object_path(obj))

    def _owned(self, bot: Bot) -> list[Object]:
        return list(self._store.children(BotName(bot.namespace, bot.name), bot.uid).values())

    async def _adopt(self, bot: Bot, claim: str) -> None:
        """Where a cluster wants the right to delete for that (OpenShift), the claim stays when the bot goes."""
        try:
            await self._patch(bot, claim, {"metadata": {"ownerReferences": [bot.owner_reference()]}})
        except ForbiddenError as exc:
            log.info("claim_not_adopted", namespace=bot.namespace, claim=claim, error=str(exc))

    async def _patch(self, bot: Bot, claim: str, patch: Object) -> None:
        await self._api.merge("v1", "PersistentVolumeClaim", bot.namespace, claim, patch)
