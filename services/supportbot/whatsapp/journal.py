"""What the gateway received, on disk before WhatsApp is told so; and which messages the bot itself has sent.

Only this file knows the WhatsApp key behind a `message_ref`. Rows are published in the order of their `seq`, but for a
backlog, which is held until it is whole and then put in the order of its own times. Two processes may write the file:
SQLite lets one commit after the other, and each waits for its turn.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from supportbot.whatsapp.gateway import MessageKey, Quote, RawEvent, RawKind
from supportbot.whatsapp.sqlite_thread import SQLiteThread, Synchronous

KEEP_RAW = timedelta(days=7)
"""Contents of published messages; the bus and the tickets have them by then."""
KEEP_ROWS = timedelta(days=30)
"""Keys of published messages: what an answer can quote, and how long a repeat by WhatsApp is recognised."""
KEEP_OWN = timedelta(days=90)
"""The bot's own messages: how long a quote of one leads to its incident."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  chat TEXT NOT NULL, sender TEXT NOT NULL, message_id TEXT NOT NULL, kind TEXT NOT NULL,
  message_ref TEXT NOT NULL,
  raw TEXT NOT NULL,            -- JSON of a RawEvent; empty once KEEP_RAW has passed
  sent_at REAL NOT NULL, received_at REAL NOT NULL,
  fetched INTEGER NOT NULL,     -- 0 while an attachment is still to be downloaded
  media_missing TEXT,           -- why there is no attachment although the message had one
  published_at REAL,
  held_until REAL,              -- not published before: a backlog comes in, or a readable copy may come
  place INTEGER,                -- the seq that it takes in the order of publication, when that is not its own
  UNIQUE (chat, sender, message_id, kind)
);
CREATE INDEX IF NOT EXISTS inbox_ref ON inbox (message_ref);
CREATE INDEX IF NOT EXISTS inbox_order ON inbox (coalesce(place, seq)) WHERE published_at IS NULL;
CREATE INDEX IF NOT EXISTS inbox_unfetched ON inbox (chat) WHERE published_at IS NULL AND NOT fetched;
CREATE TABLE IF NOT EXISTS own (
  chat TEXT NOT NULL, message_id TEXT NOT NULL, incident_id TEXT, sent_at REAL NOT NULL,
  PRIMARY KEY (chat, message_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  key TEXT PRIMARY KEY, digest TEXT NOT NULL, asked_at REAL NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = "seq, message_ref, chat, sender, message_id, raw, sent_at, received_at, fetched, media_missing"
_IS_WAITING = """
published_at IS NULL AND coalesce(held_until, 0) <= :now AND NOT EXISTS (
  SELECT 1 FROM inbox AS before
  WHERE before.chat = inbox.chat AND before.published_at IS NULL AND NOT before.fetched
    AND coalesce(before.place, before.seq) <= coalesce(inbox.place, inbox.seq)
)
"""
_PLACEHOLDERS = ", ".join(f"'{kind.value}'" for kind in (RawKind.UNDECRYPTABLE, RawKind.LOST))
"""Kinds that stand for a message which nobody could read."""
_IS_UNFETCHED = "published_at IS NULL AND NOT fetched"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A journalled event that waits for publication."""

    seq: int
    message_ref: str
    key: MessageKey
    raw: str
    """JSON of a `RawEvent`, as it was when it was received."""
    sent_at: datetime
    received_at: datetime
    fetched: bool = True
    """Nothing of the message is still to be downloaded."""
    media_missing: str | None = None


class Journal:
    """The journal file; a context manager. `put` and the coroutines may be called from any thread or loop.

    Every method raises `sqlite3.Error` when the file cannot be read or written.
    """

    def __init__(self, path: Path, *, synchronous: Synchronous = "normal") -> None:
        self._db = SQLiteThread(path, schema=_SCHEMA, upgrade=_upgrade, synchronous=synchronous)

    def __enter__(self) -> Self:
        self._db.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._db.__exit__(kind, exc, tb)

    def put(
        self, raw: RawEvent, *, message_ref: str, received_at: datetime, held_until: datetime | None = None
    ) -> bool:
        """Store an event; it is on disk when this returns. False when it was there already.

        Args:
            raw: The event. A readable message takes the place of what stood for it, while that is held.
            message_ref: Its reference.
            received_at: Now.
            held_until: It waits until then, or until `release`.
        """
        return self._db.submit(lambda db: _insert(db, raw, message_ref, received_at, held_until)).result()

    def release(self) -> int:
        """Let the messages of a backlog go on, in the order of their own time and id; how many they were."""
        return self._db.submit(_release).result()

    async def waiting(self, *, limit: int = 100) -> list[Row]:
        """Rows to be published now, in order.

        In its group a message waits for the attachments of those before it, and for its own.
        """
        now = datetime.now(UTC).timestamp()
        return await self._db.do(lambda db: _select(db, _IS_WAITING, limit, now=now))

    async def unfetched(self, *, limit: int = 10) -> list[Row]:
        """Unpublished rows whose attachment is still to be downloaded, oldest first."""
        return await self._db.do(lambda db: _select(db, _IS_UNFETCHED, limit))

    def knows(self, chat: str, message_id: str) -> bool:
        """Whether anything with that id has come from the chat, or has been sent there by the bot."""
        return self._db.submit(lambda db: _knows(db, chat, message_id)).result()

    def last_sent_at(self, chat: str) -> datetime | None:
        """The latest time of a message from the chat, by the senders' clocks."""
        query = "SELECT max(sent_at) FROM inbox WHERE chat = ?"
        latest: float | None = self._db.submit(lambda db: db.execute(query, (chat,)).fetchone()[0]).result()
        return None if latest is None else datetime.fromtimestamp(latest, UTC)

    async def mark_fetched(self, seq: int, *, missing: str | None = None) -> None:
        """The row's attachment is on disk, or `missing` says why it never will be."""
        await self._write("UPDATE inbox SET fetched = 1, media_missing = ? WHERE seq = ?", missing, seq)

    async def mark_published(self, seq: int, at: datetime) -> None:
        """The row's event is on the bus."""
        await self._write("UPDATE inbox SET published_at = ? WHERE seq = ?", at.timestamp(), seq)

    async def find(self, message_ref: str) -> Quote | None:
        """The message behind a reference, with its text while the journal still has it."""
        return await self._db.do(lambda db: _select_quote(db, message_ref))

    async def put_own(self, chat: str, message_id: str, *, incident_id: str | None, sent_at: datetime) -> None:
        """Remember a message of the bot's own and the incident that it was about; a repeat changes nothing."""
        insert = "INSERT INTO own VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        await self._write(insert, chat, message_id, incident_id, sent_at.timestamp())

    async def incident_of(self, chat: str, message_id: str) -> str | None:
        """The incident that a message of the bot's own was about; None for anybody else's message."""
        query = "SELECT incident_id FROM own WHERE chat = ? AND message_id = ?"
        return await self._db.do(lambda db: next((row[0] for row in db.execute(query, (chat, message_id))), None))

    async def claim(self, key: str, digest: str, *, asked_at: datetime) -> str:
        """Remember what was asked for under an idempotency key; returns the digest of its first use."""
        return await self._db.do(lambda db: _claim(db, key, digest, asked_at))

    async def depth(self) -> int:
        """How many rows wait for publication."""
        query = "SELECT count(*) FROM inbox WHERE published_at IS NULL"
        return await self._db.do(lambda db: int(db.execute(query).fetchone()[0]))

    async def prune(self, now: datetime) -> None:
        """Delete what is older than its retention. Unpublished rows stay, however old."""
        await self._db.do(lambda db: _prune(db, now))

    async def _write(self, statement: str, *values: object) -> None:
        await self._db.do(lambda db: db.execute(statement, values).rowcount)


def _upgrade(db: sqlite3.Connection) -> None:
    """Give a file of an earlier version the columns that it lacks."""
    columns = {row[1] for row in db.execute("PRAGMA table_info(inbox)")}
    for name, kind in (("held_until", "REAL"), ("place", "INTEGER")):
        if columns and name not in columns:
            db.execute(f"ALTER TABLE inbox ADD COLUMN {name} {kind}")


def _insert(
    db: sqlite3.Connection, raw: RawEvent, message_ref: str, received_at: datetime, held_until: datetime | None
) -> bool:
    key = (raw.key.chat, raw.key.sender, raw.key.message_id)
    known = "SELECT 1 FROM inbox WHERE chat = ? AND sender = ? AND message_id = ?"
    if raw.kind in (RawKind.UNDECRYPTABLE, RawKind.LOST):
        if db.execute(known, key).fetchone():
            return False  # It was read before, and is delivered again without the key that it had.
    else:
        held = f"chat = ? AND sender = ? AND message_id = ? AND kind IN ({_PLACEHOLDERS})"
        db.execute(f"DELETE FROM inbox WHERE {held} AND held_until > ?", (*key, received_at.timestamp()))  # noqa: S608
    values = {
        "chat": raw.key.chat,
        "sender": raw.key.sender,
        "message_id": raw.key.message_id,
        "kind": raw.kind.value,
        "message_ref": message_ref,
        "raw": raw.model_dump_json(exclude_defaults=True),
        "sent_at": raw.sent_at.timestamp(),
        "received_at": received_at.timestamp(),
        "fetched": raw.media is None,
        "held_until": held_until.timestamp() if held_until else None,
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    statement = f"INSERT INTO inbox ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
    return db.execute(statement, values).rowcount == 1


def _release(db: sqlite3.Connection) -> int:
    """Give the held rows, which lie in any order, each other's places in the order of their times."""
    held = f"published_at IS NULL AND held_until IS NOT NULL AND kind NOT IN ({_PLACEHOLDERS})"
    in_time = [seq for (seq,) in db.execute(f"SELECT seq FROM inbox WHERE {held} ORDER BY sent_at, message_id")]  # noqa: S608
    places = zip(sorted(in_time), in_time, strict=True)
    db.executemany("UPDATE inbox SET place = ?, held_until = NULL WHERE seq = ?", places)
    return len(in_time)


def _knows(db: sqlite3.Connection, chat: str, message_id: str) -> bool:
    queries = (
        "SELECT 1 FROM inbox WHERE chat = ? AND message_id = ?",
        "SELECT 1 FROM own WHERE chat = ? AND message_id = ?",
    )
    return any(db.execute(query, (chat, message_id)).fetchone() for query in queries)


def _select(db: sqlite3.Connection, where: str, limit: int, **values: float) -> list[Row]:
    query = f"SELECT {_COLUMNS} FROM inbox WHERE {where} ORDER BY coalesce(place, seq) LIMIT :limit"  # noqa: S608
    rows = db.execute(query, {"limit": limit, **values})
    return [
        Row(
            seq=seq,
            message_ref=message_ref,
            key=MessageKey(chat=chat, sender=sender, message_id=message_id),
            raw=raw,
            sent_at=datetime.fromtimestamp(sent_at, UTC),
            received_at=datetime.fromtimestamp(received_at, UTC),
            fetched=bool(fetched),
            media_missing=missing,
        )
        for seq, message_ref, chat, sender, message_id, raw, sent_at, received_at, fetched, missing in rows
    ]


def _select_quote(db: sqlite3.Connection, message_ref: str) -> Quote | None:
    query = (
        "SELECT chat, sender, message_id, raw FROM inbox WHERE message_ref = ? ORDER BY kind = 'message' DESC LIMIT 1"
    )
    row = db.execute(query, (message_ref,)).fetchone()
    if row is None:
        return None
    chat, sender, message_id, raw = row
    return Quote(key=MessageKey(chat=chat, sender=sender, message_id=message_id), text=_read_text(raw))


def _read_text(raw: str) -> str:
    """The text of a row, if it still has one; a row of another version may be unreadable."""
    try:
        return RawEvent.model_validate_json(raw).text if raw else ""
    except ValueError:
        return ""


def _claim(db: sqlite3.Connection, key: str, digest: str, asked_at: datetime) -> str:
    db.execute("INSERT INTO requests VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, digest, asked_at.timestamp()))
    return str(db.execute("SELECT digest FROM requests WHERE key = ?", (key,)).fetchone()[0])


def _prune(db: sqlite3.Connection, now: datetime) -> None:
    db.execute("UPDATE inbox SET raw = '' WHERE raw <> '' AND published_at < ?", ((now - KEEP_RAW).timestamp(),))
    db.execute("DELETE FROM inbox WHERE published_at < ?", ((now - KEEP_ROWS).timestamp(),))
    db.execute("DELETE FROM requests WHERE asked_at < ?", ((now - KEEP_ROWS).timestamp(),))
    db.execute("DELETE FROM own WHERE sent_at < ?", ((now - KEEP_OWN).timestamp(),))
