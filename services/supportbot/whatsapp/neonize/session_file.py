"""The library's session: one SQLite file, which is the account. Read here; only the library writes it.

Never to be called in a process in which the library has the session open. The library brings a SQLite of its own: when
Python's closes the file, the kernel drops all of the process's locks on it, the library's too, and the memory that it
shares is cut off under it (SIGBUS; "How To Corrupt An SQLite Database File", section 2.2.1). Table and column names are
whatsmeow's; a test on the installed library holds them.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supportbot.whatsapp.neonize.identity import LID_SERVER, PHONE_SERVER, plain_jid

_PARAMETERS = "_foreign_keys=on&_journal_mode=WAL&_busy_timeout=20000&_synchronous=FULL&_tail="
"""The library's own defaults have no busy timeout, and a locked session is a lost message. `_tail=` takes up what the
library appends to the name."""
_BUSY_TIMEOUT_S = 20.0


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


def read_people(path: Path) -> dict[str, str]:
    """The phone's JID of each LID that the session knows."""
    rows = _query(path, "SELECT lid, pn FROM whatsmeow_lid_map")
    return {f"{lid}@{LID_SERVER}": f"{phone}@{PHONE_SERVER}" for lid, phone in rows}


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
