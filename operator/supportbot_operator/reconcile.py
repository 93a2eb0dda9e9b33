"""One bot, from what its resource says to what the cluster has: the same steps whatever the cause."""

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.spec import SpecError, parse_bot
from supportbot.telemetry import tracer
from supportbot_operator import metrics
from supportbot_operator.config import OperatorConfig
from supportbot_operator.desired import Bot, Component, Desired, Inputs, desired
from supportbot_operator.desired.objects import DATA_CLAIM
from supportbot_operator.events import condition_event
from supportbot_operator.keys import Keys
from supportbot_operator.kube import API_VERSION, NotFoundError, Object, object_path
from supportbot_operator.quantities import is_smaller
from supportbot_operator.status import Observed, Pipeline, Reason, Report, Status, assess, begin, refuse
from supportbot_operator.store import BotName, Store, identity

RESYNC_S = 300.0
"""Without any event everything is looked at this often: Secrets are not watched, and a watch may miss something."""
WAITING_S = 10.0
"""The same while something is on its way: a Secret that somebody is about to make, pods, first reports."""
WRITES_AT_ONCE = 8

_OPTIONAL_KINDS = {"PodMonitor"}
_WORKLOADS = {"Deployment", "StatefulSet"}

log = structlog.get_logger(__name__)


class API(Protocol):
    """What of the cluster is needed; `kube.Cluster` says what is raised."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object."""

    async def apply(self, obj: Object, *, subresource: str = "") -> Object:
        """Make the fields of the object so."""

    async def create(self, obj: Object) -> Object:
        """A new object."""

    async def merge(self, api_version: str, kind: str, namespace: str, name: str, patch: Object) -> Object:
        """A merge patch."""

    async def delete(self, obj: Object) -> None:
        """Delete exactly this object."""


class Streams(Protocol):
    """What of the broker is needed."""

    async def ensure(self, bot: Bot) -> None:
        """Make the bot's streams; raises PermanentError (reason `broker_full` or another) or TemporaryError."""

    async def forget(self, bot: BotName) -> None:
        """The bot is gone: stop watching it, and delete its streams."""

    def reports(self, bot: BotName) -> Sequence[Report]:
        """What its services said last."""

    def pipeline(self, bot: BotName) -> Pipeline | None:
        """How its messages fare; None when that is not known."""


class Authority(Protocol):
    """Who hands out the credentials for the broker."""

    @property
    def ca(self) -> str:
        """The certificate by which clients know the broker, PEM; empty where the system's do."""

    def credentials(self, bot: Bot, component: Component) -> str:
        """The text of a credentials file; empty where the broker wants none."""


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Makes one bot at a time what it should be."""

    api: API
    store: Store
    streams: Streams
    authority: Authority
    keys: Keys
    config: OperatorConfig
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def reconcile(self, name: BotName) -> float | None:
        """Bring the bot to what its resource says.

        Returns:
            Seconds until it wants to be looked at again; None when it is gone.

        Raises:
            TemporaryError: It has to be tried again; what could be done is done, and the status tells.
        """
        resource = self.store.bot(name)
        if resource is None:
            await self._forget(name)
            return None
        if "deletionTimestamp" in resource["metadata"]:
            return None
        started = time.perf_counter()
        outcome = "error"
        with tracer.start_as_current_span("reconcile SupportBot") as span:
            span.set_attributes({"k8s.namespace.name": name.namespace, "supportbot.instance": name.name})
            try:
                again_s = await self._reconcile(name, resource)
                outcome = "ok"
            except TemporaryError:
                outcome = "retry"
                raise
            finally:
                span.set_attribute("supportbot.outcome", outcome)
                metrics.observe_reconcile(outcome, time.perf_counter() - started)
        return again_s

    async def _forget(self, name: BotName) -> None:
        """Delete what Kubernetes does not: the streams. They hold messages, so the API server itself is asked first."""
        try:
            await self.api.get(API_VERSION, "SupportBot", name.namespace, name.name)
        except NotFoundError:
            await self.streams.forget(name)
        else:
            raise TemporaryError("the bot exists, but the watches do not show it (yet)")

    async def _reconcile(self, name: BotName, resource: Object) -> float:
        meta, previous = resource["metadata"], resource.get("status") or {}
        generation = meta["generation"]
        failures: list[Exception] = []
        if not previous.get("conditions"):
            await self._settle(self._write_status(resource, begin(generation, self.clock())), failures)
        try:
            bot = read_bot(resource)
        except SpecError as exc:
            await self._tell(resource, refuse(generation, str(exc), self.clock(), previous))
            return RESYNC_S
        inputs = await self._inputs(bot)
        wanted = desired(bot, inputs)
        refused = await self._settle(self._apply_all(bot, wanted), failures)
        broker_problem = await self._ensure_streams(bot, failures)
        volume_problem = await self._grow_volume(bot)
        observed = Observed(
            now=self.clock(),
            workloads=self._workloads(name, bot),
            missing=wanted.missing,
            refused=refused,
            broker_problem=broker_problem,
            reports=self.streams.reports(name),
            pipeline=self.streams.pipeline(name),
            volume_problem=volume_problem,
        )
        status = assess(bot, observed, previous)
        await self._tell(resource, status)
        if failures:
            raise failures[0]
        return RESYNC_S if is_settled(status) else WAITING_S

    async def _inputs(self, bot: Bot) -> Inputs:
        names = dict.fromkeys(ref.name for component in Component for ref in bot.secret_refs(component))
        found = await asyncio.gather(*(self._read_secret(bot.namespace, secret) for secret in names))
        return Inputs(
            config=self.config,
            secrets={secret: values for secret, values in zip(names, found, strict=True) if values is not None},
            install_key=self.keys.install_key(bot.namespace, bot.name),
            api_key=self.keys.api_key(bot.namespace, bot.name),
            credentials={component: self.authority.credentials(bot, component) for component in Component},
            ca=self.authority.ca,
            storage=self._first_storage(bot),
        )

    async def _read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        try:
            secret = await self.api.get("v1", "Secret", namespace, name)
        except NotFoundError:
            return None
        return decode(secret)

    def _first_storage(self, bot: Bot) -> str:
        """The size in the template that the gateway's StatefulSet was made with."""
        name = bot.child_name(Component.WHATSAPP)
        for child in self.store.children(BotName(bot.namespace, bot.name), bot.uid).values():
            if child["kind"] == "StatefulSet" and child["metadata"]["name"] == name:
                size: str = child["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
                return size
        return ""

    async def _apply_all(self, bot: Bot, wanted: Desired) -> None:
        await self._apply(wanted.first)
        await self._apply(wanted.workloads)
        await self._prune(bot, wanted)

    async def _apply(self, objects: Sequence[Object]) -> None:
        """Apply all, even when one fails; raise the first failure, one that will stay before one that may pass."""
        gate = asyncio.Semaphore(WRITES_AT_ONCE)

        async def apply(obj: Object) -> None:
            async with gate:
                metrics.APPLIES.inc()
                try:
                    await self.api.apply(obj)
                except NotFoundError:
                    # The kind is missing, or the namespace, with which the bot goes too.
                    if obj["kind"] not in _OPTIONAL_KINDS:
                        raise

        ended = await asyncio.gather(*(apply(obj) for obj in objects), return_exceptions=True)
        errors = [error for error in ended if isinstance(error, BaseException)]
        for error in sorted(errors, key=lambda error: not isinstance(error, PermanentError)):
            raise error

    async def _prune(self, bot: Bot, wanted: Desired) -> None:
        """Delete what the bot owns and does not want any more."""
        kept = {identity(obj) for obj in wanted.all}
        for child, obj in self.store.children(BotName(bot.namespace, bot.name), bot.uid).items():
            if child in kept or "deletionTimestamp" in obj["metadata"]:
                continue
            try:
                await self.api.delete(obj)
            except NotFoundError:
                continue
            log.info("child_pruned", path=object_path(obj))

    async def _settle(self, work: Any, failures: list[Exception]) -> str:
        """Await the writes: what is refused for good goes into the status, what may pass is tried again."""
        try:
            await work
        except PermanentError as exc:
            log.warning("objects_refused", error=str(exc))
            return str(exc)
        except TemporaryError as exc:
            failures.append(exc)
        return ""

    async def _ensure_streams(self, bot: Bot, failures: list[Exception]) -> tuple[Reason, str] | None:
        try:
            await self.streams.ensure(bot)
        except PermanentError as exc:
            reason = Reason.NATS_FULL if exc.reason == "broker_full" else Reason.REFUSED
            return reason, str(exc)
        except TemporaryError as exc:
            failures.append(exc)
            return Reason.NATS_UNREACHABLE, str(exc)
        except UserError as exc:
            return Reason.REFUSED, str(exc)
        return None

    async def _grow_volume(self, bot: Bot) -> str:
        """Ask for more room where the spec does: the claim is patched, since its template can never change.

        Returns:
            Why it does not grow, when the API server refuses; empty when there is nothing to say.
        """
        first = self._first_storage(bot)
        size = bot.spec.whatsapp.storage.size
        if not first or not is_smaller(first, size):
            return ""
        claim = f"{DATA_CLAIM}-{bot.child_name(Component.WHATSAPP)}-0"
        try:
            found = await self.api.get("v1", "PersistentVolumeClaim", bot.namespace, claim)
            if is_smaller(found["spec"]["resources"]["requests"]["storage"], size):
                patch = {"spec": {"resources": {"requests": {"storage": size}}}}
                await self.api.merge("v1", "PersistentVolumeClaim", bot.namespace, claim, patch)
        except NotFoundError:
            return ""
        except PermanentError as exc:
            return str(exc)
        return ""

    def _workloads(self, name: BotName, bot: Bot) -> list[Object]:
        return [child for child in self.store.children(name, bot.uid).values() if child["kind"] in _WORKLOADS]

    async def _tell(self, resource: Object, status: Status) -> None:
        """Write the status when it differs, and an Event for each condition that changed."""
        if is_same(resource.get("status") or {}, status.body):
            return
        await self._write_status(resource, status)
        meta = resource["metadata"]
        metrics.show_conditions(meta["namespace"], meta["name"], status.body["conditions"])
        for condition in status.changes:
            log.info(
                "condition_changed",
                namespace=meta["namespace"],
                bot=meta["name"],
                condition=condition["type"],
                status=condition["status"],
                reason=condition["reason"],
            )
            event = condition_event(meta["namespace"], meta["name"], meta["uid"], condition, self.clock())
            try:
                await self.api.create(event)
            except (PermanentError, TemporaryError) as exc:  # The status has it; an Event is a convenience.
                log.warning("event_not_posted", error=str(exc))

    async def _write_status(self, resource: Object, status: Status) -> None:
        meta = resource["metadata"]
        body = {
            "apiVersion": API_VERSION,
            "kind": "SupportBot",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "status": status.body,
        }
        try:
            written = await self.api.apply(body, subresource="status")
        except NotFoundError:  # Deleted meanwhile; the watch will say so.
            return
        resource["status"] = written.get("status", status.body)


def read_bot(resource: Object) -> Bot:
    """A SupportBot as the API server has it. Raises SpecError."""
    meta = resource["metadata"]
    document = {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": resource["spec"],
    }
    parsed = parse_bot(document, source=f"{meta['namespace']}/{meta['name']}")
    return Bot(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=meta["generation"],
        created_at=int(datetime.fromisoformat(meta["creationTimestamp"]).timestamp()),
        spec=parsed.spec,
        document=document,
    )


def decode(secret: Object) -> dict[str, bytes]:
    """The values of a Secret."""
    values = {}
    for key, value in (secret.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise PermanentError(f"Secret {secret['metadata']['name']}, key {key} is not base64") from exc
    return values


def is_same(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a status says the same; when its counts were taken does not matter."""
    return _without_time(stored) == _without_time(wanted)


def is_settled(status: Status) -> bool:
    """Whether nothing is on its way: only an event can change something."""
    (ready,) = (condition for condition in status.body["conditions"] if condition["type"] == "Ready")
    return ready["reason"] not in {Reason.PROGRESSING, Reason.INVALID_REFERENCE, Reason.NATS_UNREACHABLE}


def _without_time(status: Mapping[str, Any]) -> dict[str, Any]:
    counters = {name: value for name, value in (status.get("counters") or {}).items() if name != "updateTime"}
    return {**status, "counters": counters}
