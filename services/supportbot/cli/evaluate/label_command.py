"""`supportbot label`: a file in which people say what each message of a chat is; checked, converted, gone through."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from supportbot.cli.evaluate.ask import ask
from supportbot.cli.evaluate.data import explain_faults, read_labels
from supportbot.cli.evaluate.propose import make_rows
from supportbot.cli.evaluate.sheet_file import Form, check_new, dump, form_of, replace_file, write_new
from supportbot.cli.replay.bot import default_bot, read_bot
from supportbot.cli.replay.command import replay
from supportbot.cli.replay.people import find_staff
from supportbot.cli.replay.times import find_zone, parse_limit, to_moments
from supportbot.errors import UserError
from supportbot.evaluation.anonymise import anonymise
from supportbot.evaluation.conversation import Role
from supportbot.evaluation.sheet import SUFFIX, Sheet
from supportbot.export.chat import read_chat
from supportbot.spec.categories import DEFAULT_CATEGORIES


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which messages of a chat, and what is known of it."""

    staff: tuple[str, ...] = ()
    bot_file: Path | None = None
    since: str | None = None
    until: str | None = None
    timezone: str | None = None


def label_command(
    source: Annotated[Path, typer.Argument(metavar="CHAT|FILE", help="An exported chat, or a file of labels.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help=f"New file: labels to edit (*{SUFFIX}), or *.jsonl."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Say how far it is, and what is wrong, by line.")] = False,
    go_through: Annotated[
        bool, typer.Option("--ask", help="Go through the messages here; can be left and resumed.")
    ] = False,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymise", help="Other names and numbers, the same everywhere; read it before you share it."),
    ] = False,
    staff: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of a chat: somebody who solves; repeatable.")
    ] = None,
    bot_file: Annotated[
        Path | None, typer.Option("--bot", metavar="FILE", help="The bot's file: its categories, staff and language.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Of a chat: leave out what is older.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Of a chat: leave out what is newer.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of the phone; else this machine's.")] = None,
) -> None:
    """Make a file to label a chat in, filled with the bot's proposals. It stays on this machine."""
    console = Console(width=None if Console().is_terminal else 200)
    if not source.exists():
        raise UserError(f"{str(source)!r} does not exist")
    form = form_of(source)
    if check:
        _check(console, source, form, bot_file)
        return
    if out is None and (form is Form.CHAT or not go_through):
        raise UserError(f"say with --out which file to make, such as --out {source.stem}{SUFFIX}")
    if out is not None:
        check_new(out)
    wanted = Wanted(staff=tuple(staff or ()), bot_file=bot_file, since=since, until=until, timezone=timezone)
    sheet = propose(source, wanted) if form is Form.CHAT else read_labels(source)
    if anonymous:
        sheet = replace(sheet, rows=tuple(anonymise(sheet.rows)), title="a chat with other names")
    target = out or source
    if out is not None:
        write_new(out, dump(out, sheet))
    if go_through:
        if form_of(target) is not Form.SHEET:
            raise UserError(f"--ask: {str(target)!r} is no file of labels to edit; make one with --out NAME{SUFFIX}")
        sheet = ask(sheet, console, lambda answered: replace_file(target, dump(target, answered)))
    _say_next(console, target, sheet, anonymous=anonymous)


def propose(chat_file: Path, wanted: Wanted) -> Sheet:
    """A sheet of an exported chat, with what the bot makes of it as proposals.

    Raises:
        UserError: The chat or an option is wrong.
    """
    zone = find_zone(wanted.timezone)
    after, before = parse_limit(wanted.since, "--since", end=False), parse_limit(wanted.until, "--until", end=True)
    chat = read_chat(chat_file)
    messages = [one for one in chat.messages if (not after or one.at >= after) and (not before or one.at <= before)]
    if not any(one.author for one in messages):
        raise UserError(f"{str(chat_file)!r} holds no message in that period; see --since and --until")
    bot = read_bot(wanted.bot_file) if wanted.bot_file is not None else default_bot(messages)
    authors = list(dict.fromkeys(one.author for one in chat.messages if one.author is not None))
    known = find_staff(wanted.staff, bot.spec.whatsapp.staff, authors)
    if known.unknown:
        names = ", ".join(repr(name) for name, _ in known.unknown)
        raise UserError(f"--staff: nobody in this chat is called {names}; `supportbot replay` lists who wrote")
    result = replay(bot, messages, to_moments((one.at for one in messages), zone), staff=known)
    return Sheet(tuple(make_rows(result.lines, known)), 0, chat.title or chat_file.name)


def _check(console: Console, path: Path, form: Form, bot_file: Path | None) -> None:
    if form is Form.CHAT:
        raise UserError(f"--check: {str(path)!r} is an exported chat; make a file of labels of it first")
    sheet = read_labels(path)
    bot = read_bot(bot_file) if bot_file is not None else None
    names = [one.name for one in (bot.spec.classification.categories if bot else DEFAULT_CATEGORIES)]
    faults = explain_faults(sheet, sheet.done, names)
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    counts = Counter(row.role for row in sheet.done)
    incidents = len({name for row in sheet.done for name in row.incidents})
    say(f"{sheet.checked:,} of {len(sheet.rows):,} messages are checked, {incidents} incidents")
    if counts:
        say("  " + ", ".join(f"{role.value} {counts[role]}" for role in Role))
    for fault in faults:
        say(f"  {fault}", style="red")
    if faults:
        raise typer.Exit(1)
    say("  nothing is wrong with them", style="green")
    if sheet.checked < len(sheet.rows):
        say("  what stands below the line `checked up to here` is not looked at: those are proposals")


def _say_next(console: Console, path: Path, sheet: Sheet, *, anonymous: bool) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say(f"{path}: {sheet.checked:,} of {len(sheet.rows):,} messages checked", style="bold")
    if anonymous:
        say("  the names are invented. Read it all the same before you give it to anybody: people who did not write,")
        say("  family names, places and documents are as they were")
    else:
        say("  it holds people's words and names, and only you can read it: keep it here, or use --anonymise")
    if path.suffix == ".jsonl" or sheet.checked == len(sheet.rows):
        say(f"  next: supportbot eval {path}")
        return
    say(f"  next: edit it, or `supportbot label {path} --ask`; then `supportbot label {path} --check`")
    say(f"  measure what is checked: supportbot eval {path}")
