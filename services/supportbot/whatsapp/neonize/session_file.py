"""The library's session: one SQLite file, which is the account. Read here; only the library writes it.

Table and column names are whatsmeow's; a test on the installed library holds them.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from supportbot.whatsapp.neonize.identity import LID_SERVER, PHONE_SERVER, Directory, plain_jid

_PARAMETERS = "_foreign_keys=on&_journal_mode=WAL&_busy_timeout=20000&_synchronous=FULL&_tail="
"""The library's own defaults have no busy timeout, and a locked session is a lost message. `_tail=` takes up what the
library appends to the name."""
_BUSY_TIMEOUT_S = 20.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Device:
    """The linked device, as the session has it."""

    jid: str
    lid: str

    @property
    def own_jids(self) -> frozenset[str]:
        """The account's JIDs."""
        return frozenset(jid for jid in (self.jid, self.lid) if jid)

    @property
    def phone(self) -> str | None:
        """The account's number in E.164."""
        return "+" + self.jid.partition("@")[0] if self.jid.endswith("@" + PHONE_SERVER) else None


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A message of which the session has noted the secret, which it does before anybody is told of the message."""

    rowid: int
    chat: str
    sender: str
    message_id: str


def session_name(path: Path) -> str:
    """What the library takes for the name of its session."""
    return f"{path}?{_PARAMETERS}"


def message_secret(key: str) -> bytes:
    """The secret by which what was sent under `key` is found again; it is noted before the message goes."""
    return hashlib.sha256(key.encode()).digest()


def read_device(path: Path) -> Device | None:
    """The linked device; None when there is none, or no session at all."""
    rows = _query(path, "SELECT jid, coalesce(lid, '') FROM whatsmeow_device LIMIT 1")
    return next((Device(jid=plain_jid(jid), lid=plain_jid(lid)) for jid, lid in rows), None)


def sent_ids(path: Path, key: str) -> tuple[str, ...]:
    """The ids of the messages that were sent, or about to be, under `key`."""
    query = "SELECT message_id FROM whatsmeow_message_secrets WHERE key = ? ORDER BY rowid"
    return tuple(message_id for (message_id,) in _query(path, query, message_secret(key)))


def last_rowid(path: Path) -> int:
    """The latest row of the secrets."""
    return next((rowid for (rowid,) in _query(path, "SELECT max(rowid) FROM whatsmeow_message_secrets") if rowid), 0)


def secrets_after(path: Path, rowid: int, *, chats: Iterable[str], own: frozenset[str]) -> list[Secret]:
    """The messages of others in `chats` whose secrets were noted after that row."""
    wanted = frozenset(chats)
    query = (
        "SELECT rowid, chat_jid, sender_jid, message_id FROM whatsmeow_message_secrets WHERE rowid > ? ORDER BY rowid"
    )
    rows = _query(path, query, rowid)
    secrets = [
        Secret(rowid=number, chat=chat, sender=plain_jid(sender), message_id=message_id)
        for number, chat, sender, message_id in rows
        if chat in wanted
    ]
    return [secret for secret in secrets if secret.sender not in own]


def remove_session(path: Path) -> None:
    """Delete the session, with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def open_directory(path: Path) -> Directory:
    """What the session knows of LIDs and phones now, and what it will have learnt by each call."""

    def look_up(column: str, known: str, jid: str, server: str) -> str | None:
        query = f"SELECT {column} FROM whatsmeow_lid_map WHERE {known} = ?"  # noqa: S608 - both are names of ours
        try:
            rows = _query(path, query, jid.partition("@")[0])
        except sqlite3.Error as exc:  # The message matters more than the other side of its sender.
            _log.warning("directory_unreadable", error_type=type(exc).__name__)
            return None
        return next((f"{user}@{server}" for (user,) in rows), None)

    return Directory(
        lid_of=lambda jid: look_up("lid", "pn", jid, LID_SERVER) if jid.endswith("@" + PHONE_SERVER) else None,
        phone_of=lambda jid: look_up("pn", "lid", jid, PHONE_SERVER) if jid.endswith("@" + LID_SERVER) else None,
    )


def _query(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of a query; none while the library has not made its tables."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)) as db:
        try:
            return db.execute(query, values).fetchall()
        except sqlite3.OperationalError as exc:
            if "no such table" in str(exc):
                return []
            raise
