"""`supportbot dlq`: the dead letters of a bot, for the person who decides what becomes of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import typer
from nats.js.errors import NotFoundError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from supportbot.bus import Bus
from supportbot.deadletters import (
    DeadLetter,
    drop_dead_letter,
    list_dead_letters,
    replay_dead_letter,
    show_dead_letter,
)
from supportbot.errors import UnavailableError, UserError
from supportbot.nats_connection import Access
from supportbot.nats_errors import broker_errors
from supportbot.topology import Stage, dead_letter_stream

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)

MAX_NUMBER = 2**63 - 1

BotOption = Annotated[str, typer.Option("--bot", help="The bot's name.")]
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
JSONOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="NUMBER...", min=1, max=MAX_NUMBER, help="Numbers from `list`.")
]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.")]

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


@app.command("list")
def list_command(
    bot: BotOption,
    url: URLOption = DEFAULT_URL,
    creds: CredsOption = None,
    ca: CAOption = None,
    stage: Annotated[str | None, typer.Option(help="Only of whatsapp, classifier or ticket.")] = None,
    as_json: JSONOption = False,
) -> None:
    """List the dead letters, oldest first."""
    wanted = _parse_stage(stage)
    letters = _with_bus(Place(url, bot, creds, ca), lambda bus: list_dead_letters(bus, stage=wanted))
    if as_json:
        typer.echo(json.dumps([_describe(letter) for letter in letters], indent=2))
        return
    if not letters:
        typer.echo(f"{bot} has no dead letters")
        return
    table = Table(box=None)
    for name in ("number", "stage", "reason", "tries", "since (UTC)"):
        table.add_column(name, no_wrap=True)
    table.add_column("error")
    for letter in letters:
        since = letter.at.strftime("%Y-%m-%d %H:%M")
        cells = (letter.seq, letter.stage, letter.reason, letter.attempts, since, letter.error)
        table.add_row(*(escape(str(cell)) for cell in cells))
    Console().print(table)


@app.command("show")
def show_command(
    number: Annotated[int, typer.Argument(min=1, max=MAX_NUMBER, help="A number from `list`.")],
    bot: BotOption,
    url: URLOption = DEFAULT_URL,
    creds: CredsOption = None,
    ca: CAOption = None,
    show_text: Annotated[bool, typer.Option("--show-text", help="With the event, which holds message text.")] = False,
) -> None:
    """Show one dead letter as JSON."""
    letter = _with_bus(Place(url, bot, creds, ca), lambda bus: show_dead_letter(bus, number))
    shown = _describe(letter)
    if show_text:
        shown["event"] = _body(letter)
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@app.command("replay")
def replay_command(
    bot: BotOption,
    numbers: Numbers = None,
    url: URLOption = DEFAULT_URL,
    creds: CredsOption = None,
    ca: CAOption = None,
    every: All = False,
    as_json: JSONOption = False,
) -> None:
    """Put dead letters back on their way, in their order."""
    _tell("replayed", _each(Place(url, bot, creds, ca), numbers, every, replay_dead_letter), as_json)


@app.command("drop")
def drop_command(
    bot: BotOption,
    numbers: Numbers = None,
    url: URLOption = DEFAULT_URL,
    creds: CredsOption = None,
    ca: CAOption = None,
    every: All = False,
    as_json: JSONOption = False,
) -> None:
    """Delete dead letters for good."""
    _tell("dropped", _each(Place(url, bot, creds, ca), numbers, every, drop_dead_letter), as_json)


def _each(
    place: Place, numbers: list[int] | None, every: bool, do: Callable[[Bus, int], Awaitable[DeadLetter]]
) -> list[DeadLetter]:
    """Do it to the named dead letters, or to all, oldest first."""
    if bool(numbers) == every:
        raise UserError("give the numbers of dead letters, or --all")

    async def run(bus: Bus) -> list[DeadLetter]:
        chosen = numbers or [letter.seq for letter in await list_dead_letters(bus)]
        return [await do(bus, number) for number in sorted(chosen)]

    return _with_bus(place, run)


def _tell(done: str, letters: list[DeadLetter], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_describe(letter) for letter in letters], indent=2))
        return
    if not letters:
        typer.echo("there are no dead letters")
    for letter in letters:
        typer.echo(f"{done} {letter.seq}: {letter.message_ref} ({letter.stage}, {letter.reason})")


def _with_bus(place: Place, use: Callable[[Bus], Awaitable[T]]) -> T:
    async def run() -> T:
        url = place.url
        # A bus goes on asking for a server that is not there; a person wants to know it at once.
        if not any([await _greets(server.strip()) for server in url.split(",")]):
            shown = ", ".join(server.rpartition("@")[2] for server in url.split(","))
            raise UserError(f"no NATS server answers at {shown}; `supportbot up` says its address: give it with --url")
        access = Access(credentials=place.creds, ca=place.ca)
        async with Bus.connect(url, bot=place.bot, service="dlq", access=access) as bus:
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


def _parse_stage(name: str | None) -> Stage | None:
    try:
        return Stage(name) if name is not None else None
    except ValueError:
        raise UserError(f"{name!r} is no stage; use {', '.join(Stage)}") from None


def _describe(letter: DeadLetter) -> dict[str, Any]:
    """Everything but the event itself."""
    return {
        "number": letter.seq,
        "stage": letter.stage.value,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "first_at": letter.first_at.isoformat(),
        "at": letter.at.isoformat(),
        "event_type": letter.event_type,
        "event_id": letter.event_id,
        "message_ref": letter.message_ref,
        "group_ref": letter.group_ref,
    }


def _body(letter: DeadLetter) -> Any:
    try:
        return json.loads(letter.body)
    except ValueError:
        return letter.body.decode("utf-8", "replace")
