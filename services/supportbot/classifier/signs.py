"""What the emoji of a reaction means, whatever its skin tone and form. Pure. See `docs/corrections.md`."""

import re

YES = frozenset("👍✅☑✔👌🙏💯🆗🙆")
NO = frozenset("👎❌✖🚫⛔🙅")
TAKEN = frozenset("👀🙋")
"""Staff takes a matter on."""
SOLVED = frozenset("✅☑✔")
MERGE = frozenset("🔁🔄")
SEPARATE = frozenset("🆕")

_FORMS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f\u20e3]")
"""Skin tones, text and emoji style, and the frame of a key."""


def base_of(emoji: str) -> str:
    """The emoji without skin tone, style and what is joined to it, such as a gender; empty when there is none."""
    return _FORMS.sub("", emoji).strip().partition("\u200d")[0]
