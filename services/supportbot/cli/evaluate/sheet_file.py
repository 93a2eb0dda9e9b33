"""Labelling files on the disk: only their owner reads them, and nobody's labels are overwritten."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from supportbot.errors import UserError
from supportbot.evaluation.conversation import dump_row
from supportbot.evaluation.sheet import TITLE, Sheet, dump_sheet

JSON_SUFFIX = ".jsonl"
_PRIVATE = 0o600
_START = TITLE.rsplit(" ", 1)[0].encode()


class Form(StrEnum):
    """What a file holds."""

    CHAT = "chat"
    """An export of WhatsApp."""
    SHEET = "sheet"
    JSON = "json"


def form_of(path: Path) -> Form:
    """What an existing file holds, by its suffix and its first words; by its suffix alone when it cannot be read."""
    if path.suffix == JSON_SUFFIX:
        return Form.JSON
    try:
        with path.open("rb") as file:
            start = file.read(len(_START) + 3).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return Form.CHAT
    return Form.SHEET if start.startswith(_START) else Form.CHAT


def dump(path: Path, sheet: Sheet) -> str:
    """The text for a file of that name: JSON lines of what is checked, or the whole sheet.

    Raises:
        UserError: JSON lines are asked for, and nothing is checked.
    """
    if path.suffix != JSON_SUFFIX:
        return dump_sheet(sheet)
    if not sheet.done:
        raise UserError("nothing is checked yet: move the line `checked up to here` below what you have checked")
    return "".join(f"{dump_row(row)}\n" for row in sheet.done)


def check_new(path: Path) -> None:
    """Find out before a long run that a new file can be written.

    Raises:
        UserError: It exists, or its folder does not.
    """
    if path.exists():
        raise UserError(
            f"{str(path)!r} exists, and labels are never overwritten: give another name, or go on with "
            f"`supportbot label {path} --ask`"
        )
    if not path.absolute().parent.is_dir():
        raise UserError(f"the folder of {str(path)!r} does not exist; make it first")


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, for its owner alone.

    Raises:
        UserError: It exists, or cannot be written.
    """
    check_new(path)
    with _explained(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


def replace_file(path: Path, text: str) -> None:
    """Put the text in the place of a file's, whole or not at all. Raises UserError when that is not possible."""
    beside = path.with_name(f"{path.name}.new")
    with _explained(path):
        beside.unlink(missing_ok=True)
        write_new(beside, text)
        beside.replace(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise UserError(f"{str(path)!r} cannot be written ({exc.strerror})") from exc
