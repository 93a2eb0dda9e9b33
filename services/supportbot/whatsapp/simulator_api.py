"""The simulated group over HTTP: for the demo's page, for scripts and for the tests. Mounted with the simulator only.

What people do is idempotent by its id: the same id posted twice to a group is one message.
"""

import base64
import mimetypes
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import AwareDatetime, Field, StringConstraints

from supportbot.contracts import Contract
from supportbot.errors import UserError
from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind, RawMedia, RawPerson
from supportbot.whatsapp.simulated_whatsapp import Entry, SimulatedWhatsApp, make_message_id
from supportbot.whatsapp.simulator import BOT, Faults, Simulator

PREFIX = "/simulator"
MAX_BODY_BYTES = 32 * 1024 * 1024
"""An attachment of 20 MiB in base64, with room."""
MAX_CURSOR = 2**63 - 1
"""SQLite's largest integer."""

BodyID = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,128}$")]
BodyGroup = Annotated[str, StringConstraints(pattern=r"^[0-9]+(-[0-9]+)?@g\.us$", max_length=64)]
BodyPhone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{7,15}$")]
BodyText = Annotated[str, StringConstraints(max_length=65_536)]


class PersonBody(Contract):
    """Somebody in the group."""

    phone: BodyPhone
    name: Annotated[str, StringConstraints(max_length=100)] = ""


class MediaBody(Contract):
    """An attachment."""

    filename: Annotated[str, StringConstraints(max_length=255)] | None = None
    mime_type: Annotated[str, StringConstraints(max_length=100)] | None = None
    """Guessed from the file name when absent."""
    base64: str


class ActionBody(Contract):
    """What everything that people do has in common."""

    id: BodyID | None = None
    """Chosen by the caller to make a repeat harmless; made up when absent."""
    group: BodyGroup | None = None
    """The group's JID; the bot's first group when absent."""
    sent_at: AwareDatetime | None = None
    """Now when absent."""


class MessageBody(ActionBody):
    """A message."""

    sender: PersonBody
    text: BodyText = ""
    quoted: BodyID | None = None
    mentions: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Phone numbers, or `bot`."""
    media: MediaBody | None = None
    forwarded: bool = False
    note: Annotated[str, StringConstraints(max_length=40)] | None = None
    """`location`, `contact`, `poll`… for a message that is neither text nor an attachment."""


class TargetBody(ActionBody):
    """Something done to an earlier message; by its own sender unless said otherwise."""

    target: BodyID
    sender: PersonBody | None = None


class EditBody(TargetBody):
    """A new text for a message."""

    text: BodyText


class ReactionBody(TargetBody):
    """A reaction; an empty emoji takes it back."""

    emoji: Annotated[str, StringConstraints(max_length=32)]
    sender: PersonBody


class PhoneBody(Contract):
    """What the bot's phone scanned, or what somebody typed on it."""

    shown: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Posted(Contract):
    """What became of a post."""

    id: str
    created: bool
    """False: this id was posted before, and nothing has changed."""


class Life(Contract):
    """A part of the groups' life."""

    messages: tuple[Entry, ...]
    cursor: int
    """Give it as `after` to get what comes next."""


def create_router(simulator: Simulator, server: SimulatedWhatsApp, *, default_group: str) -> APIRouter:
    """The endpoints under `/simulator`."""
    router = APIRouter(prefix=PREFIX, tags=["simulator"])
    people = _People(simulator, server, default_group)

    @router.post("/messages", operation_id="post_message")
    async def post_message(body: MessageBody) -> Posted:
        return await people.say(body)

    @router.post("/edits", operation_id="post_edit")
    async def post_edit(body: EditBody) -> Posted:
        return await people.act(body, RawKind.EDIT, text=body.text)

    @router.post("/deletions", operation_id="post_deletion")
    async def post_deletion(body: TargetBody) -> Posted:
        return await people.act(body, RawKind.DELETION)

    @router.post("/reactions", operation_id="post_reaction")
    async def post_reaction(body: ReactionBody) -> Posted:
        return await people.act(body, RawKind.REACTION, emoji=body.emoji)

    @router.get("/messages", operation_id="list_messages")
    async def list_messages(
        after: Annotated[int, Query(ge=0, le=MAX_CURSOR)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> Life:
        entries = await server.life(after=after, limit=limit)
        return Life(messages=tuple(entries), cursor=entries[-1].cursor if entries else after)

    @router.get("/media/{handle}", operation_id="get_media")
    async def get_media(handle: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]) -> Response:
        data = await server.get_media(handle)
        if data is None:
            raise HTTPException(404, "no such attachment")
        return Response(data, media_type="application/octet-stream")

    @router.get("/faults", operation_id="get_faults")
    async def get_faults() -> Faults:
        return simulator.faults

    @router.post("/faults", operation_id="set_faults")
    async def set_faults(faults: Faults) -> Faults:
        simulator.set_faults(faults)
        return faults

    @router.post("/phone", operation_id="link_by_phone", status_code=204)
    async def link_by_phone(body: PhoneBody) -> None:
        if not simulator.link_by_phone(body.shown):
            raise HTTPException(409, "no such code is offered now")

    return router


class _People:
    """Turns request bodies into what the server gets."""

    def __init__(self, simulator: Simulator, server: SimulatedWhatsApp, default_group: str) -> None:
        self._simulator = simulator
        self._server = server
        self._default_group = default_group

    async def say(self, body: MessageBody) -> Posted:
        sender = to_person(body.sender)
        quoted = (await self._find(body, body.quoted)).key if body.quoted else None
        return await self._post(
            RawEvent(
                key=self._key(body, sender),
                sender=sender,
                sent_at=body.sent_at or datetime.now(UTC),
                text=body.text,
                media=await self._upload(body.media) if body.media else None,
                quoted=quoted,
                mentions=tuple(to_mention(mention) for mention in body.mentions),
                forwarded=body.forwarded,
                note=body.note,
            )
        )

    async def act(self, body: TargetBody, kind: RawKind, **changes: Any) -> Posted:
        target = await self._find(body, body.target)
        sender = to_person(body.sender) if body.sender else target.sender
        key = self._key(body, sender)
        sent_at = body.sent_at or datetime.now(UTC)
        return await self._post(
            RawEvent(kind=kind, key=key, sender=sender, sent_at=sent_at, target=target.key, **changes)
        )

    async def _post(self, raw: RawEvent) -> Posted:
        created = await self._server.post(raw)
        self._simulator.posted()
        return Posted(id=raw.key.message_id, created=created)

    def _key(self, body: ActionBody, sender: RawPerson) -> MessageKey:
        message_id = body.id or make_message_id("phone")
        return MessageKey(chat=body.group or self._default_group, sender=sender.jid, message_id=message_id)

    async def _find(self, body: ActionBody, message_id: str) -> RawEvent:
        raw = await self._server.find(body.group or self._default_group, message_id)
        if raw is None:
            raise HTTPException(404, f"the group has no message {message_id!r}")
        return raw

    async def _upload(self, media: MediaBody) -> RawMedia:
        try:
            data = base64.b64decode(media.base64, validate=True)
        except ValueError as exc:
            raise UserError("media.base64 is not base64") from exc
        guessed, _ = mimetypes.guess_type(media.filename or "")
        mime_type = media.mime_type or guessed or "application/octet-stream"
        return RawMedia(
            handle=await self._server.put_media(data),
            kind=to_media_kind(mime_type),
            mime_type=mime_type,
            filename=media.filename,
            size_bytes=len(data),
        )


def to_person(body: PersonBody) -> RawPerson:
    """A participant, with the JID that a phone number has."""
    digits = body.phone.removeprefix("+")
    return RawPerson(jid=f"{digits}@s.whatsapp.net", phone=f"+{digits}", push_name=body.name or None)


def to_mention(mention: str) -> RawPerson:
    """Somebody mentioned by phone number, or the bot.

    Raises:
        UserError: It is neither.
    """
    if mention == "bot":
        return BOT
    if not re.fullmatch(r"\+?[0-9]{7,15}", mention):
        raise UserError(f"a mention is a phone number or 'bot', not {mention!r}")
    return to_person(PersonBody(phone=mention))


def to_media_kind(mime_type: str) -> str:
    """The kind of message that WhatsApp makes of a file."""
    if mime_type == "image/webp":
        return "sticker"
    family = mime_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "document"
