"""HTTPS for the media store: as little of HTTP/1.1 as the library needs, so that a body can also break off."""

import asyncio
import json
import ssl
from contextlib import suppress

from .certificates import MEDIA_HOST
from .media import MediaStore
from .observations import Observations

_HEAD_TIMEOUT_S = 60
_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 410: "Gone"}


class MediaServer:
    """Gives files out, with their faults, and takes uploads."""

    def __init__(self, store: MediaStore, seen: Observations) -> None:
        self._store = store
        self._seen = seen
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, context: ssl.SSLContext) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end what is open."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            # A client that leaves is no fault of the store; and so is being stopped.
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
                while await self._serve(reader, writer):
                    pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.split("\r\n")
        method, target, _ = request.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if method == "POST":
            return await _answer(writer, 200, self._upload(body))
        return await self._download(writer, target)

    def _upload(self, body: bytes) -> bytes:
        path = self._store.put(body)
        self._seen.uploads.append(path)
        self._seen.changed()
        return json.dumps({"url": f"https://{MEDIA_HOST}{path}", "direct_path": path, "handle": ""}).encode()

    async def _download(self, writer: asyncio.StreamWriter, target: str) -> bool:
        data, fault = self._store.get(target)
        self._seen.changed()
        await asyncio.sleep(fault.delay_s)
        if fault.status != 200:
            return await _answer(writer, fault.status, b"")
        if data is None:
            return await _answer(writer, 404, b"")
        if fault.is_corrupted:
            data = bytes([data[0] ^ 1]) + data[1:]
        if fault.is_truncated:
            await _answer(writer, 200, data[: len(data) // 2], length=len(data))
            return False
        return await _answer(writer, 200, data)


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes, *, length: int | None = None) -> bool:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\nContent-Length: {size}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True
