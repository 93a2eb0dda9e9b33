"""What the service asks of the link: each command with its answer. One message is sent at a time."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol

import structlog

from supportbot.errors import PermanentError, UnavailableError
from supportbot.logs import describe_error
from supportbot.whatsapp.gateway import Group, MediaGoneError, MessageKey, Quote, RawMedia
from supportbot.whatsapp.neonize.address_book import AddressBook
from supportbot.whatsapp.neonize.mentions import mention
from supportbot.whatsapp.neonize.session_file import message_secret
from supportbot.whatsapp.neonize.wire import (
    Answer,
    Call,
    Command,
    Download,
    ListGroups,
    React,
    Send,
    ShowTyping,
    Unpair,
    to_failure,
)

LARGE_BYTES = 4 * 1024 * 1024
"""Larger attachments are downloaded one at a time: the library holds each whole, more than once."""

_log = structlog.get_logger(__name__)


class Phone(Protocol):
    """What the commands need of the library."""

    async def send(self, chat: str, message: Any) -> str:
        """Send a message; its id."""

    async def show_typing(self, chat: str, *, on: bool) -> None:
        """Say that the bot is typing, or has stopped."""

    async def download(self, media: RawMedia) -> bytes:
        """The bytes of an attachment."""

    async def groups(self) -> tuple[Group, ...]:
        """The groups that the account is in."""

    async def log_out(self) -> None:
        """Unlink the device."""


class Wording(Protocol):
    """How messages are built."""

    def text_message(self, text: str, *, secret: bytes, quoted: Quote | None, mentions: tuple[str, ...]) -> Any:
        """A text."""

    def reaction_message(self, target: MessageKey, emoji: str, *, secret: bytes, own_jids: frozenset[str]) -> Any:
        """A reaction."""


class Commands:
    """Does them.

    Args:
        phone: The library.
        wording: Builds messages.
        groups: The only chats that anything is sent to.
        people: LIDs of phones, and who is named by which.
        own_jids: The account's own.
        is_connected: Whether the link is up.
    """

    def __init__(
        self,
        phone: Phone,
        wording: Wording,
        *,
        groups: frozenset[str],
        people: AddressBook,
        own_jids: Callable[[], frozenset[str]],
        is_connected: Callable[[], bool],
    ) -> None:
        self._phone = phone
        self._wording = wording
        self._groups = groups
        self._people = people
        self._own_jids = own_jids
        self._is_connected = is_connected
        self._turn = asyncio.Lock()
        self._large_turn = asyncio.Lock()

    async def do(self, call: Call) -> tuple[Answer, bytes]:
        """Do a command; its errors become the answer's failure."""
        command = call.command
        try:
            return await self._do(call.id, command)
        except Exception as exc:  # noqa: BLE001 - whoever has called is told; the process lives on
            if not isinstance(exc, (UnavailableError, MediaGoneError)):
                _log.warning("command_failed", command=command.do, **describe_error(exc))
            return Answer(id=call.id, failure=to_failure(exc)), b""

    async def _do(self, number: int, command: Command) -> tuple[Answer, bytes]:
        if not self._is_connected():
            raise UnavailableError("WhatsApp is not connected", dependency="whatsapp", delay_s=1)
        match command:
            case Send():
                return Answer(id=number, message_id=await self._send(command)), b""
            case React():
                return Answer(id=number, message_id=await self._react(command)), b""
            case Download():
                return Answer(id=number), await self._download(command)
            case ListGroups():
                return Answer(id=number, groups=await self._phone.groups()), b""
            case ShowTyping():
                await self._phone.show_typing(command.chat, on=command.on)
            case Unpair():
                await self._phone.log_out()
        return Answer(id=number), b""

    async def _send(self, command: Send) -> str:
        self._require_group(command.chat)
        people = self._people
        lid_group = people.names_lids(command.chat)
        text, mentions = mention(command.text, command.mentions, people.directory, lid_group=lid_group)
        secret = message_secret(command.key)
        message = self._wording.text_message(text, secret=secret, quoted=command.quoted, mentions=mentions)
        async with self._turn:
            return await self._phone.send(command.chat, message)

    async def _react(self, command: React) -> str:
        self._require_group(command.target.chat)
        message = self._wording.reaction_message(
            command.target,
            command.emoji,
            secret=message_secret(command.key),
            own_jids=self._own_jids(),
        )
        async with self._turn:
            return await self._phone.send(command.target.chat, message)

    async def _download(self, command: Download) -> bytes:
        too_large = f"larger than the {command.max_bytes} bytes that are taken"
        if command.media.size_bytes > command.max_bytes:
            raise MediaGoneError(too_large)
        async with self._large_turn if command.media.size_bytes > LARGE_BYTES else nullcontext():
            data = await self._phone.download(command.media)
        if len(data) > command.max_bytes:
            raise MediaGoneError(too_large)
        return data

    def _require_group(self, chat: str) -> None:
        if chat not in self._groups:
            raise PermanentError("not a group of the bot: add it to spec.whatsapp.groups", reason="not_a_group")
