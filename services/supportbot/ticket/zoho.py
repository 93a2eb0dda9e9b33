"""Zoho Desk over HTTP, and Zoho's accounts server: the only module that knows httpx.

Calls are never repeated here, but for one repeat with a fresh token: what a failure means for the work is decided by
`answers`, and the bus calls the work again. Paths, parameters and limits: Zoho Desk API v1.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

import httpx
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from supportbot import metrics
from supportbot.breaker import Breaker, BreakerState
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.telemetry import tracer
from supportbot.ticket.answers import (
    Answer,
    BreakerOpenError,
    CreditsExhaustedError,
    NotFoundError,
    OutcomeUnknownError,
    find_failure,
    is_unauthorized,
    parse_retry_after,
)
from supportbot.ticket.desk import (
    Agent,
    Attachment,
    Comment,
    Contact,
    Department,
    Organization,
    Resource,
    Ticket,
    TicketField,
)
from supportbot.ticket.oauth import (
    BROKEN_COOL_DOWN_S,
    AccessToken,
    Grant,
    TokenError,
    Tokens,
    TokenUnreachableError,
    read_token_answer,
)

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_ROW_LIMIT: Final = 100
TICKET_PAGE: Final = 50
"""Rows of a page of tickets."""
_MAX_PAUSE_S: Final = 15.0
"""How long a caller pauses before it asks the breaker again: another replica may have closed it."""
_CREDITS_HEADER: Final = "X-Rate-Limit-Remaining-v3"

_R = TypeVar("_R", bound=Resource)


@dataclass(frozen=True, kw_only=True)
class DeskConfig:
    """Where the portal is and how it is called."""

    desk_url: str
    accounts_url: str
    organization_id: str
    timeout_s: float = 30.0
    connect_timeout_s: float = 5.0
    concurrency: int = 3
    """Calls at the same time; the smallest edition allows five for all integrations together."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One request: `name` is the operation in metrics, `doing` completes "refuses to …"."""

    name: str
    doing: str
    method: Literal["GET", "POST", "PATCH"]
    path: str
    write: bool = False
    params: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    file: tuple[str, bytes, str] | None = None


class _Authorization(httpx.Auth):
    """Adds token and portal; on a refused token asks for another one and repeats once: a 401 was not applied."""

    def __init__(self, tokens: Tokens, organization_id: str) -> None:
        self._tokens = tokens
        self._organization_id = organization_id

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._tokens.current()
        request.headers["orgId"] = self._organization_id
        request.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        response = yield request
        await response.aread()
        if is_unauthorized(_read(response)):
            token = await self._tokens.refresh(stale=token)
            request.headers["Authorization"] = f"Zoho-oauthtoken {token}"
            yield request


class AccountsServer:
    """Zoho's token endpoint. The form is the body: a query would put the client's secret into logs."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.url = url

    async def refresh(self, grant: Grant) -> AccessToken:
        """A new access token.

        Raises:
            TokenError: The server gives none.
        """
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.get_secret_value()}
        try:
            token = await self._post(self.url, form | _client(grant))
        except TokenError:
            metrics.OAUTH_REFRESH.labels("error").inc()
            raise
        metrics.OAUTH_REFRESH.labels("ok").inc()
        metrics.OAUTH_TOKEN_EXPIRY.set(time.time() + token.life_s)
        return token

    async def exchange(self, grant: Grant, *, code: str, redirect_uri: str, url: str) -> AccessToken:
        """The tokens for an authorisation code, which works once. `url` must be a server of the table of hosts.

        Raises:
            TokenError: The code or the client is refused.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._post(url, form | _client(grant))

    async def _post(self, url: str, form: Mapping[str, str]) -> AccessToken:
        try:
            response = await self._http.post(f"{url}/oauth/v2/token", data=form)
        except _NOT_SENT as exc:
            raise TokenUnreachableError(f"{url} cannot be reached") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            message = f"{url} broke off ({type(exc).__name__})"
            raise TokenError(message, cool_down_s=BROKEN_COOL_DOWN_S) from exc
        return read_token_answer(response.status_code, _read(response).body, accounts_url=url)


class ZohoDesk:
    """A portal. Every method raises the errors of `answers`, and UnavailableError while Zoho is away.

    Args:
        http: A client whose base URL is the Desk host and whose `auth` adds the token.
        breaker: Counts failed calls; shared among the replicas.
        concurrency: Calls at the same time.
    """

    def __init__(self, http: httpx.AsyncClient, breaker: Breaker, *, concurrency: int = 3) -> None:
        self._http = http
        self._breaker = breaker
        self._slots = asyncio.Semaphore(concurrency)
        self._failure: UnavailableError | None = None
        """Of the last call, which may be why the breaker is open."""

    async def list_departments(self) -> list[Department]:
        """The portal's departments."""
        return await self._list(Department, _get("departments", "list departments", "/departments"))

    async def list_organizations(self) -> list[Organization]:
        """The portals that the tokens reach."""
        return await self._list(Organization, _get("organizations", "list portals", "/accessibleOrganizations"))

    async def read_myself(self) -> Agent:
        """The user whom the tokens belong to."""
        return await self._one(Agent, _get("myinfo", "read the user", "/myinfo"))

    async def list_ticket_fields(self, department_id: str) -> list[TicketField]:
        """The fields of a department's tickets, by the newer of two operations that the portal has."""
        doing = "list ticket fields"
        newer = {"module": "tickets", "associatedDepartments": department_id}
        older = {"module": "tickets", "departmentId": department_id}
        try:
            return await self._list(TicketField, _get("fields", doing, "/fields", newer))
        except NotFoundError:
            return await self._list(TicketField, _get("fields", doing, "/organizationFields", older))

    async def search_contacts(self, **criteria: str) -> list[Contact]:
        """Contacts by `email`, `phone` or `mobile`. A fresh contact is missing for minutes."""
        call = _get("contact_search", "search contacts", "/contacts/search", {**criteria, "limit": str(_ROW_LIMIT)})
        return await self._list(Contact, call)

    async def create_contact(self, body: Mapping[str, Any]) -> Contact:
        """Create a contact; two with one phone are accepted."""
        return await self._one(Contact, _post("contact_create", "create a contact", "/contacts", body))

    async def create_ticket(self, body: Mapping[str, Any]) -> Ticket:
        """Create a ticket. There is no idempotency key: see OutcomeUnknownError."""
        return await self._one(Ticket, _post("ticket_create", "create a ticket", "/tickets", body))

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """One ticket in full."""
        return await self._one(Ticket, _get("ticket_read", "read a ticket", f"/tickets/{ticket_id}"))

    async def list_newest_tickets(self, department_id: str, *, start: int = 0) -> list[Ticket]:
        """A page of at most 50 tickets of a department, newest first; it does not lag as the search does."""
        params = {"departmentId": department_id, "sortBy": "-createdTime", "limit": str(TICKET_PAGE)}
        if start:
            params["from"] = str(start)
        return await self._list(Ticket, _get("ticket_list", "list tickets", "/tickets", params))

    async def update_ticket(self, ticket_id: str, body: Mapping[str, Any]) -> None:
        """Change fields of a ticket; the same change again does nothing, so its outcome is never unknown."""
        path = f"/tickets/{ticket_id}"
        await self._send(_Call(name="ticket_update", doing="update a ticket", method="PATCH", path=path, json=body))

    async def create_comment(self, ticket_id: str, content: str) -> Comment:
        """Add a private comment in plain text."""
        body = {"content": content, "isPublic": False, "contentType": "plainText"}
        return await self._one(
            Comment, _post("comment_create", "add a comment", f"/tickets/{ticket_id}/comments", body)
        )

    async def list_newest_comments(self, ticket_id: str) -> list[Comment]:
        """The newest comments of a ticket, at most 100."""
        params = {"sortBy": "-commentedTime", "limit": str(_ROW_LIMIT)}
        return await self._list(
            Comment, _get("comment_list", "list comments", f"/tickets/{ticket_id}/comments", params)
        )

    async def create_attachment(self, ticket_id: str, name: str, data: bytes, mime_type: str) -> Attachment:
        """Attach a file."""
        path = f"/tickets/{ticket_id}/attachments"
        call = replace(_post("attachment_create", "attach a file", path), file=(name, data, mime_type))
        return await self._one(Attachment, call)

    async def list_attachments(self, ticket_id: str) -> list[Attachment]:
        """The files of a ticket, at most 100."""
        path, params = f"/tickets/{ticket_id}/attachments", {"limit": str(_ROW_LIMIT)}
        return await self._list(Attachment, _get("attachment_list", "list attachments", path, params))

    async def _list(self, kind: type[_R], call: _Call) -> list[_R]:
        body = await self._send(call)
        rows = body.get("data") if isinstance(body, dict) else []
        return [_parse(kind, row, call) for row in rows] if isinstance(rows, list) else []

    async def _one(self, kind: type[_R], call: _Call) -> _R:
        return _parse(kind, await self._send(call), call)

    async def _send(self, call: _Call) -> Any:
        """The body of a successful answer."""
        with self._observed(call):
            await self._pass_breaker()
            try:
                async with self._slots:
                    with self._translated(call):
                        response = await self._http.request(
                            call.method,
                            f"/api/v1{call.path}",
                            params=call.params,
                            json=call.json,
                            files={"file": call.file} if call.file else None,
                        )
                    return self._judge(call, response)
            except UnavailableError as exc:
                self._failure = exc
                raise

    async def _pass_breaker(self) -> None:
        """Raise BreakerOpenError instead of waiting: callers have something to tell meanwhile."""
        await self._breaker.sync()
        until = self._breaker.open_until
        if self._breaker.state is BreakerState.OPEN and until is not None:
            delay_s = min(max(0.1, until - time.time()), _MAX_PAUSE_S)
            raise BreakerOpenError("Zoho Desk is away", dependency="zoho", delay_s=delay_s) from self._failure
        await self._breaker.ready()

    def _judge(self, call: _Call, response: httpx.Response) -> Any:
        answer = _read(response)
        remaining = response.headers.get(_CREDITS_HEADER, "")
        if remaining.isdecimal():
            metrics.API_CREDITS_REMAINING.set(int(remaining))
        failure = find_failure(call.doing, answer, write=call.write)
        if isinstance(failure, CreditsExhaustedError):
            self._breaker.record_failure(failure.delay_s)
        elif answer.status >= 500 or (not answer.readable and answer.status < 300):
            self._breaker.record_failure()
        else:
            self._breaker.record_success()
        if failure is not None:
            raise failure
        return answer.body

    @contextmanager
    def _translated(self, call: _Call) -> Iterator[None]:
        """What goes wrong under way, in our errors."""
        try:
            yield
        except TokenError as exc:
            if not exc.permanent:  # Wrong credentials are no outage: new ones help at once.
                self._breaker.record_failure()
            raise
        except _NOT_SENT as exc:
            self._breaker.record_failure()
            message = f"Zoho Desk cannot be reached ({type(exc).__name__})"
            raise UnavailableError(message, dependency="zoho") from exc
        except httpx.HTTPError as exc:
            self._breaker.record_failure()
            kind = type(exc).__name__
            if call.write:
                message = f"the connection broke ({kind}) when Zoho Desk was asked to {call.doing}; it may have done so"
                raise OutcomeUnknownError(message) from exc
            raise UnavailableError(f"Zoho Desk did not answer ({kind})", dependency="zoho") from exc

    @contextmanager
    def _observed(self, call: _Call) -> Iterator[None]:
        """A span and two metrics of one call."""
        started = time.monotonic()
        outcome = "ok"
        attributes = {"http.request.method": call.method, "supportbot.zoho.operation": call.name}
        with tracer.start_as_current_span(
            f"zoho {call.name}", kind=SpanKind.CLIENT, attributes=attributes, record_exception=False
        ):
            try:
                yield
            except (TemporaryError, PermanentError) as exc:
                outcome = _outcome(exc)
                raise
            finally:
                metrics.TICKET_REQUESTS.labels(call.name, outcome).inc()
                duration = metrics.TICKET_REQUEST_DURATION.labels(call.name, outcome)
                metrics.observe(duration, time.monotonic() - started)


@asynccontextmanager
async def open_accounts(config: DeskConfig) -> AsyncIterator[AccountsServer]:
    """The accounts server of a portal."""
    async with httpx.AsyncClient(timeout=_timeout(config, read_s=15.0)) as http:
        yield AccountsServer(http, config.accounts_url)


@asynccontextmanager
async def open_desk(config: DeskConfig, tokens: Tokens, breaker: Breaker) -> AsyncIterator[ZohoDesk]:
    """A portal, with its connections."""
    auth = _Authorization(tokens, config.organization_id)
    timeout = _timeout(config, read_s=config.timeout_s)
    async with httpx.AsyncClient(base_url=config.desk_url, auth=auth, timeout=timeout) as http:
        yield ZohoDesk(http, breaker, concurrency=config.concurrency)


def _get(name: str, doing: str, path: str, params: Mapping[str, str] | None = None) -> _Call:
    return _Call(name=name, doing=doing, method="GET", path=path, params=params)


def _post(name: str, doing: str, path: str, json: Mapping[str, Any] | None = None) -> _Call:
    return _Call(name=name, doing=doing, method="POST", path=path, json=json, write=True)


def _timeout(config: DeskConfig, *, read_s: float) -> httpx.Timeout:
    return httpx.Timeout(read_s, connect=config.connect_timeout_s)


def _client(grant: Grant) -> dict[str, str]:
    return {"client_id": grant.client_id, "client_secret": grant.client_secret.get_secret_value()}


def _read(response: httpx.Response) -> Answer:
    retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
    if not response.content:
        return Answer(status=response.status_code, retry_after_s=retry_after_s)
    try:
        body, readable = response.json(), True
    except ValueError:
        body, readable = None, False
    return Answer(status=response.status_code, body=body, readable=readable, retry_after_s=retry_after_s)


def _parse(kind: type[_R], body: Any, call: _Call) -> _R:
    try:
        return kind.model_validate(body)
    except ValidationError as exc:
        message = f"Zoho Desk's answer is no {kind.__name__.lower()}, after it was asked to {call.doing}"
        if call.write:
            raise OutcomeUnknownError(message) from exc
        raise UnavailableError(message, dependency="zoho") from exc


def _outcome(error: TemporaryError | PermanentError) -> str:
    if isinstance(error, OutcomeUnknownError):
        return "unknown"
    return "unavailable" if isinstance(error, TemporaryError) else "rejected"
