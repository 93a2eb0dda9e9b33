"""The HTTP side of the ticket service: the endpoints of the earlier generation, with their documented shapes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints

from supportbot.auth import CALLER
from supportbot.errors import UnavailableError, UserError
from supportbot.health import Health, State
from supportbot.http import create_app
from supportbot.idempotency import Answer, IdempotencyKeys
from supportbot.service import Service
from supportbot.ticket.answers import NotFoundError
from supportbot.ticket.asked_tickets import AskedTickets, TicketRequest
from supportbot.ticket.authorisation import Authorisation
from supportbot.ticket.book import Book
from supportbot.ticket.contacts import Contacts, make_email
from supportbot.ticket.zoho import ZohoDesk

CALLBACK: Final = "/auth/callback"
"""Needs no API key: Zoho sends a browser there, and its `state` is the credential."""

AUTHORISATION: Final = "/auth/url"
"""Begins a grant, which replaces the one in force: not for those who may only read."""

_NAME: Final = "ticket-service"

Email = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^@\s]+@[^@\s]+$")]


@dataclass(frozen=True, kw_only=True)
class Office:
    """What the endpoints work with."""

    desk: ZohoDesk
    contacts: Contacts
    book: Book
    asked: AskedTickets
    authorisation: Authorisation
    install_key: bytes


class Door:
    """Holds the office while there is one: HTTP runs before the bus and without it."""

    def __init__(self) -> None:
        self.office: Office | None = None
        self.reason = "the service is not connected to its bus"

    @contextmanager
    def opened(self, office: Office) -> Iterator[None]:
        """Let callers in for a while."""
        self.office = office
        try:
            yield
        finally:
            self.office = None

    def enter(self) -> Office:
        """The office.

        Raises:
            UnavailableError: There is none, with the reason.
        """
        if self.office is None:
            raise UnavailableError(self.reason, dependency="office")
        return self.office


class ContactRequest(BaseModel):
    """The body of `POST /contacts`, instead of its query."""

    email: Email
    name: Annotated[str, StringConstraints(max_length=240)] = "Cliente"


def create_ticket_app(service: Service, door: Door) -> FastAPI:
    """The application of the ticket service."""
    app = create_app(
        "supportbot ticket",
        service.settings,
        keys=service.keys,
        health=service.health,
        open_paths={CALLBACK},
        write_paths={AUTHORISATION},
    )
    app.include_router(_make_health(service.health, door))
    app.include_router(_make_tickets(door))
    app.include_router(_make_portal(door))
    app.include_router(_make_authorisation(door))
    return app


def _make_health(health: Health, door: Door) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def read_health() -> dict[str, Any]:
        """How the service is. `redis_connected` is the older name of the bus's state."""
        states = {check.name: check.state for check in health.checks}
        connected = states.get("bus") is State.OK
        return {
            "status": health.status,
            "service": _NAME,
            "timestamp": _now(),
            "zoho_connected": states.get("zoho") is State.OK,
            "redis_connected": connected,
            "bus_connected": connected,
            "queue_length": door.office.asked.waiting if door.office else 0,
            "checks": {check.name: {"state": check.state, "message": check.message} for check in health.checks},
        }

    return router


def _make_tickets(door: Door) -> APIRouter:
    router = APIRouter()
    keys = IdempotencyKeys()

    @router.post("/tickets")
    async def create_ticket(request: Request, body: TicketRequest) -> JSONResponse:
        """Create a ticket; while Zoho is away, keep the request and create the ticket later."""

        async def work() -> Answer:
            made = await door.enter().asked.submit(body, key=_key(request))
            status = "queued" if made.queued else "created"
            message = "Zoho Desk is away; the ticket follows" if made.queued else "Ticket created"
            created_at = None if made.queued else _now()
            answer = {"ticket_id": made.ticket_id, "status": status, "message": message, "created_at": created_at}
            return Answer(status=200, body=answer)

        return await keys.once(request, body, work)

    @router.get("/tickets/{ticket_id}/status")
    async def read_status(ticket_id: Annotated[str, StringConstraints(max_length=64)]) -> dict[str, Any]:
        """The state of a ticket of this installation, or of a request in the queue."""
        office = door.enter()
        if ticket_id.startswith("queue_"):
            return await _describe_waiting(office, ticket_id)
        if not ticket_id.isdecimal() or not await office.book.is_ours(ticket_id):
            raise HTTPException(404, "no such ticket of this installation")
        try:
            ticket = await office.desk.read_ticket(ticket_id)
        except NotFoundError as exc:
            raise HTTPException(404, "the ticket is no longer in Zoho Desk") from exc
        return {
            "ticket_id": ticket.id,
            "status": ticket.status or "",
            "last_updated": ticket.modified_time,
            "details": {"ticket_number": ticket.number, "subject": ticket.subject, "status_type": ticket.status_type},
        }

    @router.post("/queue/process")
    async def process_queue() -> dict[str, int]:
        """Try what waits for Zoho now; how many requests were settled."""
        return {"processed": await door.enter().asked.process()}

    return router


def _make_portal(door: Door) -> APIRouter:
    router = APIRouter()

    @router.get("/departments")
    async def list_departments() -> dict[str, list[dict[str, Any]]]:
        """The departments of the portal."""
        found = await door.enter().desk.list_departments()
        return {"departments": [{"id": one.id, "name": one.name, "email": one.email} for one in found]}

    @router.post("/contacts")
    async def create_contact(
        body: ContactRequest | None = None,
        email: Annotated[Email | None, Query()] = None,
        name: Annotated[str, Query(max_length=240)] = "Cliente",
    ) -> dict[str, str]:
        """The contact with an e-mail address; made when there is none."""
        if body is None:
            if email is None:
                detail = [{"type": "missing", "loc": ["query", "email"], "msg": "Field required"}]
                raise HTTPException(422, detail)
            body = ContactRequest(email=email, name=name)
        office = door.enter()
        return {"contact_id": await office.contacts.ensure(make_email(body.email, body.name, office.install_key))}

    return router


def _make_authorisation(door: Door) -> APIRouter:
    router = APIRouter()

    @router.get(AUTHORISATION)
    async def make_address(request: Request) -> dict[str, str]:
        """The address at which a person grants the bot access to Zoho Desk."""
        redirect_uri = str(request.base_url).rstrip("/") + CALLBACK
        address = await door.enter().authorisation.start(redirect_uri)
        return {"auth_url": address.url, "state": address.state, "redirect_uri": redirect_uri}

    @router.get(CALLBACK)
    async def take_code(
        state: Annotated[str, Query(max_length=256)],
        code: Annotated[str | None, Query(max_length=512)] = None,
        accounts_server: Annotated[str | None, Query(alias="accounts-server", max_length=256)] = None,
        location: Annotated[str | None, Query(max_length=16)] = None,
    ) -> dict[str, str]:
        """Exchange the code of a grant for a refresh token; it is kept in a file and never shown."""
        del location  # The server says it all.
        if code is None:
            raise UserError("Zoho sent no code: the access was not granted; open /auth/url again")
        authorisation = door.enter().authorisation
        path = await authorisation.finish(code=code, state=state, accounts_server=accounts_server)
        message = f"access granted; the refresh token is in {path} and in force now"
        return {"status": "success", "message": message, "stored_in": str(path)}

    return router


async def _describe_waiting(office: Office, queue_id: str) -> dict[str, Any]:
    waiting = await office.asked.find(queue_id)
    if waiting is None:
        return {"ticket_id": queue_id, "status": "not_found", "last_updated": None, "details": {}}
    details = {"ticket_id": waiting.ticket_id, "error": waiting.error}
    return {
        "ticket_id": queue_id,
        "status": waiting.state,
        "last_updated": waiting.updated_at.isoformat(),
        "details": {name: value for name, value in details.items() if value is not None},
    }


def _key(request: Request) -> str | None:
    """The caller and their idempotency key, which also holds in another process or after a crash."""
    given = request.headers.get("idempotency-key")
    return None if given is None else f"{request.scope.get(CALLER, '')}\0{given}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
