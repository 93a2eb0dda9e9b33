"""The control plane `/_emulator`: faults, settings, time, agents, and what an independent checker reads. No auth."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .answers import Record
from .call import File
from .desk import file_response
from .faults import Fault
from .portal import Portal
from .settings import ALL_SCOPES
from .validation import check_ticket


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    ticket: str = Field(description="Ticket id or ticket number.")
    agent: str = Field("Lucía Ramos", description="Name of the agent.")


class CommentAction(_Action):
    """Somebody comments."""

    action: Literal["comment"]
    content: str
    is_public: bool = True
    content_type: Literal["plainText", "html"] = "plainText"
    by: Literal["AGENT", "END_USER"] = "AGENT"


class ReplyAction(_Action):
    """An agent answers by e-mail or an own channel: a thread, not a comment."""

    action: Literal["reply"]
    content: str
    direction: Literal["in", "out"] = "out"
    visibility: Literal["public", "private"] = "public"
    status: Literal["SUCCESS", "PENDING", "FAILED", "DRAFT"] = "SUCCESS"
    channel: str = "EMAIL"


class UpdateAction(_Action):
    """An agent changes fields of the ticket, such as `{"status": "Closed"}` or `{"category": "Billing"}`."""

    action: Literal["update"]
    fields: dict[str, Any]


class TrashAction(_Action):
    """An agent throws the ticket away: calls about it get 404 from now on."""

    action: Literal["trash"]


Action = Annotated[CommentAction | ReplyAction | UpdateAction | TrashAction, Field(discriminator="action")]


class Code(BaseModel):
    """A Self Client code as the API console would generate it."""

    model_config = ConfigDict(extra="forbid")

    code: str = "demo-code"
    scope: str = ALL_SCOPES
    life_s: float = 600.0


def control_router(portal: Portal) -> APIRouter:
    """All control endpoints."""
    router = APIRouter(prefix="/_emulator", tags=["control"])
    _add_faults(router, portal)
    _add_settings(router, portal)
    _add_reading(router, portal)

    @router.post("/agent")
    async def act(action: Annotated[Action, Body()]) -> Record:
        """Do what an agent does in the web interface."""
        return perform(portal, action)

    return router


def _add_faults(router: APIRouter, portal: Portal) -> None:
    @router.post("/faults")
    async def queue(faults: Annotated[Fault | list[Fault], Body()]) -> dict[str, list[int]]:
        """Queue one fault or several."""
        return {"ids": [portal.faults.add(one) for one in (faults if isinstance(faults, list) else [faults])]}

    @router.get("/faults")
    async def queued() -> list[dict[str, Any]]:
        """The queue, with how often each fault hit."""
        return portal.faults.as_json()

    @router.delete("/faults", status_code=204)
    async def clear() -> None:
        """Forget all faults."""
        portal.faults.clear()


def _add_settings(router: APIRouter, portal: Portal) -> None:
    @router.get("/settings")
    async def settings() -> Record:
        """All settings."""
        return portal.settings.model_dump(mode="json")

    @router.patch("/settings")
    async def patch(changes: Annotated[dict[str, Any], Body()]) -> Record:
        """Change the named settings, all or none."""
        try:
            portal.settings.apply(changes)
        except ValidationError as exc:
            raise HTTPException(422, exc.errors(include_context=False, include_url=False)) from exc
        if "credits" in changes:
            portal.credits.refill()
        return portal.settings.model_dump(mode="json")

    @router.post("/clock")
    async def advance(advance_s: Annotated[float, Body(embed=True)]) -> dict[str, str]:
        """Move the emulator's time forward."""
        portal.clock.advance(advance_s)
        return {"now": portal.clock.iso()}

    @router.post("/codes")
    async def add_code(code: Code) -> Code:
        """Register an authorisation code of a Self Client."""
        portal.accounts.add_self_client_code(code.code, code.scope, life_s=code.life_s)
        return code

    @router.delete("/tokens")
    async def end_tokens() -> dict[str, int]:
        """End all access tokens in flight; the next call gets 401."""
        return {"ended": portal.accounts.end_access_tokens()}


def _add_reading(router: APIRouter, portal: Portal) -> None:
    @router.get("/state")
    async def state() -> dict[str, Any]:
        """Everything the portal holds, in creation order."""
        return portal.state()

    @router.get("/log")
    async def log(after: int = 0) -> list[Record]:
        """Every vendor call so far, or those with a higher `seq` than `after`."""
        return portal.log[after:]

    @router.get("/attachments/{attachment_id}")
    async def attachment(attachment_id: str) -> Response:
        """The bytes of an attachment, for the page."""
        found = portal.store.attachments.get(attachment_id)
        if found is None:
            raise HTTPException(404, "no such attachment")
        return file_response(File(found["name"], found["contentType"], portal.store.content(found)), {})


def perform(portal: Portal, action: Action) -> Record:
    """Carry an agent's action out and return what it made.

    Raises:
        HTTPException: 404 for an unknown ticket, 422 for fields that do not fit.
    """
    store = portal.store
    ticket = _find(portal, action.ticket)
    author = store.agent(action.agent)
    if isinstance(action, CommentAction):
        shape = {"content": action.content, "contentType": action.content_type, "isPublic": action.is_public}
        return store.add_comment(ticket, shape, author | {"type": action.by})
    if isinstance(action, ReplyAction):
        shape = action.model_dump(include={"content", "channel", "direction", "visibility", "status"})
        return store.add_thread(ticket, shape | {"contentType": "text/plain"}, author)
    if isinstance(action, TrashAction):
        return store.trash(ticket)
    errors = check_ticket(action.fields, portal.settings, creating=False)
    if errors:
        raise HTTPException(422, [error.as_json() for error in errors])
    status = {"statusType": portal.settings.status_type(action.fields["status"])} if "status" in action.fields else {}
    return store.update_ticket(ticket, action.fields | status)


def _find(portal: Portal, name: str) -> Record:
    found = portal.store.tickets.get(name) or next(
        (ticket for ticket in portal.store.tickets if ticket["ticketNumber"] == name), None
    )
    if found is None:
        raise HTTPException(404, f"no ticket {name!r}")
    return found
