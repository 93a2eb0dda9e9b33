"""A raw WhatsApp event as the event that the pipeline understands. Pure: no I/O, no clock."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from supportbot.contracts import (
    MAX_TEXT_CHARS,
    InboxEvent,
    Media,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Person,
    ReactionReceived,
)
from supportbot.ids import make_group_ref, make_message_ref, make_sender_ref
from supportbot.whatsapp.file_types import sniff_type
from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind, RawMedia, RawPerson

MAX_NAME_CHARS = 100
MAX_FILENAME_CHARS = 255
MAX_EMOJI_CHARS = 32
MAX_CLOCK_SKEW = timedelta(minutes=5)

_KINDS = frozenset({"image", "video", "audio", "document", "sticker"})
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")


@dataclass(frozen=True)
class Roster:
    """Who is who, for one installation and one bot."""

    install_key: bytes
    staff: frozenset[str] = frozenset()
    """E.164 numbers from the spec."""
    own_jids: frozenset[str] = frozenset()
    """The bot's own JIDs."""

    def message_ref(self, key: MessageKey) -> str:
        """The reference of a message."""
        return make_message_ref(self.install_key, chat=key.chat, sender=key.sender, message_id=key.message_id)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What has been found out about a raw event besides itself."""

    received_at: datetime
    media: Media | None = None
    """The attachment with its bytes in the object store, or the reason why not."""
    incident_id: str | None = None
    """The incident of the bot's own message that the event quotes or reacts to."""


def to_inbox_event(raw: RawEvent, roster: Roster, context: Context) -> InboxEvent:
    """The event of a raw event of any kind but `undecryptable`.

    Raises:
        ValueError: An edit, deletion or reaction names no target, or the event is undecryptable.
    """
    if raw.kind is RawKind.MESSAGE:
        return _message(raw, roster, context)
    if raw.kind is RawKind.LOST:
        return _message(raw.model_copy(update={"note": "lost"}), roster, context)
    if raw.target is None or raw.kind is RawKind.UNDECRYPTABLE:
        raise ValueError(f"a raw event of kind {raw.kind.value!r} cannot be converted without a target")
    common = {**_common(raw, roster, context), "target_ref": roster.message_ref(raw.target)}
    match raw.kind:
        case RawKind.EDIT:
            return MessageEdited(**common, text=clean_text(raw.text))
        case RawKind.DELETION:
            return MessageDeleted(**common)
        case RawKind.REACTION:
            emoji = clean_text(raw.emoji)[:MAX_EMOJI_CHARS]
            return ReactionReceived(**common, emoji=emoji, target_incident=context.incident_id)


def to_unknown_event(
    key: MessageKey, roster: Roster, *, sent_at: datetime, received_at: datetime, note: str = "unknown"
) -> MessageReceived:
    """What is published of a row that cannot be converted: that something came, from whom and when."""
    raw = RawEvent(key=key, sender=RawPerson(jid=key.sender), sent_at=sent_at, note=note)
    return _message(raw, roster, Context(received_at=received_at))


def to_media(raw: RawMedia, *, data: bytes | None = None, sha256: str | None, missing: str | None = None) -> Media:
    """The attachment of a raw event; size and type of the bytes themselves where they are known."""
    return Media(
        kind=raw.kind if raw.kind in _KINDS else "unknown",
        mime_type=(data and sniff_type(data)) or clean_text(raw.mime_type)[:100] or "application/octet-stream",
        filename=clean_filename(raw.filename),
        size_bytes=raw.size_bytes if data is None else len(data),
        sha256=sha256,
        missing=missing,
    )


def clean_text(text: str) -> str:
    """The text without NUL, control characters, lone surrogates and bidi overrides, cut at `MAX_TEXT_CHARS`."""
    kept = (char for char in text if char in "\n\t" or _is_visible(char))
    return "".join(kept)[:MAX_TEXT_CHARS]


def clean_filename(name: str | None) -> str | None:
    """The last component of a file name that a stranger chose, or None."""
    if not name:
        return None
    last = clean_text(name).replace("\n", " ").replace("\t", " ").replace("\\", "/").rsplit("/", 1)[-1].strip(" .")
    return last[-MAX_FILENAME_CHARS:] or None


def to_e164(phone: str | None) -> str | None:
    """A phone number in E.164, or None when it is none.

    Mexican JIDs still carry the 1 after 52 that Mexico dropped from its numbers in 2019.
    """
    if not phone:
        return None
    number = "+" + re.sub(r"\D", "", phone)
    if number.startswith("+521") and len(number) == 14:
        number = "+52" + number[4:]
    return number if _E164.match(number) else None


def is_staff(phone: str | None, staff: frozenset[str]) -> bool:
    """Whether an E.164 number is one of the staff's; either may lack the ninth digit of Brazilian mobiles."""
    return phone is not None and _comparable(phone) in {_comparable(to_e164(number) or number) for number in staff}


def _message(raw: RawEvent, roster: Roster, context: Context) -> MessageReceived:
    mentioned = [person for person in raw.mentions if person.jid not in roster.own_jids]
    return MessageReceived(
        **_common(raw, roster, context),
        text=clean_text(raw.text),
        media=context.media,
        quoted_ref=roster.message_ref(raw.quoted) if raw.quoted else None,
        quoted_incident=context.incident_id if raw.quoted else None,
        mentions=tuple(_person(person, roster) for person in mentioned),
        mentions_bot=len(mentioned) < len(raw.mentions),
        forwarded=raw.forwarded,
        note=raw.note,
    )


def _common(raw: RawEvent, roster: Roster, context: Context) -> dict[str, object]:
    return {
        "message_ref": roster.message_ref(raw.key),
        "group_ref": make_group_ref(roster.install_key, raw.key.chat),
        "sender": _person(raw.sender, roster),
        # A sender's clock may be wrong; a time in the future would make the group's open incidents look long past.
        "sent_at": min(raw.sent_at, context.received_at + MAX_CLOCK_SKEW),
        "received_at": context.received_at,
    }


def _person(raw: RawPerson, roster: Roster) -> Person:
    phone = to_e164(raw.phone)
    name = clean_text(raw.push_name or "").replace("\n", " ").strip()[:MAX_NAME_CHARS]
    return Person(
        ref=make_sender_ref(roster.install_key, raw.jid),
        phone=phone,
        push_name=name or None,
        staff=is_staff(phone, roster.staff),
    )


def _is_visible(char: str) -> bool:
    return char not in _BIDI_CONTROLS and unicodedata.category(char) not in {"Cc", "Cs"}


def _comparable(number: str) -> str:
    if re.match(r"^\+55\d{2}9\d{8}$", number):
        return number[:5] + number[6:]
    return number
