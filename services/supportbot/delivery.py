"""One delivery of a message to a handler: what the handler sees, and what becomes of the message afterwards."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import nats.errors
import structlog
from nats.aio.msg import Msg
from opentelemetry import propagate, trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from supportbot import envelope, metrics, topology
from supportbot.contracts import Decision, Event, Outcome, TrailEntry
from supportbot.deadletters import bury
from supportbot.errors import PermanentError
from supportbot.publisher import BusClosedError
from supportbot.reader import Stored
from supportbot.settle import ACK, IN_PROGRESS, NAK, Ack, Hold, Nak, Settlement, Term, decide, nak_frame, term_frame
from supportbot.telemetry import tracer
from supportbot.topology import Stage

if TYPE_CHECKING:
    from supportbot.bus import Bus

log = structlog.get_logger(__name__)

DETACHED_AFTER = timedelta(minutes=15)
"""What is handled later than that starts a trace of its own, linked to the old one."""

RECONNECT_PAUSE_S = 0.05

_METRIC_STAGES = {Stage.CLASSIFIER: "classified", Stage.TICKET: "ticketed", Stage.WHATSAPP: "replied"}


class Context:
    """One call of a handler. Tests may build one with any `publish`."""

    def __init__(
        self, event: Event, *, stage: Stage, publish: Callable[[Event], Awaitable[object]], attempt: int = 1
    ) -> None:
        self.event_id = event.event_id
        self.message_ref = event.message_ref
        self.group_ref = event.group_ref
        self.stage = stage
        self.attempt = attempt
        """1 for the first delivery. Deliveries that ended with their process count too."""
        self.entries: list[TrailEntry] = []
        self._publish = publish

    def record(
        self,
        outcome: Outcome,
        *,
        reasons: tuple[str, ...] = (),
        incident_id: str | None = None,
        decision: Decision | None = None,
        message_ref: str | None = None,
    ) -> None:
        """Add a trail entry about this message, or about `message_ref`; published before the ack."""
        self.entries.append(
            TrailEntry(
                message_ref=message_ref or self.message_ref,
                group_ref=self.group_ref,
                stage=cast("Any", self.stage.value),
                outcome=outcome,
                at=datetime.now(UTC),
                incident_id=incident_id,
                reasons=reasons,
                decision=decision,
            )
        )

    async def publish(self, event: Event) -> None:
        """Publish an event beside the returned one; returns after the PubAck."""
        await self._publish(event)


Handler = Callable[[Event, Context], Awaitable[Event | None]]


class Worker:
    """Handles the messages of one lane, one at a time, and settles them."""

    def __init__(
        self,
        bus: "Bus",
        stage: Stage,
        durable: str,
        handler: Handler,
        *,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._bus, self._stage, self._durable = bus, stage, durable
        self._handler, self._ready = handler, ready
        self._current: Msg | None = None
        self._waits = False
        self._stopping = False
        self._failures: dict[int, int] = {}
        """Per place in the stream how often the handler failed here. The broker's own count also has deliveries that
        a restart or an outage ended; by that one a few restarts would bury a message at its first failure."""

    @property
    def is_working(self) -> bool:
        """A handler runs, and deserves the time to finish; waiting for a dependency is not work."""
        return self._current is not None and not self._waits

    def stop(self) -> None:
        """Give the message back instead of holding it any longer."""
        self._stopping = True

    async def keep_alive(self) -> None:
        """Tell the broker that the present message, if any, is still worked on."""
        if self._current is not None:
            with suppress(nats.errors.Error, OSError):
                await self._bus.nc.publish(self._current.reply, IN_PROGRESS)

    async def handle(self, msg: Msg) -> None:
        """Process one message and settle it; when cancelled, give it back at once."""
        self._current = msg
        started = time.monotonic()
        try:
            settlement = await self._process(msg)
            await self._settle(msg, settlement)
        except BaseException:
            with suppress(nats.errors.Error, OSError):
                await self._bus.nc.publish(msg.reply, NAK)
            raise
        finally:
            self._current = None
        self._count(settlement, msg.metadata.num_delivered, time.monotonic() - started)

    async def _process(self, msg: Msg) -> Settlement:
        headers, attempt = msg.headers or {}, msg.metadata.num_delivered
        try:
            event = envelope.read_event(headers, msg.data)
        except PermanentError as exc:
            return decide(exc, failures=0, held=0, jitter=0)
        names = {"message_ref": event.message_ref, "group_ref": event.group_ref, "stage": self._stage.value}
        with self._span(msg, event) as span, structlog.contextvars.bound_contextvars(**names):
            seq = msg.metadata.sequence.stream
            failures = self._failures.pop(seq, 0)
            settlement = await self._call_until_settled(event, attempt, failures)
            if isinstance(settlement, Nak) and not self._stopping:
                self._failures[seq] = failures + 1
            span.set_attribute("supportbot.settlement", type(settlement).__name__.lower())
            if isinstance(settlement, Nak | Term):
                span.set_status(StatusCode.ERROR, "the handler failed")
            return settlement

    async def _call_until_settled(self, event: Event, attempt: int, failures: int) -> Settlement:
        held = 0
        while True:
            error = await self._call(event, attempt)
            settlement = decide(error, failures=failures, held=held, jitter=random.random())  # noqa: S311 - no secret
            _report(settlement, error, failures + 1)
            if not isinstance(settlement, Hold):
                return settlement
            if self._stopping:
                return Nak(0, str(error))
            held += 1
            await self._wait(asyncio.sleep(settlement.delay_s))

    async def _call(self, event: Event, attempt: int) -> Exception | None:
        """Call the handler and publish what it made; what went wrong, if anything."""
        try:
            if self._ready is not None:
                await self._wait(self._ready())
            context = Context(event, stage=self._stage, publish=self._bus.publish, attempt=attempt)
            result = await self._handler(event, context)
            ids = envelope.trail_ids(context.entries, event.message_ref)
            async with asyncio.TaskGroup() as group:
                if result is not None:
                    group.create_task(self._bus.publish(result))
                for entry, msg_id in zip(context.entries, ids, strict=True):
                    group.create_task(self._bus.append(entry, msg_id))
        except BusClosedError:
            raise
        except ExceptionGroup as exc:
            if exc.subgroup(BusClosedError):
                raise BusClosedError from exc
            return exc.exceptions[0]
        except Exception as exc:  # noqa: BLE001 - the one place that decides about a handler's errors
            return exc
        return None

    async def _wait(self, what: Awaitable[None]) -> None:
        self._waits = True
        try:
            await what
        finally:
            self._waits = False

    async def _settle(self, msg: Msg, settlement: Settlement) -> None:
        match settlement:
            case Ack():
                frame = ACK
            case Nak():
                frame = nak_frame(settlement.delay_s)
            case Term():
                place = msg.metadata
                message = Stored(place.sequence.stream, msg.subject, msg.data, place.timestamp, msg.headers or {})
                await bury(self._bus, self._stage, message, settlement, attempts=place.num_delivered)
                frame = term_frame(settlement.reason)
            case Hold():  # Never returned by _call_until_settled.
                raise AssertionError(settlement)
        await self._wait(self._tell(msg, frame))

    async def _tell(self, msg: Msg, frame: bytes) -> None:
        """Send a frame, after a reconnect if need be: without it the lane would wait for the whole `ack_wait`.

        A frame that is lost all the same costs a redelivery, whose results are dropped as duplicates.
        """
        nc = self._bus.nc
        while not nc.is_closed:
            with suppress(nats.errors.OutboundBufferLimitError, OSError):
                await nc.publish(msg.reply, frame)
                return
            await asyncio.sleep(RECONNECT_PAUSE_S)
        raise BusClosedError("the connection to NATS is closed")

    def _span(self, msg: Msg, event: Event) -> Any:
        headers = msg.headers or {}
        destination = topology.route(self._stage).destination
        remote = propagate.extract(headers)
        origin = trace.get_current_span(remote).get_span_context()
        wait = datetime.now(UTC) - msg.metadata.timestamp
        metrics.QUEUE_WAIT.labels(self._stage.value).observe(max(0.0, wait.total_seconds()))
        detached = envelope.REPLAYED in headers or wait > DETACHED_AFTER
        return tracer.start_as_current_span(
            f"process {destination}",
            kind=SpanKind.CONSUMER,
            context=TraceContext() if detached else remote,
            links=[Link(origin)] if origin.is_valid else None,
            attributes={
                "messaging.system": "nats",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": destination,
                "messaging.message.id": headers.get(envelope.MSG_ID, ""),
                "messaging.consumer.group.name": self._durable,
                "messaging.nats.delivery_count": msg.metadata.num_delivered,
                "supportbot.message.ref": event.message_ref,
                "supportbot.group.ref": event.group_ref,
                "supportbot.stage": self._stage.value,
                "supportbot.queue.wait_s": wait.total_seconds(),
            },
        )

    def _count(self, settlement: Settlement, attempt: int, took_s: float) -> None:
        stage = _METRIC_STAGES[self._stage]
        match settlement:
            case Term():
                outcome = "dead_letter"
            case Nak(bug=True):
                outcome = "error"
            case Nak():
                outcome = "retry"
            case _:
                outcome = "ok"
        metrics.count(metrics.MESSAGES.labels(stage, outcome))
        metrics.observe(metrics.STAGE_DURATION.labels(stage, outcome), took_s)
        metrics.DELIVERIES.labels(self._stage.value, str(attempt) if attempt < 4 else "4+").inc()


def _report(settlement: Settlement, error: Exception | None, attempt: int) -> None:
    match settlement:
        case Hold():
            log.warning("message_held", dependency=settlement.dependency, delay_s=settlement.delay_s)
        case Nak(bug=True) | Term(bug=True):
            log.error("handler_failed", attempt=attempt, error_type=type(error).__name__, exc_info=error)
        case Nak():
            log.warning("message_retried", attempt=attempt, delay_s=round(settlement.delay_s, 1), error=str(error))
        case _:
            pass
    if error is not None:
        span: Span = trace.get_current_span()
        span.set_attribute("error.type", type(error).__name__)
