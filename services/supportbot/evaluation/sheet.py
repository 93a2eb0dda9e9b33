r"""Labels as a text that is pleasant to edit: one line for each message, what it is on the left. Pure.

    == 2026-02-02 -05:00
    open     A      |   L6 09:05:10 Ana Tienda 909: buen día, la 909 no puede recepcionar
                    ^ operations High 909
    evidence A      |   L7 09:05:30 Ana Tienda 909: [image]
    agent    A      |   L9 09:06:02 * Marina Soporte: ¿qué folio es?
    === checked up to here ===

Described for people in `docs/labelling.md`. A line feed in a text is written `⏎`; `\⏎`, `\[` and `\\` stand for the
characters themselves. Written and read again by `sheet_reader` a sheet gives the same rows, but for `affected`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from supportbot.evaluation.conversation import Row

TITLE = "# supportbot labels 1"
CHECKED = "=== checked up to here ==="
SUFFIX = ".labels.txt"

_HELP = """\
# What each message is stands left of its bar; change it, and leave the rest as it is. One letter is enough.
#   open A       tells a new problem or request, and gives it a letter: A, B, … Z, AA; without words: the first photo
#   evidence A   photo or file that belongs to it            followup A   more about it, insistence, "mismo caso"
#   agent A      somebody who solves answers or asks          resolved A   somebody says that it is over
#   chatter      belongs to nothing                           agent A B    may belong to either, A more likely
# Roles other than open and chatter may stand without a letter: then they are about a matter from before this file.
# Below an open line: ^ category priority sites, such as   ^ operations High 909 305
# What stands below the line "checked up to here" are proposals of the bot; move the line down as you go."""

_WIDTH = 20


@dataclass(frozen=True)
class Sheet:
    """A labelling file."""

    rows: tuple[Row, ...]
    checked: int
    """So many rows, from the first one, are a person's word; the others are proposals."""
    title: str = ""
    """The chat's name, or whatever tells what this is."""
    numbers: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The line of each message in the file that was read, by its id."""

    @property
    def done(self) -> tuple[Row, ...]:
        """What a person has checked."""
        return self.rows[: self.checked]


def dump_sheet(sheet: Sheet) -> str:
    """The text of a sheet."""
    lines = [TITLE, f"# chat: {' '.join(sheet.title.split())}", f"# messages: {len(sheet.rows)}", "#", _HELP]
    day = ""
    for place, row in enumerate(sheet.rows):
        if place == sheet.checked:
            lines += ["", CHECKED]
        if (begins := f"{row.at:%Y-%m-%d} {_offset(row.at)}") != day:
            day = begins
            lines += ["", f"== {day}"]
        lines += _dump_row(row)
    if sheet.checked == len(sheet.rows):
        lines += ["", CHECKED]
    return "\n".join(lines) + "\n"


def is_sheet(text: str) -> bool:
    """Whether a text is a labelling file, of whatever version."""
    return text.startswith(TITLE.rsplit(" ", 1)[0])


def next_name(used: Iterable[str]) -> str:
    """The first free one of A, B, … Z, AA, AB, and so on."""
    taken = set(used)
    return next(name for name in _names() if name not in taken)


def _names() -> Iterator[str]:
    number = 0
    while True:
        number, name, rest = number + 1, "", number + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            name = chr(ord("A") + letter) + name
        yield name


def _offset(at: datetime) -> str:
    return at.isoformat()[-6:] if at.utcoffset() else "+00:00"


def _dump_row(row: Row) -> list[str]:
    labels = f"{row.role.value:<8} {' '.join(row.incidents)}"
    author = escape(row.author).replace(":", "\\:")
    said = " ".join([*(f"[{tag}]" for tag in _tags(row)), *([escape(row.text)] if row.text else [])])
    line = f"{labels:<{_WIDTH}}| {row.id:>4} {row.at.time().isoformat()}{' *' if row.staff else ''} {author}:"
    fields = [row.category, row.priority.value if row.priority else None, *(row.sites or ())]
    below = f"{'':<{_WIDTH}}^ {' '.join(field for field in fields if field)}"
    return [f"{line} {said}" if said else line, *([below] if any(fields) else [])]


def _tags(row: Row) -> Iterator[str]:
    if row.quoted:
        yield f"quotes: {row.quoted}"
    if row.forwarded:
        yield "forwarded"
    if row.mentions:
        yield f"mentions: {'; '.join(map(escape, row.mentions))}"
    if row.note:
        yield f"note: {row.note}"
    if row.media:
        yield row.media + (f": {escape(row.filename)}" if row.filename else "")


def escape(text: str) -> str:
    """The text on one line, with the characters that mean something in a sheet marked."""
    for character in "\\⏎[]":
        text = text.replace(character, f"\\{character}")
    return text.replace("\r", "").replace("\n", "⏎")
