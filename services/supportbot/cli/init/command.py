"""The command itself: asks or migrates, writes the file, says what is left to do."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from supportbot.cli.init.draft import render
from supportbot.cli.init.env_files import Variables, read_env_files
from supportbot.cli.init.from_env import Migration, migrate
from supportbot.cli.init.questions import ask_draft
from supportbot.errors import UserError
from supportbot.spec import Fault, SpecError, parse_bot_file

OWNER_ONLY = 0o600


def init_command(
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Further files for --from-env.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("bot.yaml"),
    from_env: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Take over a .env file instead of asking questions.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a bot's file: the SupportBot and its Secrets."""
    if more and not from_env:
        raise UserError(f"{more[0]} is given without --from-env: say `supportbot init --from-env {more[0]}`")
    if output.exists() and not force:
        raise UserError(f"{output} exists; --force overwrites it, --output writes another file")
    if not output.absolute().parent.is_dir():
        raise UserError(f"the folder of {output} does not exist; make it first")
    if from_env:
        migration = migrate(_read([*from_env, *(more or ())]), today=datetime.now(UTC).date())
        draft = migration.draft
        _tell(migration)
    else:
        draft = ask_draft()
    text = render(draft, str(output))
    _write(output, text)
    _tell_next(output, _faults(text, str(output)))


def _read(paths: list[Path]) -> Variables:
    return read_env_files([(str(path), _text(path)) for path in paths])


def _text(path: Path) -> str:
    """A file's text; old files that are not UTF-8 are read as Latin-1."""
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror}") from exc
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _write(path: Path, text: str) -> None:
    """Write the file for its owner only, whole or not at all: it holds secrets."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as exc:
        raise UserError(f"{path} cannot be written: {exc.strerror}") from exc


def _faults(text: str, source: str) -> tuple[Fault, ...]:
    try:
        parse_bot_file(text, source=source)
    except SpecError as error:
        return error.faults
    return ()


def _tell(migration: Migration) -> None:
    if migration.carried:
        typer.echo(f"Carried over: {', '.join(migration.carried)}")
    for title, notes in (("Mind:", migration.changed), ("Not carried over:", migration.left)):
        if notes:
            typer.echo("\n  ".join([title, *notes]))


def _tell_next(output: Path, faults: tuple[Fault, ...]) -> None:
    typer.echo(f"Wrote {output}, readable by you alone: it holds secrets.")
    if faults:
        typer.echo("\n  ".join(["Before it can run, fill in:", *map(str, faults)]))
    typer.echo(f"Next: supportbot up {output}")
