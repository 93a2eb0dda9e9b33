"""What the service and the process of the library say to each other: frames on a pair of connected sockets.

A frame is two big-endian lengths (32 bits each), a JSON message of the first length, and bytes of the second (an
attachment, or nothing). Messages from WhatsApp do not come this way: the process puts them into the journal itself, so
that they are safe whatever becomes of the service.
"""

import asyncio
import struct
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from supportbot.contracts import Contract
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.whatsapp.gateway import (
    Group,
    MediaGoneError,
    MessageKey,
    PairingMethod,
    PairingOffer,
    Quote,
    RawMedia,
    SendUnknownError,
)
from supportbot.whatsapp.neonize.link_states import Link
from supportbot.whatsapp.sqlite_thread import Synchronous

_LENGTHS = struct.Struct(">II")
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024


class WireError(Exception):
    """The other side has spoken nonsense; the connection is of no use any more."""


# To the process.


class Pairing(Contract):
    """How to pair; only where no device is linked."""

    method: PairingMethod
    phone: str | None = None
    """Digits, for `CODE`."""


class Start(Contract):
    """The first frame: everything that the process must know. It may hold no secret in its arguments or environment."""

    kind: Literal["start"] = "start"
    session: Path
    journal: Path
    synchronous: Synchronous = "normal"
    install_key: str
    """Hex."""
    groups: tuple[str, ...]
    """Chats whose messages are kept."""
    seen_rowid: int | None = None
    """Message secrets up to this row of the session are accounted for; None when that was never noted."""
    pairing: Pairing | None = None
    log_level: str = "info"
    log_format: str = "json"
    instance: str = "local"


class Send(Contract):
    """Send a text."""

    do: Literal["send"] = "send"
    chat: str
    text: str
    key: str
    quoted: Quote | None = None
    mentions: tuple[str, ...] = ()


class React(Contract):
    """React to a message, or take the reaction back."""

    do: Literal["react"] = "react"
    target: MessageKey
    emoji: str
    key: str


class Download(Contract):
    """Download an attachment."""

    do: Literal["download"] = "download"
    media: RawMedia
    max_bytes: int


class ListGroups(Contract):
    """List the groups."""

    do: Literal["list_groups"] = "list_groups"


class ShowTyping(Contract):
    """Say that the bot is typing, or has stopped."""

    do: Literal["show_typing"] = "show_typing"
    chat: str
    on: bool


class Unpair(Contract):
    """Unlink the device."""

    do: Literal["unpair"] = "unpair"


Command = Annotated[Send | React | Download | ListGroups | ShowTyping | Unpair, Field(discriminator="do")]


class Call(Contract):
    """A command, to be answered by `Answer` with the same id."""

    kind: Literal["call"] = "call"
    id: int
    command: Command


class Drain(Contract):
    """Cut the link, store what has arrived, and end."""

    kind: Literal["drain"] = "drain"


# From the process.


class LinkNotice(Contract):
    """The state of the link has changed."""

    kind: Literal["link"] = "link"
    link: Link
    own_jids: tuple[str, ...] = ()
    phone: str | None = None


class OfferNotice(Contract):
    """Something to scan or to type, or the end of it."""

    kind: Literal["offer"] = "offer"
    offer: PairingOffer | None


class Noticed(Contract):
    """What has come since the last of these; without any count, that held messages may go on."""

    kind: Literal["noticed"] = "noticed"
    stored: int = 0
    repeated: int = 0
    ignored: int = 0
    undecryptable: int = 0
    lost: int = 0


class Seen(Contract):
    """Message secrets up to this row are accounted for; without a row, all that there are by now."""

    kind: Literal["seen"] = "seen"
    rowid: int | None = None


class Beat(Contract):
    """The process lives."""

    kind: Literal["beat"] = "beat"


class Failure(Contract):
    """An error of the port."""

    error: Literal["unavailable", "unknown", "gone", "permanent", "temporary"]
    message: str
    reason: str = ""
    delay_s: float | None = None

    @property
    def is_not_sent(self) -> bool:
        """Whether a send that failed so is certainly not in the group."""
        return self.error in ("unavailable", "permanent")


class Answer(Contract):
    """What became of a call; a download's bytes are the frame's body."""

    kind: Literal["answer"] = "answer"
    id: int
    message_id: str | None = None
    groups: tuple[Group, ...] = ()
    failure: Failure | None = None


ToProcess = Annotated[Start | Call | Drain, Field(discriminator="kind")]
FromProcess = Annotated[LinkNotice | OfferNotice | Noticed | Seen | Beat | Answer, Field(discriminator="kind")]
TO_PROCESS: TypeAdapter[ToProcess] = TypeAdapter(ToProcess)
FROM_PROCESS: TypeAdapter[FromProcess] = TypeAdapter(FromProcess)


def encode(message: Contract, body: bytes = b"") -> bytes:
    """A frame."""
    data = message.model_dump_json().encode()
    return _LENGTHS.pack(len(data), len(body)) + data + body


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """The JSON and the body of the next frame; None at the end.

    Raises:
        WireError: It is cut, or larger than any frame.
    """
    try:
        lengths = await reader.readexactly(_LENGTHS.size)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    size, body_size = _LENGTHS.unpack(lengths)
    if size > MAX_MESSAGE_BYTES or body_size > MAX_BODY_BYTES:
        raise WireError(f"a frame of {size} and {body_size} bytes is larger than any that is sent")
    try:
        return await reader.readexactly(size), await reader.readexactly(body_size)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None


def to_failure(error: Exception) -> Failure:
    """An error of the port, for the wire; any other is a bug, and its text stays in the process."""
    match error:
        case UnavailableError():
            return Failure(error="unavailable", message=str(error), delay_s=error.delay_s)
        case SendUnknownError():
            return Failure(error="unknown", message=str(error), delay_s=error.delay_s)
        case MediaGoneError():
            return Failure(error="gone", message=str(error))
        case PermanentError():
            return Failure(error="permanent", message=str(error), reason=error.reason)
        case TemporaryError():
            return Failure(error="temporary", message=str(error), delay_s=error.delay_s)
    return Failure(error="temporary", message=f"the process of the link failed with {type(error).__name__}")


def to_error(failure: Failure) -> Exception:
    """The error of the port again."""
    match failure.error:
        case "unavailable":
            return UnavailableError(failure.message, dependency="whatsapp", delay_s=failure.delay_s)
        case "unknown":
            return SendUnknownError(failure.message, delay_s=failure.delay_s)
        case "gone":
            return MediaGoneError(failure.message)
        case "permanent":
            return PermanentError(failure.message, reason=failure.reason)
        case "temporary":
            return TemporaryError(failure.message, delay_s=failure.delay_s)
