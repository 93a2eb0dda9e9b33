"""One spelling of a text for the rules that protect: nothing invisible, one form of every character. Pure."""

import re
import unicodedata

_INVISIBLE = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
"""Characters without a shape that are no control characters: fillers, variation selectors, tags."""


def clean(text: str) -> str:
    """The text in NFKC without characters that nobody sees; line ends stay, other control characters become spaces."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    if not text.replace("\n", "").replace("\t", "").isprintable():
        seen = (_visible(char) for char in text.replace("\r\n", "\n"))
        text = unicodedata.normalize("NFKC", "".join(seen))
    return text.strip()


def _visible(char: str) -> str:
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return char
    category = unicodedata.category(char)
    if category in {"Cf", "Cs", "Co", "Cn"}:
        return ""
    if category in {"Cc", "Zl", "Zp"}:
        return "\n" if category != "Cc" else " "
    return " " if category == "Zs" else char


def plain(text: str) -> str:
    """The text in lower case without accents, for patterns; every character at its place."""
    if text.isascii():
        return text.lower()
    return "".join(char.lower() if char.isascii() else _base(char) for char in text)


def _base(char: str) -> str:
    """One character of ASCII where there is one: letters without accents, every dash, every script's digits."""
    category = unicodedata.category(char)
    if category == "Pd":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return (unicodedata.normalize("NFD", char)[0].lower() or char)[0]
