"""How large a request's body may be and how long it may take to arrive.

FastAPI's own limit stands before every middleware, so it would answer 413 to those who may not call at all.
"""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024

BODY_TIMEOUT_S = 10.0
"""A client that dribbles its body keeps a connection busy, an attack known as slow loris."""


class BodyMiddleware:
    """Answers 413 to a larger body and 408 to a slower one.

    Args:
        app: The application.
        limit_bytes: For all paths but those of `limits`.
        limits: Bytes by path.
        timeout_s: From the first byte that is read to the end of the body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int = MAX_BODY_BYTES,
        limits: Mapping[str, int] | None = None,
        timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._limits = dict(limits or {})
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse by the announced length, else while the body comes in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], self._limit_bytes)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            await JSONResponse({"detail": _too_large(limit)}, 413, {"connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, _guarded(receive, limit, self._timeout_s), send)


def _guarded(receive: Receive, limit_bytes: int, timeout_s: float) -> Receive:
    deadline: float | None = None
    size_bytes = 0
    complete = False

    async def receive_guarded() -> Message:
        nonlocal deadline, size_bytes, complete
        if complete:
            return await receive()  # Waits for the client to go away, however long that takes.
        deadline = deadline or asyncio.get_running_loop().time() + timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not arrive in time", {"connection": "close"}) from None
        size_bytes += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size_bytes > limit_bytes:
            raise HTTPException(413, _too_large(limit_bytes), {"connection": "close"})
        return message

    return receive_guarded


def _too_large(limit_bytes: int) -> str:
    return f"the body may have at most {limit_bytes} bytes"
