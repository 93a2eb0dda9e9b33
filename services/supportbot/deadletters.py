"""What could not be processed: bury it, list it, show it, put it back on its way, or drop it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind

from supportbot import envelope, metrics
from supportbot.errors import UserError
from supportbot.nats_errors import broker_errors
from supportbot.reader import Stored, read_message, read_stream
from supportbot.settle import Term
from supportbot.telemetry import tracer
from supportbot.topology import Stage, dead_letter_stream, dead_letter_subject, publish_subject, stream_name

if TYPE_CHECKING:
    from supportbot.bus import Bus

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DeadLetter:
    """One entry of the stream `<bot>-dlq`."""

    seq: int
    """Its number: what a person names it by."""
    stage: Stage
    reason: str
    error: str
    attempts: int
    first_at: datetime
    """When the message came to the stage's stream."""
    at: datetime
    event_type: str
    event_id: str
    message_ref: str
    group_ref: str
    body: bytes = field(repr=False)
    """The event's JSON; it holds message text."""
    headers: dict[str, str] = field(repr=False)


async def bury(bus: "Bus", stage: Stage, message: Stored, term: Term, *, attempts: int) -> None:
    """Publish a dead letter and the trail's word about it; returns after both PubAcks.

    Done again for the same place in the stage's stream it changes nothing.
    """
    group_ref = message.subject.rpartition(".")[2]
    with tracer.start_as_current_span(f"dead-letter {stage}", kind=SpanKind.PRODUCER) as span:
        span.set_attribute("supportbot.deadletter.reason", term.reason)
        headers = envelope.dead_letter_headers(
            message.headers,
            stage=stage,
            reason=term.reason,
            error=term.error,
            attempts=attempts,
            stream=stream_name(bus.bot, stage),
            seq=message.seq,
            first_at=message.at,
        )
        subject = dead_letter_subject(bus.bot, stage, group_ref)
        ack = await bus.publisher.publish(subject, message.data, headers, headroom_bytes=0)
        entry = envelope.dead_letter_entry(
            message.headers, stage=stage, group_ref=group_ref, reason=term.reason, at=datetime.now(UTC)
        )
        if entry is not None:
            await bus.append(entry, envelope.trail_id(entry, cause=str(message.seq)))
    if not ack.duplicate:
        metrics.DEAD_LETTERS.labels(stage.value, term.reason).inc()
        log.error("dead_letter", stage=stage.value, reason=term.reason, attempts=attempts, dlq_seq=ack.seq)


async def list_dead_letters(bus: "Bus", *, stage: Stage | None = None) -> list[DeadLetter]:
    """The dead letters, oldest first. Raises UnavailableError."""
    subject = f"dlq.{bus.bot}.{stage or '*'}.*"
    return [_read(stored) for stored in await read_stream(bus.nc, dead_letter_stream(bus.bot), subject=subject)]


async def show_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """One dead letter. Raises UserError when there is none, UnavailableError."""
    stored = await read_message(bus.nc, dead_letter_stream(bus.bot), seq) if seq > 0 else None
    if stored is None:
        raise UserError(f"{bus.bot!r} has no dead letter {seq}; `supportbot dlq list` shows them")
    return _read(stored)


async def replay_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """Put a dead letter back on the stream that it came from, behind what waits there, and delete it here.

    Raises:
        UnavailableError: The broker is away.
        UserError: There is no such dead letter.
    """
    letter = await show_dead_letter(bus, seq)
    subject = publish_subject(bus.bot, letter.stage, letter.group_ref)
    await bus.publisher.publish(
        subject, letter.body, envelope.replay_headers(letter.headers, dlq_seq=seq), headroom_bytes=0
    )
    await _delete(bus, seq)
    return letter


async def drop_dead_letter(bus: "Bus", seq: int) -> DeadLetter:
    """Delete a dead letter for good; the trail keeps its outcome. Raises UserError, UnavailableError."""
    letter = await show_dead_letter(bus, seq)
    await _delete(bus, seq)
    return letter


async def _delete(bus: "Bus", seq: int) -> None:
    with broker_errors():
        await bus.js.delete_msg(dead_letter_stream(bus.bot), seq)


def _read(stored: Stored) -> DeadLetter:
    headers = {key: str(value) for key, value in stored.headers.items()}
    _, _, stage, group_ref = stored.subject.split(".")
    return DeadLetter(
        seq=stored.seq,
        stage=Stage(stage),
        reason=envelope.decode(headers.get("x-dlq-reason", "unknown")),
        error=envelope.decode(headers.get("x-dlq-error", "")),
        attempts=int(headers.get("x-dlq-attempts", 0)),
        first_at=datetime.fromisoformat(headers["x-dlq-first-at"]) if "x-dlq-first-at" in headers else stored.at,
        at=stored.at,
        event_type=headers.get("ce-type", ""),
        event_id=headers.get("ce-id", ""),
        message_ref=envelope.read_message_ref(headers) or "",
        group_ref=group_ref,
        body=stored.data,
        headers=headers,
    )
