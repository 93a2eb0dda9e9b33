"""Splits `Name: text`. Names may hold colons, so the file as a whole is asked. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from supportbot.export import notices
from supportbot.export.kinds import read_content, starts_as_content
from supportbot.export.marks import LEFT_TO_RIGHT, plain_name

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
    """The authors who are only the beginning of a name: every line goes on with the same few words and a colon.

    Somebody who reports by a form ("Tienda: 305") writes such lines too, but then photos do not come after the colon.
    """
    followers: dict[str, Counter[str]] = defaultdict(Counter)
    confirmed: set[str] = set()
    for author, body in split:
        if author is None:
            continue
        part, rest = _second_part(body)
        followers[author][part] += 1
        if part and author not in confirmed and _is_whatsapps(rest):
            confirmed.add(author)
    return frozenset(author for author in confirmed if _are_names(followers[author]))


def _second_part(body: str) -> tuple[str, str]:
    part, colon, rest = body.partition(": ")
    if not colon or len(part) > _LONGEST_NAME or starts_as_content(body) or "<" in part or LEFT_TO_RIGHT in part:
        return "", body
    return plain_name(part), rest


def _is_whatsapps(body: str) -> bool:
    content = read_content(body)
    return content.media is not None or content.deleted


def _are_names(parts: Counter[str]) -> bool:
    if "" in parts:
        return False
    return sum(count for count in parts.values() if count >= _ENOUGH) >= 0.8 * parts.total()
