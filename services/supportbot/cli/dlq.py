"""`supportbot dlq`: the dead letters of a bot, for the person who decides what becomes of them."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from supportbot.bus import Bus
from supportbot.cli.broker import DEFAULT_URL, CAOption, CredsOption, Place, URLOption, with_bus
from supportbot.deadletters import (
    DeadLetter,
    drop_dead_letter,
    list_dead_letters,
    replay_dead_letter,
    show_dead_letter,
)
from supportbot.errors import UserError
from supportbot.topology import Stage

app = typer.Typer(no_args_is_help=True)

MAX_NUMBER = 2**63 - 1

BotOption = Annotated[str, typer.Option("--bot", help="The bot's name.")]
JSONOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="NUMBER...", min=1, max=MAX_NUMBER, help="Numbers from `list`.")
]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.")]


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
    letters = with_bus(Place(url, bot, creds, ca), lambda bus: list_dead_letters(bus, stage=wanted))
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
    letter = with_bus(Place(url, bot, creds, ca), lambda bus: show_dead_letter(bus, number))
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

    return with_bus(place, run)


def _tell(done: str, letters: list[DeadLetter], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_describe(letter) for letter in letters], indent=2))
        return
    if not letters:
        typer.echo("there are no dead letters")
    for letter in letters:
        typer.echo(f"{done} {letter.seq}: {letter.message_ref} ({letter.stage}, {letter.reason})")


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
