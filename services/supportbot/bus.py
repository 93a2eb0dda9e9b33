"""The bus of a bot, over a NATS connection: publishing with PubAck, and consuming in lanes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from opentelemetry import propagate
from opentelemetry.trace import SpanKind

from supportbot import envelope, streams, topology
from supportbot.contracts import Event, TrailEntry, dump_event
from supportbot.delivery import Context, Handler, Worker
from supportbot.effects import EffectsLedger
from supportbot.errors import UnavailableError
from supportbot.kv import KeyValue
from supportbot.lane import Lane
from supportbot.media import MediaStore
from supportbot.nats_connection import NO_ACCESS, Access, Connection, open_connection
from supportbot.nats_errors import broker_errors
from supportbot.publisher import BusClosedError
from supportbot.telemetry import tracer
from supportbot.topology import Stage

__all__ = ["Bus", "BusClosedError", "Context", "Handler"]

log = structlog.get_logger(__name__)

FINISH_TIMEOUT_S = 20.0
"""How long a running handler may go on after its lane was cancelled."""
BIND_PAUSE_S = 1.0


class Bus:
    """A bot's streams over a connection; made by `connect` or `share`."""

    def __init__(self, connection: Connection, *, bot: str) -> None:
        self.bot, self.service = bot, connection.service
        self.connection, self.nc, self.publisher = connection, connection.nc, connection.publisher
        self.js = self.nc.jetstream()
        self.effects = EffectsLedger(self.bucket)
        self.media = MediaStore(self.nc, topology.media_bucket(bot))
        self.lanes: list[Lane] = []
        """What pulls: armed again at a reconnect, and watched by `is_ready`."""
        self._buckets: dict[str, KeyValue] = {}

    @property
    def is_ready(self) -> bool:
        """Connected, and every lane may pull, has heard from the broker within 15 s, and is served."""
        return self.nc.is_connected and all(
            lane.is_served and not self.connection.is_denied(lane.asks) for lane in self.lanes
        )

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, *, bot: str, service: str, access: Access = NO_ACCESS) -> AsyncIterator["Bus"]:
        """A bus with a connection of its own, as `open_connection` makes it; closes it at the end.

        When the broker closes it for good, `consume` and `publish` raise BusClosedError, which ends the process.

        Raises:
            AccessError: The broker refuses the credentials, or is not who it should be.
            UnavailableError: No broker answers there.
        """
        inbox = topology.inbox_prefix(bot, service)
        async with (
            open_connection(url, service=service, inbox=inbox, access=access) as connection,
            cls.share(connection, bot=bot) as bus,
        ):
            yield bus

    @classmethod
    @asynccontextmanager
    async def share(cls, connection: Connection, *, bot: str) -> AsyncIterator["Bus"]:
        """The bus of one of many bots over a connection that outlives it: the operator's way.

        It costs nothing on the broker: publishing and answers are the connection's.
        """
        bus = cls(connection, bot=bot)
        connection.on_reconnect.append(bus.rearm)
        try:
            yield bus
        finally:
            connection.on_reconnect.remove(bus.rearm)

    async def rearm(self) -> None:
        """Ask for messages anew, after a reconnect."""
        for lane in list(self.lanes):
            await lane.rearm()

    async def publish(self, event: Event) -> bool:
        """Publish until the PubAck comes, for ever, with the same id. False: it was there already.

        Raises:
            PermanentError: The event is too large for the broker (`too_large`).
        """
        destination = topology.route(topology.stage_of(event)).destination
        with tracer.start_as_current_span(f"publish {destination}", kind=SpanKind.PRODUCER) as span:
            headers = envelope.event_headers(event, source=f"{self.bot}/{self.service}", at=datetime.now(UTC))
            propagate.inject(headers)  # Inside the span, or the consumer would become its sibling.
            body = dump_event(event)
            ack = await self.publisher.publish(topology.event_subject(self.bot, event), body, headers)
            if span.is_recording():
                span.set_attributes(
                    {
                        "messaging.system": "nats",
                        "messaging.operation.name": "publish",
                        "messaging.operation.type": "send",
                        "messaging.destination.name": destination,
                        "messaging.message.id": event.event_id,
                        "messaging.message.body.size": len(body),
                        "messaging.nats.stream.name": ack.stream,
                        "messaging.nats.stream.sequence": ack.seq,
                        "supportbot.publish.duplicate": ack.duplicate,
                        "supportbot.message.ref": event.message_ref,
                        "supportbot.group.ref": event.group_ref,
                    }
                )
        return not ack.duplicate

    async def record(self, entry: TrailEntry) -> None:
        """Append to the trail, outside a handler. The same stage says a thing about a message once."""
        await self.append(entry, envelope.trail_id(entry))

    async def append(self, entry: TrailEntry, msg_id: str) -> None:
        """Append to the trail under an id; what has been said under it is dropped."""
        body = entry.model_dump_json(exclude_defaults=True).encode()
        subject = topology.trail_subject(self.bot, entry.group_ref)
        await self.publisher.publish(subject, body, {envelope.MSG_ID: msg_id})

    async def bucket(self, name: str) -> KeyValue:
        """Bind a bucket by its short name (`memory`).

        Raises:
            StreamMissingError: It does not exist yet.
            UnavailableError: The broker is away.
            ValueError: No bucket has that name.
        """
        full = topology.bucket_name(self.bot, name)
        if full not in self._buckets:
            with broker_errors():
                self._buckets[full] = KeyValue(self.nc, await self.js.key_value(full), full)
        return self._buckets[full]

    async def consume(
        self, stage: Stage, handler: Handler, *, lanes: int, ready: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Hand the stage's messages to `handler`, `lanes` at a time, those of one conversation in order.

        Runs until cancelled; then it finishes what runs (20 s at most) and gives back the rest. While the streams do
        not exist yet it waits for them.

        Args:
            stage: Whose messages.
            handler: Gets each message at least once, until it settles.
            lanes: The number that the bot was created with.
            ready: Awaited before each call, such as a breaker's; meanwhile the message is held.

        Raises:
            BusClosedError: The connection is closed for good.
            UserError: The bot was created with another number of lanes.
        """
        ack_wait_s = await self._bind(stage, lanes)
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # Before Python 3.12 wait_for, which nats-py uses, may lose a cancellation (python/cpython#86296).
            raise asyncio.CancelledError
        stream = topology.stream_name(self.bot, stage)
        running: dict[asyncio.Task[None], tuple[Lane, Worker]] = {}
        for number in range(lanes):
            durable = topology.consumer_name(stage, number)
            worker = Worker(self, stage, durable, handler, ready=ready)
            lane = Lane(self.nc, stream, durable, worker.handle)
            running[asyncio.create_task(lane.run(), name=durable)] = lane, worker
        self.lanes.extend(lane for lane, _ in running.values())
        keeper = asyncio.create_task(self._keep(running, ack_wait_s / 3), name=f"keep {stage}")
        try:
            await asyncio.wait([*running, keeper], return_when=asyncio.FIRST_COMPLETED)
        finally:
            try:
                await _finish(running)
            finally:
                keeper.cancel()
                ended = await asyncio.gather(*running, keeper, return_exceptions=True)
                for lane, _ in running.values():
                    self.lanes.remove(lane)
        for error in ended:  # Only what must end the process gets here.
            if isinstance(error, Exception):
                raise error

    async def _bind(self, stage: Stage, lanes: int) -> float:
        """Wait until the stage's stream and last durable exist; the durable's `ack_wait`."""
        stream, last = topology.stream_name(self.bot, stage), topology.consumer_name(stage, lanes - 1)
        warned = False
        while True:
            if self.nc.is_closed:
                raise BusClosedError("the connection to NATS is closed")
            try:
                with broker_errors():
                    if await streams.check_lanes(self.js, self.bot, stage, lanes):
                        return (await self.js.consumer_info(stream, last)).config.ack_wait or 30.0
            except UnavailableError as exc:
                if not warned:
                    log.warning("stream_missing", stream=stream, error=str(exc))
                warned = True
            await asyncio.sleep(BIND_PAUSE_S)

    async def _keep(self, running: dict[asyncio.Task[None], tuple[Lane, Worker]], period_s: float) -> None:
        """Signal that messages are still worked on; end when the connection is closed for good."""
        loop = asyncio.get_running_loop()
        due = loop.time() + period_s
        while not self.nc.is_closed:
            await asyncio.sleep(min(period_s, 0.5))
            if loop.time() >= due:
                due = loop.time() + period_s
                for _, worker in running.values():
                    await worker.keep_alive()
        raise BusClosedError("the connection to NATS is closed")


async def _finish(running: dict[asyncio.Task[None], tuple[Lane, Worker]]) -> None:
    """Pull nothing more, let running handlers finish, cancel the rest: those give their message back."""
    for lane, worker in running.values():
        worker.stop()
        await lane.quiet()
    deadline = asyncio.get_running_loop().time() + FINISH_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        for task, (_, worker) in running.items():
            if not worker.is_working:
                task.cancel()
        busy = [task for task in running if not task.done()]
        if not busy:
            return
        await asyncio.wait(busy, timeout=0.05)
    for task in running:
        task.cancel()
