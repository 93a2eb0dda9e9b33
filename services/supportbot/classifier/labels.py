"""What people said about decisions, kept as labelled texts: how they are made (pure), and the bucket that they are in.

A label has one text, what was decided about it at the time, and what each person says that it is. Texts are redacted
before they get here. `supportbot labels` exports them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.classifier.features import CONTEXT_NAMES, context_features
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Incident, Memory, Recent
from supportbot.classifier.models.redact import redact_for_label
from supportbot.classifier.scene import Policy, Scene
from supportbot.contracts import Decision, Kind, MessageReceived, Person, Priority
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
    """What the local tier knows of the conversation before it, as far as that is remembered; zeros are left out."""
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
    message = MessageReceived(
        message_ref=known.ref,
        group_ref=group_ref,
        sender=memory.person(known.author),
        sent_at=known.at,
        received_at=known.at,
        text=text[:MAX_TEXT_CHARS],
        media=known.media,
        quoted_ref=known.quoted if known.quoted and not known.quoted.startswith("i_") else None,
    )
    signals = judge(message.text, policy.categories, memory.known_sites).signals
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
        text=redact_for_label(message.text, _names(memory)),
        decided_at=known.at,
        predicted=known.decision,
        signals={name: float(value) for name, value in signals.model_dump().items() if value},
        context=_context(memory, message, policy),
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


def _context(memory: Memory, message: MessageReceived, policy: Policy) -> dict[str, float]:
    """The local tier's features of the conversation before the message, as far as it is remembered.

    What people did since is taken out again where it bears a time; how often each of them reported or answered is
    counted as of now.
    """
    place = next(place for place, one in enumerate(memory.recent) if one.ref == message.message_ref)
    at, author = message.sent_at, message.sender.ref
    known = memory.authors.get(author)
    first = known is not None and known.texts <= 1 and all(one.author != author for one in memory.recent[:place])
    before = memory.model_copy(
        update={
            "recent": memory.recent[:place],
            "authors": {ref: one for ref, one in memory.authors.items() if ref != author or not first},
            "incidents": tuple(_as_of(one, at) for one in memory.incidents if one.state.opened_at < at),
            "pending": tuple(one for one in memory.pending if one.sent_at < at),
        }
    )
    verdict = judge(message.text, policy.categories, memory.known_sites)
    features = context_features(Scene(before, message, verdict, policy))
    return {name: round(value, 4) for name, value in zip(CONTEXT_NAMES, features, strict=True) if value}


def _as_of(incident: Incident, at: datetime) -> Incident:
    seen = {ref: when for ref, when in incident.seen.items() if when < at}
    update: dict[str, object] = {"seen": seen, "last_at": max(seen.values(), default=incident.state.opened_at)}
    if incident.resolved_at is not None and incident.resolved_at >= at:
        update |= {"resolved_at": None, "resolved_by": None}
    return incident.model_copy(update=update)


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
