"""Decides whether the day, the month or the year comes first in an export's dates. Pure."""

import re
from collections.abc import Sequence
from datetime import date

ORDERS = ("DMY", "MDY", "YMD")
"""In order of preference when nothing else tells."""

_YEARS = range(2009, 2100)  # WhatsApp began in 2009.
_NAMED_DATE = re.compile(
    r"\b(?:IMG|VID|AUD|PTT|STK|DOC)-(\d{4})(\d\d)(\d\d)-WA"
    r"|-(?:PHOTO|VIDEO|AUDIO|STICKER|GIF)-(\d{4})-(\d\d)-(\d\d)-"
)


def to_date(fields: tuple[str, str, str], order: str) -> date | None:
    """The date that three numbers mean under `order`, or `None`. A first number of four digits is always the year."""
    first, second, third = fields
    if len(first) == 4 or order == "YMD":
        year, month, day = first, second, third
    elif order == "DMY":
        day, month, year = first, second, third
    else:
        month, day, year = first, second, third
    if len(year) not in (2, 4):
        return None
    number = int(year) + (2000 if len(year) == 2 else 0)
    if number not in _YEARS:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def infer_order(dates: Sequence[tuple[str, str, str]], *, named: Sequence[date | None], hint: str | None) -> str:
    """The order in which the whole file makes most sense.

    In order: the fewest impossible dates (a 13th month), the most agreement with the dates in WhatsApp's file names
    (`named`, one for each date, `None` without one), the fewest steps back in time, the `hint`, then `ORDERS`.
    """
    scores = {order: _score(dates, named, order, hint) for order in ORDERS}
    return min(ORDERS, key=lambda order: scores[order])


def _score(
    dates: Sequence[tuple[str, str, str]], named: Sequence[date | None], order: str, hint: str | None
) -> tuple[int, int, int, bool]:
    impossible = agreeing = backwards = 0
    previous: date | None = None
    known: dict[tuple[str, str, str], date | None] = {}
    for fields, name_date in zip(dates, named, strict=True):
        if fields not in known:
            known[fields] = to_date(fields, order)
        day = known[fields]
        if day is None:
            impossible += 1
            continue
        agreeing += day == name_date
        backwards += previous is not None and day < previous
        previous = day
    return impossible, -agreeing, backwards, hint is not None and hint != order


def named_date(line: str) -> date | None:
    """The date in a file name that WhatsApp made (`IMG-20260131-WA0001.jpg`, `00000012-PHOTO-2026-01-31-…`)."""
    match = _NAMED_DATE.search(line)
    if match is None:
        return None
    year, month, day = (int(number) for number in match.groups() if number is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def order_hint(dates: Sequence[tuple[str, str, str]], *, separator: str, half: str, language: str | None) -> str | None:
    """What the phone's language and way of writing suggest; `None` when they tell nothing.

    Month first is the habit of the United States: slashes, capital AM/PM, no leading zeros, English (CLDR `en-US`).
    """
    if separator != "/" or language in ("es", "pt"):
        return "DMY"
    padded = any(number.startswith("0") for fields in dates for number in fields[:2])
    return "MDY" if half == "A" and language == "en" and not padded else None
