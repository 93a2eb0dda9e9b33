"""Finds and reads labelled conversations: JSON lines, labelling files, folders of both."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from supportbot.classifier.examples import Example, read_examples
from supportbot.errors import UserError
from supportbot.evaluation.conversation import Row, parse_rows, read_text, refuse
from supportbot.evaluation.faults import find_faults
from supportbot.evaluation.sheet import SUFFIX, Sheet, is_sheet
from supportbot.evaluation.sheet_reader import parse_sheet


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files of labels: those that are given, and of folders all that are in them.

    Raises:
        UserError: A path does not exist, a folder holds no labels, or two files have one name.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted([*path.glob("*.jsonl"), *path.glob(f"*{SUFFIX}")])
            if not found:
                raise UserError(f"{str(path)!r} holds no labelled conversation (*.jsonl, *{SUFFIX})")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise UserError(f"{str(path)!r} does not exist")
    names = [name_of(path) for path in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"two of the files are called {twice!r}; give one of them, or rename it")
    return files


def read_labels(path: Path) -> Sheet:
    """The labels of a file of either form; those of JSON lines are all checked.

    Raises:
        UserError: It cannot be read, or is faulty.
    """
    text = read_text(path)
    if is_sheet(text):
        return parse_sheet(text, str(path))
    if text.strip() and not text.lstrip().startswith("{"):
        name = f"{path.stem}{SUFFIX}"
        raise UserError(
            f"{str(path)!r} holds no labels; of an exported chat `supportbot label {path} --out {name}` makes them"
        )
    rows = parse_rows(text, str(path))
    return Sheet(tuple(rows), len(rows), name_of(path))


@dataclass(frozen=True)
class LabelledData:
    """All that there is to measure on."""

    conversations: dict[str, Sequence[Row]]
    """What people have checked, by conversation."""
    corrections: tuple[Example, ...] = ()
    """What people of a running bot's groups said about its decisions."""


def read_data(paths: Iterable[Path]) -> LabelledData:
    """The labels of files and folders.

    Raises:
        UserError: There are none, or they have faults.
    """
    files = find_files(paths)
    corrections = [path for path in files if _holds_corrections(path)]
    return LabelledData(
        _read_conversations(path for path in files if path not in corrections),
        tuple(example for path in corrections for example in _read_corrections(path)),
    )


def _holds_corrections(path: Path) -> bool:
    """Whether a file is one of `supportbot labels`: its lines tell what was decided at the time."""
    first = next((line for line in read_text(path).split("\n") if line.strip()), "")
    try:
        return "predicted" in json.loads(first)
    except (TypeError, ValueError):
        return False


def _read_corrections(path: Path) -> list[Example]:
    try:
        return list(read_examples(read_text(path)))
    except ValueError as exc:
        raise UserError(f"{str(path)!r}: {exc}") from exc


def _read_conversations(files: Iterable[Path]) -> dict[str, Sequence[Row]]:
    data: dict[str, Sequence[Row]] = {}
    for path in files:
        sheet = read_labels(path)
        refuse(str(path), explain_faults(sheet, sheet.done))
        if not sheet.done:
            raise UserError(f"nothing in {str(path)!r} is checked yet; see `supportbot label --check`")
        data[name_of(path)] = sheet.done
    return data


def explain_faults(sheet: Sheet, rows: Sequence[Row], categories: Sequence[str] = ()) -> list[str]:
    """The faults of rows of a sheet, each with its line in the file where there is one."""
    faults = find_faults(rows, categories)
    return [
        f"line {number}: {fault}" if (number := sheet.numbers.get(fault.partition(":")[0])) else fault
        for fault in faults
    ]


def name_of(path: Path) -> str:
    """The conversation's name."""
    return path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem
