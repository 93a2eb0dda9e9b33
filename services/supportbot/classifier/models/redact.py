"""Takes personal data out of what a model is shown, and puts it back into what goes to the ticket. Pure.

Within one `Redactor` the same value has the same placeholder. Participants become P1, P2…; their known names are
masked in every text. Names of other people are not recognised.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from supportbot.classifier.models.names import Names, names_in
from supportbot.classifier.models.private import find_private
from supportbot.classifier.models.spelling import clean, plain

PLACEHOLDER = re.compile(r"<(?:P\d+|(?:PHONE|EMAIL|ID|ACCOUNT|SECRET|IP|CONTACT|PERSON)(?:_\d+)?)>")
"""`<P2>`, `<PHONE_1>`; in labels `<PHONE>`."""

HIDDEN = "•••"
"""Stands in a ticket's subject for a secret, which is in the conversation anyway."""

_AT_NAME = re.compile(r"(?<!\w)@[^\W\d_][\w.~-]{1,40}(?: [A-ZÁÉÍÓÚÑ][^\W\d_]{2,20}){0,2}")
_TO_EVERYBODY = frozenset({"all", "aqui", "canal", "channel", "equipo", "everyone", "group", "grupo", "here", "todas"})
_TO_EVERYBODY |= {"team", "todos"}


@dataclass(frozen=True)
class Participant:
    """Somebody of the group, by what texts may call them."""

    ref: str
    names: tuple[str, ...] = ()
    """Push name, first name."""
    phone: str | None = None


class Redactor:
    """The redaction of one request; keeps what it took out.

    Args:
        people: The participants that are known.
    """

    def __init__(self, people: Sequence[Participant] = ()) -> None:
        self.placeholders: dict[str, str] = {}
        """What was taken out, by placeholder."""
        self._names = Names((word, one.ref) for one in people for name in one.names for word in names_in(name))
        self._phones = {re.sub(r"\D", "", one.phone): one.ref for one in people if one.phone}
        self._pseudonyms: dict[str, str] = {}
        self._values: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def pseudonym(self, ref: str) -> str:
        """P1, P2… in the order in which people are asked for."""
        return self._pseudonyms.setdefault(ref, f"P{len(self._pseudonyms) + 1}")

    def redact(self, text: str, mentions: Sequence[str] = ()) -> str:
        """The text, cleaned, with placeholders.

        Args:
            text: As it was written.
            mentions: References of the people that it mentions with @, in order.
        """
        text = _disarm(clean(text))
        places: list[tuple[int, int, str]] = []
        for start, end, kind, ref in _find(text, self._names, mentions, self._phones):
            at_sign = "@" if text[start] == "@" else ""
            value = text[start + len(at_sign) : end]
            places.append((start, end, at_sign + (self._person(ref, value) if ref else self._value(kind, value))))
        return _replace(text, places)

    def _person(self, ref: str, name: str) -> str:
        placeholder = f"<{self.pseudonym(ref)}>"
        self.placeholders.setdefault(placeholder, name)
        return placeholder

    def _value(self, kind: str, value: str) -> str:
        same = (kind, re.sub(r"[\s().+-]", "", value).casefold())
        if same not in self._values:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._values[same] = f"<{kind}_{self._counts[kind]}>"
            self.placeholders[self._values[same]] = value
        return self._values[same]


def restore(text: str, placeholders: Mapping[str, str]) -> str:
    """The text with what its placeholders stand for; secrets stay hidden, unknown placeholders go."""

    def put_back(match: re.Match[str]) -> str:
        if match[0].startswith("<SECRET"):
            return HIDDEN
        return placeholders.get(match[0], "")

    return PLACEHOLDER.sub(put_back, text)


def redact_for_label(text: str, names: Iterable[str] = ()) -> str:
    """The text for a stored label: one way, `<PHONE>` for every phone; the same when it is applied again.

    Args:
        text: A message's text.
        names: Push names and first names of the group's people.
    """
    text = clean(text)
    known = Names((word, "") for name in names for word in names_in(name))
    found = _find(text, known, (), {})
    return _replace(text, [(start + (text[start] == "@"), end, f"<{kind}>") for start, end, kind, _ in found])


def _find(
    text: str, names: Names, mentions: Sequence[str], phones: Mapping[str, str]
) -> list[tuple[int, int, str, str | None]]:
    """Start, end, kind and person of all that is taken out, in order and apart."""
    found: list[tuple[int, int, str, str | None]] = [(*one, None) for one in find_private(text)]
    for match in re.finditer(r"(?<!\w)\d{8,15}(?!\w)", text):
        if _is_free(found, *match.span()) and any(phone.endswith(match[0]) for phone in phones):
            found.append((*match.span(), "PHONE", None))
    masked = [match.span() for match in PLACEHOLDER.finditer(text)]
    called = [match.span() for match in _AT_NAME.finditer(text) if _is_free(found, *match.span())]
    called = [(start, end) for start, end in called if plain(text[start + 1 : end]) not in _TO_EVERYBODY]
    numbers = [one[:2] for one in found if text[one[0]] == "@"]
    by_order = dict(zip(sorted([*called, *numbers]), mentions, strict=False))
    if len(by_order) != len(called) + len(numbers) or len(by_order) != len(mentions):
        by_order = {}  # A text may hold an @ that is no mention.
    found = [(start, end, kind, by_order.get((start, end))) for start, end, kind, _ in found]
    found += [(start, end, "PERSON", by_order[start, end]) for start, end in called if (start, end) in by_order]
    for start, end, ref in names.find(text):
        if _is_free(found, start, end) and all(end <= left or right <= start for left, right in masked):
            found.append((start - (text[start - 1 : start] == "@"), end, "PERSON", ref or None))
    found += [(start, end, "PERSON", None) for start, end in called if _is_free(found, start, end)]
    return sorted(found, key=lambda one: one[0])


def _is_free(found: Sequence[tuple[int, int, str, str | None]], start: int, end: int) -> bool:
    return all(end <= one[0] or one[1] <= start for one in found)


def _replace(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, placeholder in places:
        parts += [text[done:start], placeholder]
        done = end
    return "".join([*parts, text[done:]])


def _disarm(text: str) -> str:
    """What looks like a placeholder and was written by somebody is none."""
    return PLACEHOLDER.sub(lambda match: f"({match[0][1:-1]})", text)
