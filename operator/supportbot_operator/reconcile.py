"""One bot, from what its resource says to what the cluster has: the same steps whatever the cause."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.spec import SpecError
from supportbot.telemetry import tracer
from supportbot_operator import metrics
from supportbot_operator.announce import Announcer
from supportbot_operator.children import Children
from supportbot_operator.conditions import Reason
from supportbot_operator.config import OperatorConfig
from supportbot_operator.desired import Bot, Component, Inputs, desired, read_bot
from supportbot_operator.keys import Keys
from supportbot_operator.kube import API_VERSION, NotFoundError, Object, decode_secret
from supportbot_operator.pairing import read_offer
from supportbot_operator.status import (
    Observed,
    Pipeline,
    Report,
    assess,
    begin,
    fail,
    is_fresh,
    is_settled,
    refuse,
    unsettled_s,
)
from supportbot_operator.store import BotName, Store

RESYNC_S = 300.0
"""Without any event everything is looked at this often: Secrets are not watched, and a watch may miss something."""
WAITING_S, WAITING_LONG_S = 10.0, 60.0
"""The same while something is on its way: a Secret that somebody is about to make, pods, first reports; the longer it
takes the rarer."""

log = structlog.get_logger(__name__)


class API(Protocol):
    """What of the cluster is needed; `kube.Cluster` says what is raised."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object."""


class Streams(Protocol):
    """What of the broker is needed."""

    async def ensure(self, bot: Bot) -> None:
        """Make the bot's streams.

        Raises:
            PermanentError: The broker refuses; reason `broker_full` where it has no room.
            TemporaryError: It is away.
            UserError: Something has to be changed first.
        """

    async def forget(self, bot: BotName) -> None:
        """The bot is gone: stop watching it, and delete its streams."""

    def reports(self, bot: BotName) -> Sequence[Report]:
        """What its services said last."""

    def pipeline(self, bot: BotName) -> Pipeline | None:
        """How its messages fare; None when that is not known."""

    def is_new(self, bot: BotName) -> bool:
        """Nothing is known of the bot yet because the operator itself has only begun."""


class Authority(Protocol):
    """Who hands out the credentials for the broker."""

    @property
    def ca(self) -> str:
        """The certificate by which clients know the broker, PEM; empty where the system's do."""

    def credentials(self, bot: Bot, component: Component) -> str:
        """The text of a credentials file; empty where the broker wants none."""


@dataclass
class _Failures:
    """What went wrong in one reconcile: the rest was done all the same."""

    passing: list[TemporaryError] = field(default_factory=list)
    """May succeed later."""
    refusals: list[str] = field(default_factory=list)
    """Will not, until something changes."""

    async def note(self, work: Awaitable[object]) -> None:
        """Await a step; keep its error."""
        try:
            await work
        except PermanentError as exc:
            log.warning("step_refused", error=str(exc))
            self.refusals.append(str(exc))
        except TemporaryError as exc:
            self.passing.append(exc)


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Makes one bot at a time what it should be."""

    api: API
    store: Store
    children: Children
    announcer: Announcer
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
            Exception: A bug; the status tells that too.
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
            except Exception as exc:
                await self.announcer.tell(resource, fail(exc, resource, self.clock()))
                raise
            finally:
                span.set_attribute("supportbot.outcome", outcome)
                metrics.observe_reconcile(outcome, time.perf_counter() - started)
        return again_s

    async def _forget(self, name: BotName) -> None:
        """Delete what Kubernetes does not: the streams, if the deletion of the bot was seen; else `sweep` decides.

        They hold messages, so the API server itself is asked first.
        """
        metrics.forget_conditions(*name)
        if not self.store.was_deleted(name):
            return
        try:
            await self.api.get(API_VERSION, "SupportBot", name.namespace, name.name)
        except NotFoundError as exc:
            if not exc.is_about(name.name):
                raise
            await self.streams.forget(name)
            self.store.forget(name)
        else:
            raise TemporaryError("the bot exists, but the watches do not show it (yet)")

    async def _reconcile(self, name: BotName, resource: Object) -> float:
        meta, previous = resource["metadata"], resource.get("status") or {}
        failures = _Failures()
        if not previous.get("conditions"):
            await failures.note(self.announcer.tell(resource, begin(meta["generation"], self.clock())))
        try:
            bot = read_bot(resource)
        except SpecError as exc:
            await self.announcer.tell(resource, refuse(meta["generation"], str(exc), self.clock(), previous))
            return RESYNC_S
        inputs = await self._read_inputs(bot, failures)
        wanted = desired(bot, inputs)
        broker_problem = await self._ensure_streams(bot, failures)
        if isinstance(broker_problem, UserError):
            # Services would not start with streams that are not made for them; what runs goes on.
            wanted = wanted.without_workloads()
        await failures.note(self.children.apply(bot, wanted))
        await failures.note(self.children.keep_volume(bot))
        observed = Observed(
            now=self.clock(),
            workloads=self.children.workloads(bot),
            missing=wanted.missing,
            refused=failures.refusals[0] if failures.refusals else "",
            # NATS has a condition of its own.
            unreachable=next((str(one) for one in failures.passing if one is not broker_problem), ""),
            broker_problem=_explain(broker_problem),
            reports=self.streams.reports(name),
            pipeline=self.streams.pipeline(name),
            is_new=self.streams.is_new(name),
            offers_pairing=bool(inputs.pairing),
            volume_problem=self.children.volume_problem(bot),
        )
        status = assess(bot, observed, previous)
        await self.announcer.tell(resource, status)
        if failures.passing:
            raise failures.passing[0]
        if is_settled(status):
            return RESYNC_S
        return min(WAITING_LONG_S, max(WAITING_S, unsettled_s(status, self.clock()) / 10))

    async def _read_inputs(self, bot: Bot, failures: _Failures) -> Inputs:
        names = dict.fromkeys(ref.name for component in Component for ref in bot.secret_refs(component))
        secrets: dict[str, Mapping[str, bytes]] = {}
        unread: set[str] = set()

        async def read(secret: str) -> None:
            try:
                secrets[secret] = decode_secret(await self.api.get("v1", "Secret", bot.namespace, secret))
            except NotFoundError:
                return
            except (TemporaryError, PermanentError):
                unread.add(secret)
                raise

        await asyncio.gather(*(failures.note(read(secret)) for secret in names))
        return Inputs(
            config=self.config,
            secrets=secrets,
            unread=frozenset(unread),
            install_key=self.keys.install_key(bot.namespace, bot.name),
            api_key=self.keys.api_key(bot.namespace, bot.name),
            credentials={component: self.authority.credentials(bot, component) for component in Component},
            ca=self.authority.ca,
            storage=self.children.first_storage(bot),
            pairing=self._read_pairing(bot),
        )

    def _read_pairing(self, bot: Bot) -> Mapping[str, str]:
        now = self.clock()
        reports = self.streams.reports(BotName(bot.namespace, bot.name))
        gateways = (one for one in reports if one.service == Component.WHATSAPP.value and is_fresh(one, now))
        return read_offer((one.private for one in gateways), now)

    async def _ensure_streams(
        self, bot: Bot, failures: _Failures
    ) -> TemporaryError | PermanentError | UserError | None:
        try:
            await self.streams.ensure(bot)
        except TemporaryError as exc:
            failures.passing.append(exc)
            return exc
        except (PermanentError, UserError) as exc:
            return exc
        return None


def _explain(problem: TemporaryError | PermanentError | UserError | None) -> tuple[Reason, str] | None:
    if problem is None:
        return None
    if isinstance(problem, TemporaryError):
        return Reason.NATS_UNREACHABLE, str(problem)
    is_full = isinstance(problem, PermanentError) and problem.reason == "broker_full"
    return (Reason.NATS_FULL if is_full else Reason.REFUSED), str(problem)
