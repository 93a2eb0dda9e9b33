"""A process with the real neonize in it: says on stdout what the library reports, does what stdin asks.

    python library.py SESSION

Each line is JSON: `{"event": name, "body": …}` and `{"answer": id, "result" | "error": …}` out, `{"id", "call", …}` in.
"""

import asyncio
import base64
import ctypes
import json
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message as Protobuf
from neonize.aioze import events
from neonize.aioze.client import NewAClient
from neonize.events import EVENT_TO_INT
from neonize.exc import NeonizeError
from neonize.proto.Neonize_pb2 import UndecryptableMessage
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ClientType, MediaType, ReceiptType
from neonize.utils.jid import build_jid

_WATCHED = [
    events.PairStatusEv,
    events.ConnectedEv,
    events.KeepAliveTimeoutEv,
    events.LoggedOutEv,
    events.StreamReplacedEv,
    events.TemporaryBanEv,
    events.ConnectFailureEv,
    events.ClientOutdatedEv,
    events.StreamErrorEv,
    events.DisconnectedEv,
    events.MessageEv,
    events.HistorySyncEv,
    events.JoinedGroupEv,
    events.GroupInfoEv,
    events.OfflineSyncPreviewEv,
    events.OfflineSyncCompletedEv,
    UndecryptableMessage,
]


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def parse_jid(text: str) -> Any:
    return build_jid(*text.split("@"))


class Calls:
    """What the parent may ask for."""

    def __init__(self, client: NewAClient) -> None:
        self._client = client

    async def send(self, chat: str, message: dict[str, Any]) -> str:
        sent = await self._client.send_message(parse_jid(chat), ParseDict(message, Message()))
        return str(sent.ID)

    async def react(self, chat: str, sender: str, message_id: str, emoji: str) -> str:
        message = await self._client.build_reaction(parse_jid(chat), parse_jid(sender), message_id, emoji)
        return str((await self._client.send_message(parse_jid(chat), message)).ID)

    async def edit(self, chat: str, message_id: str, text: str) -> str:
        return str((await self._client.edit_message(parse_jid(chat), message_id, Message(conversation=text))).ID)

    async def pair_phone(self, phone: str) -> str:
        return str(await self._client.PairPhone(phone, True, client_type=ClientType.CHROME))

    async def download(self, message: dict[str, Any]) -> str:
        data = await self._client.download_any(ParseDict(message, Message()))
        return base64.b64encode(data or b"").decode()

    async def upload(self, data: str) -> Any:
        uploaded = await self._client.upload(base64.b64decode(data), MediaType.MediaImage)
        return MessageToDict(uploaded, preserving_proto_field_name=True)

    async def typing(self, chat: str) -> None:
        composing, text = ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT
        await self._client.send_chat_presence(parse_jid(chat), composing, text)

    async def mark_read(self, chat: str, sender: str, ids: list[str]) -> None:
        names = {"chat": parse_jid(chat), "sender": parse_jid(sender)}
        await self._client.mark_read(*ids, **names, receipt=ReceiptType.READ)

    async def group(self, jid: str) -> Any:
        return MessageToDict(await self._client.get_group_info(parse_jid(jid)), preserving_proto_field_name=True)

    async def groups(self) -> list[str]:
        return [group.JID.User for group in await self._client.get_joined_groups()]

    async def log_out(self) -> None:
        await self._client.logout()

    async def disconnect(self) -> None:
        await self._client.disconnect()

    async def is_logged_in(self) -> bool:
        return bool(await self._client.is_logged_in)


def watch(client: NewAClient) -> None:
    """Report every event; the callback is replaced, because the library's own starts handlers that nobody awaits."""
    names = {code: kind for kind, code in EVENT_TO_INT.items()}

    async def ignore(_client: NewAClient, _event: Protobuf) -> None:
        raise AssertionError("the callback was replaced")

    for kind in _WATCHED:
        client.event(kind)(ignore)
    client._NewAClient__onLoginStatus = lambda _uuid, address: say(
        event="LoginStatus", body={"status": ctypes.string_at(address).decode()}
    )
    original = client.event.execute

    def execute(uuid: bytes, binary: int | None, size: int, code: int) -> None:
        if code in (0, 3):
            original(uuid, binary, size, code)
        if code in names:
            event = names[code].FromString(ctypes.string_at(binary, size) if binary else b"")
            say(event=names[code].__name__, body=MessageToDict(event, preserving_proto_field_name=True))

    client.event.execute = execute


async def serve(client: NewAClient) -> None:
    """Do what stdin asks, at the same time, until it ends."""
    calls, loop, running = Calls(client), asyncio.get_running_loop(), set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.create_task(answer(calls, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


async def answer(calls: Calls, request: dict[str, Any]) -> None:
    call: Callable[..., Awaitable[Any]] = getattr(calls, request["call"])
    try:
        say(answer=request["id"], result=await call(**request["arguments"]))
    except NeonizeError as exc:
        say(answer=request["id"], error=str(exc))


async def main() -> None:
    """Connect, and serve."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    # Hundreds of pre-keys are written one by one; no test pulls the plug of the machine.
    client = NewAClient(f"{sys.argv[1]}?_foreign_keys=on&_journal_mode=WAL&_busy_timeout=20000&_synchronous=OFF&_tail=")

    @client.event.qr  # type: ignore[untyped-decorator]
    async def show(_client: NewAClient, data: bytes) -> None:
        say(event="QR", body={"payload": data.decode()})

    watch(client)
    task = await client.connect()
    task.add_done_callback(lambda done: say(event="ended", body={"error": str(done.exception() or "")}))
    await serve(client)
    os._exit(0)  # A client that was never linked keeps its thread for ever.


asyncio.run(main())
