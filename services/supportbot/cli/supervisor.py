"""Keeps child processes running: starts them, restarts with back-off what dies, and stops all in reverse order."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supportbot.children import make_die_with_parent
from supportbot.service import MISCONFIGURED

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the restarts of a process that dies again and again."""
STABLE_S = 60.0
"""A process that ran this long starts the back-off anew."""
STOP_TIMEOUT_S = 20.0
"""What does not end this long after SIGTERM is killed."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    """File for its output; None: the terminal of this process."""


Say = Callable[[str, str], None]
"""`(child's name, what happened)`, for the terminal."""


class Supervisor:
    """Runs children until `stop`; each is restarted when it ends by itself."""

    def __init__(self, say: Say, backoff_s: Sequence[float] = BACKOFF_S) -> None:
        self._say = say
        self._backoff_s = backoff_s
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.misconfigured: list[str] = []
        """Children that a restart cannot help."""

    async def start(self, child: Child) -> None:
        """Start `child` and keep it running. Returns once the process exists; it may not be ready yet."""
        self._running[child.name] = await _spawn(child)
        self._tasks[child.name] = asyncio.create_task(self._keep(child), name=f"keep {child.name}")

    def pid(self, name: str) -> int | None:
        """Process id of the child now, or None while it waits for its restart."""
        process = self._running.get(name)
        return process.pid if process is not None and process.returncode is None else None

    async def stop(self) -> None:
        """SIGTERM to all children, the last started first, each awaited before the next; SIGKILL after the timeout."""
        for name in reversed(list(self._tasks)):
            task = self._tasks.pop(name)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await _terminate(self._running.pop(name))

    async def _keep(self, child: Child) -> None:
        deaths = 0
        while True:
            started = time.monotonic()
            status = await self._running[child.name].wait()
            if status == MISCONFIGURED:
                self._say(child.name, "wrong configuration; not started again")
                self.misconfigured.append(child.name)
                return
            deaths = 1 if time.monotonic() - started > STABLE_S else deaths + 1
            wait_s = self._backoff_s[min(deaths, len(self._backoff_s)) - 1]
            self._say(child.name, f"ended ({describe_status(status)}); starting again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            self._running[child.name] = await _spawn(child)
            self._say(child.name, "started again")


@asynccontextmanager
async def supervise(say: Say, backoff_s: Sequence[float] = BACKOFF_S) -> AsyncIterator[Supervisor]:
    """A supervisor that stops its children at the end."""
    supervisor = Supervisor(say, backoff_s)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run `work` beside the block; its failure ends the block, and the block's end cancels it."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work, name=name)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as failures:
        # One of the two failed first; the caller wants that error and not a group of one.
        raise failures.exceptions[0] from None


async def _spawn(child: Child) -> asyncio.subprocess.Process:
    output = child.log.open("ab") if child.log is not None else None
    try:
        return await asyncio.create_subprocess_exec(
            *child.command,
            env={**os.environ, **child.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group of its own: Ctrl-C at the terminal reaches this process, which then stops the children in order.
            start_new_session=True,
            preexec_fn=make_die_with_parent(),
        )
    finally:
        if output is not None:
            output.close()


async def _terminate(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def describe_status(status: int) -> str:
    """How a process ended, from its return code."""
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
