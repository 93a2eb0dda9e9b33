"""Splits `Name: text`. Names may hold colons, so the file as a whole is asked. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from supportbot.export import notices
from supportbot.export.kinds import starts_as_content
from supportbot.export.marks import plain_name

_LONGEST_NAME = 100
_ENOUGH = 3
"""Lines that must agree before `A: B` is taken for a name."""


def split_authors(rests: Sequence[str]) -> list[tuple[str | None, str]]:
    """For the rest of each header line, the author (`None`: a notice) and the text after it, marks kept."""
    first = [_split_first(rest) for rest in rests]
    prefixes = _names_with_colon(first)
    result: list[tuple[str | None, str]] = []
    for author, body in first:
        more, colon, text = body.partition(": ")
        if author in prefixes and colon:
            result.append((plain_name(f"{author}: {more}"), text))
        else:
            result.append((author, body))
    return result


def _split_first(rest: str) -> tuple[str | None, str]:
    name, colon, body = rest.partition(": ")
    if not colon:
        # A message without text: editors cut the space after the colon.
        stripped = rest.rstrip()
        if not stripped.endswith(":") or notices.is_known(stripped):
            return None, rest
        name, body = stripped[:-1], ""
    if not plain_name(name) or len(name) > _LONGEST_NAME or notices.quotes_a_name(name):
        return None, rest
    return plain_name(name), body


def _names_with_colon(split: Sequence[tuple[str | None, str]]) -> frozenset[str]:
    """The authors who are only the beginning of a name: every line goes on with the same few words and a colon."""
    followers: dict[str, Counter[str]] = defaultdict(Counter)
    for author, body in split:
        if author is not None:
            followers[author][_second_part(body)] += 1
    return frozenset(author for author, parts in followers.items() if _are_names(parts))


def _second_part(body: str) -> str:
    part, colon, _ = body.partition(": ")
    return plain_name(part) if colon and len(part) <= _LONGEST_NAME and not starts_as_content(body) else ""


def _are_names(parts: Counter[str]) -> bool:
    if "" in parts:
        return False
    return sum(count for count in parts.values() if count >= _ENOUGH) >= 0.8 * parts.total()
