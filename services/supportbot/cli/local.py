"""A bot on a laptop: an embedded NATS server and the services as child processes, on loopback."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from supportbot.bus import Bus
from supportbot.cli.data_folder import BotFolder, DataFolder
from supportbot.cli.ports import LOOPBACK, NATS_PORT, is_free
from supportbot.cli.supervisor import BACKOFF_S, Child, Say, Supervisor, background, describe_status, supervise
from supportbot.errors import UserError
from supportbot.janitor import run_janitor
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology

SERVICES = ("whatsapp", "classifier", "ticket")
READY_TIMEOUT_S = 60.0
LANES = 4
NATS_PAUSE_S = 1.0
"""Wait before the next start of a NATS server that ended before it listened."""


@dataclass(frozen=True, kw_only=True)
class LocalBot:
    """What a bot on this machine runs with."""

    name: str
    folder: BotFolder
    data: DataFolder
    ports: Mapping[str, tuple[int, int]]
    """Of each service the HTTP port and the metrics port."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Further settings of the services."""
    log_to_files: bool = False
    backoff_s: Sequence[float] = BACKOFF_S
    """Waits before the restarts of a service that dies again and again."""

    def address(self, service: str) -> str:
        """Base URL of a service."""
        return f"http://{LOOPBACK}:{self.ports[service][0]}"


@dataclass(frozen=True, kw_only=True)
class RunningBot:
    """A bot whose processes run."""

    bot: LocalBot
    supervisor: Supervisor
    server: EmbeddedServer
    bus: Bus


@asynccontextmanager
async def run_bot(bot: LocalBot, say: Say) -> AsyncIterator[RunningBot]:
    """Start NATS and the services, and stop all at the end. Yields once every service is ready.

    Raises:
        UserError: A service was not ready in time; its last words are in its log.
    """
    bot.data.logs.mkdir(parents=True, exist_ok=True)
    port = NATS_PORT if is_free(NATS_PORT) else 0
    async with (
        EmbeddedServer(bot.data.nats, port=port) as server,
        background(_keep_server(server, say), "keep nats"),
        Bus.connect(server.url, bot=bot.name, service="up") as bus,
    ):
        await ensure_topology(bus.js, bot.name, LANES)
        async with background(run_janitor(bus, lanes=LANES), "janitor"), supervise(say, bot.backoff_s) as supervisor:
            for service in SERVICES:
                await supervisor.start(_child(bot, service, server.url))
            await _until_ready(bot, supervisor)
            yield RunningBot(bot=bot, supervisor=supervisor, server=server, bus=bus)


async def _keep_server(server: EmbeddedServer, say: Say) -> None:
    """Start the NATS server again, on the same port and store, whenever it ends by itself."""
    while True:
        status = await server.process.wait()
        say("nats", f"ended ({describe_status(status)}); starting again")
        try:
            await server.start()
        except UserError as exc:
            say("nats", str(exc))
            await asyncio.sleep(NATS_PAUSE_S)
        else:
            say("nats", "started again")


def _child(bot: LocalBot, service: str, nats_url: str) -> Child:
    return Child(
        name=service,
        command=(sys.executable, "-m", f"supportbot.{service}"),
        env=_environment(bot, service, nats_url),
        log=bot.data.logs / f"{service}.log" if bot.log_to_files else None,
    )


def _environment(bot: LocalBot, service: str, nats_url: str) -> dict[str, str]:
    http, metrics = bot.ports[service]
    return {
        "SUPPORTBOT_SPEC": str(bot.folder.spec.resolve()),
        "SUPPORTBOT_SECRETS": str(bot.folder.secrets.resolve()),
        "SUPPORTBOT_DATA": str(bot.folder.state.resolve()),
        "SUPPORTBOT_INSTALL_KEY_FILE": str(bot.data.install_key.resolve()),
        "SUPPORTBOT_NATS_URL": nats_url,
        "SUPPORTBOT_LANES": str(LANES),
        "SUPPORTBOT_HOST": LOOPBACK,
        "SUPPORTBOT_PORT": str(http),
        "SUPPORTBOT_METRICS_PORT": str(metrics),
        **bot.env,
    }


async def _until_ready(bot: LocalBot, supervisor: Supervisor) -> None:
    """Poll the services' readiness probes, as Kubernetes would."""
    waiting = set(SERVICES)
    try:
        async with httpx.AsyncClient(timeout=2.0) as client, asyncio.timeout(READY_TIMEOUT_S):
            while waiting:
                if supervisor.misconfigured:
                    names = ", ".join(supervisor.misconfigured)
                    raise UserError(f"wrong configuration of {names}; its words are above or in {bot.data.logs}")
                for service in tuple(waiting):
                    if await _is_ready(client, f"{bot.address(service)}/readyz"):
                        waiting.discard(service)
                if waiting:
                    await asyncio.sleep(0.1)
    except TimeoutError:
        names = ", ".join(sorted(waiting))
        raise UserError(f"not ready after {READY_TIMEOUT_S:g} s: {names}; see the logs in {bot.data.logs}") from None


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
