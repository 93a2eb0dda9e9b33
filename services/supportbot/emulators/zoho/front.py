"""The outermost layer: logs each vendor call, counts those under way, and carries the scripted faults out."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .faults import Fault
from .portal import Portal

_CODES = {
    400: "BAD_REQUEST",
    401: "INVALID_OAUTH",
    403: "FORBIDDEN",
    404: "URL_NOT_FOUND",
    413: "RESOURCE_SIZE_EXCEEDED",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_DATA",
    429: "TOO_MANY_REQUESTS",
}
_TOO_MANY = "The maximum number of Concurrent API Calls that can be made has been exceeded."
_VENDOR_PATHS = ("/api/v1", "/oauth/v2")


class DroppableProtocol(H11Protocol):
    """HTTP/1.1 whose requests can reach their connection, to break it (`scope["state"]["transport"]`)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hand the connection to the requests that will come over it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Captured:
    """The answer of the application, kept back to be changed or thrown away."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
        else:
            self.body += message.get("body", b"")

    def start(self, body: bytes) -> Message:
        length = [(b"content-length", str(len(body)).encode())] if self.status != 204 else []
        return {"type": "http.response.start", "status": self.status, "headers": [*self.headers, *length]}


class Front:
    """ASGI middleware; pages and the control plane pass through untouched and unlogged."""

    def __init__(self, app: ASGIApp, portal: Portal) -> None:
        self._app = app
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http" or not scope["path"].startswith(_VENDOR_PATHS):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        portal = self._portal
        fault = portal.faults.take(scope["method"], scope["path"])
        state = scope.setdefault("state", {})
        status: list[int] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        portal.calls_under_way += 1
        try:
            await self._serve(scope, receive, watched, fault)
        except asyncio.CancelledError:
            # Only the end of the server cancels a call; its client sees a broken connection, like at any stop.
            await _drop(scope, receive)
        finally:
            portal.calls_under_way -= 1
            portal.log.append(
                {
                    "seq": len(portal.log) + 1,
                    "time": portal.clock.iso(),
                    "method": scope["method"],
                    "path": scope["path"],
                    "query": scope["query_string"].decode("latin-1"),
                    "status": status[0] if status else None,
                    "applied": bool(state.get("applied")),
                    "fault": fault.kind if fault else None,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 3),
                }
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send, fault: Fault | None) -> None:
        if fault and fault.kind == "down" and "status" not in fault.model_fields_set:
            await _drop(scope, receive)
            return
        whole = await _read_whole(receive)
        if whole is None:
            return
        receive = whole
        desk = scope["path"].startswith("/api/v1")
        if desk and self._portal.calls_under_way > self._portal.settings.max_concurrent:
            await _answer(JSONResponse(_error("TOO_MANY_REQUESTS", _TOO_MANY), 429), scope, send)
        elif fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "delay" and not fault.applied:
            await asyncio.sleep(fault.delay_s)
            await self._app(scope, receive, send)
        elif fault.kind in {"drop_before", "down"} or (fault.kind in {"status", "html"} and not fault.applied):
            await _refuse(fault, scope, receive, send)
        else:
            await self._spoil(fault, scope, receive, send)

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call take effect, then spoil its answer."""
        answer = _Captured()
        await self._app(scope, receive, answer.send)
        if fault.kind in {"drop_after", "status", "html"}:
            await _refuse(fault, scope, receive, send)
            return
        if fault.kind == "slow_body":
            await _send_slowly(answer, fault.delay_s, send)
            return
        await asyncio.sleep(fault.delay_s)
        body = _spoilt(answer.body, fault)
        if fault.kind == "cut":
            await send(answer.start(answer.body))
            await send({"type": "http.response.body", "body": body, "more_body": True})
            # Without this turn of the loop the abort would overtake the bytes.
            await asyncio.sleep(0.01)
            await _drop(scope, receive)
            return
        await send(answer.start(body))
        await send({"type": "http.response.body", "body": body})


def _spoilt(body: bytes, fault: Fault) -> bytes:
    if fault.kind in {"truncated", "cut"}:
        return body[: len(body) // 2]
    if fault.kind == "body":
        return json.dumps(fault.body).encode()
    if fault.kind == "omit" and body:
        return json.dumps(_without(json.loads(body), fault.omit)).encode()
    return body


def _without(body: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(body, dict):
        return body
    kept = {key: value for key, value in body.items() if key not in names}
    if isinstance(kept.get("data"), list):
        kept["data"] = [_without(row, names) for row in kept["data"]]
    return kept


async def _send_slowly(answer: _Captured, within_s: float, send: Send) -> None:
    await send(answer.start(answer.body))
    step = max(len(answer.body) // 10, 1)
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(within_s / 10)
        await send({"type": "http.response.body", "body": answer.body[start : start + step], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what the fault says instead of the truth, or nothing at all."""
    await asyncio.sleep(fault.delay_s)
    if fault.kind in {"drop_before", "drop_after"}:
        await _drop(scope, receive)
    elif fault.kind in {"html", "down"}:
        page = f"<html><head><title>{fault.status}</title></head><body><h1>{fault.status}</h1></body></html>"
        await _answer(HTMLResponse(page, fault.status, headers=fault.headers), scope, send)
    else:
        code = fault.error_code or _CODES.get(fault.status, "INTERNAL_SERVER_ERROR")
        body = _error(code, "An internal error occurred.") if fault.body is None else fault.body
        await _answer(JSONResponse(body, fault.status, headers=fault.headers), scope, send)


async def _answer(response: Response, scope: Scope, send: Send) -> None:
    await response(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _error(code: str, message: str) -> Mapping[str, str]:
    return {"errorCode": code, "message": message}


async def _read_whole(receive: Receive) -> Receive | None:
    """Read the request to its end and hand it on from memory; `None` if the client went away before.

    Answering before the end would reset the connection under a client that still writes, so that it would see a write
    error or the answer, by chance.
    """
    messages: deque[Message] = deque()
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
    if messages[-1]["type"] == "http.disconnect":
        return None

    async def replay() -> Message:
        return messages.popleft() if messages else await receive()

    return replay


async def _drop(scope: Scope, receive: Receive) -> None:
    """Break the connection, and return only when the server has noticed."""
    scope["state"]["transport"].abort()
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
