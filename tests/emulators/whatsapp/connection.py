"""One connection of the client: the websocket, secured by Noise, as nodes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .protocol.binary_xml import SERVER, Attribute, Node, Tokens, decode, encode
from .protocol.noise import Authority, FrameReader, Handshake, Secured, frame
from .protocol.protobuf import Values
from .protocol.protobuf import decode as decode_protobuf
from .schemas import CLIENT_PAYLOAD

_numbers = count(1)


class DisconnectedError(Exception):
    """The client has gone, or was dropped."""


@dataclass
class Connection:
    """After the handshake. Nodes are sent in the order of the calls."""

    websocket: ServerConnection
    secured: Secured
    tokens: Tokens
    frames: FrameReader
    pending: list[bytes] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))
    is_ready: bool = False
    """Whether the client has said that it takes messages."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def payload(self) -> Values:
        """Who the client says it is: a registration or a login."""
        return decode_protobuf(CLIENT_PAYLOAD, self.secured.client_payload)

    async def send(self, node: Node) -> None:
        """Send a node.

        Raises:
            DisconnectedError: The client has gone.
        """
        async with self._lock:
            try:
                await self.websocket.send(frame(self.secured.outbound.encrypt(encode(node))))
            except ConnectionClosed as exc:
                raise DisconnectedError(f"connection {self.number} is closed") from exc

    async def answer(self, query: Node, *content: Node, **attributes: Attribute) -> None:
        """Send the result of an `<iq>`."""
        names = {"type": "result", "from": query.attributes.get("to", SERVER), "id": query.text("id"), **attributes}
        await self.send(Node("iq", names, content or None))

    def next_id(self) -> str:
        """An id for a stanza that the server begins."""
        return f"{self.number}-{next(self._ids)}"

    async def nodes(self) -> AsyncIterator[Node]:
        """What the client sends, until it goes."""
        for payload in self.pending:
            yield self._open(payload)
        try:
            async for data in self.websocket:
                for payload in self.frames.feed(_binary(data)):
                    yield self._open(payload)
        except ConnectionClosed:
            return

    async def end_with(self, last_words: Node, *, grace_s: float = 1.0) -> None:
        """Say something last and close; the client is left the time to read it, and to close by itself.

        A client that finds the connection closed does not look at what it has not read yet.

        Raises:
            DisconnectedError: The client has gone.
        """
        await self.send(last_words)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.websocket.wait_closed()
        await self.websocket.close()

    def drop(self) -> None:
        """End it as a broken network does."""
        self.websocket.transport.abort()

    def _open(self, payload: bytes) -> Node:
        return decode(self.secured.inbound.decrypt(payload), self.tokens)


async def accept(websocket: ServerConnection, authority: Authority, tokens: Tokens) -> Connection:
    """Shake hands.

    Raises:
        DisconnectedError: The client has gone before the end of it.
        ValueError: What it says is no handshake.
    """
    frames, handshake = FrameReader(), Handshake(authority)
    received: list[bytes] = []
    try:
        while not received:
            received += frames.feed(_binary(await websocket.recv()))
        await websocket.send(frame(handshake.hello(received.pop(0))))
        while not received:
            received += frames.feed(_binary(await websocket.recv()))
    except ConnectionClosed as exc:
        raise DisconnectedError("the client has left during the handshake") from exc
    return Connection(websocket, handshake.finish(received.pop(0)), tokens, frames, received)


def _binary(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise TypeError("a text message on WhatsApp's websocket")
    return data
