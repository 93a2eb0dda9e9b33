"""The invented conversations beside a real group, in figures: are they as crowded, as hasty, as full of photos?

    python -m tests.benchmarks.proportions [FILE...]

The column `real` is one WhatsApp support group of a retail chain, 4,762 messages, of which 600 were labelled.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table
from tests.benchmarks.conversations import CONVERSATIONS, read_splits

from supportbot.evaluation.conversation import Role, Row, read_rows

SITE = re.compile(r"(?<!\d)\d{3,4}(?!\d)")
RUN = timedelta(minutes=3)

Group = Sequence[Row]
Groups = Sequence[Group]


def share(values: Iterable[bool]) -> str:
    """How many are true, in percent."""
    known = list(values)
    return f"{100 * sum(known) / len(known):.0f} %" if known else "–"


def cuts(values: Iterable[float], *percents: int) -> str:
    """Percentiles."""
    known = list(values)
    if len(known) < 2:
        return "–"
    places = quantiles(known, n=100, method="inclusive")
    return ", ".join(f"{places[percent - 1]:.0f}" for percent in percents)


def incidents(group: Group) -> Iterator[list[Row]]:
    """The messages of each incident; what may belong to several counts for its first one."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in group:
        if row.incidents:
            found[row.incidents[0]].append(row)
    yield from found.values()


def all_incidents(groups: Groups) -> list[list[Row]]:
    """Of all groups."""
    return [rows for group in groups for rows in incidents(group)]


def all_rows(groups: Groups, *roles: Role) -> list[Row]:
    """Messages with one of the roles; all without any."""
    return [row for group in groups for row in group if not roles or row.role in roles]


def told(groups: Groups, role: Role) -> list[str]:
    """Texts of a role."""
    return [row.text for row in all_rows(groups, role) if row.text.strip()]


def gaps(groups: Groups) -> list[float]:
    """Seconds to the message before in the group."""
    return [(b.at - a.at).total_seconds() for group in groups for a, b in pairwise(group)]


def runs(groups: Groups) -> Counter[int]:
    """How many consecutive messages of one author within three minutes of each other there are."""
    lengths: Counter[int] = Counter()
    for group in groups:
        length = 1
        for before, after in pairwise(group):
            if before.author == after.author and after.at - before.at <= RUN:
                length += 1
            else:
                lengths[length], length = lengths[length] + 1, 1
        lengths[length] += 1
    return lengths


def runs_text(groups: Groups) -> str:
    """Shares of runs of 1, 2, 3, 4, 5 and more."""
    lengths = runs(groups)
    total = sum(lengths.values())
    counts = [lengths[1], lengths[2], lengths[3], lengths[4], sum(n for length, n in lengths.items() if length >= 5)]
    return ", ".join(f"{100 * count / total:.0f}" for count in counts) + " %"


def alive(groups: Groups) -> list[float]:
    """At each opening, how many incidents have begun and are not over."""
    counts: list[float] = []
    for group in groups:
        spans = [(rows[0].at, rows[-1].at) for rows in incidents(group)]
        counts += [sum(first <= at <= last for first, last in spans) for at, _ in spans]
    return counts


def predecessors(groups: Groups) -> list[bool]:
    """Whether the message before in an incident is the message before in the group."""
    return [
        place - before == 1
        for group in groups
        for rows in incidents(group)
        for before, place in pairwise([group.index(row) for row in rows])
    ]


def photos_before(groups: Groups) -> list[bool]:
    """Of the photos beside openings with words: whether they came before them."""
    before = []
    for rows in all_incidents(groups):
        opening = next((row for row in rows if row.role is Role.OPEN and row.text.strip()), None)
        if opening is not None:
            near = [
                row for row in rows if row.media and row.role is Role.EVIDENCE and abs(row.at - opening.at) <= 3 * RUN
            ]
            before += [row.at < opening.at for row in near]
    return before


def first_answers(groups: Groups) -> list[float | None]:
    """Minutes from the beginning to the first word by staff; None when there was none."""
    return [
        next(((row.at - rows[0].at).total_seconds() / 60 for row in rows if row.staff and row is not rows[0]), None)
        for rows in all_incidents(groups)
    ]


def openings(groups: Groups) -> list[Row]:
    """Of all incidents."""
    return all_rows(groups, Role.OPEN)


def roles(groups: Groups) -> str:
    """Shares of the roles."""
    rows = all_rows(groups)
    counts = Counter(row.role for row in rows)
    return ", ".join(f"{100 * counts[role] / len(rows):.0f}" for role in Role) + " %"


def fields(groups: Groups, name: str, values: Sequence[str]) -> str:
    """Shares of a field's values among openings that have it."""
    known = [str(value) for row in openings(groups) if (value := getattr(row, name)) is not None]
    return ", ".join(f"{100 * known.count(value) / max(1, len(known)):.0f}" for value in values) + " %"


FIGURES: tuple[tuple[str, str, Callable[[Groups], str]], ...] = (
    ("messages", "600", lambda g: f"{len(all_rows(g)):,}"),
    ("incidents", "84", lambda g: str(len(all_incidents(g)))),
    ("roles: open, evidence, follow-up, agent, resolved, chatter", "14, 32, 17, 23, 4, 13 %", roles),
    ("attachments", "34 %", lambda g: share(row.media is not None for row in all_rows(g))),
    ("evidence that is an attachment", "91 %", lambda g: share(bool(r.media) for r in all_rows(g, Role.EVIDENCE))),
    ("incidents by photo alone", "15 %", lambda g: share(not row.text.strip() for row in openings(g))),
    ("photos before the sentence", "42 %", lambda g: share(photos_before(g))),
    (
        "gap to the message before, s: p10, p25, p50, p75, p90",
        "1, 15, 62, 429, 2005",
        lambda g: cuts(gaps(g), 10, 25, 50, 75, 90),
    ),
    ("runs of one author: 1, 2, 3, 4, 5 and more", "64, 21, 7, 4, 3 %", runs_text),
    ("alive at once: p50, p90, p99", "3, 9, 11", lambda g: cuts(alive(g), 50, 90, 99)),
    ("message before in incident is the one before in group", "81 %", lambda g: share(predecessors(g))),
    ("messages of one incident: p50, p75, p90", "5, 8, 10", lambda g: cuts(map(len, all_incidents(g)), 50, 75, 90)),
    ("incidents of one message", "5 %", lambda g: share(len(rows) == 1 for rows in all_incidents(g))),
    ("authors of one incident: 1, 2, 3", "31, 42, 17 %", lambda g: _authors(g)),
    ("incident lasts, minutes: p50, p90", "34, 1680", lambda g: cuts(_lasts(g), 50, 90)),
    ("fits several incidents", "9 %", lambda g: share(len(row.incidents) > 1 for row in all_rows(g) if row.incidents)),
    ("reported by staff", "7 %", lambda g: share(row.staff for row in openings(g))),
    ("no answer by staff", "39 %", lambda g: share(one is None for one in first_answers(g))),
    (
        "first answer, minutes: p50, p90",
        "11, 109",
        lambda g: cuts([one for one in first_answers(g) if one is not None], 50, 90),
    ),
    ("resolutions said by staff", "54 %", lambda g: share(row.staff for row in all_rows(g, Role.RESOLVED))),
    ("characters: open, follow-up, agent, resolved, chatter", "80, 66, 37, 49, 13", lambda g: _lengths(g)),
    ("number of 3 or 4 digits: open, follow-up, agent, resolved", "57, 25, 22, 4 %", lambda g: _sites(g)),
    ("question mark: open, follow-up", "8, 19 %", lambda g: _questions(g)),
    (
        "mention in follow-ups",
        "11 %",
        lambda g: share(bool(row.mentions) or "@" in row.text for row in all_rows(g, Role.FOLLOW_UP)),
    ),
    (
        "operations, billing, technical, access",
        "81, 10, 8, 1 %",
        lambda g: fields(g, "category", ("operations", "billing", "technical", "access")),
    ),
    (
        "high, medium, urgent, low",
        "49, 44, 7, 0 %",
        lambda g: fields(g, "priority", ("High", "Medium", "Urgent", "Low")),
    ),
)


def _authors(groups: Groups) -> str:
    counts = Counter(len({row.author for row in rows}) for rows in all_incidents(groups))
    total = max(1, counts.total())
    return ", ".join(f"{100 * counts[number] / total:.0f}" for number in (1, 2, 3)) + " %"


def _lasts(groups: Groups) -> list[float]:
    return [(rows[-1].at - rows[0].at).total_seconds() / 60 for rows in all_incidents(groups)]


def _lengths(groups: Groups) -> str:
    order = (Role.OPEN, Role.FOLLOW_UP, Role.AGENT, Role.RESOLVED, Role.CHATTER)
    return ", ".join(f"{median(map(len, told(groups, role)) or [0]):.0f}" for role in order)


def _sites(groups: Groups) -> str:
    order = (Role.OPEN, Role.FOLLOW_UP, Role.AGENT, Role.RESOLVED)
    return ", ".join(share(bool(SITE.search(text)) for text in told(groups, role))[:-2] for role in order) + " %"


def _questions(groups: Groups) -> str:
    return (
        ", ".join(share("?" in text for text in told(groups, role))[:-2] for role in (Role.OPEN, Role.FOLLOW_UP)) + " %"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The invented conversations beside a real group.")
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    columns: dict[str, list[Path]] = {path.stem: [path] for path in files}
    if not files:
        splits = read_splits()
        columns = {split: [CONVERSATIONS / f"{name}.jsonl" for name in names] for split, names in splits.items()}
        columns["all"] = sorted(CONVERSATIONS.glob("*.jsonl"))
    table = Table(box=None, pad_edge=False)
    for name in ("", "real", *columns):
        table.add_column(name, no_wrap=bool(name))
    groups = {name: [read_rows(path) for path in paths] for name, paths in columns.items()}
    for name, real, figure in FIGURES:
        table.add_row(name, real, *(figure(part) if part else "–" for part in groups.values()))
    Console(width=max(150, 70 + 26 * len(columns))).print(table, highlight=False)


if __name__ == "__main__":
    main()
