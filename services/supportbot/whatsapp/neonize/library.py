"""The library itself: one client at a time, its callbacks, and the few of its calls that the bot makes.

Everything that the library is known to do wrong is worked around here; `docs/limits.md` says what cannot be.
"""

import asyncio
import base64
import ctypes
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from neonize.aioze.client import NewAClient
from neonize.events import INT_TO_EVENT
from neonize.exc import DownloadError, NeonizeError, SendMessageError
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ClientType, MediaType, MediaTypeToMMS
from neonize.utils.jid import build_jid

from supportbot.errors import TemporaryError
from supportbot.whatsapp.gateway import Group, MediaGoneError, RawMedia
from supportbot.whatsapp.neonize import link_events as codes
from supportbot.whatsapp.neonize.damaged import without_contents
from supportbot.whatsapp.neonize.failures import download_failure, send_failure
from supportbot.whatsapp.neonize.identity import jid_text
from supportbot.whatsapp.neonize.session_file import Device, session_name

DEVICE_NAME = "supportbot"
"""What the phone's list of linked devices shows."""
QUIET_S = 0.5
"""So long without an event, and the library has handed out what it had."""
HANG_UP_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0

_MEDIA = {
    "image": (MediaType.MediaImage, MediaTypeToMMS.MediaImage),
    "sticker": (MediaType.MediaImage, MediaTypeToMMS.MediaImage),
    "video": (MediaType.MediaVideo, MediaTypeToMMS.MediaVideo),
    "audio": (MediaType.MediaAudio, MediaTypeToMMS.MediaAudio),
    "document": (MediaType.MediaDocument, MediaTypeToMMS.MediaDocument),
}


class Library:
    """The client of one session. Belongs to the event loop in which it is used."""

    def __init__(self, session: Path, ears: codes.Ears) -> None:
        self._session = session
        self._ears = ears
        # A client that is collected stops whoever has its id, and takes callbacks along that are still called.
        self._clients: list[NewAClient] = []
        self._last_event = time.monotonic()
        logging.getLogger("whatsmeow.Client").addHandler(_SpentListener(ears.spent))

    async def dial(self) -> "asyncio.Task[None]":
        """Connect a new client.

        Returns:
            A task that lives as long as the library runs the session. Its end is always the end of the link; its
            error, a `NeonizeError`, says why.
        """
        client = NewAClient(
            session_name(self._session),
            uuid=f"{DEVICE_NAME}-{len(self._clients)}",
            props=DeviceProps(os=DEVICE_NAME, platformType=DeviceProps.CHROME, requireFullSync=False),
        )
        for code in codes.WANTED:
            client.event(INT_TO_EVENT[code])(_do_nothing)
        client.event.execute = self._make_execute(client)
        client.event.qr(self._take_code)
        # The library drops this word; its private name is held by a test.
        client._NewAClient__onLoginStatus = self._take_login  # noqa: SLF001
        self._clients.append(client)
        task: asyncio.Task[None] = await client.connect()
        return task

    async def hang_up(self) -> None:
        """Take no more from WhatsApp, wait until everything that came is stored, and stop."""
        client = self._client
        self._last_event = time.monotonic()
        await client.disconnect()
        deadline = time.monotonic() + HANG_UP_TIMEOUT_S
        # The library does not say when its queue is empty.
        while time.monotonic() < min(self._last_event + QUIET_S, deadline):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await client.stop()
        if client.connect_task is not None:
            await asyncio.wait({client.connect_task}, timeout=STOP_TIMEOUT_S)

    async def cut(self) -> None:
        """Take no more from WhatsApp."""
        await self._client.disconnect()

    async def pair_phone(self, digits: str) -> str:
        """The code to type on the phone with that number.

        Raises:
            NeonizeError: WhatsApp gives none.
        """
        code: str = await self._client.PairPhone(digits, True, client_type=ClientType.CHROME)
        return code

    async def account(self) -> Device | None:
        """Who the linked account is; None when the library does not say."""
        try:
            me = await self._client.get_me()
        except NeonizeError:
            return None
        return Device(jid=jid_text(me.JID), lid=jid_text(me.LID)) if me.JID.User else None

    async def log_out(self) -> None:
        """Unlink this device at WhatsApp; the session is gone afterwards.

        Raises:
            NeonizeError: WhatsApp was not told.
        """
        await self._client.logout()

    async def send(self, chat: str, message: Any) -> str:
        """Send a message; its id.

        Raises:
            UnavailableError, SendUnknownError, PermanentError: As `send_failure` says.
        """
        try:
            response = await self._client.send_message(_jid(chat), message)
        except SendMessageError as exc:
            raise send_failure(str(exc)) from exc
        message_id: str = response.ID
        return message_id

    async def show_typing(self, chat: str, *, on: bool) -> None:
        """Say that the bot is typing, or has stopped.

        Raises:
            NeonizeError: It could not be said.
        """
        state = ChatPresence.CHAT_PRESENCE_COMPOSING if on else ChatPresence.CHAT_PRESENCE_PAUSED
        await self._client.send_chat_presence(_jid(chat), state, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT)

    async def download(self, media: RawMedia) -> bytes:
        """The decrypted bytes, whose hash has been checked.

        Raises:
            MediaGoneError, TemporaryError: As `download_failure` says.
        """
        try:
            handle = json.loads(media.handle)
            media_type, mms_type = _MEDIA[handle["kind"]]
            path, size = str(handle["path"]), int(handle["size"])
            key, sha256, enc_sha256 = (base64.b64decode(handle[name]) for name in ("key", "sha256", "enc_sha256"))
        except (ValueError, KeyError, TypeError) as exc:
            raise MediaGoneError("WhatsApp no longer has the attachment: its reference cannot be read") from exc
        try:
            data: bytes = await self._client.download_media_with_path(
                path, enc_sha256, sha256, key, size, media_type, mms_type
            )
        except DownloadError as exc:
            raise download_failure(str(exc)) from exc
        return data

    async def groups(self) -> tuple[Group, ...]:
        """The groups that the account is in.

        Raises:
            TemporaryError: WhatsApp does not say.
        """
        try:
            infos = await self._client.get_joined_groups()
        except NeonizeError as exc:
            raise TemporaryError("WhatsApp does not list the groups") from exc
        return tuple(Group(jid=jid_text(info.JID), name=info.GroupName.Name) for info in infos)

    @property
    def last_event(self) -> float:
        """When the library called last, by `time.monotonic`."""
        return self._last_event

    @property
    def _client(self) -> NewAClient:
        return self._clients[-1]

    def _make_execute(self, client: NewAClient) -> Callable[[Any, Any, int, int], None]:
        """What the library calls for each event, one at a time, on its own thread."""
        original = client.event.execute

        def execute(uuid: Any, binary: Any, size: int, code: int) -> None:
            self._last_event = time.monotonic()
            try:
                raw = ctypes.string_at(binary, size) if size else b""
                if code in (codes.DEVICE, codes.CONNECTED):
                    original(uuid, binary, size, code)  # It keeps who the account is.
                self._ears.event(code, parse_event(code, raw))
            except BaseException as exc:  # noqa: BLE001 - ctypes would print and forget it
                self._ears.broken(exc)
            self._last_event = time.monotonic()

        return execute

    async def _take_code(self, _: NewAClient, data: bytes) -> None:
        self._ears.code(data.decode())

    def _take_login(self, _: int, address: int) -> None:
        self._ears.login(ctypes.string_at(address).decode(errors="replace"))


class _SpentListener(logging.Handler):
    """Reads of the library's warnings what it tells in no other way: that it has dropped a message."""

    _SPENT = re.compile(r"Ignoring message (\S+) from (\S+) in (\S+): .*old counter")

    def __init__(self, tell: Callable[[str, str, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        match = self._SPENT.match(record.getMessage())
        if match is not None:
            message_id, sender, chat = match.groups()
            self._tell(chat, sender, message_id)


def parse_event(code: int, raw: bytes) -> Any:
    """An event's protobuf; of a message that cannot be decoded all but its content.

    Raises:
        DecodeError: Nothing of it can be decoded.
    """
    kind = INT_TO_EVENT[code]
    try:
        return kind.FromString(raw)
    except DecodeError:
        if code != codes.MESSAGE:
            raise
        return kind.FromString(without_contents(raw))


async def _do_nothing(_: NewAClient, __: Any) -> None:
    """The library delivers only what has a handler; the events are taken before it comes to that."""


def _jid(text: str) -> Any:
    user, _, server = text.partition("@")
    return build_jid(user, server)
