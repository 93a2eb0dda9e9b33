"""The stage `ticket`: takes what the classifier decided, brings it to Zoho Desk, returns what the group may be told."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from supportbot.bus import Context
from supportbot.contracts import (
    ConfirmationAsked,
    ConfirmationRefused,
    ConfirmationWithdrawn,
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
            case ConfirmationRefused():
                ctx.record(Outcome.CORRECTION)
                return ConfirmationWithdrawn(
                    message_ref=event.message_ref, group_ref=event.group_ref, target_ref=event.target_ref
                )
            case _:
                raise PermanentError(f"the ticket service takes no {event.type}", reason="unknown_type")

    async def _handle_message(self, event: MessageClassified, ctx: Context) -> Event | None:
        if event.decision.asks:
            record_outcomes(event, ctx, Outcome.REVIEW)
            return ConfirmationAsked(message_ref=event.message.message_ref, group_ref=event.group_ref)
        incident = _require_incident(event)
        news = _make_news(event, incident, self._words)
        page = await self._incidents.find(incident.incident_id)
        if page is None or page.opened_by == event.message_ref:
            return await self._open(event, news, ctx, page)
        await self._incidents.add(page, news)
        record_outcomes(event, ctx, choose_outcome(event))
        if event.decision.kind is not Kind.RESOLUTION:
            return None
        return _make_updated(event, page, "resolution_noted", event.message.message_ref)

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
        if event.change == "merged":
            return await self._handle_merge(event, ctx)
        page = await self._incidents.find(incident.incident_id)
        if page is None and event.change != "edited":
            ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id, reasons=("no ticket was opened",))
            return None
        news = await self._make_correction(event)
        if page is None or page.opened_by == event.message_ref:
            page = page or await self._incidents.open(news, event.group_ref, rebuilt=True)
            ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id, reasons=("its incident had no ticket",))
            return await self._make_opened(event, page)
        if event.change == "edited":
            await self._incidents.correct(page, news)
        else:
            await self._incidents.add(page, news)
        ctx.record(Outcome.CORRECTION, incident_id=incident.incident_id)
        if event.change == "solved":
            return _make_updated(event, page, "resolution_noted", event.target_ref)
        return (
            _make_updated(event, page, "resolution_withdrawn", event.target_ref) if event.change == "reopened" else None
        )

    async def _make_correction(self, event: IncidentCorrected) -> News:
        """Who said it and what; of a split what the message told that is elsewhere now."""
        said = Evidence(message_ref=event.target_ref, sender=event.sender, sent_at=event.sent_at, text=event.text)
        heading = self._words.changed(event.change)
        messages: tuple[Evidence, ...] = (said,)
        if event.change == "split" and event.other is not None:
            other = await self._incidents.find(event.other.incident_id)
            heading = self._words.name_ticket(heading, other.ticket_number if other else None)
            told = [one for one in other.messages if one.message_ref == event.target_ref] if other else []
            messages = (*(one.model_copy(update={"media": None}) for one in told), said)
        return News(ref=event.message_ref, heading=heading, incident=event.incident, messages=messages)

    async def _handle_merge(self, event: IncidentCorrected, ctx: Context) -> Event | None:
        """The incident that goes on gets everything; the other one's ticket names it, and stays as it is otherwise."""
        if event.other is None:
            raise PermanentError("the event names no incident to merge into", reason="invalid_event")
        words, opened = self._words, None
        source = await self._incidents.find(event.incident.incident_id)
        target = await self._incidents.find(event.other.incident_id)
        messages = {one.message_ref: one for one in (*event.moved, *(source.messages if source else ()))}
        gained = News(
            ref=event.message_ref,
            heading=words.name_ticket(words.taken_in, source.ticket_number if source else None),
            incident=event.other,
            messages=tuple(sorted(messages.values(), key=lambda one: one.sent_at)),
        )
        if target is None or target.opened_by == event.message_ref:
            target = target or await self._incidents.open(gained, event.group_ref, rebuilt=True)
            opened = await self._make_opened(event, target)
            await self._incidents.attach(target, gained.messages)
        else:
            await self._incidents.add(target, gained)
        if source is not None:
            said = Evidence(message_ref=event.target_ref, sender=event.sender, sent_at=event.sent_at, text=event.text)
            heading = words.name_ticket(words.merged, target.ticket_number)
            left = News(ref=event.message_ref, heading=heading, incident=event.incident, messages=(said,))
            await self._incidents.add(source, left)
        ctx.record(Outcome.CORRECTION, incident_id=event.other.incident_id)
        return opened

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
            case ConfirmationRefused():
                ctx.record(Outcome.CORRECTION, reasons=(self._reason,))
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


def _make_updated(
    event: MessageClassified | IncidentCorrected,
    page: Page,
    what: Literal["resolution_noted", "resolution_withdrawn"],
    target_ref: str,
) -> TicketUpdated:
    return TicketUpdated(
        message_ref=event.message_ref,
        group_ref=event.group_ref,
        incident_id=page.incident.incident_id,
        opening_ref=page.incident.opening_ref,
        ticket_number=page.ticket_number,
        what=what,
        target_ref=None if target_ref == event.message_ref else target_ref,
    )


def _delay_key(incident: IncidentState) -> str:
    return f"delayed.{incident.incident_id}"
