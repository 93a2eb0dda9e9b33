"""An HTTP proxy before the API server that answers wrongly, or cuts connections, when a test says so."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from supportbot.http import bind, serve_on

_NOT_FORWARDED = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "accept-encoding"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class Fault:
    """What happens to the next requests that match."""

    status: int
    count: int
    matches: Callable[[str, str], bool] = lambda _method, _path: True
    """Gets method and path."""
    headers: dict[str, str] = field(default_factory=dict)


class FaultyAPI:
    """Made by `faulty_api`."""

    def __init__(self, upstream: httpx.AsyncClient) -> None:
        self.url = ""
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request so far, watches included."""
        self.is_hanging = False
        """Requests get no answer at all, as from a server that is stuck."""
        self._upstream = upstream
        self._cut = asyncio.Event()

    def cut(self) -> None:
        """Break all watches that are open."""
        self._cut.set()
        self._cut = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        method, path = request.method, request.url.path
        self.requests.append((method, path))
        if self.is_hanging:
            await asyncio.Event().wait()
        for fault in self.faults:
            if fault.count and fault.matches(method, path):
                fault.count -= 1
                body = {"kind": "Status", "apiVersion": "v1", "message": "made up by the test", "code": fault.status}
                return JSONResponse(body, fault.status, fault.headers)
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_FORWARDED}
        upstream = self._upstream.build_request(
            method, str(request.url.replace(scheme="", netloc="")), headers=headers, content=await request.body()
        )
        response = await self._upstream.send(upstream, stream=True)
        passed = {name: value for name, value in response.headers.items() if name not in _NOT_FORWARDED}
        return StreamingResponse(self._forward(response), response.status_code, passed)

    async def _forward(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body as it comes, until it ends or the test cuts it."""
        cut = asyncio.create_task(self._cut.wait())
        chunk: asyncio.Future[bytes] | None = None
        chunks = response.aiter_bytes()
        try:
            while True:
                chunk = asyncio.ensure_future(anext(chunks, b""))
                await asyncio.wait({chunk, cut}, return_when=asyncio.FIRST_COMPLETED)
                if not chunk.done():
                    raise ConnectionResetError("cut by the test")
                if not chunk.result():
                    return
                yield chunk.result()
        finally:
            # However this ends, nobody else asks how the tasks did.
            tasks = [task for task in (cut, chunk) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await response.aclose()


@asynccontextmanager
async def faulty_api(url: str, tls: ssl.SSLContext) -> AsyncIterator[FaultyAPI]:
    """Serve before the API server at `url` until the end; plain HTTP, on loopback."""
    async with httpx.AsyncClient(base_url=url, verify=tls, timeout=None, trust_env=False) as upstream:
        api = FaultyAPI(upstream)
        app = Starlette(routes=[Route("/{path:path}", api.handle, methods=METHODS)])
        listener = bind("127.0.0.1", 0)
        api.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(serve_on(app, listener))
        try:
            yield api
        finally:
            api.cut()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
