"""The way to a gateway in a cluster: kubectl, with the person's own rights, fetches its key and forwards a port."""

import asyncio
import base64
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from supportbot.errors import UserError
from supportbot.settings import PORTS

GATEWAY = "whatsapp"
KUBECTL = "kubectl"
ANSWER_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Which bot of which cluster; what is not said is kubectl's own choice."""

    bot: str
    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None

    @property
    def options(self) -> list[str]:
        """For every call of kubectl."""
        given = {"--kubeconfig": self.kubeconfig, "--context": self.context, "--namespace": self.namespace}
        return [word for name, value in given.items() if value is not None for word in (name, str(value))]


@asynccontextmanager
async def forward(cluster: Cluster) -> AsyncIterator[tuple[str, str]]:
    """The address of the bot's gateway on this machine, and the bot's API key, for as long as they are used.

    Raises:
        UserError: kubectl is missing, or says no; in its own words.
    """
    key = await _read_key(cluster)
    target = f"service/{cluster.bot}-{GATEWAY}"
    process = await _start(cluster, "port-forward", "--address", "127.0.0.1", target, f":{PORTS[GATEWAY][0]}")
    try:
        yield await _read_address(process), key
    finally:
        await _stop(process)


async def _read_key(cluster: Cluster) -> str:
    name = f"{cluster.bot}-api-key"
    process = await _start(cluster, "get", "secret", name, "--output", "jsonpath={.data.api-key}")
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise UserError(f"kubectl did not answer within {ANSWER_TIMEOUT_S:.0f} s") from None
    finally:
        await _stop(process)
    if process.returncode != 0:
        raise _refusal(complaint)
    if not said:
        raise UserError(f"the Secret {name!r} has no api-key yet; is the operator running?")
    return base64.b64decode(said).decode()


async def _read_address(process: Process) -> str:
    """What kubectl says once it listens: `Forwarding from 127.0.0.1:40123 -> 3001`."""
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            line = await process.stdout.readline()
            if found := re.search(rb"127\.0\.0\.1:(\d+)", line):
                return f"http://127.0.0.1:{int(found[1])}"
            raise _refusal(await process.stderr.read())
    except TimeoutError:
        raise UserError(f"kubectl forwarded no port within {ANSWER_TIMEOUT_S:.0f} s") from None


async def _start(cluster: Cluster, *arguments: str) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            KUBECTL, *cluster.options, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
        )
    except FileNotFoundError as exc:
        raise UserError("kubectl is not on the PATH; install it, or forward the port yourself and use --url") from exc


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _refusal(complaint: bytes) -> UserError:
    words = " ".join(complaint.decode(errors="replace").split())
    return UserError(f"kubectl: {words or 'it ended without a word'}")
