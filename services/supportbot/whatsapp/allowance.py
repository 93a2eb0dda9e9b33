"""What the bot may still send: the account's history, kept in a file of its own, and the limits applied to it.

The history outlives the process, so that a restart neither ends a pause nor begins a new day.
"""

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from supportbot import metrics
from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import GatewayState, LinkState
from supportbot.whatsapp.limits import (
    DAY,
    History,
    Pause,
    Policy,
    Sent,
    Sign,
    Wait,
    after_sign,
    count_day,
    day_limit,
    find_wait,
    read_sign,
)
from supportbot.whatsapp.sqlite_thread import SQLiteThread

DEPENDENCY = "whatsapp_limits"
LONGEST_HOLD_S = 900.0
"""A message that waits for hours is looked at again this often."""
DIGEST_BYTES = 16

_UNLINKED = frozenset({LinkState.UNPAIRED, LinkState.PAIRING, LinkState.PASSKEY_REQUIRED, LinkState.LOGGED_OUT})
_LINKED = frozenset({LinkState.CONNECTED, LinkState.SYNCING})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (at REAL NOT NULL, digest BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS sent_at ON sent (at);
CREATE TABLE IF NOT EXISTS account (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  linked_at REAL,
  pause TEXT,                   -- JSON: sign, until, in_row
  rejections INTEGER NOT NULL
);
INSERT OR IGNORE INTO account VALUES (1, NULL, NULL, 0);
"""

_log = structlog.get_logger(__name__)


class LimitedError(UnavailableError):
    """The message may not go now; it has not been sent, and waits.

    Args:
        wait: Why, and until when.
        now: Aware.
    """

    def __init__(self, wait: Wait, now: datetime) -> None:
        self.wait = wait
        self.left_s = max(1.0, (wait.until - now).total_seconds())
        words = f"{wait.message}; sending goes on at {wait.until:%Y-%m-%d %H:%M} UTC"
        super().__init__(words, dependency=DEPENDENCY, delay_s=min(self.left_s, LONGEST_HOLD_S))


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of the allowance is used."""

    last_24_hours: int
    limit: int | None
    """None: any number."""
    wait: Wait | None
    """What holds every message back now."""


class Allowance:
    """The account's history and its limits; a context manager. Belongs to one event loop.

    Args:
        path: The file; created when missing.
        policy: The limits.
        clock: Aware UTC now.
    """

    def __init__(
        self, path: Path, policy: Policy, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._db = SQLiteThread(path, schema=_SCHEMA)
        self._policy = policy
        self._clock = clock
        self._history = History()
        self._is_banned = False

    def __enter__(self) -> Self:
        self._db.__enter__()
        self._history = self._db.submit(lambda db: _load(db, self._clock())).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._db.__exit__(kind, exc, tb)

    def usage(self) -> Usage:
        """How things stand now."""
        now = self._clock()
        history, limit = self._history, day_limit(self._policy, self._history, now)
        wait = find_wait(self._policy, history, now)
        return Usage(last_24_hours=count_day(history, now), limit=limit, wait=wait)

    @property
    def linked_at(self) -> datetime | None:
        """When the device was linked, as far as that was seen."""
        return self._history.linked_at

    def check(self, text: str = "") -> None:
        """Raise LimitedError if a message with this text, or a reaction, may not go now."""
        now = self._clock()
        if (wait := find_wait(self._policy, self._history, now, _digest(text))) is not None:
            metrics.WHATSAPP_LIMITED.labels(wait.limit.value).inc()
            raise LimitedError(wait, now)

    @asynccontextmanager
    async def spend(self, text: str = "") -> AsyncIterator[None]:
        """Around the sending of a message, which is counted unless it certainly did not go out.

        Raises:
            LimitedError: It may not go now.
        """
        self.check(text)
        sent = Sent(self._clock(), _digest(text))
        # Counted at once: another message may ask before this one is answered.
        self._history = replace(self._history, sent=[*_recent(self._history, sent.at), sent])
        try:
            yield
        except PermanentError as exc:
            self._take_back(sent)
            await self._note_rejection(exc)
            raise
        except UnavailableError:
            self._take_back(sent)
            raise
        except BaseException:  # Perhaps it is in the group.
            await self._keep(sent)
            raise
        await self._keep(sent)
        if self._history.rejections:
            await self._change(replace(self._history, rejections=0))

    async def observe(self, state: GatewayState) -> None:
        """Take notice of the link: since when it is there, and that the account is banned."""
        now = self._clock()
        if state.link in _UNLINKED and self._history.linked_at is not None:
            await self._change(replace(self._history, linked_at=None))
        elif state.link in _LINKED and self._history.linked_at is None:
            await self._change(replace(self._history, linked_at=now))
        was_banned, self._is_banned = self._is_banned, state.link is LinkState.BANNED
        if self._is_banned and not was_banned:
            await self._pause(Sign.BANNED, at_least_until=state.until)

    async def _note_rejection(self, error: PermanentError) -> None:
        rejections = self._history.rejections + 1
        if (sign := read_sign(error, rejections)) is None:
            await self._change(replace(self._history, rejections=rejections))
        else:
            await self._pause(sign)

    async def _pause(self, sign: Sign, *, at_least_until: datetime | None = None) -> None:
        now = self._clock()
        pause = after_sign(self._history.pause, sign, now, at_least_until=at_least_until)
        if pause == self._history.pause:
            return
        _log.warning("sends_paused", sign=sign.value, until=pause.until.isoformat(), in_row=pause.in_row)
        await self._change(replace(self._history, pause=pause, rejections=0))

    def _take_back(self, sent: Sent) -> None:
        self._history = replace(self._history, sent=[one for one in self._history.sent if one is not sent])

    async def _keep(self, sent: Sent) -> None:
        old = (sent.at - DAY).timestamp()
        await self._db.do(lambda db: _insert(db, sent, old))

    async def _change(self, history: History) -> None:
        self._history = history
        await self._db.do(lambda db: _save(db, history))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES] if text else b""


def _recent(history: History, now: datetime) -> list[Sent]:
    return [one for one in history.sent if one.at > now - DAY]


def _load(db: sqlite3.Connection, now: datetime) -> History:
    linked_at, pause, rejections = db.execute("SELECT linked_at, pause, rejections FROM account").fetchone()
    rows = db.execute("SELECT at, digest FROM sent WHERE at > ? ORDER BY at", ((now - DAY).timestamp(),))
    return History(
        sent=[Sent(_time(at), bytes(digest)) for at, digest in rows],
        linked_at=_time(linked_at) if linked_at is not None else None,
        pause=_parse_pause(json.loads(pause)) if pause else None,
        rejections=rejections,
    )


def _parse_pause(stored: dict[str, str]) -> Pause:
    until = datetime.fromisoformat(stored["until"])
    return Pause(sign=Sign(stored["sign"]), until=until, in_row=int(stored["in_row"]))


def _save(db: sqlite3.Connection, history: History) -> None:
    pause = history.pause
    stored = {"sign": pause.sign, "until": pause.until.isoformat(), "in_row": pause.in_row} if pause else None
    linked_at = history.linked_at.timestamp() if history.linked_at is not None else None
    update = "UPDATE account SET linked_at = ?, pause = ?, rejections = ?"
    db.execute(update, (linked_at, json.dumps(stored) if stored else None, history.rejections))


def _insert(db: sqlite3.Connection, sent: Sent, old: float) -> None:
    db.execute("INSERT INTO sent VALUES (?, ?)", (sent.at.timestamp(), sent.digest))
    db.execute("DELETE FROM sent WHERE at < ?", (old,))


def _time(stored: float) -> datetime:
    return datetime.fromtimestamp(stored, UTC)
