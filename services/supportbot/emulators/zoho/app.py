"""The emulator as one ASGI application: accounts, desk, control plane and page."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from .accounts import accounts_router
from .answers import bad_request, not_found
from .control import control_router
from .desk import desk_routes
from .front import Front
from .pages import ticket_page, tickets_page
from .portal import Portal


def build_app(portal: Portal) -> ASGIApp:
    """Put the parts together around one portal."""
    app = FastAPI(title="Zoho Desk emulator", docs_url=None, redoc_url=None, openapi_url="/_emulator/openapi.json")
    app.router.redirect_slashes = False
    app.router.routes.extend(desk_routes(portal))
    app.include_router(accounts_router(portal))
    app.include_router(control_router(portal))
    _add_pages(app, portal)
    app.add_exception_handler(HTTPException, _http_error)
    return Front(app, portal)


def _add_pages(app: FastAPI, portal: Portal) -> None:
    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def tickets(page: int = 1) -> HTMLResponse:
        return HTMLResponse(tickets_page(portal, page))

    @app.get("/tickets/{ticket_id}", response_class=HTMLResponse, include_in_schema=False)
    async def ticket(ticket_id: str) -> HTMLResponse:
        page = ticket_page(portal, ticket_id)
        return HTMLResponse(page or "<h1>No such ticket</h1>", 200 if page else 404)


async def _http_error(request: Request, exc: Exception) -> Response:
    """What the router refuses itself, in Zoho's shape under `/api/v1`."""
    if not isinstance(exc, HTTPException):
        raise exc
    if not request.url.path.startswith("/api/v1"):
        return JSONResponse({"detail": exc.detail}, exc.status_code)
    if exc.status_code == 405:
        body = {"errorCode": "METHOD_NOT_ALLOWED", "message": "The HTTP method is not allowed for this URL"}
        return JSONResponse(body, 405)
    refused = not_found() if exc.status_code == 404 else bad_request(str(exc.detail))
    return JSONResponse(refused.as_json(), refused.status)
