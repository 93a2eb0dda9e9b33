"""Tells what WhatsApp wrote about the group (joined, left, renamed, …) from what people wrote. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

from supportbot.export import wordings
from supportbot.export.marks import LEFT_TO_RIGHT, plain, plain_name

_LONGEST = 600
"""Characters of a notice. The encryption notice, the longest, has some 200."""


def is_notice(body: str, *, author: str, title: str | None) -> bool:
    """Whether a line with an author is a notice all the same, as iOS writes them.

    iOS puts the group's title, or the person concerned, where the author stands, and U+200E before the text.
    """
    if len(body) > _LONGEST or "\n" in body.strip():
        return False
    text = plain(body)
    if wordings.ENCRYPTION.search(text):
        return body.startswith(LEFT_TO_RIGHT) or author == title
    if not body.startswith(LEFT_TO_RIGHT):
        return False
    return author == title or any(pattern.search(text) for pattern in wordings.NOTICES.values())


def quotes_a_name(text: str) -> bool:
    """Whether the beginning of a line is a notice that quotes a name, such as `Ana creó el grupo "Soporte`."""
    return wordings.QUOTING_NOTICE.search(plain(text)) is not None


def is_known(text: str) -> bool:
    """Whether a line without an author has the words of a notice."""
    return any(pattern.search(plain(text)) for pattern in wordings.NOTICES.values())


def language_of(lines: Iterable[str]) -> str | None:
    """`en`, `es` or `pt`: the language in which WhatsApp's own words stand in these lines; `None` when none do."""
    counts: Counter[str] = Counter()
    for line in lines:
        text = plain(line[:_LONGEST])
        counts.update(language for language, words in wordings.LANGUAGE_WORDS.items() if words.search(text))
    return counts.most_common(1)[0][0] if counts else None


def title_of(file_stem: str) -> str | None:
    """The chat's title in the name that WhatsApp gave the file; `None` for `_chat` and other names."""
    match = wordings.FILE_TITLE.fullmatch(re.sub(r" ?\(\d{1,3}\)$", "", plain_name(file_stem)))
    return match["title"] if match else None
