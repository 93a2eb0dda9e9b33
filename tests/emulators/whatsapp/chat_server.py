"""The websocket `wss://web.whatsapp.com/ws/chat`: who may come in, as a registration or as the linked device."""

import asyncio
import ssl

from websockets.asyncio.server import Server, ServerConnection, serve

from .connection import Connection, DisconnectedError, accept
from .faults import Refusal
from .observations import LoginSeen
from .pairing import CodeExchange, Link, PairingError, Registration
from .protocol.binary_xml import Node
from .protocol.noise import Authority
from .protocol.tokens import library_tokens
from .queries import Queries
from .session import Session, replaced
from .state import State

_MAX_FRAME = 1 << 24


class ChatServer:
    """Holds the present session and the clients that wait to be linked."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.authority = Authority()
        self.queries = Queries(state.account, state.people, state.seen)
        self._tokens = library_tokens()
        self._server: Server | None = None
        self.session: Session | None = None
        self.registrations: list[Registration] = []
        self.exchange: CodeExchange | None = None
        self._links: dict[str, Link] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, context: ssl.SSLContext) -> int:
        """Listen; returns the port."""
        self._server = await serve(
            self._serve, "127.0.0.1", 0, ssl=context, compression=None, max_size=_MAX_FRAME, ping_interval=None
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Drop everybody and stop listening."""
        if self._server is None:
            return
        for websocket in list(self._server.connections):
            websocket.transport.abort()
        for task in list(self._serving):
            task.cancel()
        self._server.close()
        await self._server.wait_closed()

    async def link(self, link: Link) -> None:
        """Send the phone's signature to a client that waits; its answer makes it the linked device."""
        self._links[link.query_id] = link
        await link.send()

    async def _serve(self, websocket: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            connection = await accept(websocket, self.authority, self._tokens)
            if "devicePairingData" in connection.payload:
                await self._register(connection)
            else:
                await self._log_in(connection)
        except DisconnectedError:
            pass  # A client that goes in the middle of anything has gone: that is what it is here to try.
        except Exception as exc:
            self._state.seen.faults.append(f"{type(exc).__name__}: {exc}")
            raise
        finally:
            self._serving.discard(task)
            self._state.seen.changed()

    def _note(self, connection: Connection, outcome: str) -> None:
        self._state.seen.logins.append(LoginSeen(connection=connection.number, outcome=outcome))
        self._state.seen.changed()

    async def _log_in(self, connection: Connection) -> None:
        refusal = self._refusal(connection)
        if refusal is not None:
            await self._refuse(connection, refusal)
            return
        before, self.session = self.session, Session(self._state, self.queries, connection)
        if before is not None and before.connection.websocket.state.name == "OPEN":
            await before.connection.end_with(replaced())
        self._note(connection, "success")
        await self.session.run()

    def _refusal(self, connection: Connection) -> Refusal | None:
        faults, device, payload = self._state.faults, self._state.account.device, connection.payload
        if faults.refuse_all is not None:
            return faults.refuse_all
        if faults.refusals:
            return faults.refusals.pop(0)
        if device is None or connection.secured.client_static != device.noise_key:
            return Refusal(reason=401)
        named = (str(payload.get("username")), payload.get("device"))
        return None if named == (self._state.account.owner.phone_user, device.number) else Refusal(reason=401)

    async def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        self._note(connection, str(refusal.reason))
        names = {"reason": refusal.reason, "code": refusal.code, "expire": refusal.expire_s}
        given = {name: value for name, value in names.items() if value is not None}
        await connection.end_with(Node("failure", given))

    async def _register(self, connection: Connection) -> None:
        if self._state.faults.refusals or self._state.faults.refuse_all:
            await self._refuse(connection, self._state.faults.refuse_all or self._state.faults.refusals.pop(0))
            return
        registration = Registration(connection)
        self.registrations.append(registration)
        self._note(connection, "registration")
        try:
            await registration.offer()
            async for node in connection.nodes():
                try:
                    await self._pairing_stanza(registration, node)
                except PairingError as exc:
                    self._state.seen.faults.append(f"pairing: {exc}")
                self._state.seen.changed()
        finally:
            self.registrations.remove(registration)

    async def _pairing_stanza(self, registration: Registration, node: Node) -> None:
        request = node.child("link_code_companion_reg")
        if node.tag != "iq":
            return
        if link := self._links.pop(node.text("id"), None):
            await self._finish(link, node)
        elif request and request.text("stage") == "companion_hello":
            await registration.hello(node, request)
        elif request and request.text("stage") == "companion_finish" and self.exchange:
            exchange, self.exchange = self.exchange, None
            secret = exchange.finish(request)
            await registration.connection.answer(node)
            await self.link(Link(self._state.account, registration, secret))
        elif node.text("type") in ("get", "set"):
            await registration.connection.answer(node)

    async def _finish(self, link: Link, answer: Node) -> None:
        self._state.link(link.confirmed(answer))
        await link.registration.connection.end_with(Node("stream:error", {"code": 515}), grace_s=5)
