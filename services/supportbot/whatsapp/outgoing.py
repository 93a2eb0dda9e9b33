"""A message that somebody else has the bot send: the rules of `POST /api/send-message`."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime

from supportbot.contracts import Contract
from supportbot.errors import UserError
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.speaker import Speaker


class IdempotencyConflictError(UserError):
    """The idempotency key was used for another message before."""


class Outgoing(Contract):
    """The message."""

    jid: str
    text: str
    mentions: tuple[str, ...] = ()
    """JIDs."""


class OutgoingMessages:
    """Sends them, each idempotency key once, also across restarts.

    Args:
        speaker: Sends, when it may.
        journal: Remembers the keys and the bot's own messages.
    """

    def __init__(self, *, speaker: Speaker, journal: Journal) -> None:
        self._speaker = speaker
        self._journal = journal
        self._turn = asyncio.Lock()

    async def send(self, message: Outgoing, *, caller: str, key: str) -> str:
        """Send it unless it was sent before; returns its id.

        Args:
            message: The message.
            caller: Whose key it is.
            key: The caller's idempotency key, or one that is not used again.

        Raises:
            IdempotencyConflictError: The key stands for another message.
            LimitedError: The limits let nothing through now.
            TemporaryError: Not connected, or no answer came; the same key may be tried again.
        """
        name = "api." + hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest()[:32]
        digest = hashlib.sha256(message.model_dump_json().encode()).hexdigest()
        async with self._turn:
            if await self._journal.claim(name, digest, asked_at=datetime.now(UTC)) != digest:
                raise IdempotencyConflictError("this Idempotency-Key was used for another message; use a new key")
            return await self._speaker.find_sent(name) or await self._send(message, name)

    async def _send(self, message: Outgoing, name: str) -> str:
        message_id = await self._speaker.send(message.jid, message.text, key=name, mentions=message.mentions)
        await self._journal.put_own(message.jid, message_id, incident_id=None, sent_at=datetime.now(UTC))
        return message_id


def to_jid(mention: str) -> str:
    """The JID of a mention that may be given as a phone number.

    Raises:
        ValueError: It is neither.
    """
    if re.fullmatch(r"[0-9]{5,20}@(s\.whatsapp\.net|lid)", mention):
        return mention
    if re.fullmatch(r"\+?[0-9]{7,15}", mention):
        return mention.removeprefix("+") + "@s.whatsapp.net"
    raise ValueError("a mention is a phone number or a participant's JID")
