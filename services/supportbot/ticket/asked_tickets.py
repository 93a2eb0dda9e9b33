"""Tickets that callers of the HTTP API ask for, and the queue of those that wait for Zoho."""

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, StringConstraints

from supportbot.contracts import Priority
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.ids import make_incident_id, make_message_ref, make_short_mark
from supportbot.kv import ConflictError
from supportbot.ticket.book import Book
from supportbot.ticket.convert import Portal, choose_priority, clean
from supportbot.ticket.records import Record, Records
from supportbot.ticket.tickets import OpenTicket, Tickets

_QUEUE: Final = "desk.queue."
_LOCK: Final = "desk.queuelock"
_LOCK_TTL_S: Final = 120.0
_ID_PREFIX: Final = "queue_"
_SUBJECT_CHARS: Final = 255
_DESCRIPTION_CHARS: Final = 30_000
_PRIORITIES: Final[Mapping[str, Priority]] = {
    "urgent": Priority.URGENT,
    "high": Priority.HIGH,
    "normal": Priority.MEDIUM,
    "low": Priority.LOW,
}

Text = Annotated[str, StringConstraints(max_length=1_000)]
ZohoID = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]


class TicketRequest(BaseModel):
    """The body of `POST /tickets`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    classification: Text
    """The category."""
    contact_id: ZohoID
    department_id: ZohoID
    priority: Literal["urgent", "high", "normal", "low"] = "normal"
    location: Text | None = None
    affected_system: Text | None = None
    error_messages: tuple[Text, ...] = ()
    attachments: tuple[Text, ...] = ()
    """Names of files, told in the description; files themselves come through the group."""
    mentioned_users: tuple[Text, ...] = ()
    reporter_id: Text | None = None
    affected_id: Text | None = None
    whatsapp_message_id: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    """The same id twice is the same ticket."""
    group_id: Text | None = None


State = Literal["queued", "retrying", "completed", "failed"]


class Waiting(BaseModel):
    """A request in the queue."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident_id: str
    state: State
    request: TicketRequest
    updated_at: datetime
    ticket_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """What became of a request: a ticket, or a place in the queue."""

    ticket_id: str
    queued: bool


class AskedTickets:
    """Makes the requested tickets, once each; keeps those that wait for Zoho in the bucket.

    Args:
        tickets: Makes tickets.
        book: Knows which tickets are ours.
        records: Keeps the queue.
        install_key: Keys the ids.
    """

    def __init__(self, tickets: Tickets, book: Book, records: Records, install_key: bytes) -> None:
        self._tickets = tickets
        self._book = book
        self._records = records
        self._install_key = install_key
        self.waiting = 0
        """Length of the queue when it was last looked at."""

    async def submit(self, request: TicketRequest, *, key: str | None = None) -> Submitted:
        """Make the ticket; queue the request while Zoho is away.

        Args:
            request: The request; its `whatsapp_message_id` makes a repeat the same ticket.
            key: Does the same where there is no such id: the caller and their `Idempotency-Key`.

        Raises:
            PermanentError: Zoho refuses it.
        """
        chat, message_id = "http", request.whatsapp_message_id
        if message_id is None:
            chat, message_id = "http-key", key or uuid4().hex
        ref = make_message_ref(self._install_key, chat=chat, sender=request.group_id or "", message_id=message_id)
        incident_id = make_incident_id(ref)
        key, record = await self._find_place(incident_id)
        if record is not None:
            known = Waiting.model_validate(record.value)
            if known.state == "completed" and known.ticket_id:
                return Submitted(ticket_id=known.ticket_id, queued=False)
            if known.state in {"queued", "retrying"}:
                return Submitted(ticket_id=_queue_id(key), queued=True)
        try:
            ticket = await self._make(incident_id, request)
        except UnavailableError as exc:
            if exc.dependency != "zoho":
                raise
            waiting = Waiting(incident_id=incident_id, state="queued", request=request, updated_at=datetime.now(UTC))
            await self._keep(key, waiting)
            self.waiting += 1
            return Submitted(ticket_id=_queue_id(key), queued=True)
        return Submitted(ticket_id=ticket.ticket_id, queued=False)

    async def find(self, queue_id: str) -> Waiting | None:
        """A request by its `queue_…` id."""
        record = await self._records.get(_QUEUE + queue_id.removeprefix(_ID_PREFIX))
        return Waiting.model_validate(record.value) if record else None

    async def process(self) -> int:
        """Try what waits, oldest first, until Zoho is away again; how many became tickets or were refused."""
        settled = 0
        async with self._records.lock(_LOCK, ttl_s=_LOCK_TTL_S):
            rows = await self._list_waiting()
            self.waiting = len(rows)
            for key, waiting in rows:
                try:
                    after = await self._retry(waiting)
                except UnavailableError:
                    await self._keep(key, waiting, state="retrying")
                    break
                except TemporaryError:  # It alone is in doubt; those behind it need not wait.
                    await self._keep(key, waiting, state="retrying")
                    continue
                await self._keep(key, waiting, **after)
                settled += 1
                self.waiting -= 1
        return settled

    async def _list_waiting(self) -> list[tuple[str, Waiting]]:
        records = [(key, await self._records.get(key)) for key in await self._records.keys(_QUEUE)]
        rows = [(key, Waiting.model_validate(record.value)) for key, record in records if record]
        return sorted(
            ((key, row) for key, row in rows if row.state in {"queued", "retrying"}),
            key=lambda pair: pair[1].updated_at,
        )

    async def _retry(self, waiting: Waiting) -> dict[str, Any]:
        """Try one request; what has changed about it."""
        try:
            ticket = await self._make(waiting.incident_id, waiting.request)
        except PermanentError as exc:
            return {"state": "failed", "error": str(exc), "updated_at": datetime.now(UTC)}
        return {"state": "completed", "ticket_id": ticket.ticket_id, "updated_at": datetime.now(UTC)}

    async def _keep(self, key: str, waiting: Waiting, **changes: Any) -> None:
        await self._records.put(key, waiting.model_copy(update=changes).model_dump(mode="json"))

    async def _make(self, incident_id: str, request: TicketRequest) -> OpenTicket:
        portal = await self._tickets.read_portal(request.department_id)
        ticket = await self._tickets.ensure_given(incident_id, make_body(request, incident_id, portal))
        await self._book.claim(ticket.ticket_id)
        return ticket

    async def _find_place(self, incident_id: str) -> tuple[str, Record | None]:
        """The key of a request: eight hex characters, further ones of the hash where two requests share them."""
        digest = hashlib.sha256(incident_id.encode()).hexdigest()
        for start in range(0, 56, 8):
            key = _QUEUE + digest[start : start + 8]
            record = await self._records.get(key)
            if record is None or record.value.get("incident_id") == incident_id:
                return key, record
        raise ConflictError(incident_id)


def make_body(request: TicketRequest, incident_id: str, portal: Portal) -> dict[str, Any]:
    """The body of `POST /tickets` of Zoho Desk for a request."""
    mark = make_short_mark(incident_id)
    subject = " ".join(clean(request.subject).split())[: _SUBJECT_CHARS - len(mark) - 1]
    lists = {
        "Errors": request.error_messages,
        "Attachments": request.attachments,
        "Mentioned": request.mentioned_users,
    }
    facts = {
        "Category": request.classification,
        "Location": request.location,
        "Affected system": request.affected_system,
        "Reporter": request.reporter_id,
        "Affected": request.affected_id,
        **{label: ", ".join(values) for label, values in lists.items()},
        "Reference": incident_id,
    }
    rows = (f"<b>{label}:</b> {html.escape(clean(value))}<br/>" for label, value in facts.items() if value)
    head = "".join(rows)
    text = html.escape(clean(request.description)).replace("\n", "<br/>")
    room = _DESCRIPTION_CHARS - len(text) - len("<p></p>")
    description = (head if len(head) <= room else f"<b>Reference:</b> {incident_id}<br/>") + f"<p>{text}</p>"
    body = {
        "subject": f"{subject} {mark}",
        "description": description,
        "contactId": request.contact_id,
        "departmentId": request.department_id,
    }
    priority = choose_priority(_PRIORITIES[request.priority], portal)
    return body | ({"priority": priority} if priority else {})


def _queue_id(key: str) -> str:
    return _ID_PREFIX + key.removeprefix(_QUEUE)
