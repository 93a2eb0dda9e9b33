"""The stage `ticket`: takes what the classifier decided, brings it to Zoho Desk, returns what the group may be told."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from supportbot.bus import Context
from supportbot.contracts import (
    ConfirmationAsked,
    Event,
    Evidence,
    IncidentCorrected,
    IncidentState,
    Kind,
    MessageClassified,
    Outcome,
    TicketDelayed,
    TicketOpened,
    TicketUpdated,
)
from supportbot.effects import EffectsLedger
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.ids import make_folio
from supportbot.ticket.book import Page
from supportbot.ticket.convert import make_evidence
from supportbot.ticket.incidents import Incidents, News
from supportbot.ticket.words import Words

DELAY_AFTER_S: Final = 5.0
"""How long Zoho is away before the group is told: a blip is no news."""


class TicketHandler:
    """Handles the events of the classifier.

    Args:
        incidents: The incidents and their tickets.
        effects: Keeps whether the group was told of a delay.
        words: For the headings of comments.
        delay_after_s: How long Zoho is away before the group is told.
        now: Aware UTC now.
    """

    def __init__(
        self,
        incidents: Incidents,
        effects: EffectsLedger,
        words: Words,
        *,
        delay_after_s: float = DELAY_AFTER_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._incidents = incidents
        self._effects = effects
        self._words = words
        self._delay_after_s = delay_after_s
        self._now = now

    async def __call__(self, event: Event, ctx: Context) -> Event | None:
        """Bring an event to Zoho Desk.

        Raises:
            UnavailableError: Zoho is away, or a write is in doubt.
            TemporaryError: A write stayed in doubt several times over.
            PermanentError: Zoho refuses it.
        """
        match event:
            case MessageClassified():
                return await self._handle_message(event, ctx)
            case IncidentCorrected():
                return await self._handle_correction(event, ctx)
            case _:
                raise PermanentError(f"the ticket service takes no {event.type}", reason="unknown_type")

    async def _handle_message(self, event: MessageClassified, ctx: Context) -> Event | None:
        if event.decision.asks:
            record_outcomes(event, ctx, Outcome.REVIEW)
            return ConfirmationAsked(message_ref=event.message_ref, group_ref=event.group_ref)
        incident = _require_incident(event)
        news = _make_news(event, incident, self._words)
        page = await self._incidents.find(incident.incident_id)
        if page is None or page.opened_by == event.message_ref:
            return await self._open(event, news, ctx, page)
        await self._incidents.add(page, news)
        record_outcomes(event, ctx, choose_outcome(event))
        if event.decision.kind is not Kind.RESOLUTION:
            return None
        return TicketUpdated(
            message_ref=event.message_ref,
            group_ref=event.group_ref,
            incident_id=incident.incident_id,
            opening_ref=incident.opening_ref,
            ticket_number=page.ticket_number,
            what="resolution_noted",
        )

    async def _open(self, event: MessageClassified, news: News, ctx: Context, page: Page | None) -> Event:
        """Open the ticket; with a `page` go on with the one that this event opened before."""
        rebuilt = not event.decision.opens
        try:
            page = page or await self._incidents.open(news, event.group_ref, rebuilt=rebuilt)
        except UnavailableError as exc:
            if exc.dependency != "zoho" or (left_s := await self._tell_delay(event, news.incident, ctx)) <= 0:
                raise
            delay_s = left_s if exc.delay_s is None else min(exc.delay_s, left_s)
            raise UnavailableError(str(exc), dependency=exc.dependency, delay_s=delay_s) from exc
        opened = await self._make_opened(event, page)
        try:
            await self._incidents.attach(page, news.messages)
        except (TemporaryError, PermanentError):
            # The group need not wait for the files; the bus drops the repeat of this event.
            await ctx.publish(opened)
            raise
        record_outcomes(event, ctx, Outcome.TICKET, reasons=("its incident had no ticket",) if rebuilt else ())
        return opened

    async def _handle_correction(self, event: IncidentCorrected, ctx: Context) -> Event | None:
        incident = event.incident
        page = await self._incidents.find(incident.incident_id)
        message = Evidence(message_ref=event.target_ref, sender=event.sender, sent_at=event.sent_at, text=event.text)
        heading = self._words.changed(event.change)
        news = News(ref=event.message_ref, heading=heading, incident=incident, messages=(message,))
        if page is None and event.change != "edited":
            ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id, reasons=("no ticket was opened",))
            return None
        if page is None or page.opened_by == event.message_ref:
            page = page or await self._incidents.open(news, event.group_ref, rebuilt=True)
            ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id, reasons=("its incident had no ticket",))
            return await self._make_opened(event, page)
        if event.change == "edited":
            await self._incidents.correct(page, news)
        else:
            await self._incidents.add(page, news)
        ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id)
        return None

    async def _make_opened(self, event: MessageClassified | IncidentCorrected, page: Page) -> TicketOpened:
        incident = page.incident
        delay = await self._effects.get(_delay_key(incident))
        return TicketOpened(
            message_ref=event.message_ref,
            group_ref=event.group_ref,
            incident_id=incident.incident_id,
            opening_ref=incident.opening_ref,
            ticket_id=page.ticket_id,
            ticket_number=page.ticket_number,
            subject=incident.subject,
            category=incident.category,
            priority=incident.priority,
            folio=make_folio(incident.incident_id) if delay is not None and delay.state == "done" else None,
        )

    async def _tell_delay(self, event: MessageClassified, incident: IncidentState, ctx: Context) -> float:
        """Tell the group once, when Zoho has been away for a while; the seconds that are left until then."""
        effect = await self._effects.begin(_delay_key(incident))
        left_s = self._delay_after_s - (self._now() - effect.started_at).total_seconds()
        if effect.state == "done" or left_s > 0:
            return 0.0 if effect.state == "done" else left_s
        delayed = TicketDelayed(
            message_ref=event.message_ref,
            group_ref=event.group_ref,
            incident_id=incident.incident_id,
            opening_ref=incident.opening_ref,
            folio=make_folio(incident.incident_id),
            subject=incident.subject,
        )
        await ctx.publish(delayed)
        await self._effects.finish(effect, {"folio": delayed.folio})
        return 0.0


class ShadowHandler:
    """Records what would have happened, and does nothing else.

    Args:
        reason: Why, such as `shadow`.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def __call__(self, event: Event, ctx: Context) -> Event | None:
        """Record the outcomes of an event."""
        match event:
            case MessageClassified() if event.decision.asks:
                record_outcomes(event, ctx, Outcome.REVIEW, reasons=(self._reason,))
            case MessageClassified():
                _require_incident(event)
                outcome = Outcome.TICKET if event.decision.opens else choose_outcome(event)
                record_outcomes(event, ctx, outcome, reasons=(self._reason,))
            case IncidentCorrected():
                incident_id = event.incident.incident_id
                ctx.record(Outcome.CORRECTION, incident_id=incident_id, reasons=(self._reason,))
            case _:
                raise PermanentError(f"the ticket service takes no {event.type}", reason="unknown_type")
        return None


def choose_outcome(event: MessageClassified) -> Outcome:
    """What becomes of a message of an incident that has its ticket."""
    return Outcome.EVIDENCE if event.decision.kind is Kind.EVIDENCE else Outcome.COMMENT


def record_outcomes(event: MessageClassified, ctx: Context, outcome: Outcome, *, reasons: tuple[str, ...] = ()) -> None:
    """Account for the message, for those that joined with it, and for the reaction that confirmed it, if any."""
    incident_id = event.incident.incident_id if event.incident else None
    ctx.record(outcome, incident_id=incident_id, reasons=reasons, message_ref=event.message.message_ref)
    if event.message_ref != event.message.message_ref:
        ctx.record(Outcome.CORRECTION, incident_id=incident_id, reasons=reasons)
    for one in event.joined:
        ctx.record(Outcome.EVIDENCE, incident_id=incident_id, reasons=reasons, message_ref=one.message_ref)


def _require_incident(event: MessageClassified) -> IncidentState:
    if event.incident is None:
        raise PermanentError("the event asks nothing and names no incident", reason="invalid_event")
    return event.incident


def _make_news(event: MessageClassified, incident: IncidentState, words: Words) -> News:
    headings = {
        Kind.STAFF: words.staff,
        Kind.RESOLUTION: words.resolution,
        Kind.EVIDENCE: words.evidence,
    }
    messages = sorted((*event.joined, make_evidence(event.message)), key=lambda one: one.sent_at)
    return News(
        ref=event.message_ref,
        heading=headings.get(event.decision.kind, words.follow_up),
        incident=incident,
        messages=tuple(messages),
        at=event.message.received_at,
        files_suffice=event.decision.kind is not Kind.RESOLUTION,
    )


def _delay_key(incident: IncidentState) -> str:
    return f"delayed.{incident.incident_id}"
