"""What the bot sends, as the library's protobufs. Built by hand: the library's own helper answers with phone JIDs."""

import time
from typing import Any

from neonize.proto.waCommon.WACommon_pb2 import MessageKey as ProtoKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    ExtendedTextMessage,
    Message,
    MessageContextInfo,
    ReactionMessage,
)

from supportbot.whatsapp.gateway import MessageKey, Quote


def text_message(text: str, *, secret: bytes, quoted: Quote | None, mentions: tuple[str, ...]) -> Any:
    """A text, with the message that it answers and the people that it mentions.

    Args:
        text: The text, with `@<user>` for each mention.
        secret: By which the session finds it again.
        quoted: Its author is named as they were when the message came.
        mentions: JIDs.
    """
    context = ContextInfo(mentionedJID=mentions)
    if quoted is not None:
        context.stanzaID = quoted.key.message_id
        context.participant = quoted.key.sender
        context.quotedMessage.CopyFrom(Message(conversation=quoted.text))
    return Message(
        extendedTextMessage=ExtendedTextMessage(text=text, contextInfo=context),
        messageContextInfo=MessageContextInfo(messageSecret=secret),
    )


def reaction_message(target: MessageKey, emoji: str, *, secret: bytes, own_jids: frozenset[str]) -> Any:
    """A reaction to a message; an empty emoji takes the bot's own back."""
    is_own = target.sender in own_jids
    key = ProtoKey(
        remoteJID=target.chat,
        fromMe=is_own,
        ID=target.message_id,
        participant=None if is_own else target.sender,
    )
    return Message(
        reactionMessage=ReactionMessage(key=key, text=emoji, senderTimestampMS=int(time.time() * 1000)),
        messageContextInfo=MessageContextInfo(messageSecret=secret),
    )
