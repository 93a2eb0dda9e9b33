"""What every HTTP request gets, whoever answers it: an id, security headers, a measurement and a log line."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supportbot.metrics import HTTP_DURATION, observe
from supportbot.routes import route_of

REQUEST_ID = "supportbot.request_id"
"""Key of the ASGI scope."""

_REQUEST_ID_FORM = re.compile(r"[\w.-]{1,64}", re.ASCII)

_PROBES = frozenset({"/livez", "/readyz"})

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_log = structlog.get_logger(__name__)


def security_headers(scope: Scope) -> dict[str, str]:
    """For every answer; FastAPI's docs page loads scripts from elsewhere, and only a laptop has it."""
    if scope.get("path") == "/docs":
        return {name: value for name, value in _HEADERS.items() if name != "content-security-policy"}
    return _HEADERS


class RequestMiddleware:
    """The outermost of our middleware: it sees refused requests too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = make_request_id(Headers(scope=scope).get("x-request-id", ""))
        scope[REQUEST_ID] = request_id
        status = 500
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in security_headers(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                _account(scope, status, time.perf_counter() - started)


def make_request_id(offered: str) -> str:
    """The caller's id if it is harmless in a log line, else a new one."""
    return offered if _REQUEST_ID_FORM.fullmatch(offered) else uuid.uuid4().hex


def _account(scope: Scope, status: int, duration_s: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = route_of(scope)
    observe(HTTP_DURATION.labels(method, route, f"{status // 100}xx"), duration_s)
    # A probe asks every few seconds, and its answer is a metric.
    level = "debug" if status < 400 or route in _PROBES else "info"
    fields = {"http.method": method, "http.route": route, "http.status": status}
    getattr(_log, level)("http_request", **fields, duration_ms=round(duration_s * 1000, 1))
