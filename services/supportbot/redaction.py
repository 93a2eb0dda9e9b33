"""Keeps personal data and secrets out of telemetry: the last step of every log line, pure.

Log events are written without such data in the first place; this is the net below. A field is dropped by its name, and
what looks like a phone number, an address or a credential is replaced wherever it stands.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
MAX_CHARS = 1024
"""Longer strings are cut: a log line is no place for a document."""

_READ_CHARS = 4 * MAX_CHARS
_TORN_CHARS = 128
"""A text is cut before it is searched, so that a huge one costs little; the end, where the cut may have torn a secret
apart, is left out."""

MAX_DEPTH = 4

PRIVATE_WORDS = frozenset(
    {"authorization", "body", "completion", "cookie", "jid", "key", "name"}
    | {"password", "phone", "prompt", "secret", "text", "token"}
)
"""A field is dropped when its name has one of these words: `push_name`, `apiKey` and `x-auth-token` too."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtfvb])|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
"""Where a word starts: also behind an escape, since errors quote values with `!r`."""

_PRIVATE = re.compile(
    "|".join(
        (
            r"eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?",  # A JSON web token.
            _START + r"(?i:bearer|basic|zoho-oauthtoken)\s+\S+",
            _START + r"1000\.[0-9A-Za-z]{8,}(?:\.[0-9A-Za-z]+)?",  # Zoho's tokens and client ids.
            _START + r"sk-[\w-]{8,}",
            _START + r"AIza[\w-]{20,}",
            r"(?<=://)[^/\s@:]+:[^/\s@]+(?=@)",  # The credentials of an address.
            r"(?<![\w.%+:-])[\w.%+:-]++@(?:lid\b|[\w-]+(?:\.[\w-]+)+)",  # E-mail addresses and JIDs.
            r"\+\d(?:[ ().-]{0,2}\d){6,16}(?!\d)",  # A phone number as people write it.
            _START + r"\d{10,15}(?![0-9A-Za-z_])",  # The same without a plus sign; Zoho's ids are longer.
        )
    )
)


def redact(fields: Mapping[str, Any], *, keep: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields without private ones, their values scrubbed; `keep` names fields that are known to be harmless."""
    return {
        str(name): value if name in keep else REDACTED if is_private(str(name)) else redact_value(value)
        for name, value in fields.items()
    }


@lru_cache(maxsize=1024)
def is_private(name: str) -> bool:
    """Whether a field's name says that its value is nobody's business."""
    return any(word.lower() in PRIVATE_WORDS for word in _WORD.findall(name))


def redact_value(value: Any, depth: int = 0) -> Any:
    """A value made of JSON types only, with every string scrubbed; what is nested too deeply is left out."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return REDACTED if redact_text(str(value)) == REDACTED else value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= MAX_DEPTH:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            redact_text(str(name)): REDACTED if is_private(str(name)) else redact_value(item, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item, depth + 1) for item in value]
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """The text with phones, JIDs, e-mail addresses and credentials replaced, at most `MAX_CHARS` long."""
    is_cut = len(text) > _READ_CHARS
    text = _PRIVATE.sub(REDACTED, text[:_READ_CHARS])
    if is_cut:
        text = text[:-_TORN_CHARS] + "…"
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"
