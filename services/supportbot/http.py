"""The HTTP side of every service: one application with the house rules, and the server that runs it.

From the outside in: request id, headers and measuring; credentials; rate; body; then FastAPI's routing. Errors have
one of two shapes: 422 `{"detail": [{"type", "loc", "msg"}]}`, everything else `{"detail": str}`.
"""

import asyncio
import contextlib
import socket
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Scope

from supportbot import __version__
from supportbot.auth import OPEN_PATHS, APIKeys, AuthMiddleware
from supportbot.bodies import MAX_BODY_BYTES, BodyMiddleware
from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.health import Health
from supportbot.metrics import ERRORS, render
from supportbot.ratelimit import RateLimitMiddleware
from supportbot.requests import REQUEST_ID, RequestMiddleware, security_headers
from supportbot.settings import Settings, variable

GRACE_S = 3
"""Seconds that requests may still take once the server stops."""

_COMMON_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The API key is missing or not known"},
    413: {"description": "The body is too large"},
    429: {"description": "Too many requests; Retry-After says when to ask again"},
}

_log = structlog.get_logger(__name__)


def create_app(
    title: str,
    settings: Settings,
    *,
    keys: APIKeys,
    health: Health,
    open_paths: Collection[str] = (),
    write_paths: Collection[str] = (),
    rates: Mapping[str, str] | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """An application with probes, metrics, its OpenAPI document and nothing else.

    The service adds its own routes, `GET /health` among them, whose body differs by service.

    Args:
        title: Of the OpenAPI document.
        settings: For the rate.
        keys: Who may call; `read_api_keys` has made sure that no keys means loopback only.
        health: Answers the probes.
        open_paths: Paths that need no credential beside probes and metrics; each guards itself.
        write_paths: Paths that want the right to write, whatever the method.
        rates: Further limits by path, such as `{"/api/send-message": "30/minute"}`.
        body_limits: Bytes by path where the body may be larger than 64 KiB.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        docs_url="/docs" if keys.is_open else None,
        redoc_url=None,
        # For the OpenAPI document only: the middleware has checked the key before this sees it.
        dependencies=[Depends(HTTPBearer(auto_error=False, description="An API key of this installation."))],
        responses=_COMMON_ANSWERS,
        telemetry={"operation_spans": False, "logs": False, "metrics": False, "exclude": _is_probe},
        middleware=[
            Middleware(RequestMiddleware),
            Middleware(AuthMiddleware, keys=keys, open_paths=open_paths, write_paths=write_paths),
            Middleware(
                RateLimitMiddleware,
                rate=f"{settings.requests_per_minute}/minute",
                rates=rates,
                open_paths=OPEN_PATHS,
            ),
            Middleware(BodyMiddleware, limit_bytes=MAX_BODY_BYTES, limits=body_limits),
        ],
    )
    _add_probes(app, health)
    _add_error_handlers(app)
    return app


def create_probe_app(health: Health) -> FastAPI:
    """The metrics port: `/metrics`, `/livez`, `/readyz`, open to whoever reaches it."""
    app = FastAPI(
        openapi_url=None,
        telemetry={"tracing": False, "logs": False, "metrics": False},
        middleware=[Middleware(RequestMiddleware), Middleware(BodyMiddleware, limit_bytes=0)],
    )
    _add_probes(app, health)
    return app


def bind(host: str, port: int, *, setting: str = variable("port")) -> socket.socket:
    """A socket that listens; port 0 takes a free one (`getsockname()[1]`).

    Raises:
        UserError: The port is taken or not allowed, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restarted service must not wait for the old connections' TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(2048)
    except OSError as exc:
        listener.close()
        raise UserError(
            f"cannot listen on {host} port {port}: {exc.strerror or exc}; end what uses it or set {setting}"
        ) from exc
    listener.setblocking(False)
    return listener


async def serve(app: ASGIApp, host: str, port: int, *, setting: str = variable("port")) -> None:
    """Serve until cancelled; then accept nothing more and give running requests `GRACE_S` to end.

    Raises:
        UserError: It cannot listen there.
    """
    await serve_on(app, bind(host, port, setting=setting))


async def serve_on(app: ASGIApp, listener: socket.socket) -> None:
    """As `serve`, on a socket of `bind`, which it closes."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            loop="none",
            limit_concurrency=256,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    host, port = listener.getsockname()[:2]
    _log.info("http_listening", host=host, port=port)
    running = asyncio.create_task(server.serve(sockets=[listener]), name=f"http-{port}")
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await running
        raise
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Leaves the process's signal handlers alone: `service.run_service` has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _is_probe(scope: Scope) -> bool:
    return scope.get("path") in OPEN_PATHS


def _add_probes(app: FastAPI, health: Health) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return _probe(ok=health.is_live, word="alive" if health.is_live else "down")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        waiting = [check.name for check in health.checks if check.gates and check.state not in {"ok", "degraded"}]
        return _probe(ok=health.is_ready, word=f"waiting for {', '.join(waiting)}" if waiting else "ready")

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        content, content_type = render(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})


def _probe(*, ok: bool, word: str) -> Response:
    return JSONResponse({"status": word}, 200 if ok else 503)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, exc: RequestValidationError) -> Response:
        # Without the input, which may be personal and large.
        fields = [{name: error[name] for name in ("type", "loc", "msg")} for error in exc.errors()]
        return JSONResponse({"detail": fields}, 422)

    @app.exception_handler(TemporaryError)
    async def unavailable(_request: Request, exc: TemporaryError) -> Response:
        return JSONResponse({"detail": str(exc)}, 503, {"retry-after": str(max(1, round(exc.delay_s or 5)))})

    @app.exception_handler(PermanentError)
    async def rejected(_request: Request, exc: PermanentError) -> Response:
        return JSONResponse({"detail": str(exc)}, 422)

    @app.exception_handler(UserError)
    async def misused(_request: Request, exc: UserError) -> Response:
        return JSONResponse({"detail": str(exc)}, 400)

    @app.exception_handler(Exception)
    async def failed(request: Request, exc: Exception) -> Response:
        request_id = request.scope.get(REQUEST_ID, "")
        ERRORS.labels("http", type(exc).__name__).inc()
        _log.error("http_request_failed", exc_info=exc)
        # This answer is sent outside of all middleware, so it brings their headers itself.
        headers = {"x-request-id": request_id, **security_headers(request.scope)}
        return JSONResponse({"detail": f"internal error; the log has it under request id {request_id}"}, 500, headers)
