"""What people post: one value for each kind of message, and its protocol buffer.

A value is JSON, so that it can be posted from another process. Whatever has no kind of its own goes as `Raw`.
"""

import secrets
import time
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from .media import MediaStore, StoredMedia
from .protocol.protobuf import Values, encode
from .schemas import EPHEMERAL_SETTING, MEDIA_ALBUM, MESSAGE, MESSAGE_EDIT, REVOKE


class Reference(BaseModel):
    """A message that another one names."""

    model_config = ConfigDict(frozen=True)

    id: str
    sender: str
    """The LID of its sender: `<digits>@lid`."""
    text: str = ""
    """What the quoting phone shows of it."""


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class _Talk(_Content):
    quoted: Reference | None = None
    mentions: tuple[str, ...] = ()
    """LIDs; the text names them as `@<digits>`."""
    forwarded: bool = False
    ephemeral_s: int = 0
    """After how long it disappears; 0 never."""

    def context(self) -> Values:
        """The `contextInfo`, or nothing."""
        values: Values = {}
        if self.quoted:
            quoted = {"conversation": self.quoted.text}
            values |= {"stanzaID": self.quoted.id, "participant": self.quoted.sender, "quotedMessage": quoted}
        if self.mentions:
            values["mentionedJID"] = self.mentions
        if self.forwarded:
            values |= {"forwardingScore": 1, "isForwarded": True}
        if self.ephemeral_s:
            values["expiration"] = self.ephemeral_s
        return {"contextInfo": values} if values else {}


class Text(_Talk):
    """Plain, or `extendedTextMessage` as soon as there is a context or a link."""

    kind: Literal["text"] = "text"
    text: str
    link: str = ""
    """The part of the text that is shown with a preview."""


class Attachment(_Talk):
    """A file of any kind; the sender claims its type, name and size."""

    kind: Literal["attachment"] = "attachment"
    data: bytes
    media: Literal["image", "video", "ptv", "audio", "voice", "document", "sticker"] = "image"
    caption: str = ""
    mime_type: str = "image/jpeg"
    filename: str = ""
    view_once: bool = False
    claimed_bytes: int | None = None
    """A length that is not the file's."""
    album: Reference | None = None
    """The album that it belongs to."""


class Album(_Talk):
    """Says how many pictures follow that belong together."""

    kind: Literal["album"] = "album"
    images: int = 0
    videos: int = 0


class Location(_Talk):
    """A place."""

    kind: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class ContactCard(_Talk):
    """Somebody's card."""

    kind: Literal["contact"] = "contact"
    name: str
    vcard: str


class Poll(_Talk):
    """A question with options."""

    kind: Literal["poll"] = "poll"
    question: str
    options: tuple[str, ...]


class Reaction(_Content):
    """An emoji on a message; empty takes it back."""

    kind: Literal["reaction"] = "reaction"
    target: Reference
    emoji: str


class Edit(_Content):
    """Another text for one's own message."""

    kind: Literal["edit"] = "edit"
    target: Reference
    text: str


class Deletion(_Content):
    """For everybody: of one's own message, or, by an admin, of somebody else's."""

    kind: Literal["deletion"] = "deletion"
    target: Reference


class DisappearingMessages(_Content):
    """The group's setting, as a message; 0 turns it off."""

    kind: Literal["disappearing"] = "disappearing"
    seconds: int


class Raw(_Content):
    """Any serialized `waE2E.Message`."""

    kind: Literal["raw"] = "raw"
    protobuf: bytes
    stanza_type: str = "text"


Content: TypeAlias = Annotated[
    Text | Attachment | Album | Location | ContactCard | Poll | Reaction | Edit | Deletion | DisappearingMessages | Raw,
    Field(discriminator="kind"),
]


class Rendered(NamedTuple):
    """A message as it is encrypted, and what its stanza says of it in the clear."""

    plaintext: bytes
    stanza_type: str = "text"
    media_type: str = ""
    edit: str = ""


class _Stage(NamedTuple):
    chat: str
    sender: str
    media: MediaStore


def render(content: Content, *, chat: str, sender: str, media: MediaStore) -> Rendered:
    """The protocol buffer that the sender's phone makes; files go into the store."""
    stage = _Stage(chat, sender, media)
    match content:
        case Raw():
            return Rendered(content.protobuf, content.stanza_type)
        case Reaction():
            now = int(time.time() * 1000)
            reaction = {"key": _key(content.target, stage), "text": content.emoji, "senderTimestampMS": now}
            return Rendered(encode(MESSAGE, {"reactionMessage": reaction}), "reaction")
        case Edit():
            return _change(
                content.target, stage, {"type": MESSAGE_EDIT, "editedMessage": {"conversation": content.text}}
            )
        case Deletion():
            return _change(content.target, stage, {"type": REVOKE})
        case DisappearingMessages():
            setting = {"type": EPHEMERAL_SETTING, "ephemeralExpiration": content.seconds}
            return Rendered(encode(MESSAGE, {"protocolMessage": setting}))
        case _:
            return _talk(content, stage)


def _talk(content: Text | Attachment | Album | Location | ContactCard | Poll, stage: _Stage) -> Rendered:
    stanza_type, media_type = "text", ""
    context: Values = {"messageSecret": secrets.token_bytes(32)}
    match content:
        case Text():
            message = _text(content)
        case Attachment():
            message = _attachment(content, stage.media.add(content.data, content.media))
            stanza_type, media_type = "media", "ptt" if content.media == "voice" else content.media
            if content.album:
                parent = {"associationType": MEDIA_ALBUM, "parentMessageKey": _key(content.album, stage)}
                context["messageAssociation"] = parent
        case Album():
            counts = {"expectedImageCount": content.images, "expectedVideoCount": content.videos}
            message = {"albumMessage": counts | content.context()}
        case Location():
            place = {"degreesLatitude": content.latitude, "degreesLongitude": content.longitude}
            names = {"name": content.name, "address": content.address}
            message = {"locationMessage": place | _given(names) | content.context()}
            stanza_type, media_type = "media", "location"
        case ContactCard():
            message = {"contactMessage": {"displayName": content.name, "vcard": content.vcard} | content.context()}
            stanza_type, media_type = "media", "vcard"
        case Poll():
            options = [{"optionName": option} for option in content.options]
            poll = {"name": content.question, "options": options, "selectableOptionsCount": 1}
            message, stanza_type = {"pollCreationMessageV3": poll | content.context()}, "poll"
    message["messageContextInfo"] = context
    if content.ephemeral_s:
        message = {"ephemeralMessage": {"message": message}}
    return Rendered(encode(MESSAGE, message), stanza_type, media_type)


def _text(content: Text) -> Values:
    context = content.context()
    if not context and not content.link:
        return {"conversation": content.text}
    link = {"matchedText": content.link, "title": "A page"} if content.link else {}
    return {"extendedTextMessage": {"text": content.text} | link | context}


def _attachment(content: Attachment, stored: StoredMedia) -> Values:
    fields: Values = {
        "mimetype": content.mime_type,
        "fileSHA256": stored.sha256,
        "fileLength": content.claimed_bytes if content.claimed_bytes is not None else len(content.data),
        "mediaKey": stored.key,
        "fileEncSHA256": stored.encrypted_sha256,
        "directPath": stored.direct_path,
        "mediaKeyTimestamp": int(time.time()),
    }
    fields |= content.context()
    match content.media:
        case "audio" | "voice":
            return _once(content, {"audioMessage": fields | {"seconds": 4, "PTT": content.media == "voice"}})
        case "sticker":
            return {"stickerMessage": fields}
        case "document":
            names = _given({"fileName": content.filename, "caption": content.caption})
            document = {"documentMessage": fields | names}
            return {"documentWithCaptionMessage": {"message": document}} if content.caption else document
        case _:
            shape = fields | _given({"caption": content.caption}) | {"height": 480, "width": 640}
            return _once(content, {f"{content.media}Message": shape})


def _once(content: Attachment, message: Values) -> Values:
    if not content.view_once:
        return message
    shown = {name: values | {"viewOnce": True} for name, values in message.items()}
    return {"viewOnceMessageV2": {"message": shown}}


def _change(target: Reference, stage: _Stage, values: Values) -> Rendered:
    change = {"key": _key(target, stage)} | values | {"timestampMS": int(time.time() * 1000)}
    if values["type"] == MESSAGE_EDIT:
        edited = {"editedMessage": {"message": {"protocolMessage": change}}}
        return Rendered(encode(MESSAGE, edited), edit="1")
    return Rendered(encode(MESSAGE, {"protocolMessage": change}), edit="7" if target.sender == stage.sender else "8")


def _key(target: Reference, stage: _Stage) -> Values:
    is_own = target.sender == stage.sender
    others = {} if is_own else {"participant": target.sender}
    return {"remoteJID": stage.chat, "fromMe": is_own, "ID": target.id} | others


def _given(values: Values) -> Values:
    return {name: value for name, value in values.items() if value}
