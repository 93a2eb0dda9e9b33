"""Who is who in an exported chat: authors as people, and which of them are staff. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product

from supportbot.contracts import Person
from supportbot.ids import make_sender_ref
from supportbot.whatsapp.convert import MAX_NAME_CHARS, clean_text, is_staff, to_e164

_NUMBER = re.compile(r"\+?[\d\s().\-]{6,30}")
_WORD = re.compile(r"\w+")
_ALIKE = 0.75
_NEAR = 3
"""Names that are offered for one that nobody has."""


@dataclass(frozen=True)
class Staff:
    """Who solves, as far as the chat shows them."""

    authors: frozenset[str] = frozenset()
    """As the export writes them."""
    unknown: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What fits no author, each with the authors that it may mean."""


class Cast:
    """The people of one chat.

    Args:
        install_key: Makes the references.
        authors: As the export writes them: a contact's name, a number, or `~ Name` of somebody unknown.
        staff: Those of them who solve.
    """

    def __init__(self, install_key: bytes, authors: Iterable[str], staff: frozenset[str]) -> None:
        self._key = install_key
        self._people = {author: self._make(author, staff=author in staff) for author in authors}
        self._by_key = {name_key(author): person for author, person in self._people.items()}

    def person(self, author: str) -> Person:
        """The person behind an author. Raises KeyError for somebody who never wrote."""
        return self._people[author]

    def mentioned(self, name: str) -> Person | None:
        """The person behind a mention: an author, or a number that never wrote; None for any other word."""
        known = self._by_key.get(name_key(name))
        if known is not None or not is_number(name):
            return known
        return self._make(f"+{name.lstrip('+')}", staff=False)

    def _make(self, author: str, *, staff: bool) -> Person:
        phone = to_e164(author) if is_number(author) and author.lstrip().startswith("+") else None
        name = None if phone else clean_text(plain_author(author))[:MAX_NAME_CHARS] or None
        return Person(ref=make_sender_ref(self._key, phone or author), phone=phone, push_name=name, staff=staff)


def find_staff(names: Sequence[str], phones: Sequence[str], authors: Sequence[str]) -> Staff:
    """The authors that `names` (names or numbers, by hand) and `phones` (E.164, of the spec) mean.

    Names are compared without case, accents and spaces at their ends. A phone that did not write is nothing to report.
    """
    found = {author for author in authors if is_number(author) and is_staff(to_e164(author), frozenset(phones))}
    unknown = []
    for name in names:
        meant = {author for author in authors if _is(name, author)}
        found |= meant
        if not meant:
            unknown.append((name, near_names(name, authors)))
    return Staff(frozenset(found), tuple(unknown))


def near_names(name: str, authors: Sequence[str]) -> tuple[str, ...]:
    """The authors that somebody who wrote `name` may mean: with a word that is alike; the most alike first."""
    wanted = _WORD.findall(name_key(name))
    near = [author for author in authors if _most_alike(wanted, _WORD.findall(name_key(author))) >= _ALIKE]
    near.sort(key=lambda author: -SequenceMatcher(None, name_key(name), name_key(author)).ratio())
    return tuple(near[:_NEAR])


def _most_alike(words: Iterable[str], others: Iterable[str]) -> float:
    return max(map(_likeness, product(words, others)), default=0.0)


def _likeness(words: tuple[str, str]) -> float:
    """0 to 1; a word and its beginning are alike."""
    one, other = words
    if min(len(one), len(other)) >= 3 and (one.startswith(other) or other.startswith(one)):
        return 1.0
    return SequenceMatcher(None, one, other).ratio()


def is_number(author: str) -> bool:
    """Whether an author or a mention is a phone number."""
    return _NUMBER.fullmatch(author) is not None and sum(map(str.isdigit, author)) >= 6


def plain_author(author: str) -> str:
    """The name without the `~` that WhatsApp puts before names that people gave themselves."""
    return author.removeprefix("~").strip()


def name_key(name: str) -> str:
    """What two spellings of one name share; of a number its digits."""
    if is_number(name):
        return "".join(filter(str.isdigit, name))
    decomposed = unicodedata.normalize("NFKD", plain_author(name)).casefold()
    return " ".join("".join(ch for ch in decomposed if not unicodedata.combining(ch)).split())


def _is(name: str, author: str) -> bool:
    if name_key(name) == name_key(author):
        return True
    return is_number(name) and is_number(author) and is_staff(to_e164(author), frozenset({to_e164(name) or name}))
