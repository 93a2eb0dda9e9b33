"""What a WhatsApp message says: one text, at most one attachment, or a note of what else it is. Pure.

It reads `waE2E.Message` by its fields. Sources: the schema of WhatsApp's messages, and what whatsmeow has unwrapped.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from supportbot.whatsapp.gateway import RawMedia

MEDIA_FIELDS = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
}
_VIEW_ONCE = frozenset({"viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"})
_SILENT = frozenset(
    {
        *("senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage", "messageContextInfo"),
        *("protocolMessage", "stickerSyncRmrMessage", "groupRootKeyShare", "rootSecretDistributeMessage"),
        *("messageHistoryBundle", "messageHistoryNotice", "placeholderMessage"),
    }
)
"""They carry keys and settings, nothing that anybody said."""
_POLLS = frozenset(f"pollCreationMessage{version}" for version in ("", "V2", "V3", "V5", "V6"))
_ENCRYPTED = {
    "encReactionMessage": "encrypted_reaction",
    "secretEncryptedMessage": "encrypted",
    "encCommentMessage": "encrypted_comment",
    "encEventResponseMessage": "event_answer",
    "pollUpdateMessage": "poll_vote",
}
_MAX_DEPTH = 8


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a message says."""

    text: str = ""
    media: RawMedia | None = None
    note: str | None = None
    context: Any = None
    """The `ContextInfo`: what is quoted, who is mentioned."""
    unknown_field: str | None = None
    """With the note `unknown`: the field of the schema that is not understood."""


def content_of(message: Any, *, depth: int = 0) -> Content | None:
    """The content of a `waE2E.Message`; None when nobody has said anything in it."""
    fields = {field.name: value for field, value in message.ListFields()}
    for name, value in fields.items():
        if (inner := _wrapped(value)) is not None and depth < _MAX_DEPTH:
            if name in _VIEW_ONCE:
                return Content(note="view_once")
            return content_of(inner, depth=depth + 1)
        if (read := _reader(name)) is not None:
            return replace(read(value), context=_context_of(value))
    spoken = [name for name in fields if name not in _SILENT]
    return Content(note="unknown", unknown_field=spoken[0]) if spoken else None


def _wrapped(value: Any) -> Any:
    """The message inside of a message, for the many kinds of envelopes."""
    names = getattr(getattr(value, "DESCRIPTOR", None), "fields_by_name", {})
    field = names.get("message")
    is_envelope = field is not None and field.message_type is not None and field.message_type.name == "Message"
    return value.message if is_envelope and value.HasField("message") else None


def _context_of(value: Any) -> Any:
    names = getattr(getattr(value, "DESCRIPTOR", None), "fields_by_name", {})
    return value.contextInfo if "contextInfo" in names and value.HasField("contextInfo") else None


def _reader(name: str) -> Callable[[Any], Content] | None:
    if name in MEDIA_FIELDS:
        return lambda value: _media(name, value)
    if name in _POLLS:
        return _poll
    if name in _ENCRYPTED:
        return lambda _: Content(note=_ENCRYPTED[name])
    return _READERS.get(name)


def _media(field: str, value: Any) -> Content:
    if getattr(value, "viewOnce", False):
        return Content(note="view_once")
    kind = MEDIA_FIELDS[field]
    media = RawMedia(
        handle=_handle(kind, value),
        kind=kind,
        mime_type=value.mimetype or "application/octet-stream",
        filename=(value.fileName or value.title or None) if field == "documentMessage" else None,
        size_bytes=max(value.fileLength, 0),
    )
    return Content(text=getattr(value, "caption", ""), media=media)


def _handle(kind: str, value: Any) -> str:
    """All that a later download needs, as JSON; it holds the key of the attachment."""
    return json.dumps(
        {
            "kind": kind,
            "path": value.directPath,
            "key": _base64(value.mediaKey),
            "sha256": _base64(value.fileSHA256),
            "enc_sha256": _base64(value.fileEncSHA256),
            "size": max(value.fileLength, 0),
        }
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _location(value: Any) -> Content:
    pin = f"https://maps.google.com/?q={value.degreesLatitude:.6f},{value.degreesLongitude:.6f}"
    names = (getattr(value, "name", ""), getattr(value, "address", ""), getattr(value, "caption", ""))
    return Content(text=_lines(*names, pin), note="location")


def _contacts(values: Iterable[Any]) -> Content:
    return Content(text=_lines(*(_lines(value.displayName, *_phones(value.vcard)) for value in values)), note="contact")


def _phones(vcard: str) -> list[str]:
    """The numbers of a vCard, `TEL;type=CELL;waid=…:+52 …`."""
    lines = (line.strip() for line in vcard.splitlines())
    return [
        line.rpartition(":")[2] for line in lines if line.upper().partition(":")[0].split(".")[-1].startswith("TEL")
    ]


def _poll(value: Any) -> Content:
    return Content(text=_lines(value.name, *(f"- {option.optionName}" for option in value.options)), note="poll")


def _list_answer(value: Any) -> Content:
    return Content(text=value.title or value.singleSelectReply.selectedRowID)


_READERS: dict[str, Callable[[Any], Content]] = {
    "conversation": lambda value: Content(text=value),
    "extendedTextMessage": lambda value: Content(text=value.text),
    "locationMessage": _location,
    "liveLocationMessage": _location,
    "contactMessage": lambda value: _contacts([value]),
    "contactsArrayMessage": lambda value: _contacts(value.contacts),
    "buttonsResponseMessage": lambda value: Content(text=value.selectedDisplayText),
    "templateButtonReplyMessage": lambda value: Content(text=value.selectedDisplayText),
    "listResponseMessage": _list_answer,
    "interactiveResponseMessage": lambda value: Content(text=value.body.text),
    "albumMessage": lambda _: Content(note="album"),
    "eventMessage": lambda value: Content(text=value.name, note="event"),
    "groupInviteMessage": lambda value: Content(text=value.groupName, note="group_invite"),
    "pinInChatMessage": lambda _: Content(note="pin"),
    "keepInChatMessage": lambda _: Content(note="keep"),
    "stickerPackMessage": lambda value: Content(text=value.name, note="sticker_pack"),
    "call": lambda _: Content(note="call"),
    "callLogMesssage": lambda _: Content(note="call"),
    "bcallMessage": lambda _: Content(note="call"),
    "scheduledCallCreationMessage": lambda value: Content(text=value.title, note="call"),
}
