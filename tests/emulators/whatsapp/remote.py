"""An emulator in a process of its own, held from another: it lives on when the test's other processes are killed."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import TypeAdapter

from .account import Account
from .contents import Content
from .observations import Observations
from .people import Group, Person
from .redirection import merge

_ROOT = Path(__file__).parents[3]
_TIMEOUT_S = 30


class RemoteCallError(Exception):
    """The emulator has refused; the message is its own."""


class RemoteWhatsApp:
    """The methods of `WhatsAppEmulator` that `control.METHODS` names, over HTTP."""

    def __init__(self, process: asyncio.subprocess.Process, control: str, variables: dict[str, str]) -> None:
        self._process = process
        self._http = httpx.AsyncClient(base_url=control, timeout=_TIMEOUT_S, trust_env=False)
        self.control_url = control
        self.variables = variables
        """What the environment of a process with neonize must hold."""

    @classmethod
    async def start(cls, account: Account | None = None) -> Self:
        """Start the process and wait until it listens."""
        arguments = [] if account is None else ["--account", account.model_dump_json()]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.emulators.whatsapp", *arguments),
            cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())
        return cls(process, ready["control"], ready["variables"])

    async def stop(self) -> None:
        """End the process."""
        await self._http.aclose()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def environment(self) -> dict[str, str]:
        """This process's environment with `variables`."""
        return merge(self.variables, os.environ)

    async def call(self, method: str, **arguments: Any) -> Any:
        """Call a method; returns its result as JSON has it.

        Raises:
            RemoteCallError: It was refused.
        """
        body = TypeAdapter(dict[str, Any]).dump_json(arguments)
        return _result(await self._http.post(f"/{method}", content=body))

    async def add_person(self, name: str) -> Person:
        """See `WhatsAppEmulator.add_person`."""
        return Person.model_validate(await self.call("add_person", name=name))

    async def add_group(self, subject: str, members: list[Person], *, jid: str | None = None) -> Group:
        """See `WhatsAppEmulator.add_group`."""
        return Group.model_validate(await self.call("add_group", subject=subject, members=members, jid=jid))

    async def post(self, group: Group, sender: Person, content: Content | str, **options: Any) -> str:
        """See `WhatsAppEmulator.post`."""
        message_id: str = await self.call("post", group=group, sender=sender, content=content, **options)
        return message_id

    async def set_faults(self, **faults: Any) -> None:
        """Change some of `Faults`."""
        _result(await self._http.put("/faults", content=TypeAdapter(dict[str, Any]).dump_json(faults)))

    async def seen(self, after: int = -1) -> Observations:
        """All that was seen, as soon as there is something after a revision, or after a second."""
        return Observations.model_validate_json(
            _checked(await self._http.get("/seen", params={"after": after})).content
        )

    async def until(self, is_so: Callable[[Observations], bool], timeout_s: float = 30) -> Observations:
        """Wait until what was seen fulfils something.

        Raises:
            TimeoutError: It never did.
        """
        seen = await self.seen()
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so(seen):
                    seen = await self.seen(seen.revision)
        except TimeoutError:
            raise TimeoutError(f"not within {timeout_s} s; seen so far: {seen}") from None
        return seen


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise RemoteCallError(f"{response.status_code}: {response.text}")
    return response


def _result(response: httpx.Response) -> Any:
    return _checked(response).json()
