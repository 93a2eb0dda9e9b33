"""Goes through a labelling file on the terminal: a message, the proposal, an answer. Every answer is kept at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from supportbot.evaluation.conversation import Role, Row
from supportbot.evaluation.sheet import Sheet, next_name
from supportbot.evaluation.sheet_reader import parse_fields, parse_label
from supportbot.whatsapp.convert import clean_text

BEFORE = 6
"""Messages that are shown above the one in question."""
HELP = """\
  Enter      as proposed                 c          chatter
  o          opens a new incident; `o C` calls it C, `o ^ billing High 909` tells its fields
  e A  f A   evidence, follow-up of A    a A  r A   answer by staff, resolution of A
  a A B      may belong to either        b          back to the message before
  q          stop, and go on another day"""


class Stop(Exception):  # noqa: N818
    """The person has had enough for today."""


def ask(sheet: Sheet, console: Console, keep: Callable[[Sheet], None], read: Callable[[str], str] = input) -> Sheet:
    """Ask about each message that is not checked, until the end or until the person stops.

    Args:
        sheet: Goes on where it was left.
        console: Shows the messages.
        keep: Gets the sheet after every answer.
        read: Asks for a line; EOFError is a stop.
    """
    console.print(HELP, style="dim", highlight=False, markup=False)
    shown = -1
    while sheet.checked < len(sheet.rows):
        if shown != sheet.checked:
            _show(console, sheet)
            shown = sheet.checked
        try:
            sheet = apply(sheet, read("  > "))
        except ValueError as exc:
            console.print(f"  {exc}", style="red", highlight=False, markup=False)
            continue
        except (Stop, EOFError):
            break
        keep(sheet)
    return sheet


def apply(sheet: Sheet, answer: str) -> Sheet:
    """The sheet after an answer about its first message that is not checked.

    Raises:
        ValueError: It is no answer, in words for the person.
        Stop: The person wants to stop.
    """
    words = answer.strip()
    if words in {"q", "quit"}:
        raise Stop
    if words in {"b", "back"}:
        return replace(sheet, checked=max(0, sheet.checked - 1))
    if words in {"?", "h", "help"}:
        raise ValueError(HELP.strip())
    row = sheet.rows[sheet.checked]
    labelled = row if not words else _label(row, words, sheet)
    if labelled.role is Role.OPEN and not labelled.incidents:
        raise ValueError("an opening needs a letter, such as `o A`")
    below = _renamed(sheet.rows[sheet.checked + 1 :], row, labelled)
    return replace(sheet, rows=(*sheet.rows[: sheet.checked], labelled, *below), checked=sheet.checked + 1)


def _label(row: Row, words: str, sheet: Sheet) -> Row:
    label, _, fields = words.partition("^")
    values = {**parse_label(label), **parse_fields(fields)}
    if values["role"] is Role.CHATTER and values["incidents"]:
        raise ValueError("chatter belongs to no incident")
    if values["role"] is Role.OPEN and not values["incidents"]:
        kept = row.incidents if row.role is Role.OPEN else ()
        values["incidents"] = kept or (next_name(name for one in sheet.rows for name in one.incidents),)
    if values["role"] is not Role.OPEN:
        if fields.strip():
            raise ValueError("category, priority and sites belong on the message that opens an incident")
        values |= {"category": None, "priority": None, "sites": None}
    return row.model_copy(update=values)


def _renamed(below: Sequence[Row], proposed: Row, labelled: Row) -> Sequence[Row]:
    """The proposals below, when what the bot took for a new incident is another one: theirs follows."""
    if proposed.role is not Role.OPEN or not labelled.incidents or proposed.incidents == labelled.incidents:
        return below
    old, new = proposed.incidents[0], labelled.incidents[0]
    return [
        row.model_copy(update={"incidents": tuple(dict.fromkeys(new if one == old else one for one in row.incidents))})
        for row in below
    ]


def _show(console: Console, sheet: Sheet) -> None:
    console.print()
    start = max(0, sheet.checked - BEFORE)
    for row in sheet.rows[start : sheet.checked]:
        console.print(_line(row, _label_of(row)), style="dim", no_wrap=True, overflow="ellipsis")
    row = sheet.rows[sheet.checked]
    console.print(_line(row, "▶"), style="bold")
    fields = [row.category, row.priority, *(row.sites or ())]
    shown = f" ^ {' '.join(field for field in fields if field)}" if any(fields) else ""
    place = f"{sheet.checked + 1} of {len(sheet.rows)}"
    console.print(f"  {place}; proposed: {_label_of(row)}{shown}", style="cyan", highlight=False, markup=False)


def _line(row: Row, mark: str) -> Text:
    brought = f"[{row.media or row.note}] " if row.media or row.note else ""
    said = clean_text(" ".join(f"{brought}{row.text}".split()))
    return Text(f"  {mark:<12} {row.at:%d %b %H:%M} {clean_text(row.author)}{' *' * row.staff}: {said}")


def _label_of(row: Row) -> str:
    return " ".join([row.role.value, *row.incidents])
