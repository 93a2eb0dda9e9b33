"""Answers that go wrong on the wire: never, byte by byte, broken off, without end."""

import asyncio

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

HUGE_BYTES = 64 * 1024**2


class Hang(Response):
    """Takes the request and never answers."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait until the client has gone."""
        await _wait_for_end(receive)


class Drop(Response):
    """Breaks the connection, before the headers or in the middle of a body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of the body, if any, and break off."""
        if self.body:
            await send(_start(len(self.body)))
            half = bytes(self.body[: len(self.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
            # Without this turn of the loop the abort would overtake the bytes.
            await asyncio.sleep(0.01)
        scope["state"]["transport"].abort()
        await _wait_for_end(receive)


class Trickle(Response):
    """Sends its body byte by byte."""

    def __init__(self, body: bytes, pause_s: float) -> None:
        super().__init__(body)
        self._pause_s = pause_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until all is sent or the client has gone."""
        await send(_start(len(self.body)))
        end = asyncio.create_task(_wait_for_end(receive))
        try:
            for byte in bytes(self.body):
                await asyncio.wait({end}, timeout=self._pause_s)
                if end.done():
                    return
                await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            end.cancel()
            await asyncio.gather(end, return_exceptions=True)


class Huge(Response):
    """A body without end, nearly."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it; what the client no longer reads is thrown away."""
        await send(_start(HUGE_BYTES))
        part = b" " * 65536
        for _ in range(HUGE_BYTES // len(part)):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _start(length: int) -> Message:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def _wait_for_end(receive: Receive) -> None:
    """Until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
