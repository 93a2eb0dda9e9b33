"""How a command gets to a bot's server: the options that say where it is, and the connection."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer
from nats.js.errors import NotFoundError

from supportbot.bus import Bus
from supportbot.errors import UnavailableError, UserError
from supportbot.nats_connection import Access
from supportbot.nats_errors import broker_errors
from supportbot.topology import dead_letter_stream

T = TypeVar("T")

URLOption = Annotated[str, typer.Option("--url", envvar="SUPPORTBOT_NATS_URL", help="Where NATS listens.")]
CredsOption = Annotated[
    Path | None,
    typer.Option(
        "--creds",
        envvar="SUPPORTBOT_NATS_CREDENTIALS_FILE",
        exists=True,
        dir_okay=False,
        help="A .creds file for NATS.",
    ),
]
CAOption = Annotated[
    Path | None,
    typer.Option(
        "--ca", envvar="SUPPORTBOT_NATS_CA_FILE", exists=True, dir_okay=False, help="CA certificates (PEM) of NATS."
    ),
]

DEFAULT_URL = "nats://127.0.0.1:4222"
GREETING = b"INFO "
"""What a NATS server says first."""
GREETING_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Place:
    """Which bot, and how to get to its server."""

    url: str
    bot: str
    creds: Path | None
    ca: Path | None


def with_bus(place: Place, use: Callable[[Bus], Awaitable[T]], *, service: str = "dlq") -> T:
    """What `use` makes of a connection to the bot's server.

    Args:
        place: Where.
        use: Is given the connection.
        service: What the connection is called on the server.

    Raises:
        UserError: Nothing answers there, the credentials are refused, or there is no such bot.
    """

    async def run() -> T:
        url = place.url
        # A bus goes on asking for a server that is not there; a person wants to know it at once.
        if not any([await _greets(server.strip()) for server in url.split(",")]):
            shown = ", ".join(server.rpartition("@")[2] for server in url.split(","))
            raise UserError(f"no NATS server answers at {shown}; `supportbot up` says its address: give it with --url")
        access = Access(credentials=place.creds, ca=place.ca)
        async with Bus.connect(url, bot=place.bot, service=service, access=access) as bus:
            try:
                await _check_bot(bus)
                return await use(bus)
            except UnavailableError as exc:
                if not (complaint := bus.connection.complaint):
                    raise
                raise UserError(f"{complaint}; give other ones with --creds") from exc

    return asyncio.run(run())


async def _greets(server: str) -> bool:
    """Whether a NATS server listens there; one that speaks TLS or WebSocket is believed to."""
    try:
        parts = urlsplit(server if "//" in server else f"nats://{server}")
        if parts.scheme in {"tls", "ws", "wss"}:
            return True
        async with asyncio.timeout(GREETING_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 4222)
            with closing(writer):
                return await reader.readexactly(len(GREETING)) == GREETING
    except (ValueError, OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _check_bot(bus: Bus) -> None:
    """Raises UserError when the server knows no bot of that name."""
    with broker_errors():
        try:
            await bus.js.stream_info(dead_letter_stream(bus.bot))
        except (NotFoundError, ValueError):  # ValueError: it could not even be a name.
            raise UserError(f"this NATS server has no bot {bus.bot!r}; see metadata.name in the bot's file") from None
