"""What the gateway remembers of its link beside the session: its end, earlier pairings, what was not sent after all."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from supportbot.whatsapp.neonize.link_states import Link
from supportbot.whatsapp.sqlite_thread import SQLiteThread

DAY = timedelta(days=1)
KEEP_NOT_SENT = timedelta(days=30)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ended (one INTEGER PRIMARY KEY CHECK (one = 1), link TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS linked (one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TABLE IF NOT EXISTS seen (one INTEGER PRIMARY KEY CHECK (one = 1), row INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pairings (at REAL NOT NULL, what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS not_sent (message_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""


class LinkMemory:
    """The file; a context manager. Every method raises `sqlite3.Error` when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._db = SQLiteThread(path, schema=_SCHEMA)

    def __enter__(self) -> Self:
        self._db.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._db.__exit__(kind, exc, tb)

    async def ended(self) -> Link | None:
        """How the link ended for good, until somebody pairs again or the ban is over."""
        rows = await self._rows("SELECT link FROM ended")
        return Link.model_validate_json(rows[0][0]) if rows else None

    async def put_ended(self, link: Link | None) -> None:
        """Remember or forget it."""
        if link is None:
            await self._write("DELETE FROM ended")
        else:
            await self._write("INSERT OR REPLACE INTO ended VALUES (1, ?)", link.model_dump_json())

    async def linked(self) -> bool:
        """Whether a device was linked that nobody has unlinked here."""
        return bool(await self._rows("SELECT one FROM linked"))

    async def put_linked(self, *, is_linked: bool) -> None:
        """Remember or forget it."""
        await self._write("INSERT OR IGNORE INTO linked VALUES (1)" if is_linked else "DELETE FROM linked")

    async def seen_rowid(self) -> int | None:
        """The row of the session's secrets up to which all messages are accounted for; None when it was never noted."""
        rows = await self._rows("SELECT row FROM seen")
        return int(rows[0][0]) if rows else None

    async def put_seen_rowid(self, rowid: int) -> None:
        """Move it."""
        await self._write("INSERT OR REPLACE INTO seen VALUES (1, ?)", rowid)

    async def count_pairings(self, what: str, now: datetime) -> int:
        """How many `offered` or `linked` there were in the last 24 hours."""
        since = (now - DAY).timestamp()
        rows = await self._rows("SELECT count(*) FROM pairings WHERE what = ? AND at > ?", what, since)
        return int(rows[0][0])

    async def put_pairing(self, what: str, now: datetime) -> None:
        """Remember that a pairing was `offered`, or that one `linked` the bot."""
        await self._write("DELETE FROM pairings WHERE at <= ?", (now - DAY).timestamp())
        await self._write("INSERT INTO pairings VALUES (?, ?)", now.timestamp(), what)

    async def put_not_sent(self, message_ids: tuple[str, ...], now: datetime) -> None:
        """Remember ids that the session has noted for messages that certainly did not go."""
        await self._write("DELETE FROM not_sent WHERE at <= ?", (now - KEEP_NOT_SENT).timestamp())
        for message_id in message_ids:
            await self._write("INSERT OR REPLACE INTO not_sent VALUES (?, ?)", message_id, now.timestamp())

    async def without_not_sent(self, message_ids: tuple[str, ...]) -> list[str]:
        """Those of the ids that may have been sent."""
        known = {row[0] for row in await self._rows("SELECT message_id FROM not_sent")}
        return [message_id for message_id in message_ids if message_id not in known]

    async def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        def read(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return db.execute(query, values).fetchall()

        return await self._db.do(read)

    async def _write(self, statement: str, *values: object) -> None:
        await self._db.do(lambda db: db.execute(statement, values).rowcount)
