"""`supportbot replay`: what a bot would have made of a chat that the team exported from WhatsApp."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from supportbot.cli.replay.bot import default_bot, read_bot
from supportbot.cli.replay.decisions import check_path, write_decisions
from supportbot.cli.replay.events import Converter
from supportbot.cli.replay.people import Cast, Staff, find_staff
from supportbot.cli.replay.pipeline import run_events
from supportbot.cli.replay.result import Result, fold_run
from supportbot.cli.replay.summary import Heading, describe_result
from supportbot.cli.replay.times import find_zone, parse_limit, to_moments
from supportbot.cli.replay.view import WIDTH, show_heading, show_result
from supportbot.contracts import MessageReceived
from supportbot.errors import UserError
from supportbot.export.chat import ExportedMessage, read_chat
from supportbot.export.moments import spread
from supportbot.spec import SupportBot


def replay_command(
    chat_file: Annotated[Path, typer.Argument(metavar="CHAT", help="The .zip or .txt of 'Export chat'.")],
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JSON lines, one for every message.")
    ] = None,
    staff: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name or number of somebody who solves, as in the chat; repeatable."),
    ] = None,
    bot_file: Annotated[
        Path | None, typer.Option("--bot", metavar="FILE", help="The bot's file: its categories, staff and language.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Leave out what is older: 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Leave out what is newer.")] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of the phone, such as America/Cancun; else this machine's.")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Only the table of tickets, without their messages.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also the messages that belong to no ticket.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Show which tickets a bot would have opened in an exported chat. Nothing leaves this machine."""
    started = time.monotonic()
    if decisions is not None:
        check_path(decisions, read=[chat_file, *([bot_file] if bot_file else [])])
    zone = find_zone(timezone)
    after, before = parse_limit(since, "--since", end=False), parse_limit(until, "--until", end=True)
    bot = read_bot(bot_file) if bot_file is not None else None
    chat = read_chat(chat_file)
    messages = [one for one in chat.messages if (not after or one.at >= after) and (not before or one.at <= before)]
    if not messages:
        raise UserError(f"{str(chat_file)!r} holds no message in that period; see --since and --until")
    bot = bot or default_bot(messages)
    known = find_staff(staff or (), bot.spec.whatsapp.staff, _authors(chat.messages))
    _warn(known)
    moments = to_moments((one.at for one in messages), zone)
    heading = Heading.of(chat_file.name, chat, messages, moments, staff=known, timezone=timezone)
    console = _console(quiet=as_json)
    show_heading(console, heading)
    result = replay(bot, messages, moments, staff=known)
    if decisions is not None:
        write_decisions(decisions, result.lines)
    show_result(console, result, brief=brief, every=every)
    if as_json:
        summary = describe_result(heading, result, seconds=time.monotonic() - started)
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    if not result.complete:
        raise typer.Exit(1)


def replay(bot: SupportBot, messages: list[ExportedMessage], moments: list[datetime], *, staff: Staff) -> Result:
    """Run messages, with their times, through the pipeline; a progress bar runs on a terminal's error stream."""
    install_key = secrets.token_bytes(32)
    converter = Converter(install_key, bot.metadata.name, Cast(install_key, _authors(messages), staff.authors))
    events: dict[int, MessageReceived] = {
        message.line: converter.event(message, at)
        for message, at in zip(messages, spread(moments), strict=True)
        if message.author is not None
    }
    with _progress() as progress:
        task = progress.add_task("replaying", total=len(events))
        run = asyncio.run(run_events(bot, list(events.values()), lambda done: progress.update(task, completed=done)))
    return fold_run(messages, moments, {line: event.message_ref for line, event in events.items()}, run)


def _authors(messages: Iterable[ExportedMessage]) -> list[str]:
    """Everybody who wrote, in the order of their first message."""
    return list(dict.fromkeys(one.author for one in messages if one.author is not None))


def _warn(staff: Staff) -> None:
    """Say which names of `--staff` nobody has, and who may be meant."""
    console = Console(stderr=True)
    for name, near in staff.unknown:
        meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        message = f"--staff: nobody in this chat is called {name!r}{meant}"
        console.print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _console(*, quiet: bool) -> Console:
    console = Console(quiet=quiet)
    return console if console.is_terminal else Console(width=WIDTH, quiet=quiet)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
