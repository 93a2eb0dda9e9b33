"""The process's end of the wire: notices and answers go out in order, also from the library's thread."""

import asyncio
import socket
import threading
from typing import Self

from supportbot.contracts import Contract
from supportbot.whatsapp.neonize.wire import TO_PROCESS, Noticed, Start, ToProcess, WireError, encode, read_frame


class Channel:
    """The connection to the service. `tell` and `notice` are thread-safe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._noticed: Noticed | None = None

    @classmethod
    async def open(cls, descriptor: int) -> Self:
        """The connection on an inherited socket."""
        return cls(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))

    async def read_start(self) -> Start:
        """The first frame.

        Raises:
            WireError: It is another, or none.
        """
        first = await self.read()
        if not isinstance(first, Start):
            raise WireError("the service did not begin with `start`")
        return first

    async def read(self) -> ToProcess | None:
        """The next frame; None when the service is gone."""
        frame = await read_frame(self._reader)
        return None if frame is None else TO_PROCESS.validate_json(frame[0])

    def tell(self, message: Contract, body: bytes = b"") -> None:
        """Send a frame."""
        self._loop.call_soon_threadsafe(self._write, encode(message, body))

    def notice(self, noticed: Noticed) -> None:
        """Count what has come; many at once become one frame."""
        with self._lock:
            waiting = self._noticed
            if waiting is not None:
                sums = {name: getattr(waiting, name) + getattr(noticed, name) for name in _COUNTS}
                self._noticed = Noticed(**sums)
                return
            self._noticed = noticed
        self._loop.call_soon_threadsafe(self._flush)

    async def close(self) -> None:
        """Send what waits, and close."""
        await asyncio.sleep(0)  # What other threads have handed over comes first.
        self._flush()
        if not self._writer.is_closing():
            try:
                await self._writer.drain()
            except ConnectionError:
                return  # The service is gone; the journal has what matters.

    def _flush(self) -> None:
        with self._lock:
            noticed, self._noticed = self._noticed, None
        if noticed is not None:
            self._write(encode(noticed))

    def _write(self, frame: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame)


_COUNTS = tuple(name for name in Noticed.model_fields if name != "kind")
