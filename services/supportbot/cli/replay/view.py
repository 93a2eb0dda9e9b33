"""Shows a replay on the terminal: what was read, the tickets with their messages, and the ledger.

Rich and in colour on a terminal (made for 100 columns); plain lines when the output is a file or a pipe.
"""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supportbot.cli.replay.people import plain_author
from supportbot.cli.replay.result import SYSTEM, Line, Result, Ticket
from supportbot.cli.replay.summary import Heading
from supportbot.contracts import Kind, Outcome
from supportbot.whatsapp.convert import clean_text

WIDTH = 100
_PLAIN_CHARS = 120
_NAME_CHARS = 16
_WHY_INDENT = 16
_SITE_CHARS = 4
_SHOWN_AUTHORS = 8
_ORDERS = {"DMY": "day/month/year", "MDY": "month/day/year", "YMD": "year-month-day"}
_FORMS = {"ios": "iPhone", "android": "Android"}
_KINDS = {
    Kind.INCIDENT: ("incident", "bold red"),
    Kind.FOLLOW_UP: ("follow-up", "yellow"),
    Kind.EVIDENCE: ("evidence", "cyan"),
    Kind.STAFF: ("answer", "blue"),
    Kind.RESOLUTION: ("resolution", "green"),
    Kind.CHATTER: ("chatter", "dim"),
}
_MEANINGS = {
    Outcome.TICKET: "would open a ticket",
    Outcome.COMMENT: "would be a comment of their ticket",
    Outcome.EVIDENCE: "would be evidence of their ticket",
    Outcome.CORRECTION: "would correct a ticket",
    Outcome.IGNORED: "would be left alone by a stated rule",
    Outcome.REVIEW: "would wait for a person",
    Outcome.DEAD_LETTER: "are dead letters: they could not be processed",
}


def show_heading(console: Console, heading: Heading) -> None:
    """What was read, and who is known to solve."""
    say = _Say(console)
    say.line(clean_text(heading.title or heading.file), "bold")
    notices = f", and {_count(heading.notices, 'notice')} by WhatsApp" if heading.notices else ""
    say.fact(
        "file", f"{clean_text(heading.file)}, exported by {_FORMS[heading.form]}, dates {_ORDERS[heading.date_order]}"
    )
    say.fact("period", f"{_day(heading.first)} to {_day(heading.last)}, {heading.zone}")
    say.fact("chat", f"{_count(heading.messages, 'message')} of {_count(len(heading.authors), 'person')}{notices}")
    if heading.staff.authors:
        say.fact("staff", ", ".join(sorted(map(_name, heading.staff.authors))))
        return
    names = [_name(author) for author in heading.authors]
    more = f" and {len(names) - _SHOWN_AUTHORS} more" if len(names) > _SHOWN_AUTHORS else ""
    say.fact("staff", "not named, so guessed from who answers; better name them, each with --staff NAME, among")
    say.fact("", f"{', '.join(names[:_SHOWN_AUTHORS])}{more}")


def show_result(console: Console, result: Result, *, brief: bool, every: bool) -> None:
    """The tickets as a table, each with its messages unless `brief`, what waits, and the ledger.

    With `every` also the messages that were left alone.
    """
    say = _Say(console)
    say.line()
    say.line(f"{_count(len(result.tickets), 'ticket')} would have been opened", "bold")
    if result.tickets:
        _show_table(console, result.tickets)
    for ticket in () if brief else result.tickets:
        _show_ticket(say, ticket)
    if not brief:
        waiting = [line for line in result.lines if line.outcome is Outcome.REVIEW]
        dead = [line for line in result.lines if line.outcome is Outcome.DEAD_LETTER]
        _show_lines(say, "No ticket, but not settled either: a person would have to look", waiting)
        _show_lines(say, "Could not be processed; please report it", dead)
    if every:
        rest = [line for line in result.lines if line.outcome in {Outcome.IGNORED, None}]
        people = [line for line in rest if line.kind != SYSTEM]
        _show_lines(say, "In no ticket", people)
    _show_ledger(say, result)


def _show_lines(say: "_Say", title: str, lines: Sequence[Line]) -> None:
    if lines:
        say.line()
        say.line(title, "bold")
    for line in lines:
        _show_line(say, line)


class _Say:
    """Prints lines: cut to the width on a terminal, whole otherwise."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.plain = not console.is_terminal

    def line(self, text: str | Text = "", style: str = "") -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=self.plain)

    def fact(self, name: str, text: str) -> None:
        """A named fact; on a terminal it wraps beside its name."""
        if self.plain:
            self.line(f"  {name:<6}  {text}")
            return
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=8, style="dim")
        grid.add_column(width=_width(self._console) - 10)
        grid.add_row(f"  {name}", Text(text))
        self._console.print(grid)

    def row(self, text: Text) -> None:
        """A line that a terminal cuts at its width."""
        self._console.print(text, no_wrap=True, overflow="ellipsis")


def _show_table(console: Console, tickets: Sequence[Ticket]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", width=_width(console))
    table.add_column("", no_wrap=True, style="bold")
    table.add_column("opened", no_wrap=True)
    table.add_column("subject", no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column("category", no_wrap=True, max_width=11, overflow="ellipsis")
    table.add_column("priority", no_wrap=True)
    table.add_column("sites", no_wrap=True)
    table.add_column("reporter", no_wrap=True, max_width=12, overflow="ellipsis")
    table.add_column("msgs", justify="right", no_wrap=True)
    table.add_column("files", justify="right", no_wrap=True)
    for ticket in tickets:
        incident = ticket.incident
        table.add_row(
            ticket.label,
            _minute(_opened_at(ticket)),
            Text(incident.subject),
            Text(incident.category),
            incident.priority.value,
            _sites(incident.sites),
            Text(_name(ticket.reporter)),
            str(len(ticket.lines)),
            str(ticket.attachments),
        )
    console.print(table)


def _show_ticket(say: _Say, ticket: Ticket) -> None:
    incident = ticket.incident
    say.line()
    say.line(f"{ticket.label}  {incident.subject}", "bold")
    facts = [incident.category, incident.priority.value]
    if incident.sites:
        facts.append(("site " if len(incident.sites) == 1 else "sites ") + ", ".join(incident.sites))
    facts.append(f"reported by {_name(ticket.reporter)}")
    if incident.affected:
        facts.append(f"{len(incident.affected)} more affected")
    facts.append("resolved" if incident.resolved else "open at the end")
    say.line("    " + " · ".join(facts), "dim")
    if not ticket.lines:
        say.line("    its messages were found to belong to another ticket later: a duplicate")
    for line in ticket.lines:
        _show_line(say, line)


def _show_line(say: _Say, line: Line) -> None:
    word, style = _KINDS[Kind(line.kind)]
    who, why, by = _name(line.message.author or ""), "; ".join(line.reasons), _decided_by(line)
    if say.plain:
        say.line(f"    {_minute(line.at)}  {who}: {_cut(_text(line), _PLAIN_CHARS)}")
        say.line(f"        {'●' if line.opens else '-'} {word}{f', {by}' if by else ''}: {why}")
        return
    text = Text(f"  {_minute(line.at)}  {_cut(who, _NAME_CHARS):<{_NAME_CHARS}}  ")
    text.append(f"{'●' if line.opens else ' '} {word:<10}  ", style)
    text.append(_text(line))
    say.row(text)
    say.row(Text(f"{'':<{_WHY_INDENT}}╰ {by}{' · ' if by else ''}{why}", style="dim"))


def _decided_by(line: Line) -> str:
    """Which tier decided, and how sure it is of it; nothing when none did."""
    if line.confidence is None:
        return ""
    return f"{line.tier} {line.confidence:.2f}{' (degraded)' if line.degraded else ''}"


def _show_ledger(say: _Say, result: Result) -> None:
    counts, missing = result.ledger.counts(), len(result.ledger.unaccounted())
    say.line()
    say.line(f"{_count(len(result.ledger.received), 'message')} received", "bold")
    for outcome, meaning in _MEANINGS.items():
        if counts[outcome]:
            bad = outcome is Outcome.DEAD_LETTER
            say.line(f"  {counts[outcome]:>5} {meaning}", "bold red" if bad else "")
    if missing or len(result.ledger.received) < sum(line.kind != SYSTEM for line in result.lines):
        say.line(f"  {missing:>5} unaccounted: something got lost; please report it", "bold red")
    else:
        say.line("      0 unaccounted: the sum holds", "bold green")


def _text(line: Line) -> str:
    """The text on one line, with what the message brought in brackets."""
    message = line.message
    brought = "deleted" if message.deleted else {"unknown": "photo or file"}.get(message.media or "", message.media)
    name = f": {message.filename}" if message.filename and message.media == "document" else ""
    parts = [f"[{brought}{name}]" if brought else "", " ".join(message.text.split())]
    return clean_text(" ".join(part for part in parts if part))


def _sites(sites: Sequence[str]) -> str:
    """The first ones, and how many more."""
    shown = sites if len(sites) == 1 else [site for site in sites[:2] if len(site) <= _SITE_CHARS]
    return " ".join([*shown, *([f"+{len(sites) - len(shown)}"] if len(sites) > len(shown) else [])])


def _name(author: str) -> str:
    """A name as the terminal may show it: strangers choose them, escape sequences included."""
    return clean_text(plain_author(author))


def _opened_at(ticket: Ticket) -> datetime:
    return next((line.at for line in ticket.lines if line.opens), ticket.incident.opened_at)


def _width(console: Console) -> int:
    return min(console.width, 2 * WIDTH) if console.is_terminal else WIDTH


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1].rstrip() + "…"


def _minute(at: datetime) -> str:
    return f"{at.day:>2} {at:%b %H:%M}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y %H:%M}"


def _count(number: int, noun: str) -> str:
    plural = {"person": "people"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"
