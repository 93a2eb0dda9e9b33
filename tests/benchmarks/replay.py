"""Processor seconds of `supportbot replay` on a long chat, and of the classifier's handler alone.

    python -m tests.benchmarks.replay --messages 5000

The chat is made of the invented conversations, one group behind another in time, again and again with other numbers
and other typing errors, so that hardly a text comes twice and the memory is full. Wall time depends on who else works
on the machine: compare processor seconds.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from tests.benchmarks.conversations import CONVERSATIONS, GROUP, POLICY, make_person, make_ref
from tests.exports import Form, Said, render

from supportbot.classifier.handler import Classifier
from supportbot.cli.replay.pipeline import Memories
from supportbot.contracts import Event, Media, MessageReceived
from supportbot.delivery import Context
from supportbot.topology import Stage

FORM = Form(platform="ios", language="es", hours=24)
START = datetime.fromisoformat("2026-01-12T07:00:00")
PAUSE = timedelta(minutes=20)
"""Between two conversations."""
STAFF = re.compile(r"soporte|mesa|sistemas|ayuda|ti\b", re.IGNORECASE)


def make_chat(count: int, groups: Path = CONVERSATIONS) -> list[Said]:
    """A chat of `count` messages."""
    chat: list[Said] = []
    dice = random.Random(5)
    for said in _endless(groups, dice):
        chat.append(said)
        if len(chat) == count:
            break
    return chat


def _endless(groups: Path, dice: random.Random) -> Iterator[Said]:
    at = START
    while True:
        for path in sorted(groups.glob("*.jsonl")):
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
            began = datetime.fromisoformat(rows[0]["at"])
            digits = str.maketrans("123456789", "".join(dice.sample("123456789", 9)))
            for row in rows:
                text = _misspelt(str(row.get("text", "")).translate(digits), dice)
                moment = at + (datetime.fromisoformat(row["at"]) - began)
                yield Said(at=moment, author=row["author"], text=text, media=row.get("media"))
            at = moment + PAUSE


def _misspelt(text: str, dice: random.Random) -> str:
    """The text with two letters of a longer word the other way round."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= 6 and word.isalpha()]
    if long and len(words) >= 3:
        place = dice.choice(long)
        cut = dice.randrange(1, len(words[place]) - 2)
        word = words[place]
        words[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)


def make_events(chat: Sequence[Said]) -> list[MessageReceived]:
    """The chat as the gateway would publish it, the same for each run."""
    return [
        MessageReceived(
            message_ref=make_ref(f"replay/{number}"),
            group_ref=GROUP,
            sender=make_person(said.author or "", staff=bool(STAFF.search(said.author or ""))),
            sent_at=said.at.astimezone(),
            received_at=said.at.astimezone(),
            text=said.text,
            media=Media.model_validate({"kind": said.media}) if said.media else None,
        )
        for number, said in enumerate(chat)
    ]


class Counted(Memories):
    """Memories that count the bytes that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = self.stored = 0

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        self.written, self.stored = self.written + len(value), len(value)
        return await super().update(key, value, revision=revision)


async def run_handler(events: Sequence[Event]) -> None:
    """The handler alone: what a message costs, what is written, and a digest of everything that was published."""
    memories, digest, costs = Counted(), hashlib.sha256(), list[float]()
    classifier = Classifier(memories, POLICY)
    for event in events:
        published: list[Event] = []

        async def publish(one: Event, published: list[Event] = published) -> None:
            published.append(one)

        context = Context(event, stage=Stage.CLASSIFIER, publish=publish)
        started = time.process_time()
        result = await classifier(event, context)
        costs.append((time.process_time() - started) * 1000)
        for one in (*published, *([result] if result else [])):
            digest.update(one.model_dump_json().encode())
        for entry in context.entries:
            digest.update(entry.model_dump_json(exclude={"at"}).encode())
    costs.sort()
    p95 = costs[int(len(costs) * 0.95)]
    written, stored = memories.written / len(events) / 1000, memories.stored / 1000
    print(f"handler   {sum(costs) / 1000:6.1f} s CPU  {statistics.mean(costs):.2f} ms a message (p95 {p95:.2f})")
    print(f"          {written:.1f} KB written a message, {stored:.1f} KB at the end  digest {digest.hexdigest()[:16]}")


def run_command(chat: Sequence[Said], decisions: Path | None) -> None:
    """The command as people call it, with the server that it starts."""
    with tempfile.TemporaryDirectory() as folder:
        path, rows = Path(folder) / "chat.txt", decisions or Path(folder) / "decisions.jsonl"
        path.write_text(render(chat, FORM), encoding="utf-8")
        staff = sorted({one.author for one in chat if one.author and STAFF.search(one.author)})
        arguments = [
            str(path),
            "--decisions",
            str(rows),
            "--brief",
            *(word for name in staff for word in ("--staff", name)),
        ]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "supportbot.cli", "replay", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "TZ": "UTC"},
        )
        took_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        digest = hashlib.sha256(rows.read_bytes()).hexdigest()[:16]
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(f"command   {user + system:6.1f} s CPU ({system:.1f} of it system) with the server, {took_s:.1f} s wall")
    print(f"          {after.ru_maxrss / 1000:.0f} MB at most  decisions {digest}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--only", choices=("handler", "command"))
    parser.add_argument("--groups", type=Path, default=CONVERSATIONS, help="other conversations to make the chat of")
    parser.add_argument("--decisions", type=Path, help="keep the decisions of the command")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    chat = make_chat(arguments.messages, arguments.groups)
    texts = [one.text for one in chat if one.text]
    print(f"{len(chat)} messages, {len(texts)} with text, {len(set(texts))} different texts")
    if arguments.only != "command":
        asyncio.run(run_handler(make_events(chat)))
    if arguments.only != "handler":
        run_command(chat, arguments.decisions)


if __name__ == "__main__":
    main()
