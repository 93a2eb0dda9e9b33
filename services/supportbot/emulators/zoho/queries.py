"""Query parameters: names, ranges, paging, sorting. Unknown ones are refused, as Zoho does. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from .answers import Record, unprocessable
from .clock import parse_iso, to_iso

_SEARCH_LENGTHS = {"_all": (3, 100), "subject": (3, 1000), "tag": (3, 1000)}
CUSTOM_FIELD_PARAMETERS = frozenset(f"customField{number}" for number in range(1, 11))


@dataclass(frozen=True, slots=True)
class Paging:
    """How a call pages. `search` calls start at 0 whatever the base of the lists is."""

    default: int
    maximum: int
    last_from: int = 4999
    search: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list."""

    offset: int
    limit: int

    def of(self, rows: Sequence[Record]) -> Sequence[Record]:
        """The rows of this page."""
        return rows[self.offset : self.offset + self.limit]


def check_names(query: Mapping[str, str], allowed: Iterable[str]) -> None:
    """Refuse the first parameter that the call does not know.

    Raises:
        RefusedError: 422.
    """
    for name in query:
        if name not in allowed:
            raise unprocessable(f"Extra query parameter '{name}' is present in the input.")


def parse_page(query: Mapping[str, str], paging: Paging, base: int) -> Page:
    """`from` and `limit`; `base` is the number of the first row.

    Raises:
        RefusedError: 422; not a number, or out of range.
    """
    first = 0 if paging.search else base
    start = _number(query, "from", first, (first, paging.last_from))
    limit = _number(query, "limit", paging.default, (1, paging.maximum))
    return Page(start - first, limit)


def _number(query: Mapping[str, str], name: str, default: int, span: tuple[int, int]) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not span[0] <= int(text) <= span[1]:
        raise unprocessable(f"The value passed for field '{name}' exceeds the range of '{span[0]}-{span[1]}'.")
    return int(text)


def parse_sort(query: Mapping[str, str], allowed: Sequence[str]) -> tuple[str, bool]:
    """`sortBy` as a name and whether it is descending; the default is the first allowed, ascending.

    Raises:
        RefusedError: 422.
    """
    text = query.get("sortBy", allowed[0])
    name = text.removeprefix("-")
    if name not in allowed:
        raise unprocessable(f"The value passed for field 'sortBy' is invalid: {text!r}.")
    return name, text.startswith("-")


def sort_rows(rows: Iterable[Record], key: str, *, descending: bool) -> list[Record]:
    """Rows by a field, of equal ones the later first when descending; rows without it come last either way."""
    rows = list(rows)
    with_key = [row for row in rows if row.get(key)]
    with_key.sort(key=itemgetter(key))
    return (with_key[::-1] if descending else with_key) + [row for row in rows if not row.get(key)]


def parse_names(query: Mapping[str, str], name: str, allowed: Iterable[str], maximum: int = 30) -> tuple[str, ...]:
    """A comma-separated list such as `fields` or `include`; empty if absent.

    Raises:
        RefusedError: 422; an unknown name, or too many.
    """
    if name not in query:
        return ()
    names = tuple(query[name].split(","))
    unknown = sorted(set(names) - set(allowed))
    if unknown or len(names) > maximum:
        raise unprocessable(f"The value passed for field '{name}' is invalid: {(unknown or list(names))[0]!r}.")
    return names


def parse_flag(query: Mapping[str, str], name: str, *, default: bool | None = None) -> bool | None:
    """`true` or `false`.

    Raises:
        RefusedError: 422; anything else.
    """
    if name not in query:
        return default
    if query[name] not in {"true", "false"}:
        raise unprocessable(f"The value passed for field '{name}' is invalid: {query[name]!r}.")
    return query[name] == "true"


def parse_range(query: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """`<iso>,<iso>` as two times in the form of the records, which sorts as text.

    Raises:
        RefusedError: 422; not two times with a zone.
    """
    if name not in query:
        return None
    parts = query[name].split(",")
    try:
        start, end = (to_iso(parse_iso(part)) for part in parts)
    except (ValueError, OverflowError):
        raise unprocessable(f"The value passed for field '{name}' is invalid: {query[name]!r}.") from None
    return start, end


def check_search_lengths(query: Mapping[str, str]) -> None:
    """Refuse search texts that are too short or too long.

    Raises:
        RefusedError: 422.
    """
    for name, (shortest, longest) in _SEARCH_LENGTHS.items():
        if name in query and not shortest <= len(query[name]) <= longest:
            raise unprocessable(f"The value passed for field '{name}' exceeds the range of '{shortest}-{longest}'.")


def custom_field_terms(query: Mapping[str, str], known: Iterable[str]) -> list[tuple[str, str]]:
    """The `customField1=cf_api:value` parameters as pairs.

    Raises:
        RefusedError: 422; no such custom field.
    """
    terms: list[tuple[str, str]] = []
    for name in sorted(CUSTOM_FIELD_PARAMETERS & query.keys()):
        api_name, colon, value = query[name].partition(":")
        if not colon or api_name not in known:
            raise unprocessable(f"The value passed for field '{name}' is invalid: {query[name]!r}.")
        terms.append((api_name, value))
    return terms
