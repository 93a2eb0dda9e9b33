"""Finds texts that try to give orders to the bot or to the model behind it. Pure.

The finding flags a turn, so that a person looks at it before it opens anything; it never suppresses an incident: a
detector that does is a way to hide one. What protects is containment (`guards`, `merge`), not this list.
"""

import base64
import binascii
import codecs
import re
from urllib.parse import unquote

from supportbot.classifier.models.injection_signs import SIGNS
from supportbot.classifier.models.spelling import clean, plain

FLAG_AT = 1.0
MAX_READ_CHARS = 6_000
"""Of a longer text the beginning and the end are read, as they are what a model is shown."""

_LOOKALIKES = str.maketrans("аеорсухікмтвнԁһјѕѡԛɡαεορυικτνχγβη", "aeopcyxikmtbhdhjswqgaeopuiktvxybn")
"""Cyrillic and Greek letters that look like Latin ones, behind `plain`."""
_LEET = str.maketrans("01345789@$!", "oieastbgasi")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_*]{1,2}\w(?!\w)){4,}")
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{16,}={0,2}(?![\w+/])")
_HEX = re.compile(r"(?<!\w)(?:[0-9a-f]{2}){10,}(?!\w)")
_REF = re.compile(r"(?<![\w-])I[1-9]\d?(?![\w-])")
"""As incidents are called in the prompt; nobody in a group calls them so."""
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
_HIDDEN = re.compile("[\U000e0020-\U000e007e]{4,}")
"""Letters that nobody sees; but for the flags of England, Scotland and Wales nothing is written with them."""


def find_injection(text: str) -> tuple[str, ...]:
    """The names of the signs that a text gives orders to the bot, when they are enough to flag it; else none.

    Args:
        text: As it was written, invisible characters and all.
    """
    if len(text) > MAX_READ_CHARS:
        text = f"{text[: MAX_READ_CHARS - 1500]} {text[-1500:]}"
    if _HIDDEN.search(_FLAG.sub("", text)):
        return ("hidden",)
    best, weight = tuple[str, ...](), 0.0
    ref = {"ref": 0.6} if _REF.search(clean(text)) else {}
    for view in _views(text):
        found: dict[str, float] = dict(ref)
        for sign in SIGNS:
            if sign.weight > found.get(sign.name, 0.0) and sign.pattern.search(view):
                found[sign.name] = sign.weight
        if (total := sum(found.values())) > weight:
            best, weight = tuple(sorted(found)), total
    return best if weight >= FLAG_AT else ()


def _views(text: str) -> list[str]:
    """The text in the spellings that hide one: look-alikes, digits for letters, spaced letters, encodings."""
    cleaned = clean(text)
    low = re.sub(r"[ \t]+", " ", plain(cleaned)).replace("’", "'").translate(_LOOKALIKES)
    views = [low, _unleet(low), _SPACED.sub(lambda match: re.sub(r"\W|_", "", match[0]), low)]
    if "\n" in low:
        views.append(" ".join(low.split()))
    if "%" in low:
        views.append(plain(clean(unquote(low))))
    views += [plain(decoded) for decoded in _decoded(cleaned)]
    if re.search(r"(?<!\w)(?:vtaber|vtaben|byivqn|qvfertneq|sbetrg|vafgeh\w+)(?!\w)", low):
        views.append(codecs.decode(low, "rot13"))
    return list(dict.fromkeys(views))


def _unleet(low: str) -> str:
    """Words of letters and digits with the letters that the digits stand for."""
    return re.sub(
        r"(?<![^\W_])[a-z]*[013457@$!][a-z0-9@$!]*[a-z][a-z0-9@$!]*|(?<![^\W_])[a-z]+[013457@$][a-z0-9@$]*",
        lambda match: match[0].translate(_LEET),
        low,
    )


def _decoded(text: str) -> list[str]:
    """What stands behind base64 and hex, where that is text."""
    found = []
    for match in _BASE64.finditer(text):
        try:
            found.append(base64.b64decode(match[0] + "=" * (-len(match[0]) % 4)).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEX.finditer(text.lower()):
        try:
            found.append(bytes.fromhex(match[0]).decode())
        except UnicodeDecodeError:
            continue
    return [one for one in found if sum(c.isalpha() or c == " " for c in one) >= 0.8 * len(one)]
