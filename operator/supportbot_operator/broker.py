"""The operator's side of NATS: the bots' streams, their janitors, what their services report, how messages fare.

One connection serves all bots. While the broker is away bots are reconciled all the same; their conditions tell.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import nats.errors
import structlog
from nats.aio.msg import Msg

from supportbot.bus import Bus
from supportbot.cancellation import end_for_sure
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.janitor import run_janitor
from supportbot.logs import describe_error
from supportbot.metrics import ERRORS
from supportbot.nats_connection import Access, Connection, open_connection
from supportbot.nats_errors import DEPENDENCY
from supportbot.pipeline_state import PipelineState, PipelineWatch
from supportbot.reader import read_stream
from supportbot.streams import delete_topology, ensure_topology, list_bots, mark_orphaned
from supportbot.topology import LIVE, Bucket, Profile, Stage, bucket_name
from supportbot_operator.check import ensure_check_stream
from supportbot_operator.config import OperatorConfig
from supportbot_operator.desired import Bot
from supportbot_operator.installation import Installation
from supportbot_operator.keys import bot_key
from supportbot_operator.reports import parse_report, say_same
from supportbot_operator.status import BACKLOG_AFTER, REPORT_LASTS, Pipeline, Report
from supportbot_operator.store import BotName

OBSERVE_S = 15.0
"""Between two looks at a bot's streams."""
ENSURE_AGAIN_S = 300.0
"""Streams that somebody deleted by hand come back after so long at the latest."""
COUNTERS_EVERY = timedelta(seconds=60)
"""Counters in the status move at most so often."""
FORGET_AFTER = timedelta(minutes=10)
"""A process that has not reported for so long is gone for good."""
NEW_S = 60.0
READ_AT_ONCE = 3
"""A trail may hold a month: after a start they are read a few at a time."""
AFTER_BUG_S = 30.0
RETRY_S = 2.0

log = structlog.get_logger(__name__)


@dataclass
class _Served:
    """A bot that is served over the present connection."""

    key: str
    connection: Connection
    ensured_at: float
    task: asyncio.Task[None] | None = None
    has_looked: bool = False
    """Its streams and its services' reports have been read once."""
    silent: frozenset[str] = frozenset()
    """Keys of reports that are too old to count."""
    reports: dict[str, Report] = field(default_factory=dict)
    pipeline: Pipeline | None = None


class Broker:
    """Made by `open`; `run` keeps the connection.

    Args:
        config: Address, lanes, sizes.
        access: The operator's own credentials.
        changed: Is told a bot of which something has changed that its status shows.
        connected: Is called when the broker can be reached (again): whatever waits for it need wait no longer.
        installation: Tells our bots' streams from those of others in the same account.
    """

    def __init__(
        self,
        config: OperatorConfig,
        access: Access,
        *,
        changed: Callable[[BotName], None],
        connected: Callable[[], None],
        installation: str,
    ) -> None:
        self._config, self._access, self._installation = config, access, installation
        self._changed, self._say_connected = changed, connected
        self._connection: Connection | None = None
        self._problem = "the operator is connecting to NATS"
        self._served: dict[BotName, _Served] = {}
        self._begun_at = asyncio.get_running_loop().time()
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: OperatorConfig,
        installation: Installation,
        *,
        changed: Callable[[BotName], None],
        connected: Callable[[], None],
    ) -> AsyncIterator[Self]:
        """A broker whose credentials are in a private folder for as long as it is used."""
        with tempfile.TemporaryDirectory(prefix="supportbot-operator-") as folder:
            access = Access(
                credentials=_write(Path(folder) / "nats.creds", installation.authority.operator_credentials()),
                ca=_write(Path(folder) / "ca.crt", installation.authority.ca),
            )
            yield cls(config, access, changed=changed, connected=connected, installation=installation.name)

    async def run(self) -> None:
        """Keep connected until cancelled; begin anew when the broker closes the connection for good."""
        while True:
            try:
                await self._connected()
            except (TemporaryError, PermanentError) as exc:
                self._lost(exc)
            await asyncio.sleep(RETRY_S)

    async def ensure(self, bot: Bot) -> None:
        """Make the bot's streams, and serve it from then on. Raises TemporaryError, PermanentError or UserError."""
        connection = self._require()
        name, now = BotName(bot.namespace, bot.name), asyncio.get_running_loop().time()
        served = self._served.get(name)
        is_served = served is not None and served.task is not None and not served.task.done()
        if served is not None and is_served and now - served.ensured_at < ENSURE_AGAIN_S:
            return
        js = connection.nc.jetstream()
        await ensure_topology(js, bot.key, self._config.streams.lanes, self._profile(name))
        if connection is not self._connection:
            raise UnavailableError("the connection to NATS was lost meanwhile", dependency=DEPENDENCY)
        if served is None or not is_served:
            served = self._served[name] = _Served(bot.key, connection, now)
            served.task = asyncio.create_task(end_for_sure(self._serve(name, served)), name=f"serve {bot.key}")
        served.ensured_at = now

    def is_new(self, bot: BotName) -> bool:
        """Nothing is known of the bot yet because this process has only begun: for a minute at most."""
        served = self._served.get(bot)
        is_young = asyncio.get_running_loop().time() - self._begun_at < NEW_S
        return is_young and (served is None or not served.has_looked)

    async def with_streams(self) -> dict[BotName, datetime | None]:
        """The bots of this installation that have streams, with the time since which they are known to be gone.

        Raises:
            TemporaryError: The broker is away.
        """
        found: dict[BotName, datetime | None] = {}
        for streams in (await list_bots(self._require().nc.jetstream())).values():
            installation, *name = streams.origin.split("/")
            if installation == self._installation and len(name) == 2:
                found[BotName(*name)] = streams.orphaned_at
        return found

    async def mark_orphaned(self, bot: BotName, at: datetime) -> None:
        """Note at the streams that the bot is gone; making them again takes it back. Raises TemporaryError."""
        await mark_orphaned(self._require().nc.jetstream(), bot_key(*bot), at)

    async def forget(self, bot: BotName) -> None:
        """Stop serving a bot that is gone, and delete its streams. Raises TemporaryError or PermanentError."""
        connection = self._require()
        await self._stop(bot)
        await delete_topology(connection.nc.jetstream(), bot_key(*bot), self._origin(bot))
        log.info("streams_deleted", namespace=bot.namespace, bot=bot.name)

    def reports(self, bot: BotName) -> Sequence[Report]:
        """What the bot's services said last."""
        served = self._served.get(bot)
        return tuple(served.reports.values()) if served else ()

    def pipeline(self, bot: BotName) -> Pipeline | None:
        """How the bot's messages fare."""
        served = self._served.get(bot)
        return served.pipeline if served else None

    def _profile(self, bot: BotName) -> Profile:
        streams = self._config.streams
        return replace(
            LIVE,
            stream_bytes=streams.bytes,
            media_bytes=streams.media_bytes,
            replicas=streams.replicas,
            origin=self._origin(bot),
        )

    def _origin(self, bot: BotName) -> str:
        return "/".join((self._installation, *bot))

    def _require(self) -> Connection:
        if self._connection is None or not self._connection.nc.is_connected:
            raise UnavailableError(self._problem, dependency=DEPENDENCY)
        return self._connection

    async def _connected(self) -> None:
        """Serve over one connection until it is closed for good."""
        async with open_connection(self._config.nats.url, service="operator", access=self._access) as connection:
            await self._ensure_check_stream(connection)
            self._connection = connection
            self._problem = "NATS does not answer"
            connection.on_reconnect.append(self._reconnected)
            self._say_connected()
            try:
                while not connection.nc.is_closed:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(1.0)
            finally:
                self._connection = None
                for bot in tuple(self._served):
                    await self._stop(bot)
        raise UnavailableError("NATS closed the connection", dependency=DEPENDENCY)

    async def _reconnected(self) -> None:
        """The broker may have come back without its store: look at everything again."""
        for served in self._served.values():
            served.ensured_at = -ENSURE_AGAIN_S
        self._say_connected()

    def _lost(self, error: TemporaryError | PermanentError) -> None:
        if str(error) != self._problem:
            log.warning("nats_unavailable", error=str(error))
        self._problem = str(error)

    async def _stop(self, bot: BotName) -> None:
        served = self._served.pop(bot, None)
        if served is None or served.task is None:
            return
        served.task.cancel()
        await asyncio.gather(served.task, return_exceptions=True)

    async def _ensure_check_stream(self, connection: Connection) -> None:
        """What `helm test` needs must not keep bots from their streams."""
        if self._config.nats.check_secret is None:
            return
        try:
            await ensure_check_stream(connection.nc.jetstream())
        except (TemporaryError, PermanentError) as exc:
            log.warning("check_stream_not_made", error=str(exc))

    async def _serve(self, name: BotName, served: _Served) -> None:
        """Janitor, reports and observation of one bot, until cancelled. None of them ends by a failure."""
        async with Bus.share(served.connection, bot=served.key) as bus:
            watch = PipelineWatch(bus, lanes=self._config.streams.lanes)
            try:
                async with asyncio.TaskGroup() as tasks:
                    for what, work in (
                        ("janitor", lambda: run_janitor(bus, lanes=self._config.streams.lanes)),
                        ("reports", lambda: self._listen(bus, name, served)),
                        ("observation", lambda: self._observe(watch, name, served)),
                    ):
                        tasks.create_task(end_for_sure(_keep_going(what, bus.bot, work)), name=f"{what} {bus.bot}")
            finally:
                watch.forget_metrics()

    async def _listen(self, bus: Bus, name: BotName, served: _Served) -> None:
        """Take reports as they are written, after those that are there."""
        bucket = bucket_name(bus.bot, Bucket.STATE)
        root = f"$KV.{bucket}."

        async def take(msg: Msg) -> None:
            self._take(name, served, msg.subject[len(root) :], msg.data, datetime.now(UTC))

        sub = await bus.nc.subscribe(f"{root}>", cb=take)
        try:
            for stored in await read_stream(bus.nc, f"KV_{bucket}", subject=f"{root}>"):
                self._take(name, served, stored.subject[len(root) :], stored.data, stored.at)
            await asyncio.Event().wait()
        finally:
            with suppress(nats.errors.Error, OSError):
                await sub.unsubscribe()

    def _take(self, name: BotName, served: _Served, key: str, data: bytes, at: datetime) -> None:
        try:
            report = parse_report(key, data, at)
        except ValueError as exc:
            log.warning("report_not_understood", bot=served.key, key=key, error=str(exc))
            return
        before = served.reports.get(key)
        if before is not None and before.at > at:
            return
        served.reports[key] = report
        if before is None or not say_same(before, report):
            self._changed(name)

    async def _observe(self, watch: PipelineWatch, name: BotName, served: _Served) -> None:
        """Look at the streams again and again; tell when the status would say something else."""
        while True:
            before, silent = served.pipeline, served.silent
            try:
                async with self._reading:
                    served.pipeline = throttle(before, to_pipeline(await watch.look()))
                served.has_looked = True
            except TemporaryError as exc:
                served.pipeline = None
                served.ensured_at = -ENSURE_AGAIN_S
                log.warning("pipeline_not_observed", bot=served.key, error=str(exc))
            served.silent = find_silent(served.reports, datetime.now(UTC))
            if served.pipeline != before or served.silent != silent:
                self._changed(name)
            await asyncio.sleep(OBSERVE_S)


async def _keep_going(what: str, bot: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something that never ends by itself; begin it again whatever ends it, or nobody would notice for weeks."""
    while True:
        try:
            await work()
        except TemporaryError as exc:
            log.warning("bot_service_interrupted", what=what, bot=bot, error=str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug, or something of another version, must not blind us for good
            ERRORS.labels("operator", type(exc).__name__).inc()
            log.warning("bot_service_failed", what=what, bot=bot, **describe_error(exc))
            await asyncio.sleep(AFTER_BUG_S)
        await asyncio.sleep(RETRY_S)


def to_pipeline(state: PipelineState) -> Pipeline:
    """What the status needs of a bot's pipeline."""

    def waiting_since(stages: Iterable[Stage]) -> datetime | None:
        oldest = [at for stage in stages if stage in state.queues and (at := state.queues[stage].oldest_at)]
        return min((at for at in oldest if state.at - at > BACKLOG_AFTER), default=None)

    return Pipeline(
        received=state.received,
        tickets=state.tickets,
        dead_lettered=state.dead_lettered,
        waiting_dead_letters=sum(state.dead_letters.values()),
        unaccounted=len(state.unaccounted),
        backlogged_since=waiting_since(set(Stage) - {Stage.WHATSAPP}),
        unanswered_since=waiting_since([Stage.WHATSAPP]),
        updated_at=state.at,
    )


def throttle(before: Pipeline | None, now: Pipeline) -> Pipeline:
    """What the status shows: counters that only grow move once a minute, whatever is wrong shows at once."""
    assert now.updated_at is not None
    if before is None or before.updated_at is None:
        return now
    if now.updated_at - before.updated_at >= COUNTERS_EVERY:
        # The time of unchanged counters stays: a bot at rest writes nothing.
        return (
            replace(now, updated_at=before.updated_at) if replace(now, updated_at=before.updated_at) == before else now
        )
    return replace(
        now,
        received=before.received,
        tickets=before.tickets,
        dead_lettered=before.dead_lettered,
        updated_at=before.updated_at,
    )


def find_silent(reports: dict[str, Report], now: datetime) -> frozenset[str]:
    """The processes that do not report any more; who has been silent for long is forgotten."""
    for key, report in tuple(reports.items()):
        if now - report.at > FORGET_AFTER:
            del reports[key]
    return frozenset(key for key, report in reports.items() if now - report.at > REPORT_LASTS)


def _write(path: Path, text: str) -> Path | None:
    """A private file; None when there is nothing to write."""
    if not text:
        return None
    path.touch(mode=0o600)
    path.write_text(text)
    return path
