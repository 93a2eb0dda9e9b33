"""Finds the lines of an exported chat at which a message starts. Pure; dates are not interpreted here."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import time
from typing import NamedTuple

from supportbot.export.marks import DIRECTION, SPACES

_RARE_SHARE = 0.1
_SP = f"[{SPACES}]"
_DATE = rf"(\d{{1,4}})([/.\-]){_SP}?(\d{{1,2}})\2{_SP}?(\d{{1,4}})\.?"
_CLOCK = rf"(\d{{1,2}})[:.](\d{{2}})(?:[:.](\d{{2}}))?(?:{_SP}?([ap])\.?{_SP}?m\b\.?)?"
# Some languages put a word between date and time: `klo`, `um`, `às`, `a las`.
_STAMP = rf"{_DATE},?{_SP}{_SP}?(?:[^\W\d_]{{1,4}}{_SP}){{0,2}}{_CLOCK}"
_IOS = re.compile(rf"\[{_STAMP}\]{_SP}?(.*)", re.IGNORECASE | re.DOTALL)
_ANDROID = re.compile(rf"{_STAMP}{_SP}[-–]{_SP}?(.*)", re.IGNORECASE | re.DOTALL)


class Shape(NamedTuple):
    """How a phone writes its timestamps. One export is written in one shape; a pasted line rarely has the same."""

    form: str
    separator: str
    year_digits: int
    year_first: bool
    seconds: bool
    half: str
    """`""` on a 24-hour clock, else `a` or `A` as the phone writes its AM and PM."""


class Header(NamedTuple):
    """A line that starts a message: what stands before the text, and the rest of the line."""

    row: int
    """0-based line."""
    shape: Shape
    date: tuple[str, str, str]
    """The three numbers as written, in the order of the file."""
    at: time
    rest: str
    """Author and text, not yet split, direction marks kept."""


def split_lines(text: str) -> list[str]:
    """Lines without their ends. Only line feeds and carriage returns count: U+2028 and the like are text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def find_headers(lines: Sequence[str]) -> list[Header]:
    """The headers of the file's prevailing form (`ios` or `android`), in order; empty when there is none.

    A line in another form or in a rare shape is text that somebody pasted, so it continues the message above it.
    """
    found = [header for row, line in enumerate(lines) if (header := _header(row, line)) is not None]
    if not found:
        return []
    counts = Counter(header.shape for header in found)
    form = _prevailing_form(counts)
    total = sum(count for shape, count in counts.items() if shape.form == form)
    accepted = {shape for shape, count in counts.items() if shape.form == form and count >= _RARE_SHARE * total}
    return [header for header in found if header.shape in accepted]


def _prevailing_form(counts: Counter[Shape]) -> str:
    forms: Counter[str] = Counter()
    for shape, count in counts.items():
        forms[shape.form] += count
    return forms.most_common(1)[0][0]


def _header(row: int, line: str) -> Header | None:
    line = line.lstrip(DIRECTION)
    if line[:1] == "[":
        form, match = "ios", _IOS.match(line)
    elif line[:1].isdigit():
        form, match = "android", _ANDROID.match(line)
    else:
        return None
    if match is None:
        return None
    first, separator, second, third, hour, minute, seconds, half, rest = match.groups()
    year_first = len(first) > 2
    if len(first) == 3 or len(third) not in ((1, 2) if year_first else (2, 4)):
        return None
    at = _time(int(hour), int(minute), int(seconds or 0), half)
    if at is None:
        return None
    digits = len(first) if year_first else len(third)
    letter = "" if half is None else "a" if half.islower() else "A"
    shape = Shape(form, separator, digits, year_first, seconds is not None, letter)
    return Header(row, shape, (first, second, third), at, rest)


def _time(hour: int, minute: int, second: int, half: str | None) -> time | None:
    if half is not None and hour <= 12:
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return time(hour, minute, second)
