"""An event of the library as the raw event of the port. Pure: it reads protobufs by their fields, and never raises.

`normalise_message` and the others return None for what carries nothing that anybody said or did.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind, RawPerson
from supportbot.whatsapp.neonize.content import Content, content_of
from supportbot.whatsapp.neonize.identity import Directory, in_group, is_lid, jid_text, person_of, plain_jid

_REVOKE = 0
_MESSAGE_EDIT = 14
_LAST_SECOND = 253_402_300_799  # Of the year 9999.
_GROUP_NOTES = {"Join": "group_joined", "Leave": "group_left", "Promote": "group_admin", "Demote": "group_admin"}


def chat_of(info: Any) -> str:
    """The chat of a `MessageInfo`, without reading anything else of it."""
    return jid_text(info.MessageSource.Chat)


def normalise_message(event: Any, directory: Directory) -> RawEvent | None:
    """A `Message` event: something that somebody said, changed, took back or reacted to."""
    envelope = _envelope(event.Info, directory)
    if event.Info.MessageSource.IsFromMe:
        return None
    if event.IsViewOnce or event.IsViewOnceV2 or event.IsViewOnceV2Extension:
        return RawEvent(**envelope, note="view_once")
    if not event.HasField("Message"):
        return RawEvent(**envelope, note="unknown")  # It could not be decoded.
    try:
        return _normalise(event.Message, envelope, directory)
    except Exception:  # noqa: BLE001 - strangers choose what is in there, and a message that cannot be read still came
        return RawEvent(**envelope, note="unknown")


def normalise_undecryptable(event: Any, directory: Directory) -> RawEvent | None:
    """An `UndecryptableMessage`: who sent something, and when."""
    if event.Info.MessageSource.IsFromMe:
        return None
    return RawEvent(kind=RawKind.UNDECRYPTABLE, **_envelope(event.Info, directory))


def normalise_history(message: Any, *, chat: str, lid_group: bool, directory: Directory) -> RawEvent | None:
    """A `WebMessageInfo` of the history that a new device is given; not unwrapped, and without a second JID."""
    sender = plain_jid(message.participant or message.key.participant)
    if message.key.fromMe or not sender or not message.HasField("message"):
        return None
    own = in_group(sender, directory, lid_group=lid_group)
    envelope = {
        "key": MessageKey(chat=chat, sender=own, message_id=message.key.ID),
        "sender": person_of(sender, directory, push_name=message.pushName),
        "sent_at": _time(message.messageTimestamp),
    }
    try:
        return _normalise(message.message, envelope, directory)
    except Exception:  # noqa: BLE001 - as above
        return RawEvent(**envelope, note="unknown")


def normalise_group_change(event: Any, directory: Directory) -> RawEvent | None:
    """A `GroupInfoEvent`: who came or went, or what the group is called now. It has no id, so one is made of it."""
    note = _group_note(event)
    if note is None:
        return None
    chat, sender = jid_text(event.JID), jid_text(event.Sender) if event.HasField("Sender") else ""
    digest = hashlib.sha256(event.SerializeToString(deterministic=True)).hexdigest()[:24].upper()
    return RawEvent(
        key=MessageKey(chat=chat, sender=sender or chat, message_id=f"GROUP-{digest}"),
        sender=person_of(sender or chat, directory),
        sent_at=_time(event.Timestamp),
        note=note,
    )


def unknown_field_of(event: Any) -> str | None:
    """The field of the schema because of which a message event became `unknown`, for the log."""
    content = content_of(event.Message)
    return content.unknown_field if content else None


def _envelope(info: Any, directory: Directory) -> dict[str, Any]:
    source = info.MessageSource
    sender, other = jid_text(source.Sender), jid_text(source.SenderAlt)
    return {
        "key": MessageKey(chat=jid_text(source.Chat), sender=sender, message_id=info.ID),
        "sender": person_of(sender, directory, other=other, push_name=info.Pushname),
        "sent_at": _time(info.Timestamp / 1000),
    }


def _time(seconds: float) -> datetime:
    """A time that WhatsApp gave, brought into what a date can be."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)


def _normalise(message: Any, envelope: dict[str, Any], directory: Directory) -> RawEvent | None:
    if message.HasField("editedMessage"):
        message = message.editedMessage.message
    if message.HasField("protocolMessage") and message.protocolMessage.type in (_REVOKE, _MESSAGE_EDIT):
        return _change(message.protocolMessage, envelope, directory)
    if message.HasField("reactionMessage"):
        return _reaction(message.reactionMessage, envelope, directory)
    content = content_of(message)
    return None if content is None else _message(content, envelope, directory)


def _message(content: Content, envelope: dict[str, Any], directory: Directory) -> RawEvent:
    context, key = content.context, envelope["key"]
    return RawEvent(
        **envelope,
        text=content.text,
        media=content.media,
        note=content.note,
        quoted=_quoted(context, key, directory),
        mentions=_mentions(context, directory),
        forwarded=context is not None and (context.isForwarded or context.forwardingScore > 0),
    )


def _change(change: Any, envelope: dict[str, Any], directory: Directory) -> RawEvent:
    target = _target(change.key, envelope["key"], directory)
    if change.type == _REVOKE:
        return RawEvent(**envelope, kind=RawKind.DELETION, target=target)
    content = content_of(change.editedMessage)
    # An edit may come under the id of the message that it changes.
    own_id = envelope["key"].message_id
    if own_id == target.message_id:
        own_id = f"{own_id}.edit.{change.timestampMS}"
    key = envelope["key"].model_copy(update={"message_id": own_id})
    fields = {**envelope, "key": key}
    return RawEvent(**fields, kind=RawKind.EDIT, target=target, text=content.text if content else "")


def _reaction(reaction: Any, envelope: dict[str, Any], directory: Directory) -> RawEvent:
    target = _target(reaction.key, envelope["key"], directory)
    return RawEvent(**envelope, kind=RawKind.REACTION, target=target, emoji=reaction.text)


def _target(key: Any, own: MessageKey, directory: Directory) -> MessageKey:
    """The key that a change names: its participant, or else whoever makes the change."""
    named = plain_jid(key.participant)
    sender = in_group(named, directory, lid_group=is_lid(own.sender)) if named else own.sender
    return MessageKey(chat=own.chat, sender=sender, message_id=key.ID)


def _quoted(context: Any, own: MessageKey, directory: Directory) -> MessageKey | None:
    if context is None or not context.stanzaID:
        return None
    author = in_group(plain_jid(context.participant), directory, lid_group=is_lid(own.sender))
    return MessageKey(chat=own.chat, sender=author or own.sender, message_id=context.stanzaID)


def _mentions(context: Any, directory: Directory) -> tuple[RawPerson, ...]:
    if context is None:
        return ()
    jids = (plain_jid(jid) for jid in context.mentionedJID)
    return tuple(person_of(jid, directory) for jid in jids if jid)


def _group_note(event: Any) -> str | None:
    if event.HasField("Name"):
        return "group_renamed"
    if event.HasField("Topic"):
        return "group_described"
    for name, note in (
        ("Join", "group_joined"),
        ("Leave", "group_left"),
        ("Promote", "group_admin"),
        ("Demote", "group_admin"),
    ):
        if len(getattr(event, name)):
            return note
    return None
