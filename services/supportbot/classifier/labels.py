"""What people said about decisions, kept as labelled texts: how they are made (pure), and the bucket that they are in.

A label has one text, what was decided about it at the time, and what each person says that it is. Texts are redacted
before they get here. `supportbot labels` exports them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Memory, Recent
from supportbot.classifier.models.redact import redact_for_label
from supportbot.classifier.scene import Policy
from supportbot.contracts import Decision, Kind, Person, Priority
from supportbot.kv import KeyValue

MAX_TEXT_CHARS = 1_000
MAX_SAID = 8

Source = Literal["staff", "reporter"]
WEIGHTS: dict[Source, float] = {"reporter": 0.5, "staff": 1.0}
"""Of one label in training, by who gave it."""


@dataclass(frozen=True)
class Word:
    """What somebody says about a message; without a `kind` they take back what they said before."""

    target_ref: str
    by: Person
    at: datetime
    kind: Kind | None = None
    category: str | None = None
    priority: Priority | None = None


class Stored(BaseModel):
    """A part of a stored label."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Said(Stored):
    """One person's last word about a message."""

    by: str
    """Their `sender_ref`: two people are two opinions, one person twice is one."""
    source: Source
    at: AwareDatetime
    kind: Kind
    category: str | None = None
    priority: Priority | None = None


class Label(Stored):
    """A text with what was decided about it and what people say."""

    message_ref: str
    group_ref: str
    text: str
    """Redacted."""
    decided_at: AwareDatetime
    """The message's time."""
    predicted: Decision
    signals: dict[str, float] = {}
    """What the keyword tier saw in the text before it was redacted; zeros are left out."""
    context: dict[str, float] = {}
    """What the local tier knew of the conversation; empty where it is not remembered any more."""
    said: tuple[Said, ...]
    """Oldest first."""

    @property
    def best(self) -> Said:
        """Whose word holds: the better source, and of equal ones the later."""
        return max(self.said, key=lambda one: (WEIGHTS[one.source], one.at))

    def with_said(self, said: Said) -> "Label":
        """The label with one more word, in the place of the same person's one before."""
        others = tuple(one for one in self.said if one.by != said.by)
        return self.model_copy(update={"said": (*others, said)[-MAX_SAID:]})


def make_label(memory: Memory, word: Word, policy: Policy, group_ref: str) -> Label | None:
    """The label of what somebody says.

    Args:
        memory: Before anything was done about it.
        word: With a kind.
        policy: Of the spec.
        group_ref: The group.

    Returns:
        None when the message is not remembered or has no text.
    """
    known = memory.message(word.target_ref)
    text = _text_of(memory, word.target_ref)
    if known is None or word.kind is None or not text.strip():
        return None
    signals = judge(text, policy.categories, memory.known_sites).signals
    said = Said(
        by=word.by.ref,
        source="staff" if word.by.staff else "reporter",
        at=word.at,
        kind=word.kind,
        category=word.category,
        priority=word.priority,
    )
    return Label(
        message_ref=known.ref,
        group_ref=group_ref,
        text=redact_for_label(text[:MAX_TEXT_CHARS], _names(memory)),
        decided_at=known.at,
        predicted=known.decision,
        signals={name: float(value) for name, value in signals.model_dump().items() if value},
        context=_context(memory, known),
        said=(said,),
    )


def _text_of(memory: Memory, ref: str) -> str:
    """The text of a message; of one that no longer waits only the beginning is remembered."""
    waiting = next((one.text for one in memory.pending if one.message_ref == ref), "")
    known: Recent | None = memory.message(ref)
    return waiting or (known.text if known else "")


def _names(memory: Memory) -> Iterable[str]:
    yield from (person.push_name for person in memory.people.values() if person.push_name)
    yield from (author.name for author in memory.authors.values() if author.name)


def _context(memory: Memory, known: Recent) -> dict[str, float]:
    """What stood around the message when it was decided, as far as it is remembered."""
    del memory, known
    return {}


class Labels:
    """The bucket `<bot>_labels`, one key per message."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def keep(self, label: Label) -> None:
        """Add what was said to what is kept about the message. Keeping it again changes nothing.

        Raises:
            ConflictError: Somebody else wrote the label in between.
            UnavailableError: The broker is away.
        """
        entry = await self._bucket.get(label.message_ref)
        if entry is None:
            await self._bucket.create(label.message_ref, _dump(label))
            return
        kept = Label.model_validate_json(entry.value)
        after = kept
        for said in label.said:
            after = after.with_said(said)
        if after != kept:
            await self._bucket.update(label.message_ref, _dump(after), revision=entry.revision)

    async def take_back(self, message_ref: str, by: str) -> None:
        """Forget what one person said about a message.

        Raises:
            ConflictError: Somebody else wrote the label in between.
            UnavailableError: The broker is away.
        """
        entry = await self._bucket.get(message_ref)
        if entry is None:
            return
        kept = Label.model_validate_json(entry.value)
        left = tuple(one for one in kept.said if one.by != by)
        if left == kept.said:
            return
        if not left:
            await self._bucket.delete(message_ref, revision=entry.revision)
            return
        after = kept.model_copy(update={"said": left})
        await self._bucket.update(message_ref, _dump(after), revision=entry.revision)


def _dump(label: Label) -> bytes:
    return label.model_dump_json(exclude_defaults=True).encode()
