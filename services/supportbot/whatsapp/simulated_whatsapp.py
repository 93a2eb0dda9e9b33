"""WhatsApp's side of the simulated group: a file that outlives the service, as WhatsApp's servers do.

It holds what people posted and whether the bot's phone has it, what the bot sent, and the attachments. What the bot
sent is a plain log without any uniqueness, so that whoever checks the product sees a message that was sent twice.
"""

import secrets
import sqlite3
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import AwareDatetime

from supportbot.contracts import Contract
from supportbot.whatsapp.gateway import RawEvent, RawKind, RawMedia, RawPerson
from supportbot.whatsapp.sqlite_thread import SQLiteThread

_SCHEMA = """
CREATE TABLE IF NOT EXISTS life (
  cursor INTEGER PRIMARY KEY AUTOINCREMENT,
  from_bot INTEGER NOT NULL,
  chat TEXT NOT NULL, message_id TEXT NOT NULL,
  key TEXT,                      -- of the bot's: the effect's name
  raw TEXT NOT NULL,             -- JSON of a RawEvent
  delivered INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS life_people ON life (chat, message_id) WHERE NOT from_bot;
CREATE INDEX IF NOT EXISTS life_undelivered ON life (cursor) WHERE NOT delivered;
CREATE INDEX IF NOT EXISTS life_key ON life (key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS media (handle TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
"""


class Entry(Contract):
    """One thing in the life of the simulated groups, in the words of `GET /simulator/messages`."""

    cursor: int
    """Grows with every entry; give the last one as `after`."""
    from_bot: bool
    group: str
    id: str
    kind: RawKind
    sender: RawPerson
    text: str = ""
    quoted: str | None = None
    """Id of the message that this one answers."""
    target: str | None = None
    """Id of the message that is edited, deleted or reacted to."""
    emoji: str = ""
    mentions: tuple[str, ...] = ()
    """Phone numbers or JIDs."""
    media: RawMedia | None = None
    forwarded: bool = False
    sent_at: AwareDatetime
    delivered: bool
    """The bot's phone has it; always true for the bot's own."""
    key: str | None = None
    """Of the bot's own: the effect's name, the same when it was sent twice."""


class SimulatedWhatsApp:
    """The file; a context manager. Every method may be called from any loop."""

    def __init__(self, path: Path) -> None:
        self._db = SQLiteThread(path, schema=_SCHEMA)

    def __enter__(self) -> Self:
        self._db.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._db.__exit__(kind, exc, tb)

    async def post(self, raw: RawEvent) -> bool:
        """Something that a person did, to be delivered to the bot. False: this id was posted to the group before."""
        return await self._db.do(lambda db: _insert(db, raw, key=None))

    async def log_sent(self, raw: RawEvent, *, key: str) -> None:
        """Something that the bot sent."""
        await self._db.do(lambda db: _insert(db, raw, key=key))

    async def find_sent(self, key: str) -> str | None:
        """The id of the first thing that the bot sent under `key`."""
        query = "SELECT message_id FROM life WHERE key = ? ORDER BY cursor LIMIT 1"
        return await self._db.do(lambda db: next((str(row[0]) for row in db.execute(query, (key,))), None))

    async def find(self, chat: str, message_id: str) -> RawEvent | None:
        """A message of a group by its id, the bot's own included."""
        query = "SELECT raw FROM life WHERE chat = ? AND message_id = ? ORDER BY cursor LIMIT 1"
        row = await self._db.do(lambda db: db.execute(query, (chat, message_id)).fetchone())
        return RawEvent.model_validate_json(row[0]) if row else None

    async def undelivered(self, *, limit: int = 200) -> list[tuple[int, RawEvent]]:
        """What waits for the bot's phone, oldest first, with its cursor."""
        query = "SELECT cursor, raw FROM life WHERE NOT delivered ORDER BY cursor LIMIT ?"
        rows = await self._db.do(lambda db: db.execute(query, (limit,)).fetchall())
        return [(cursor, RawEvent.model_validate_json(raw)) for cursor, raw in rows]

    async def mark_delivered(self, cursor: int) -> None:
        """The bot's phone has acknowledged it."""
        update = "UPDATE life SET delivered = 1 WHERE cursor = ?"
        await self._db.do(lambda db: db.execute(update, (cursor,)).rowcount)

    async def life(self, *, after: int = 0, limit: int = 500) -> list[Entry]:
        """What people and the bot did, in the order in which the server saw it."""
        query = "SELECT cursor, from_bot, key, raw, delivered FROM life WHERE cursor > ? ORDER BY cursor LIMIT ?"
        rows = await self._db.do(lambda db: db.execute(query, (after, limit)).fetchall())
        return [
            _to_entry(RawEvent.model_validate_json(raw), cursor, key if from_bot else None, bool(delivered))
            for cursor, from_bot, key, raw, delivered in rows
        ]

    async def put_media(self, data: bytes) -> str:
        """Upload an attachment; its handle."""
        handle = sha256(data).hexdigest()
        insert = "INSERT INTO media VALUES (?, ?) ON CONFLICT DO NOTHING"
        await self._db.do(lambda db: db.execute(insert, (handle, data)).rowcount)
        return handle

    async def get_media(self, handle: str) -> bytes | None:
        """An attachment, or None."""
        query = "SELECT data FROM media WHERE handle = ?"
        return await self._db.do(lambda db: next((bytes(row[0]) for row in db.execute(query, (handle,))), None))


def make_message_id(origin: Literal["phone", "bot"]) -> str:
    """An id as devices choose them; linked devices begin with 3EB0."""
    return ("3EB0" if origin == "bot" else "") + secrets.token_hex(9).upper()


def _insert(db: sqlite3.Connection, raw: RawEvent, *, key: str | None) -> bool:
    from_bot = key is not None
    insert = (
        "INSERT INTO life (from_bot, chat, message_id, key, raw, delivered) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING"
    )
    values = (from_bot, raw.key.chat, raw.key.message_id, key, raw.model_dump_json(), from_bot)
    return db.execute(insert, values).rowcount == 1


def _to_entry(raw: RawEvent, cursor: int, key: str | None, delivered: bool) -> Entry:
    return Entry(
        cursor=cursor,
        from_bot=key is not None,
        group=raw.key.chat,
        id=raw.key.message_id,
        kind=raw.kind,
        sender=raw.sender,
        text=raw.text,
        quoted=raw.quoted.message_id if raw.quoted else None,
        target=raw.target.message_id if raw.target else None,
        emoji=raw.emoji,
        mentions=tuple(person.phone or person.jid for person in raw.mentions),
        media=raw.media,
        forwarded=raw.forwarded,
        sent_at=raw.sent_at,
        delivered=delivered,
        key=key,
    )
