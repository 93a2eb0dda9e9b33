"""From the journal onto the bus, in the order of arrival. While the bus is away the rows wait."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from opentelemetry.trace import SpanKind

from supportbot.bus import Bus
from supportbot.contracts import InboxEvent, Media, MessageReceived, Outcome, TrailEntry
from supportbot.errors import PermanentError, TemporaryError
from supportbot.ids import make_group_ref
from supportbot.telemetry import tracer
from supportbot.whatsapp.convert import Context, Roster, to_inbox_event, to_media, to_unknown_event
from supportbot.whatsapp.gateway import RawEvent, RawKind
from supportbot.whatsapp.inbound import Attachments, Bell
from supportbot.whatsapp.journal import Journal, Row

RETRY_S = 1.0
PRUNE_INTERVAL_S = 3600.0

_REASONS: Mapping[str, tuple[str, ...]] = {
    "unknown": ("could not be converted",),
    "lost": ("WhatsApp was told that it had arrived, but its content was lost in a crash",),
}
"""What the trail says of a message of which only a note is published."""

_log = structlog.get_logger(__name__)


class Publisher:
    """Drains the journal.

    Args:
        bus: The bus.
        journal: The journal.
        attachments: The downloaded attachments.
        roster: Who is who.
        own_jids: The bot's own JIDs, as far as they are known by now.
        bell: Rung when a row may be ready.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        journal: Journal,
        attachments: Attachments,
        roster: Roster,
        own_jids: Callable[[], frozenset[str]] = frozenset,
        bell: Bell,
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._attachments = attachments
        self._roster = roster
        self._own_jids = own_jids
        self._bell = bell

    async def run(self) -> None:
        """Publish what waits, until cancelled. An attachment still to be fetched holds its group, and no other."""
        while True:
            self._bell.clear()
            rows = await self._journal.waiting()
            for row in rows:
                await self._publish_until_done(row)
            if not rows:
                await self._bell.wait()

    async def _publish_until_done(self, row: Row) -> None:
        while True:
            try:
                await self._publish(row)
            except TemporaryError as exc:
                _log.warning("publish_delayed", message_ref=row.message_ref, error_type=type(exc).__name__)
                await asyncio.sleep(exc.delay_s or RETRY_S)
            else:
                return

    async def _publish(self, row: Row) -> None:
        """Attachment, event, trail, mark: a crash anywhere repeats it, and the repeat is dropped by its id."""
        with tracer.start_as_current_span("receive whatsapp.group", kind=SpanKind.CONSUMER) as span:
            event = await self._event(row)
            span.set_attribute("messaging.system", "whatsapp")
            span.set_attribute("supportbot.message.ref", row.message_ref)
            if event is not None:
                event = await self._put_on_bus(event, row)
            await self._bus.record(self._entry(row, event))
            await self._journal.mark_published(row.seq, datetime.now(UTC))
        self._attachments.remove(row)

    async def _put_on_bus(self, event: InboxEvent, row: Row) -> InboxEvent:
        """Publish the event, or that something came if the bus will never take it; what was published."""
        try:
            await self._bus.publish(event)
        except PermanentError as exc:
            _log.error("event_refused", message_ref=row.message_ref, reason=exc.reason)
            event = self._unknown(row)
            await self._bus.publish(event)
        return event

    async def _event(self, row: Row) -> InboxEvent | None:
        """The row's event; None for one that WhatsApp could not decrypt. What cannot be converted is `unknown`."""
        try:
            raw = RawEvent.model_validate_json(row.raw)
            if raw.kind is RawKind.UNDECRYPTABLE:
                return None
            roster = replace(self._roster, own_jids=self._own_jids())
            return to_inbox_event(raw, roster, await self._context(row, raw))
        except ValueError:
            # Without the cause: it would quote the message.
            _log.error("conversion_failed", message_ref=row.message_ref)
            return self._unknown(row)

    def _unknown(self, row: Row) -> MessageReceived:
        return to_unknown_event(row.key, self._roster, sent_at=row.sent_at, received_at=row.received_at)

    async def _context(self, row: Row, raw: RawEvent) -> Context:
        about = raw.target or raw.quoted
        return Context(
            received_at=row.received_at,
            media=await self._media(row, raw),
            incident_id=await self._journal.incident_of(about.chat, about.message_id) if about else None,
        )

    async def _media(self, row: Row, raw: RawEvent) -> Media | None:
        if raw.media is None:
            return None
        data = self._attachments.read(row) if row.media_missing is None else None
        if data is None:
            return to_media(raw.media, sha256=None, missing=row.media_missing or "the gateway's copy is lost")
        try:
            sha256 = await self._bus.media.put(data)
        except PermanentError as exc:
            return to_media(raw.media, data=data, sha256=None, missing=str(exc))
        return to_media(raw.media, data=data, sha256=sha256)

    def _entry(self, row: Row, event: InboxEvent | None) -> TrailEntry:
        note = event.note if isinstance(event, MessageReceived) else None
        return TrailEntry(
            message_ref=row.message_ref,
            group_ref=make_group_ref(self._roster.install_key, row.key.chat),
            stage="whatsapp",
            outcome=Outcome.UNDECRYPTABLE if event is None else Outcome.RECEIVED,
            at=datetime.now(UTC),
            reasons=_REASONS.get(note or "", ()),
        )


async def prune(journal: Journal) -> None:
    """Keep to the journal's retention, until cancelled."""
    while True:
        await journal.prune(datetime.now(UTC))
        await asyncio.sleep(PRUNE_INTERVAL_S)
