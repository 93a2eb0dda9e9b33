"""A SQLite file with one thread that does everything in it; whatever has queued up is committed as one transaction.

Used by the journal and by the simulated WhatsApp. A caller is told the result only after the commit.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Synchronous = Literal["normal", "full"]
"""`normal` in WAL mode survives the death of any process; a loss of power may take the last commits without `full`."""

_BATCH = 500


@dataclass(frozen=True)
class _Job:
    run: Work[Callable[[], None]]
    """Does the work and returns what tells the caller; that is called after the commit only."""
    fail: Callable[[BaseException], None]


class SQLiteThread:
    """The thread and its queue; a context manager. What was submitted before the end is still done.

    Args:
        path: The file; created with its folder, readable by its owner only.
        schema: Statements that create what is missing.
        upgrade: Prepares a file of an earlier version for the schema.
        synchronous: SQLite's setting of that name.
    """

    def __init__(
        self,
        path: Path,
        *,
        schema: str,
        upgrade: Callable[[sqlite3.Connection], None] | None = None,
        synchronous: Synchronous = "normal",
    ) -> None:
        self._path = path
        self._schema = schema
        self._upgrade = upgrade
        self._synchronous = synchronous
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=path.name, daemon=True)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._opened.result()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        with self._door:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def submit(self, work: Work[T]) -> "Future[T]":
        """Have `work` done with the connection, inside a transaction. It must not commit.

        Raises:
            sqlite3.ProgrammingError: The file is closed.
        """
        future: Future[T] = Future()

        def run(db: sqlite3.Connection) -> Callable[[], None]:
            result = work(db)
            return lambda: future.set_result(result) if future.set_running_or_notify_cancel() else None

        def fail(exc: BaseException) -> None:
            if future.set_running_or_notify_cancel():
                future.set_exception(exc)

        with self._door:
            if self._closed:  # Nobody would ever answer, and a gateway's own thread would hold up the end for ever.
                raise sqlite3.ProgrammingError(f"{self._path.name} is closed")
            self._jobs.put(_Job(run=run, fail=fail))
        return future

    async def do(self, work: Work[T]) -> T:
        """`submit` for coroutines."""
        return await asyncio.wrap_future(self.submit(work))

    def _run(self) -> None:
        try:
            db = self._connect()
        except (sqlite3.Error, OSError) as exc:
            self._opened.set_exception(exc)
            return
        self._opened.set_result(None)
        while jobs := self._take():
            _commit(db, jobs)
        db.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None)
        self._path.chmod(0o600)
        db.execute("PRAGMA busy_timeout = 20000")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {self._synchronous}")
        if self._upgrade is not None:
            self._upgrade(db)
        db.executescript(self._schema)
        return db

    def _take(self) -> list[_Job]:
        """The jobs that wait, at least one; empty at the end."""
        jobs: list[_Job] = []
        while len(jobs) < _BATCH and not (jobs and self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                if jobs:
                    self._jobs.put(None)
                break
            jobs.append(job)
        return jobs


def _commit(db: sqlite3.Connection, jobs: list[_Job]) -> None:
    """All jobs in one transaction. If it fails, all of them fail: nobody is told that something is safe."""
    try:
        db.execute("BEGIN IMMEDIATE")
        done = [job.run(db) for job in jobs]
        db.execute("COMMIT")
    except BaseException as exc:  # noqa: BLE001 - every caller gets it; the thread must live on
        if db.in_transaction:
            db.execute("ROLLBACK")
        for job in jobs:
            job.fail(exc)
    else:
        for tell in done:
            tell()
