"""A hand on the process of `library.py`."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

_LIBRARY = Path(__file__).with_name("library.py")
_LIMIT = 1 << 24


class LibraryError(Exception):
    """The library has raised a `NeonizeError`; the message is its own."""


@dataclass(frozen=True)
class Event:
    """What the library has reported."""

    name: str
    body: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of a message."""
        return str(self.body["Info"]["ID"])


class LibraryProcess:
    """The real neonize in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, stderr: Path) -> None:
        self._process = process
        self._stderr = stderr
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._woken = asyncio.Event()
        self.events: list[Event] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, session: Path, environment: Mapping[str, str]) -> Self:
        """Start it; it connects by itself."""
        stderr = session.with_suffix(".log")
        with stderr.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(_LIBRARY),
                str(session),
                env={**environment, "NEONIZE_BOT_TAG": "off"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LIMIT,
            )
        return cls(process, stderr)

    async def call(self, name: str, **arguments: Any) -> Any:
        """Ask for something and wait for its result.

        Raises:
            LibraryError: The library has refused.
        """
        return await self.begin(name, **arguments)

    def begin(self, name: str, **arguments: Any) -> asyncio.Future[Any]:
        """Ask for something; the future is its result."""
        assert self._process.stdin is not None
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "call": name, "arguments": arguments}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return self._answers[number]

    def of(self, name: str) -> list[Event]:
        """The events of a name, so far."""
        return [event for event in self.events if event.name == name]

    @property
    def messages(self) -> list[Event]:
        """The messages that say something: those which only bring a sender's key are left out."""
        silent = {"senderKeyDistributionMessage", "messageContextInfo"}
        return [event for event in self.of("Message") if set(event.body.get("Message", {})) - silent]

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 15) -> None:
        """Wait until something is so; asked again whenever something was reported.

        Raises:
            TimeoutError: It never was.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    await self._woken.wait()
        except TimeoutError:
            said = [event.name for event in self.events]
            raise TimeoutError(f"not within {timeout_s} s; reported: {said}\n{self.log()[-3000:]}") from None

    async def event(self, name: str, timeout_s: float = 15) -> Event:
        """The first event of a name."""
        await self.until(lambda: bool(self.of(name)), timeout_s)
        return self.of(name)[0]

    def log(self) -> str:
        """What the process has written to stderr."""
        return self._stderr.read_text(errors="replace")

    async def kill(self) -> None:
        """As the kernel kills a process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def ended(self) -> int:
        """Wait for the end of the process; its return code."""
        return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._take(json.loads(line))
            self._woken.set()
            self._woken = asyncio.Event()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.cancel()

    def _take(self, said: dict[str, Any]) -> None:
        if "event" in said:
            self.events.append(Event(said["event"], said["body"]))
        elif "error" in said:
            self._answers.pop(said["answer"]).set_exception(LibraryError(said["error"]))
        else:
            self._answers.pop(said["answer"]).set_result(said["result"])
