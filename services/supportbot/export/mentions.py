"""Finds who is mentioned in a text. Pure."""

import re
from collections.abc import Iterable

from supportbot.export.marks import without_direction

_ISOLATED = re.compile("@\u2068([^\u2069\n]{1,100})\u2069")
"""Newer versions put a mentioned name between isolates, so that its end is known."""
_NUMBER_OR_WORD = r"\+?\d{6,15}|\w+"


class MentionFinder:
    """Knows the names of a chat's authors, which older exports write after `@` without saying where they end."""

    def __init__(self, authors: Iterable[str]) -> None:
        names = sorted({author.removeprefix("~").strip() for author in authors}, key=len, reverse=True)
        known = "|".join(re.escape(name) for name in names if name)
        choices = f"(?:{known})(?!\\w)|{_NUMBER_OR_WORD}" if known else _NUMBER_OR_WORD
        self._bare = re.compile(f"(?<![\\w.@])@({choices})")

    def find(self, body: str) -> tuple[str, ...]:
        """The mentioned names and numbers, without `@`, as they stand, in order, each once.

        Args:
            body: The text with its direction marks.
        """
        if "@" not in body:
            return ()
        found = [(match.start(), without_direction(match[1]).strip()) for match in _ISOLATED.finditer(body)]
        found += [(match.start(), match[1]) for match in self._bare.finditer(body)]
        return tuple(dict.fromkeys(name for _, name in sorted(found)))
