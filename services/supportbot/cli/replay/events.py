"""Exported messages as the events that the gateway would have published. Pure.

An export holds no quotes, no reactions and no earlier versions: an edited message comes as last edited, a deleted one
without its text.
"""

import re
from datetime import datetime
from typing import Literal, cast

from supportbot.cli.replay.people import Cast
from supportbot.contracts import Media, MessageReceived
from supportbot.export.chat import ExportedMessage
from supportbot.ids import make_group_ref, make_message_ref
from supportbot.whatsapp.convert import clean_filename, clean_text

MediaKind = Literal["image", "video", "audio", "document", "sticker", "unknown"]

_FILES = {"image", "video", "audio", "document", "sticker"}
_NOT_IN_MENTION = re.compile(r"[^\w.+-]")


class Converter:
    """Makes the events of one chat.

    Args:
        install_key: Makes the references.
        chat: What the group is called; any text that is the same for all messages.
        cast: The chat's people.
    """

    def __init__(self, install_key: bytes, chat: str, cast: Cast) -> None:
        self._key, self._chat, self._cast = install_key, chat, cast
        self.group_ref = make_group_ref(install_key, chat)

    def event(self, message: ExportedMessage, at: datetime) -> MessageReceived:
        """The event of a message that a person wrote, at `at` (aware).

        Raises:
            ValueError: WhatsApp wrote it.
        """
        if message.author is None:
            raise ValueError(f"line {message.line} is a notice of WhatsApp and no message")
        ref = make_message_ref(self._key, chat=self._chat, sender=message.author, message_id=str(message.line))
        mentions = [person for name in message.mentions if (person := self._cast.mentioned(name)) is not None]
        return MessageReceived(
            message_ref=ref,
            group_ref=self.group_ref,
            sender=self._cast.person(message.author),
            sent_at=at,
            received_at=at,
            text=clean_text(_text(message)),
            media=_media(message),
            mentions=tuple(dict.fromkeys(mentions)),
            note=_note(message),
        )


def _text(message: ExportedMessage) -> str:
    if message.media == "location":
        return "" if message.text.startswith(("http://", "https://")) else message.text
    text = message.text
    for name in sorted(message.mentions, key=len, reverse=True):
        # On the wire a mention is one word, `@` and a number; "@Ana 909" would leave a store number in the text.
        text = text.replace(f"@{name}", "@" + _NOT_IN_MENTION.sub("_", name))
    return text


def _media(message: ExportedMessage) -> Media | None:
    if message.media is None or message.media in {"contact", "location"}:
        return None
    # Android without media says only that something was left out; in support groups nine in ten are photos.
    kind = cast("MediaKind", message.media if message.media in _FILES else "image")
    missing = "not in the export" if message.filename is None else "not read by a replay"
    return Media(kind=kind, filename=clean_filename(message.filename), missing=missing)


def _note(message: ExportedMessage) -> str | None:
    if message.deleted:
        return "deleted"
    return message.media if message.media in {"contact", "location"} else None
