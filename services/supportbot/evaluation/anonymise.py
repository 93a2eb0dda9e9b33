"""Replaces the people of a labelled conversation by invented ones, the same way everywhere. Pure.

Replaced are authors, their first names in texts, mentions, phone numbers, addresses of mail and web, names of files.
Not replaced is what nobody can tell from other words: people who did not write, family names that stand alone, places.
Somebody has to read the file before it goes anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from supportbot.evaluation.conversation import Row

_ALIASES = (
    *("Alba", "Bruno", "Celia", "Dario", "Elsa", "Fabio", "Gala", "Hugo", "Iria", "Joel", "Kira", "Luca", "Mina"),
    *("Nico", "Olga", "Pablo", "Quim", "Rita", "Saul", "Tania", "Ugo", "Vera", "Wanda", "Xenia", "Yago", "Zoe"),
    *("Aldo", "Berta", "Ciro", "Dora", "Enzo", "Flora", "Gino", "Hilda", "Ivo", "Jana", "Kai", "Lidia", "Marco"),
    *("Nora", "Oscar", "Petra", "Raul", "Silvia", "Tito", "Ulises", "Vito", "Wilma", "Yara", "Zeno"),
)
_TITLES = frozenset(
    {"dr", "dra", "sr", "sra", "srta", "ing", "lic", "mr", "mrs", "ms", "prof", "don", "dona", "chef"}
    | {"tienda", "suc", "sucursal", "local", "store", "shop", "loja", "filial", "soporte", "support", "suporte", "mesa"}
    | {"help", "sistemas", "it", "ti", "caja", "cajas", "gerente", "gerencia", "encargado", "encargada", "admin", "the"}
)
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ ().-]{0,2}\d){9,15}(?!\w)")
_MAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def anonymise(rows: Sequence[Row]) -> list[Row]:
    """The rows with invented people."""
    mask = _Mask(dict.fromkeys(row.author for row in rows))
    return [mask.row(row) for row in rows]


class _Mask:
    def __init__(self, authors: Iterable[str]) -> None:
        self._phones: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._given: dict[str, str] = {}
        self._authors: dict[str, str] = {}
        for author in authors:
            self._authors[author] = self._alias(author)

    def row(self, row: Row) -> Row:
        """The row with everybody in it replaced."""
        update = {
            "author": self._authors[row.author],
            "text": self._text(row.text),
            "mentions": tuple(self._authors.get(name) or self._text(name) for name in row.mentions),
            "affected": None if row.affected is None else tuple(self._authors.get(name, name) for name in row.affected),
            "filename": row.filename and self._number("file", row.filename) + PurePath(row.filename).suffix,
        }
        return row.model_copy(update=update)

    def _alias(self, author: str) -> str:
        """The invented name; who shares a first name still does."""
        if _PHONE.fullmatch(author.strip()):
            return self._phone(author)
        first = next((word for word in map(_fold, _WORD.findall(author)) if word not in _TITLES), _fold(author))
        number = len(self._given)
        given = self._given.setdefault(first, _ALIASES[number % len(_ALIASES)] + "x" * (number // len(_ALIASES)))
        taken = [alias for alias in self._authors.values() if alias.split()[0] == given]
        return f"{given} {chr(ord('A') + len(taken) % 26)}" if taken else given

    def _text(self, text: str) -> str:
        for author, alias in sorted(self._authors.items(), key=lambda pair: -len(pair[0])):
            for spelling in (author, re.sub(r"[^\w.+-]", "_", author)):
                text = text.replace(f"@{spelling}", f"@{alias.replace(' ', '_')}")
        text = _LINK.sub(lambda match: f"https://example.com/{self._number('link', match[0])}", text)
        text = _MAIL.sub(lambda match: f"{self._number('mail', match[0])}@example.com", text)
        text = _PHONE.sub(lambda match: self._phone(match[0]), text)
        return _WORD.sub(lambda match: self._name(match[0]), text)

    def _name(self, word: str) -> str:
        """The invented first name for a real one, written as the real one was."""
        alias = self._given.get(_fold(word)) if len(word) >= 3 else None
        if alias is None:
            return word
        return alias.upper() if word.isupper() else alias.lower() if word.islower() else alias

    def _phone(self, phone: str) -> str:
        """A number of the range that is kept free for inventions (555-0100 to 555-0199 of each area)."""
        digits = re.sub(r"\D", "", phone)[-10:]  # With or without its country it is the same number.
        number = len(self._phones)
        invented = self._phones.setdefault(digits, f"1{201 + number // 100 % 700}55501{number % 100:02}")
        return f"+{invented}" if phone.strip().startswith("+") else invented

    def _number(self, kind: str, value: str) -> str:
        return self._others.setdefault(f"{kind} {value}", f"{kind}{len(self._others) + 1}")


def _fold(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))
