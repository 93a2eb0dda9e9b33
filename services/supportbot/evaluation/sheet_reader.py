"""Reads labelling files that people have edited, and says what is wrong in them, by line. Pure."""

import re
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from supportbot.contracts import Priority
from supportbot.evaluation.conversation import Role, Row, explain, refuse
from supportbot.evaluation.sheet import CHECKED, TITLE, Sheet

_LINE = re.compile(
    r"^(?P<label>[^|^]*)\| *(?P<id>[^\s|]+) (?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"(?P<staff> \*)? (?P<author>(?:\\.|[^\\:])+):(?: (?P<said>.*))?$"
)
_DAY = re.compile(r"^== (\d{4}-\d\d-\d\d) ([+-]\d\d:\d\d)$")
_COUNT = re.compile(r"^# messages: (\d+)$")
_FIELDS = re.compile(r"^\s*\^(.*)$")
_TAG = re.compile(
    r"\[(image|video|audio|document|sticker|unknown|quotes|forwarded|mentions|note)(?:: ((?:\\.|[^\\\]])*))?\](?: |$)"
)
_ESCAPED = re.compile(r"\\(.)|⏎")
_PRIORITIES = {one.value.casefold(): one for one in Priority}


def parse_sheet(text: str, source: str) -> Sheet:
    """The sheet of a text. Without the line `checked up to here` everything is checked.

    Raises:
        UserError: Lines are wrong; the first ten are told, each with its number.
    """
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        reader.take(number, line.rstrip("\r"))
    refuse(source, reader.end())
    checked = len(reader.rows) if reader.checked is None else reader.checked
    return Sheet(tuple(reader.rows), checked, reader.title, reader.numbers)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: match[1] or "\n", text)


class _Reader:
    """Takes the lines of a sheet one after the other."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.numbers: dict[str, int] = {}
        self.checked: int | None = None
        self.title = ""
        self._faults: list[str] = []
        self._day: str | None = None
        self._zone = ""
        self._count: int | None = None
        self._broken = 0

    def take(self, number: int, line: str) -> None:
        """Read a line; what is wrong with it is kept for the end."""
        try:
            self._take(number, line)
        except ValueError as exc:
            self._broken += "|" in line
            self._faults.append(f"line {number}: {exc}")

    def end(self) -> list[str]:
        """All that is wrong."""
        held = len(self.rows) + self._broken
        if self._count is not None and held != self._count:
            self._faults.append(
                f"it holds {held} messages and not {self._count}, as it says at its top; which got lost?"
            )
        return self._faults

    def _take(self, number: int, line: str) -> None:
        if line.startswith("#"):
            self._take_comment(line)
        elif day := _DAY.match(line):
            self._day, self._zone = day.groups()
        elif line.startswith("==="):
            if line != CHECKED or self.checked is not None:
                raise ValueError(f"this line is {CHECKED!r}, and there is one")
            self.checked = len(self.rows)
        elif fields := _FIELDS.match(line):
            self._take_fields(fields[1])
        elif line.strip():
            row = self._read_row(line)
            self.rows.append(row)
            self.numbers[row.id] = number

    def _take_comment(self, line: str) -> None:
        if line.startswith(TITLE.rsplit(" ", 1)[0]) and line != TITLE:
            raise ValueError(f"this version reads files that begin with {TITLE!r}")
        if count := _COUNT.match(line):
            self._count = int(count[1])
        self.title = line.removeprefix("# chat: ") if line.startswith("# chat: ") else self.title

    def _read_row(self, line: str) -> Row:
        match = _LINE.match(line)
        if match is None or self._day is None:
            raise ValueError("this is no message line; the part right of the bar must stay as it was")
        values: dict[str, Any] = {
            "id": match["id"],
            "at": datetime.fromisoformat(f"{self._day}T{match['time']}{self._zone}"),
            "author": _unescape(match["author"]),
            "staff": match["staff"] is not None,
            **parse_label(match["label"]),
            **_read_said(match["said"] or ""),
        }
        try:
            return Row.model_validate(values)
        except ValidationError as exc:
            raise ValueError(explain(exc)) from exc

    def _take_fields(self, text: str) -> None:
        if not self.rows or self.rows[-1].role is not Role.OPEN:
            raise ValueError("fields stand below a line that opens an incident")
        self.rows[-1] = self.rows[-1].model_copy(update=parse_fields(text))


def parse_label(text: str) -> dict[str, Any]:
    """`role` and `incidents` of what stands left of the bar: `open A`, or `a A, B`.

    Raises:
        ValueError: It is none.
    """
    word, *incidents = text.replace(",", " ").split() or [""]
    found = [role for role in Role if word and role.value.startswith(word.casefold())]
    if not found:
        raise ValueError(f"{word!r} is no role; there are {', '.join(Role)}")
    return {"role": found[0], "incidents": tuple(incidents)}


def parse_fields(text: str) -> dict[str, Any]:
    """`category`, `priority` and `sites`, as far as they are named: `operations High 909 305`.

    Raises:
        ValueError: There are two of one.
    """
    values: dict[str, Any] = {}
    sites: list[str] = []
    for word in text.replace(",", " ").split():
        if any(map(str.isdigit, word)):
            sites.append(word)
            continue
        name = "priority" if word.casefold() in _PRIORITIES else "category"
        if name in values:
            raise ValueError(f"{word!r} is a second {name}")
        values[name] = _PRIORITIES.get(word.casefold(), word)
    return {**values, "sites": tuple(dict.fromkeys(sites))} if sites else values


def _read_said(said: str) -> dict[str, Any]:
    """The text and what its tags say."""
    values: dict[str, Any] = {}
    while tag := _TAG.match(said):
        word, what = tag[1], tag[2]
        said = said[tag.end() :]
        match word:
            case "forwarded":
                values["forwarded"] = True
            case "quotes":
                values["quoted"] = what
            case "mentions":
                values["mentions"] = tuple(map(_unescape, what.split("; ")))
            case "note":
                values["note"] = what
            case _:
                values["media"] = word
                values["filename"] = _unescape(what) if what else None
    return {**values, "text": _unescape(said)}
