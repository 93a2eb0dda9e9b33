"""The invisible characters of an export, in one place: WhatsApp marks its own words and mentions with them."""

import re
import unicodedata

LEFT_TO_RIGHT = "\u200e"
"""iOS (and Android before attachments) puts it before words that WhatsApp wrote, not a person."""

DIRECTION = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
"""Direction marks, isolates and the byte order mark: no meaning for a reader."""

SPACES = " \t\u00a0\u2007\u2009\u202f"
"""U+202F stands before AM/PM and after the `~` of a push name, U+00A0 inside `p. m.` and phone numbers."""

_DIRECTION_RUN = re.compile(f"[{DIRECTION}]+")
_SPACE_RUN = re.compile(f"[{SPACES}]+")


def without_direction(text: str) -> str:
    """The text without direction marks; joiners of emojis (U+200D) stay."""
    return _DIRECTION_RUN.sub("", text)


def plain(text: str) -> str:
    """One line for comparison with a known wording: no marks, single spaces, composed, lower case."""
    visible = _SPACE_RUN.sub(" ", without_direction(text)).strip()
    return unicodedata.normalize("NFC", visible).casefold()


def plain_name(text: str) -> str:
    """A person's or a chat's name: no marks, single ordinary spaces."""
    return _SPACE_RUN.sub(" ", without_direction(text)).strip()
