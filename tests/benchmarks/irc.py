"""A check on chats that nobody here wrote: public IRC channels whose threads others annotated.

    python -m tests.benchmarks.irc DIR

DIR holds pairs `X.ascii.txt` and `X.annotation.txt` in the format of irc-disentanglement (Kummerfeld et al., ACL 2019).
They are not in this repository. Lines before the first annotated one are context: the bot reads them, nothing is
measured on them. A thread is a connected component of annotated lines; it begins in the window when no line of context
is linked to it. Its first message then counts as an opening, so `F1` is that of new conversations.

IRC has no staff list, no photos and no quotes. A name after `@`, before a colon or a comma, or as the first word is a
mention here. Who addresses ten people or more, and a tenth of all who write, is taken for staff. That is a guess from
the same text, context included, so both are shown, with and without.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.conversations import POLICY

from supportbot.evaluation.conversation import Conversation, Role, Row, make_conversation
from supportbot.evaluation.measures import figures, measure
from supportbot.evaluation.report import share
from supportbot.evaluation.run import to_outcome
from supportbot.evaluation.tiers import TierName, available_tiers, make_decide

ANNOTATED_FROM = 1000
MIN_ADDRESSED = 10
MIN_SHARE = 0.1

_LINE = re.compile(
    r"^\S+ (?P<day>\d{4}-\d\d-\d\d)(?: \[(?P<time>\d\d:\d\d(?::\d\d)?)\])? <(?P<nick>[^>\s]+)>\s*(?P<text>.*)$"
)
_ADDRESS = re.compile(r"^@?([^\s:,@]+)[:,]\s|@(\S+?)[:,.!?]?(?=\s|$)|^(\S+)\s")
_LINK = re.compile(r"^(\d+) (\d+) -\s*$")


@dataclass(frozen=True)
class Said:
    """One message of a channel."""

    line: int
    at: datetime
    nick: str
    text: str
    addressed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A channel with its annotation."""

    name: str
    said: tuple[Said, ...]
    threads: Mapping[int, str]
    """The thread of each annotated line."""
    begun: frozenset[str]
    """Threads that begin in the annotated window."""

    @property
    def staff(self) -> frozenset[str]:
        """Who addresses many people, by the rule that the module states."""
        people = {one.nick for one in self.said}
        addressed: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.said:
            addressed[one.nick].update(one.addressed)
        least = max(MIN_ADDRESSED, MIN_SHARE * len(people))
        return frozenset(nick for nick, whom in addressed.items() if len(whom) >= least)


def read_channel(folder: Path, name: str) -> Channel:
    """The channel of two files."""
    said = read_messages((folder / f"{name}.ascii.txt").read_text(encoding="utf-8", errors="replace").split("\n"))
    links = read_links((folder / f"{name}.annotation.txt").read_text(encoding="utf-8").split("\n"))
    threads, begun = find_threads(links, {one.line for one in said})
    return Channel(name, tuple(said), threads, begun)


def read_messages(lines: Sequence[str]) -> list[Said]:
    """What people wrote, with its 0-based line; what stands in other forms is no message."""
    found = [(number, match) for number, line in enumerate(lines) if (match := _LINE.match(line))]
    nicks = {match["nick"].casefold(): match["nick"] for _, match in found}
    said: list[Said] = []
    for number, match in found:
        at = datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}").replace(tzinfo=UTC)
        if said and at < said[-1].at:
            at += timedelta(days=1) if said[-1].at - at > timedelta(hours=12) else said[-1].at - at
        words = {word.casefold() for groups in _ADDRESS.findall(match["text"]) for word in groups if word}
        addressed = tuple(nicks[word] for word in sorted(words & nicks.keys()) if nicks[word] != match["nick"])
        said.append(Said(number, at, match["nick"], match["text"].strip(), addressed))
    return said


def read_links(lines: Iterable[str]) -> list[tuple[int, int]]:
    """Pairs of lines: the second answers the first; a pair of equal lines begins a conversation."""
    return [(int(match[1]), int(match[2])) for line in lines if (match := _LINK.match(line))]


def find_threads(links: Iterable[tuple[int, int]], messages: set[int]) -> tuple[dict[int, str], frozenset[str]]:
    """The thread of each annotated message, and the threads without a link to the context before."""
    parents: dict[int, int] = {}

    def root(line: int) -> int:
        while parents.setdefault(line, line) != line:
            line = parents[line]
        return line

    for first, second in links:
        parents[max(root(first), root(second))] = min(root(first), root(second))
    threads = {line: f"T{root(line)}" for line in parents if line >= ANNOTATED_FROM and line in messages}
    return threads, frozenset(name for name in threads.values() if int(name[1:]) >= ANNOTATED_FROM)


def to_conversation(channel: Channel, *, staff_known: bool) -> Conversation:
    """The channel as a labelled conversation; context is chatter of nobody's, and is left out of the measures."""
    staff, opened = channel.staff, set[str]()
    rows = []
    for one in channel.said:
        thread = channel.threads.get(one.line)
        opens = thread is not None and thread in channel.begun and thread not in opened
        opened.update([thread] if thread is not None and opens else [])
        rows.append(
            Row(
                id=str(one.line),
                at=one.at,
                author=one.nick,
                text=one.text[:16_000],
                staff=one.nick in staff,
                mentions=one.addressed,
                role=Role.OPEN if opens else Role.FOLLOW_UP,
                incidents=() if thread is None else (thread,),
            )
        )
    return make_conversation(channel.name, rows, staff_known=staff_known)


def main() -> None:
    """Print a row for each channel, tier and staff list."""
    parser = argparse.ArgumentParser(description="Threads and new conversations of annotated IRC channels.")
    parser.add_argument("folder", type=Path)
    print(to_table(parser.parse_args().folder))


def to_table(folder: Path) -> str:
    """The figures of a folder, as Markdown."""
    lines = [
        "| channel | tier | staff | new conversations P / R / F1 | threads P / R / B³ | new, messages |",
        "|---|---|---|---|---|---|",
    ]
    names = sorted(path.name.removesuffix(".ascii.txt") for path in folder.glob("*.ascii.txt"))
    for name in names:
        channel = read_channel(folder, name)
        lines += [
            _row(channel, tier, staff_known=staff_known)
            for tier in available_tiers()
            for staff_known in ((True, False) if channel.staff else (False,))
        ]
    return "\n".join(lines)


def _row(channel: Channel, tier: TierName, *, staff_known: bool) -> str:
    conversation = to_conversation(channel, staff_known=staff_known)
    outcome = to_outcome(conversation, make_decide(tier, POLICY)(conversation))
    window = Conversation(
        conversation.name, tuple(one for one in conversation.messages if int(one.id) >= ANNOTATED_FROM)
    )
    found = figures(measure(window, outcome))
    staff = f"guessed, {len(channel.staff)}" if staff_known else "none"
    tickets = " / ".join(share(found[name]) for name in ("precision", "recall", "f1"))
    threads = " / ".join(share(found[name]) for name in ("b3_precision", "b3_recall", "b3"))
    return (
        f"| {channel.name} | {tier} | {staff} | {tickets} | {threads} | {found['labelled']}, {len(channel.threads)} |"
    )


if __name__ == "__main__":
    main()
