"""The command line as a person runs it: real processes, an emulated Zoho Desk, and a look at what is left of them."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

SUPPORTBOT = Path(sys.executable).with_name("supportbot")
MARK = "E2E_MARK"
"""A variable that every process of a test inherits, so that none can hide."""

_NO_LIMIT = {"SUPPORTBOT_REQUESTS_PER_MINUTE": "100000"}

GROUP = "120363000000000001@g.us"
ANA = {"phone": "+529985550001", "name": "Ana"}
BRUNO = {"phone": "+529985550002", "name": "Bruno"}

BOT = f"""\
apiVersion: supportbot.dev/v1alpha1
kind: SupportBot
metadata: {{name: tiendas}}
spec:
  language: es
  whatsapp:
    gateway: Simulator
    groups: [{{jid: {GROUP}}}]
    staff: ["{BRUNO["phone"]}"]
  zoho:
    organizationID: "123456789"
    departmentID: "987654321"
    credentialsSecretRef: {{name: zoho}}
---
apiVersion: v1
kind: Secret
metadata: {{name: zoho}}
stringData: {{client-id: demo-client, client-secret: demo-secret, refresh-token: demo-refresh}}
"""


def find_marked(mark: str) -> dict[int, str]:
    """The living processes that inherited a mark: process id and command line. Linux only."""
    found: dict[int, str] = {}
    needle = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if needle in environment and command:  # A zombie has no command line.
                found[int(folder.name)] = command
    return found


def await_that(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """The first true value of a condition about other processes."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


@dataclass(frozen=True)
class Desk:
    """The emulated Zoho Desk."""

    url: str

    @property
    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that it holds."""
        state: dict[str, list[dict[str, Any]]] = httpx.get(f"{self.url}/_emulator/state").json()
        return state

    @property
    def tickets(self) -> list[dict[str, Any]]:
        """Its tickets, oldest first."""
        return self.state["tickets"]

    def go_away(self) -> None:
        """Close every connection from now on."""
        httpx.post(f"{self.url}/_emulator/faults", json={"kind": "down"}).raise_for_status()

    def come_back(self) -> None:
        """Answer again."""
        httpx.delete(f"{self.url}/_emulator/faults").raise_for_status()


@contextmanager
def run_desk() -> Iterator[Desk]:
    """An emulated Zoho Desk as a process."""
    command = [sys.executable, "-m", "supportbot.emulators.zoho", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Desk(json.loads(process.stdout.readline())["desk"])
        finally:
            process.terminate()
            process.wait(10)


class Up:
    """`supportbot up` as a process; what it says goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, mark: str) -> None:
        self.process, self._log, self._mark = process, log, mark

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")  # The last letter may be half written.

    @property
    def children(self) -> dict[int, str]:
        """The living processes that it started."""
        return {pid: command for pid, command in find_marked(self._mark).items() if pid != self.process.pid}

    def pid_of(self, name: str) -> int:
        """The process of a service or of `nats-server`."""
        return next(pid for pid, command in self.children.items() if name in command)

    @cached_property
    def addresses(self) -> dict[str, str]:
        """The base URL of each process, from the lines behind the ready line."""
        await_that(lambda: "nats " in self.said or self.process.poll() is not None, 60)
        assert "is ready" in self.said, self.said
        return dict(re.findall(r"^  (\w+) +(\S+://\S+)$", self.said, re.MULTILINE))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Do something in the simulated group."""
        answer = httpx.post(f"{self.addresses['whatsapp']}/simulator/{path}", json=body).raise_for_status().json()
        return dict(answer)

    def say(self, text: str, *, sender: Mapping[str, str] = ANA, **more: Any) -> str:
        """Write in the group; the message's id."""
        return str(self.post("messages", sender=sender, text=text, **more)["id"])

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What the bot said in the group, oldest first."""
        life = httpx.get(f"{self.addresses['whatsapp']}/simulator/messages").json()["messages"]
        return [entry for entry in life if entry["from_bot"]]

    def interrupt(self, timeout_s: float = 15.0) -> int:
        """Ctrl-C, and its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout_s)


@contextmanager
def recorded_terminal(log: Path) -> Iterator[int]:
    """A terminal whose every word is appended to a file, until the last process on it has ended."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))

    def record() -> None:
        # At the end Linux answers a read with an error.
        with log.open("ab") as file, suppress(OSError):
            while data := os.read(ours, 65536):
                file.write(data)
                file.flush()
        os.close(ours)

    threading.Thread(target=record, daemon=True).start()
    try:
        yield theirs
    finally:
        os.close(theirs)


@contextmanager
def up(folder: Path, desk: Desk, *, env: Mapping[str, str] | None = None, terminal: bool = False) -> Iterator[Up]:
    """`supportbot up bot.yaml` with its data in the folder; whatever is left at the end is killed.

    What it says goes to a file, or first through a terminal.
    """
    bot = folder / "bot.yaml"
    if not bot.exists():
        bot.write_text(BOT)
    mark = uuid4().hex
    log = folder / f"up-{mark[:6]}.log"
    command = [str(SUPPORTBOT), "up", str(bot), "--data", str(folder / "data"), "--free-ports"]
    with log.open("ab") as output, recorded_terminal(log) if terminal else nullcontext(output) as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=make_env(mark, desk, env))
    try:
        running = Up(process, log, mark)
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pid in find_marked(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def make_env(mark: str, desk: Desk | None = None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command."""
    urls = {} if desk is None else dict.fromkeys(("SUPPORTBOT_ZOHO_ACCOUNTS_URL", "SUPPORTBOT_ZOHO_DESK_URL"), desk.url)
    return {**os.environ, MARK: mark, "NO_COLOR": "1", "COLUMNS": "200", **_NO_LIMIT, **urls, **(more or {})}


def run_command(*arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """A command of the command line, to its end."""
    return subprocess.run(
        [str(SUPPORTBOT), *arguments],
        env=make_env(uuid4().hex),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
