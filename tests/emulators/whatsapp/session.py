"""A logged-in companion: its queue is given out, its stanzas are understood and answered."""

import asyncio
import time
from collections.abc import Coroutine

from .connection import Connection, DisconnectedError
from .observations import ReceiptSeen, SentMessage, StateSeen
from .protocol.binary_xml import SERVER, Attributes, Jid, MalformedNodeError, Node
from .protocol.signal import UndecryptableError
from .queries import Queries
from .reading import read
from .state import State


class Session:
    """One connection from `<success>` to its end."""

    def __init__(self, state: State, queries: Queries, connection: Connection) -> None:
        self._state = state
        self.connection = connection
        self._queries = queries
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Greet the client and serve it until it goes."""
        await asyncio.sleep(self._state.faults.login_delay_s)
        await self.connection.send(Node("success", {"t": int(time.time()), "lid": self._state.account.device_lid}))
        try:
            async for node in self.connection.nodes():
                await self._take(node)
                self._state.seen.changed()
        finally:
            self.connection.is_ready = False
            for task in self._tasks:
                task.cancel()

    async def _take(self, node: Node) -> None:
        match node.tag:
            case "iq":
                await self._query(node)
            case "message":
                self._start(self._message(node))
            case "receipt":
                await self._receipt(node)
            case "ack":
                if not self._state.faults.ignores_receipts:
                    self._state.mailbox.settle(node.text("class"), node.text("id"), self.connection.number)
            case "presence":
                self._state.seen.states.append(StateSeen(chat="", state=node.text("type")))
            case "chatstate":
                state = node.children[0].tag if node.children else ""
                self._state.seen.states.append(StateSeen(chat=node.text("to"), state=state))
            case "xmlstreamend" | "ib":
                pass
            case other:
                self._state.seen.faults.append(f"unknown stanza <{other}>")

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except DisconnectedError:
            return
        except (UndecryptableError, MalformedNodeError, ValueError, KeyError) as exc:
            self._state.seen.faults.append(f"{type(exc).__name__}: {exc}")
        self._state.seen.changed()

    async def _query(self, query: Node) -> None:
        namespace = query.text("xmlns")
        self._state.seen.pings += namespace == "w:p"
        if query.text("type") not in ("get", "set") or namespace in self._state.faults.unanswered:
            return
        if query.child("remove-companion-device"):
            await self._unlink(query)
            return
        await self._queries.answer(self.connection, query)
        if namespace == "passive" and query.child("active"):
            self._start(self._give_out())

    async def _unlink(self, query: Node) -> None:
        await self.connection.answer(query)
        self._state.unlink()
        await self.connection.end_with(device_removed())

    async def _give_out(self) -> None:
        """What waited first, between its marks; then whatever comes."""
        number, mailbox = self.connection.number, self._state.mailbox
        self.connection.is_ready = True
        waiting = mailbox.waiting_for(number)
        if waiting:
            await self._mark(_preview(len(waiting), sum(letter.stanza.tag == "message" for letter in waiting)))
        for letter in waiting:
            letter.given_to = number
            stanza = letter.stanza
            await self.connection.send(Node(stanza.tag, {**stanza.attributes, "offline": 0}, stanza.content))
        await self._mark(Node("offline", {"count": len(waiting)}))
        while True:
            for letter in mailbox.waiting_for(number):
                letter.given_to = number
                await self.connection.send(letter.stanza)
            await mailbox.filled()

    async def _mark(self, mark: Node) -> None:
        await self.connection.send(Node("ib", {"from": SERVER}, [mark]))

    async def _receipt(self, node: Node) -> None:
        kind, listed = node.text("type"), node.child("list")
        ids = [node.text("id"), *(item.text("id") for item in listed.all("item"))] if listed else [node.text("id")]
        for message_id in ids:
            names = {"chat": node.text("to"), "participant": node.text("participant"), "type": kind}
            self._state.seen.receipts.append(ReceiptSeen(id=message_id, **names))
            if kind != "retry" and not self._state.faults.ignores_receipts:
                self._state.mailbox.settle("message", message_id, self.connection.number)
        if kind == "retry":
            self._retry(node)
        if not self._state.faults.ignores_receipts:
            await self._confirm(node, kind)

    async def _confirm(self, receipt: Node, kind: str) -> None:
        sender = receipt.attributes.get("to", SERVER)
        attributes: Attributes = {"class": "receipt", "id": receipt.text("id"), "from": sender}
        await self.connection.send(Node("ack", attributes | ({"type": kind} if kind else {})))

    def _retry(self, receipt: Node) -> None:
        keys, retry = receipt.child("keys"), receipt.child("retry")
        device = self._state.account.device
        if keys and device:
            device.upload(keys)
        if receipt.text("id") not in self._state.withheld:
            self._state.write_again(receipt.text("id"), count=int(retry.text("count") or 1) if retry else 1)

    async def _message(self, node: Node) -> None:
        message_id, to = node.text("id"), node.jid("to")
        known = self._state.seen.sent.get(message_id)
        if known is not None:
            self._note(known.model_copy(update={"copies": known.copies + 1}))
            await self._acknowledge(message_id, to, known.refused)
        elif to.user == self._state.account.owner.phone_user or node.text("category") == "peer":
            # Words to the own phone, such as the wish for a message that could not be read.
            await self._acknowledge(message_id, to, None)
        else:
            await self._new_message(node, message_id, to)

    async def _new_message(self, node: Node, message_id: str, to: Jid) -> None:
        faults = self._state.faults.next_sends
        fault = faults.pop(0) if faults else None
        if fault == "lost":
            self.connection.drop()
            return
        sent = read(node, self._state.people)
        await asyncio.sleep(self._state.faults.send_delay_s)
        refused = fault if isinstance(fault, int) else None
        self._note(sent.model_copy(update={"refused": refused}))
        if fault == "drop":
            self.connection.drop()
        elif fault != "silent":
            await self._acknowledge(message_id, to, refused)

    def _note(self, sent: SentMessage) -> None:
        self._state.seen.sent[sent.id] = sent
        self._state.seen.changed()

    async def _acknowledge(self, message_id: str, to: Jid, error: int | None) -> None:
        attributes: Attributes = {"class": "message", "id": message_id, "from": to, "t": int(time.time())}
        await self.connection.send(Node("ack", attributes | ({"error": error} if error else {})))


def device_removed() -> Node:
    """The last word to a device that was unlinked."""
    return Node("stream:error", {"code": 401}, [Node("conflict", {"type": "device_removed"})])


def replaced() -> Node:
    """The last word to a connection whose device has come again."""
    return Node("stream:error", {}, [Node("conflict", {"type": "replaced"})])


def _preview(total: int, messages: int) -> Node:
    counts = {"count": total, "message": messages, "notification": total - messages, "receipt": 0, "appdata": 0}
    return Node("offline_preview", counts)
