"""Labelled conversations as JSON lines, and their replay through the classifier's pure parts."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from supportbot.classifier.incidents import assemble
from supportbot.classifier.keywords import Category
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import judge_by_keywords, make_turn
from supportbot.contracts import Decision, Media, MessageReceived, Person
from supportbot.spec.categories import DEFAULT_CATEGORIES

POLICY = Policy(
    categories=tuple(
        Category(one.name, tuple(one.keywords), one.priority, one.description) for one in DEFAULT_CATEGORIES
    ),
    default_category="operations",
)
GROUP = "0" * 16
SPLITS = {
    "train": ("coffee-shops", "hardware-stores", "pharmacies", "supermarkets"),
    "tune": ("bakeries", "clinic-supplies", "convenience-24h", "drugstores-north", "school-canteens", "vet-supplies"),
    "held-out": ("couriers", "fashion-outlet", "paint-shops"),
}
"""What became of each conversation: the rules were made on `train` by the hand that wrote it; `tune` is another hand's,
whose misses were read; the misses of `held-out` are not read before a figure is given, and no rule is made for them."""


@dataclass(frozen=True)
class Labelled:
    """A message with what people say about it."""

    id: str
    name: str
    message: MessageReceived
    role: str
    """`open`, `evidence`, `followup`, `agent`, `resolved` or `chatter`."""
    incidents: tuple[str, ...] = ()
    """Those that it may belong to."""
    category: str | None = None
    priority: str | None = None


def make_ref(name: str) -> str:
    """A `message_ref` for an invented message."""
    return "m_" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:20]


def make_person(name: str, *, staff: bool = False) -> Person:
    """An invented person."""
    return Person(ref=hashlib.sha256(name.encode()).hexdigest()[:16], push_name=name, staff=staff)


def read_conversation(path: Path, *, staff_known: bool = True) -> list[Labelled]:
    """The messages of a file; without `staff_known` nobody is listed as staff."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [_labelled(path.stem, row, staff_known=staff_known) for row in rows]


def _labelled(name: str, row: dict[str, object], *, staff_known: bool) -> Labelled:
    at = datetime.fromisoformat(str(row["at"]))
    quoted, media = row.get("quoted"), row.get("media")
    mentions = row.get("mentions", [])
    incidents = row.get("incidents", [])
    assert isinstance(mentions, list)
    assert isinstance(incidents, list)
    message = MessageReceived(
        message_ref=make_ref(f"{name}/{row['id']}"),
        group_ref=GROUP,
        sender=make_person(str(row["author"]), staff=bool(row.get("staff")) and staff_known),
        sent_at=at,
        received_at=at,
        text=str(row.get("text", "")),
        media=Media.model_validate({"kind": media}) if media else None,
        quoted_ref=make_ref(f"{name}/{quoted}") if quoted else None,
        mentions=tuple(make_person(one) for one in mentions),
        forwarded=bool(row.get("forwarded")),
    )
    return Labelled(
        id=str(row["id"]),
        name=str(row["author"]),
        message=message,
        role=str(row["role"]),
        incidents=tuple(incidents),
        category=str(row["category"]) if "category" in row else None,
        priority=str(row["priority"]) if "priority" in row else None,
    )


def replay(messages: list[Labelled], policy: Policy = POLICY) -> dict[str, Decision]:
    """Each message's decision as it stood at the end, by the id of the conversation."""
    memory, ids = Memory(), {one.message.message_ref: one.id for one in messages}
    decisions: dict[str, Decision] = {}
    for one in messages:
        verdict = judge_by_keywords(make_turn(memory, one.message), policy)
        assembly, memory = assemble(memory, one.message, verdict, policy)
        decisions[one.id] = assembly.decision
        decisions |= {ids[ref]: decision for ref, decision in assembly.earlier.items()}
    return decisions
