"""Messages that WhatsApp believes delivered, but that a crash kept from the journal.

The library notes the secret of a message before it tells anybody of it. A secret without a row in the journal is thus
a message that was lost in between. Messages without a secret leave no such trace.
"""

from datetime import UTC, datetime
from pathlib import Path

from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.identity import Directory, person_of
from supportbot.whatsapp.neonize.session_file import Secret, read_device, secrets_after


def find_lost(
    session: Path, journal: Journal, *, groups: frozenset[str], seen_rowid: int, directory: Directory
) -> list[RawEvent]:
    """What was lost since the row `seen_rowid` of the secrets. To be called before the link is made."""
    device = read_device(session)
    if device is None:
        return []
    secrets = secrets_after(session, seen_rowid, chats=groups, own=device.own_jids)
    return [
        _lost(secret, journal, directory) for secret in secrets if not journal.knows(secret.chat, secret.message_id)
    ]


def _lost(secret: Secret, journal: Journal, directory: Directory) -> RawEvent:
    return RawEvent(
        kind=RawKind.LOST,
        key=MessageKey(chat=secret.chat, sender=secret.sender, message_id=secret.message_id),
        sender=person_of(secret.sender, directory),
        # Its own time is not known; it came after the last that was stored.
        sent_at=journal.last_sent_at(secret.chat) or datetime.now(UTC),
    )
