"""The tickets of incidents, with their comments and files: each made once."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from supportbot import metrics
from supportbot.contracts import IncidentState, Media
from supportbot.errors import PermanentError, TemporaryError
from supportbot.ids import make_short_mark
from supportbot.ticket.answers import MisconfiguredError, RejectedError
from supportbot.ticket.contacts import Contacts, Who
from supportbot.ticket.convert import (
    INCIDENT_FIELD,
    Portal,
    TicketFields,
    TicketText,
    make_attachment_name,
    make_ticket,
)
from supportbot.ticket.desk import Ticket, TicketField
from supportbot.ticket.once import Once
from supportbot.ticket.zoho import TICKET_PAGE, ZohoDesk

MAX_ATTACHMENT_BYTES: Final = 20 * 1024 * 1024
"""Zoho names no figure; portals commonly refuse more."""

_CLOCK_SKEW: Final = timedelta(minutes=5)
_MAX_START: Final = 4900
_PORTAL_AGE: Final = timedelta(hours=1)
_OPTIONAL: Final = frozenset({"priority", "category", "channel", "cf"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewTicket:
    """What a ticket is made of."""

    incident: IncidentState
    text: TicketText
    who: Who
    department_id: str


@dataclass(frozen=True, kw_only=True)
class OpenTicket:
    """A ticket that exists."""

    ticket_id: str
    number: str


class Portals:
    """What the departments' ticket fields allow; asked for once an hour.

    Args:
        desk: The portal.
        now: Aware UTC now.
    """

    def __init__(self, desk: ZohoDesk, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._desk = desk
        self._now = now
        self._known: dict[str, tuple[datetime, Portal]] = {}

    async def read(self, department_id: str) -> Portal:
        """The department's fields; an empty Portal where the token may not read them.

        Raises:
            UnavailableError: Zoho is away and the fields are not known yet.
        """
        at, portal = self._known.get(department_id, (None, Portal()))
        if at is not None and self._now() - at < _PORTAL_AGE:
            return portal
        try:
            portal = make_portal(await self._desk.list_ticket_fields(department_id))
        except (MisconfiguredError, PermanentError) as exc:
            _log.warning("ticket_fields_unreadable", error_type=type(exc).__name__)
        self._known[department_id] = (self._now(), portal)
        return portal


def make_portal(fields: list[TicketField]) -> Portal:
    """The rules in a list of ticket fields."""
    return Portal(
        picklists={one.api_name: one.allowed for one in fields if one.allowed},
        custom_fields=frozenset(one.api_name for one in fields if one.api_name.startswith("cf_")),
        mandatory=frozenset(one.api_name for one in fields if one.is_mandatory),
    )


class Tickets:
    """Makes tickets, comments and files once each.

    Args:
        desk: The portal.
        contacts: The table of contacts.
        portals: What the portal's fields allow.
        once: The ledger's recipe.
        custom_fields: Fields that every ticket gets.
    """

    def __init__(
        self, desk: ZohoDesk, contacts: Contacts, portals: Portals, once: Once, *, custom_fields: Mapping[str, str]
    ) -> None:
        self._desk = desk
        self._contacts = contacts
        self._portals = portals
        self._once = once
        self._custom_fields = dict(custom_fields)

    async def ensure(self, new: NewTicket) -> OpenTicket:
        """The ticket of an incident.

        Raises:
            UnavailableError: Zoho is away, or may have made the ticket without saying so.
            PermanentError: Zoho refuses it.
        """
        return await self._ensure(new.incident.incident_id, new.department_id, lambda: self._create(new))

    async def ensure_given(self, incident_id: str, body: Mapping[str, Any]) -> OpenTicket:
        """The ticket of a ready body with `departmentId`; its subject has to bear the mark of `incident_id`.

        Raises:
            UnavailableError: As `ensure`.
            PermanentError: As `ensure`.
        """
        portal = await self._portals.read(body["departmentId"])
        cf = {INCIDENT_FIELD: incident_id} if INCIDENT_FIELD in portal.custom_fields else {}
        whole = {**body, **({"cf": cf} if cf else {})}
        return await self._ensure(incident_id, body["departmentId"], lambda: self._desk.create_ticket(whole))

    async def read_portal(self, department_id: str) -> Portal:
        """What the department's fields allow."""
        return await self._portals.read(department_id)

    async def _ensure(
        self, incident_id: str, department_id: str, create: Callable[[], Awaitable[Ticket]]
    ) -> OpenTicket:
        made = "replayed"

        async def write() -> Mapping[str, Any]:
            nonlocal made
            made = "created"
            return _outcome(await create())

        async def look(since: datetime) -> Mapping[str, Any] | None:
            nonlocal made
            made = "found"
            ticket = await self._find(incident_id, department_id, since)
            return _outcome(ticket) if ticket else None

        outcome = await self._once.perform(f"ticket.{incident_id}", write=write, look=look)
        metrics.TICKET_ENSURE.labels(made).inc()
        return OpenTicket(ticket_id=str(outcome["ticket_id"]), number=str(outcome["ticket_number"]))

    async def comment(self, ticket_id: str, ref: str, content: str) -> None:
        """Add a comment whose text ends with `ref`.

        Raises:
            UnavailableError: Zoho is away, or may have added it without saying so.
            PermanentError: Zoho refuses it, or the ticket is gone (`not_found`).
        """

        async def write() -> Mapping[str, Any]:
            return {"comment_id": (await self._desk.create_comment(ticket_id, content)).id}

        async def look(_: datetime) -> Mapping[str, Any] | None:
            pattern = re.compile(re.escape(ref) + r"(?![\w.])")
            comments = await self._desk.list_newest_comments(ticket_id)
            return next(({"comment_id": one.id} for one in comments if pattern.search(one.content)), None)

        await self._once.perform(f"comment.{ref}.{ticket_id}", write=write, look=look)

    async def attach(self, ticket_id: str, ref: str, media: Media, data: bytes) -> None:
        """Attach the file of the message `ref`.

        Raises:
            UnavailableError: Zoho is away, or may have taken it without saying so.
            PermanentError: It is too large, or Zoho refuses it.
        """
        if len(data) > MAX_ATTACHMENT_BYTES:
            raise PermanentError(f"the file has {len(data)} bytes; Zoho takes 20 MB", reason="attachment_too_large")
        name = make_attachment_name(media, ref)

        async def write() -> Mapping[str, Any]:
            made = await self._desk.create_attachment(ticket_id, name, data, media.mime_type.partition(";")[0])
            return {"attachment_id": made.id}

        async def look(_: datetime) -> Mapping[str, Any] | None:
            files = await self._desk.list_attachments(ticket_id)
            return next(({"attachment_id": one.id} for one in files if one.name == name), None)

        # A photo may belong to one incident first and to another one later.
        await self._once.perform(f"attach.{ref}.{ticket_id}", write=write, look=look)

    async def update(self, ticket_id: str, before: TicketText, after: TicketText) -> None:
        """Change what differs. A portal that refuses it keeps the older text: the comments have the news too."""
        now = {"subject": after.subject, "description": after.description}
        then = {"subject": before.subject, "description": before.description}
        changes = {name: value for name, value in now.items() if value != then[name]}
        if not changes:
            return
        try:
            await self._desk.update_ticket(ticket_id, changes)
        except RejectedError as exc:
            _log.warning("ticket_update_refused", code=exc.code, fields=list(exc.fields))

    async def _create(self, new: NewTicket) -> Ticket:
        """Create, once more without what the portal names as wrong: a 422 was not applied."""
        contact_id = await self._contacts.ensure(new.who)
        body = await self._make_body(new, contact_id)
        try:
            return await self._desk.create_ticket(body)
        except RejectedError as exc:
            wrong = {name.lstrip("/").split("/")[0].split(":")[0] for name in exc.fields}
            if "contactId" in wrong:
                await self._contacts.forget(new.who, contact_id)
                body["contactId"] = await self._contacts.ensure(new.who)
            elif wrong & _OPTIONAL:
                body = {name: value for name, value in body.items() if name not in wrong & _OPTIONAL}
            else:
                raise
            _log.warning("ticket_body_corrected", fields=list(exc.fields))
            return await self._desk.create_ticket(body)

    async def _make_body(self, new: NewTicket, contact_id: str) -> dict[str, Any]:
        portal = await self._portals.read(new.department_id)
        fields = TicketFields(department_id=new.department_id, contact_id=contact_id, custom_fields=self._custom_fields)
        return make_ticket(new.incident, new.text, fields, portal)

    async def _find(self, incident_id: str, department_id: str, since: datetime) -> Ticket | None:
        """The incident's ticket among those made since then, by plain lists: the search lags by minutes."""
        mark, oldest, seen = make_short_mark(incident_id), since - _CLOCK_SKEW, set[str]()
        for start in range(0, _MAX_START, TICKET_PAGE):
            rows = await self._desk.list_newest_tickets(department_id, start=start)
            for row in rows:
                if mark in row.subject and row.id not in seen and await self._is_ticket_of(row.id, incident_id):
                    return row
            seen |= {row.id for row in rows}
            if len(rows) < TICKET_PAGE or any(_is_older(row, oldest) for row in rows):
                return None
        raise TemporaryError("too many tickets were made since then to find one among them")

    async def _is_ticket_of(self, ticket_id: str, incident_id: str) -> bool:
        ticket = await self._desk.read_ticket(ticket_id)
        stored = (ticket.cf or {}).get(INCIDENT_FIELD)
        if stored:
            return bool(stored == incident_id)
        return ticket.description is None or incident_id in ticket.description


def _is_older(row: Ticket, oldest: datetime) -> bool:
    """Whether a row was created before then; False when its time cannot be read."""
    try:
        return datetime.fromisoformat(row.created_time or "") < oldest
    except (ValueError, TypeError):
        return False


def _outcome(ticket: Ticket) -> dict[str, str]:
    return {"ticket_id": ticket.id, "ticket_number": ticket.number}
