"""One run of the process that has the link, as the service sees it: frames out, frames in, and its end."""

import asyncio
import itertools
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

import structlog

from supportbot.children import make_die_with_parent
from supportbot.contracts import Contract
from supportbot.errors import UnavailableError
from supportbot.whatsapp.neonize.wire import (
    FROM_PROCESS,
    Answer,
    Beat,
    Call,
    Command,
    Drain,
    FromProcess,
    Start,
    WireError,
    encode,
    read_frame,
    to_error,
)

CALL_TIMEOUT_S = 100.0
"""The library gives up a send after 75 s."""
DRAIN_TIMEOUT_S = 40.0
"""Longer than the process itself waits for what the library still holds, and shorter than a pod's grace period."""
ENVIRONMENT: Mapping[str, str] = {
    # Otherwise every message is marked as a bot's, which some groups refuse.
    "NEONIZE_BOT_TAG": "off",
    # The library's own heap, beside the interpreter's: it keeps the process small, and never refuses memory.
    "GOMEMLIMIT": "48MiB",
    "GOGC": "50",
    "MALLOC_ARENA_MAX": "2",
}
COMMAND = (sys.executable, "-m", "supportbot.whatsapp.neonize")

_log = structlog.get_logger(__name__)

Handler = Callable[[FromProcess], Awaitable[None]]


class LinkEndedError(Exception):
    """The process has ended while something was asked of it."""


class LinkProcess:
    """The process. `run` must be running for its frames to be read."""

    def __init__(self, process: asyncio.subprocess.Process, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]):
        self._process = process
        self._reader, self._writer = streams
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[Answer, bytes]]] = {}
        self._heard_at = time.monotonic()
        self.ended = asyncio.Event()
        """Set once the process is no more."""

    @classmethod
    async def spawn(cls, start: Start, command: tuple[str, ...] = COMMAND) -> Self:
        """Start it. The library's runtime sees only the environment that a process begins with, so it is set here."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                env={**os.environ, **ENVIRONMENT},
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A signal to the service's group is the service's to handle.
                start_new_session=True,
                preexec_fn=make_die_with_parent(),
            )
        running = cls(process, await asyncio.open_connection(sock=ours))
        running._write(start)
        return running

    @property
    def silence_s(self) -> float:
        """How long it has said nothing."""
        return time.monotonic() - self._heard_at

    async def run(self, handle: Handler) -> int:
        """Hand over its frames until it ends; its exit status. Nobody waits for an answer any more then."""
        try:
            while (frame := await read_frame(self._reader)) is not None:
                self._heard_at = time.monotonic()
                message = FROM_PROCESS.validate_json(frame[0])
                if isinstance(message, Answer):
                    self._settle(message, frame[1])
                elif not isinstance(message, Beat):
                    await handle(message)
        except (WireError, ValueError) as exc:
            _log.error("link_process_incomprehensible", error_type=type(exc).__name__)
            self.kill()
        finally:
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(LinkEndedError)
        status = await self._process.wait()
        self.ended.set()
        return status

    async def call(self, command: Command, *, timeout_s: float = CALL_TIMEOUT_S) -> tuple[Answer, bytes]:
        """Have it do something.

        Returns:
            Its answer, with a failure if there was one, and a download's bytes.

        Raises:
            LinkEndedError: It has ended; the command may have been done.
            UnavailableError: It had ended before; nothing was done.
            TimeoutError: No answer came.
        """
        number = next(self._numbers)
        waiting: asyncio.Future[tuple[Answer, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._write(Call(id=number, command=command))
            async with asyncio.timeout(timeout_s):
                return await waiting
        finally:
            del self._waiting[number]

    def drain(self) -> None:
        """Ask it to store what has come, and to end."""
        self._write(Drain())

    def kill(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()

    def _write(self, message: Contract) -> None:
        if self._writer.is_closing():
            raise UnavailableError("the link to WhatsApp has ended", dependency="whatsapp", delay_s=1)
        self._writer.write(encode(message))

    def _settle(self, answer: Answer, body: bytes) -> None:
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result((answer, body))


def raise_failure(answer: Answer) -> None:
    """Raise what an answer says to have failed."""
    if answer.failure is not None:
        raise to_error(answer.failure)
