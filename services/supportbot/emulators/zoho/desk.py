"""Zoho Desk's `/api/v1`: the route table, and the way of a call from the wire to its handler and back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HTTPRoute

from . import contacts, conversations, organization, tickets
from .answers import Answer, FieldError, Record, RefusedError, bad_request, invalid_data
from .call import Call, File, Route
from .portal import Portal
from .queries import CUSTOM_FIELD_PARAMETERS, Paging, check_names


def _any(*names: str) -> frozenset[str]:
    return frozenset(f"Desk.{name}" for name in names)


_BASIC = (_any("basic.READ", "settings.READ"),)
_READ = (_any("tickets.READ"),)
_CREATE = (_any("tickets.CREATE"),)
_UPDATE = (_any("tickets.UPDATE"),)
_SEARCH = _any("search.READ")
_CONTACT_SEARCH = frozenset({"phone", "mobile", "email", "fullName", "lastName", "_all"}) | CUSTOM_FIELD_PARAMETERS
_TICKET_SEARCH = (
    frozenset({"_all", "subject", "tag", "email", "phone", "id", "ticketNumber", "contactId", "departmentId", "status"})
    | {"priority", "channel", "createdTimeRange", "modifiedTimeRange", "sortBy"}
    | CUSTOM_FIELD_PARAMETERS
)
_TICKET_LIST = frozenset({"departmentId", "status", "sortBy", "fields", "include"})
_TICKET = "/tickets/{ticket_id}"


def _get(path: str, handler: Callable[[Call], Answer], scopes: tuple[frozenset[str], ...], **more: Any) -> Route:
    return Route(method="GET", path=path, handler=handler, scopes=scopes, **more)


def _write(
    method: str, path: str, handler: Callable[[Call], Answer], scopes: tuple[frozenset[str], ...], **more: Any
) -> Route:
    return Route(method=method, path=path, handler=handler, scopes=scopes, **({"body": "json"} | more))


ROUTES = (
    _get("/accessibleOrganizations", organization.accessible_organizations, _BASIC, needs_org=False),
    _get("/organizations", organization.organizations, _BASIC, needs_org=False),
    _get("/myinfo", organization.myinfo, _BASIC),
    _get("/departments", organization.departments, _BASIC, query=frozenset({"isEnabled"}), paging=Paging(10, 200)),
    _get("/departments/{department_id}", organization.department, _BASIC),
    _get(
        "/fields",
        organization.fields,
        (_any("basic.READ", "fields.READ", "settings.READ"),),
        query=frozenset({"module", "apiNames", "associatedDepartments"}),
        weight=3,
    ),
    _get(
        "/organizationFields",
        organization.organization_fields,
        (_any("settings.READ"),),
        query=frozenset({"module", "apiNames", "departmentId"}),
        weight=3,
    ),
    _get(
        "/contacts/search",
        contacts.search,
        (_any("contacts.READ"), _SEARCH),
        query=_CONTACT_SEARCH,
        paging=Paging(10, 100, 999, search=True),
    ),
    _write("POST", "/contacts", contacts.create, (_any("contacts.CREATE"),)),
    _get("/contacts/{contact_id}", contacts.read, (_any("contacts.READ"),)),
    _write("PATCH", "/contacts/{contact_id}", contacts.update, (_any("contacts.UPDATE"),)),
    _write("POST", "/tickets", tickets.create, _CREATE),
    _get("/tickets", tickets.listed, _READ, query=_TICKET_LIST, paging=Paging(25, 100)),
    _get(
        "/tickets/search",
        tickets.search,
        (*_READ, _SEARCH),
        query=_TICKET_SEARCH,
        paging=Paging(10, 100, 999, search=True),
    ),
    _get(_TICKET, tickets.read, _READ, query=frozenset({"include"})),
    _write("PATCH", _TICKET, tickets.update, _UPDATE, query=frozenset({"disableClosureNotification"})),
    _write("POST", f"{_TICKET}/associateTag", tickets.associate_tags, _CREATE),
    _get(f"{_TICKET}/tags", tickets.tags, _READ),
    _write("POST", f"{_TICKET}/merge", tickets.merge, _UPDATE),
    _write("POST", f"{_TICKET}/comments", conversations.create_comment, _UPDATE),
    _get(f"{_TICKET}/comments", conversations.comments, _READ, query=frozenset({"sortBy"}), paging=Paging(50, 100)),
    _get(f"{_TICKET}/comments/{{comment_id}}", conversations.comment, _READ),
    _get(f"{_TICKET}/threads", conversations.threads, _READ, query=frozenset({"sortBy"}), paging=Paging(50, 200)),
    _get(f"{_TICKET}/threads/{{thread_id}}", conversations.thread, _READ, query=frozenset({"include"})),
    _get(f"{_TICKET}/latestThread", conversations.latest_thread, _READ, query=frozenset({"needPublic", "include"})),
    _get(f"{_TICKET}/conversations", conversations.conversations, _READ, paging=Paging(100, 200, search=True)),
    _write(
        "POST",
        f"{_TICKET}/attachments",
        conversations.create_attachment,
        _UPDATE,
        query=frozenset({"isPublic"}),
        body="file",
    ),
    _get(
        f"{_TICKET}/attachments", conversations.attachments, _READ, query=frozenset({"sortBy"}), paging=Paging(50, 100)
    ),
    _get(f"{_TICKET}/attachments/{{attachment_id}}/content", conversations.attachment_content, _READ),
    _write("POST", "/uploads", conversations.create_upload, (_any("basic.CREATE"),), body="file"),
)


def desk_routes(portal: Portal) -> list[HTTPRoute]:
    """The route table as HTTP routes."""
    return [HTTPRoute(f"/api/v1{one.path}", _endpoint(portal, one), methods=[one.method]) for one in ROUTES]


def _endpoint(portal: Portal, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            answer = await _call(portal, route, request, headers)
        except RefusedError as refused:
            return JSONResponse(refused.as_json(), refused.status, headers={**headers, **refused.headers})
        return to_response(answer, headers)

    return serve


async def _call(portal: Portal, route: Route, request: Request, headers: dict[str, str]) -> Answer:
    """Check, charge, read, run. Fills `headers` with the rate limits once the token is known to be good.

    Raises:
        RefusedError: At the first check that fails; nothing is applied then.
    """
    if portal.settings.latency_s:
        await asyncio.sleep(portal.settings.latency_s)
    _check_caller(portal, route, request)
    query = dict(request.query_params)
    headers.update(portal.credits.charge(route.cost(query)))
    check_names(query, route.parameters)
    call = Call(
        portal=portal,
        route=route,
        base_url=str(request.base_url).rstrip("/"),
        ids=request.path_params,
        query=query,
        body=await _read_json(request) if route.body == "json" else {},
        file=await _read_file(request) if route.body == "file" else None,
    )
    before = portal.store.revision
    answer = route.handler(call)
    request.state.applied = portal.store.revision != before
    return answer


def _check_caller(portal: Portal, route: Route, request: Request) -> None:
    access = portal.accounts.check(request.headers.get("authorization"))
    organization_id = request.headers.get("orgid")
    if (route.needs_org or organization_id is not None) and organization_id != portal.settings.organization_id:
        message = "The OAuthToken is not valid for specified organization."
        raise RefusedError(403, "OAUTH_ORG_MISMATCH", message)
    if not access.allows(*route.scopes):
        raise RefusedError(403, "SCOPE_MISMATCH", "The OAuth scope of the token does not allow this operation.")


async def _read_json(request: Request) -> Record:
    _check_media_type(request, "application/json")
    raw = await request.body()
    if not raw.strip():
        raise RefusedError(422, "EMPTY_PAYLOAD", "The request body is empty")
    try:
        body = json.loads(raw, parse_constant=_no_constant)
        if b"\\u" in raw:
            # Half of a surrogate pair is JSON but no text: it could never be answered back.
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request("The request body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid_data([FieldError("/", "invalid", "an object is expected")])
    if not body:
        raise RefusedError(422, "EMPTY_PAYLOAD", "The request body is empty")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


async def _read_file(request: Request) -> File:
    _check_media_type(request, "multipart/form-data")
    async with request.form(max_files=1, max_fields=5) as form:
        part = form.get("file")
        if not isinstance(part, UploadFile):
            raise invalid_data([FieldError("/file", "missing")])
        return File(part.filename or "", part.content_type or "application/octet-stream", await part.read())


def _check_media_type(request: Request, wanted: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        raise RefusedError(415, "UNSUPPORTED_MEDIA_TYPE", "The media type of the request is not supported")


def to_response(answer: Answer, headers: dict[str, str]) -> Response:
    """An answer as HTTP: JSON, a file, or no body at all."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, File):
        return file_response(answer.body, headers)
    return JSONResponse(answer.body, answer.status, headers=headers)


_SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def file_response(file: File, headers: dict[str, str]) -> Response:
    """Bytes as a download; only plain pictures may be shown inside a page."""
    show = file.content_type in _SHOWABLE
    place = "inline" if show else "attachment"
    safe = {
        "Content-Disposition": f"{place}; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    media_type = file.content_type if show else "application/octet-stream"
    return Response(file.data, media_type=media_type, headers={**headers, **safe})
