"""Handles the inbox: loads the group's memory, decides, saves the memory, and only then lets the result be published.

Handling a message again gives the same result, since the memory holds what was decided.
"""

from dataclasses import replace
from typing import Protocol

import structlog

from supportbot import metrics
from supportbot.classifier.assembly import Assembly
from supportbot.classifier.correction import Correction
from supportbot.classifier.corrections import correct, turn_to_judge
from supportbot.classifier.incidents import assemble
from supportbot.classifier.labels import Labels, Word, make_label
from supportbot.classifier.memory import MAX_SETTLED, Memory, Settled
from supportbot.classifier.scene import Policy
from supportbot.classifier.stored import Stored
from supportbot.classifier.turn import Judge, keyword_judge, make_turn
from supportbot.contracts import (
    ConfirmationRefused,
    Decision,
    Event,
    Kind,
    MessageClassified,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Outcome,
    ReactionReceived,
    dump_event,
    parse_event,
)
from supportbot.delivery import Context
from supportbot.errors import PermanentError
from supportbot.kv import ConflictError, Entry

MAX_CACHED_GROUPS = 64
_log = structlog.get_logger(__name__)


class Memories(Protocol):
    """What keeps the memories: a `KeyValue`, or what writes as it does."""

    async def get(self, key: str) -> Entry | None:
        """The value of a key, None when there is none."""

    async def create(self, key: str, value: bytes) -> int:
        """Write a key that must not exist yet; its revision. Raises ConflictError."""

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        """Write a key that must still have `revision`; the new one. Raises ConflictError."""


class Classifier:
    """The handler of the stage `classifier`.

    Args:
        memories: One key per group; the bucket `<b>_memory`.
        policy: Of the spec.
        judge_turn: The tier that is asked; the keyword tier by default.
        labels: Where people's corrections are kept; nowhere by default.
    """

    def __init__(
        self, memories: Memories, policy: Policy, judge_turn: Judge | None = None, labels: Labels | None = None
    ) -> None:
        self._memories = memories
        self._labels = labels
        self._policy = policy
        self._judge = judge_turn or keyword_judge(policy)
        self._cache: dict[str, tuple[Stored, int]] = {}

    async def __call__(self, event: Event, context: Context) -> Event | None:
        """Handle one event of the inbox.

        Raises:
            TemporaryError: Another replica changed the memory twice in a row, or the broker is away.
            PermanentError: The event is none of the inbox.
        """
        try:
            settled = await self._settle(event)
        except ConflictError:
            self._cache.pop(event.group_ref, None)
            settled = await self._settle(event)
        return await _publish(settled, event, context)

    async def _settle(self, event: Event) -> Settled:
        stored, revision = await self._load(event.group_ref)
        if (known := recall(stored.memory, event)) is not None:
            return known
        settled, memory, words = await self._decide(stored.memory, event)
        # Before the memory: whoever comes here again after a crash keeps the same labels again.
        await self._keep(stored.memory, words, event.group_ref)
        memory = memory.model_copy(update={"settled": (*memory.settled, settled)[-MAX_SETTLED:]})
        await self._save(event.group_ref, stored.after(memory), revision)
        return settled

    async def _decide(self, memory: Memory, event: Event) -> tuple[Settled, Memory, tuple[Word, ...]]:
        match event:
            case MessageReceived():
                verdict = await self._judge(make_turn(memory, event))
                assembly, memory = assemble(memory, event, verdict, self._policy)
                return settle(event, event.message_ref, assembly), memory, words_of(event, assembly)
            case MessageEdited() | MessageDeleted() | ReactionReceived():
                turn = turn_to_judge(memory, event)
                judged = await self._judge(turn) if turn is not None else None
                correction, memory = correct(memory, event, self._policy, judged)
                return settle_correction(event, correction), memory, correction.words
            case _:
                raise PermanentError(f"the classifier takes no {event.type}", reason="unexpected_type")

    async def _keep(self, memory: Memory, words: tuple[Word, ...], group_ref: str) -> None:
        """Keep what people said as labels; `memory` is the one from before."""
        if self._labels is None:
            return
        for word in words:
            if word.kind is None:
                await self._labels.take_back(word.target_ref, word.by.ref)
            elif (label := make_label(memory, word, self._policy, group_ref)) is not None:
                await self._labels.keep(label)

    async def _load(self, group_ref: str) -> tuple[Stored, int]:
        if group_ref not in self._cache:
            entry = await self._memories.get(group_ref)
            self._cache[group_ref] = (Stored.read(entry.value if entry else None), entry.revision if entry else 0)
        return self._cache[group_ref]

    async def _save(self, group_ref: str, stored: Stored, revision: int) -> None:
        if revision:
            revision = await self._memories.update(group_ref, stored.value, revision=revision)
        else:
            revision = await self._memories.create(group_ref, stored.value)
        self._cache[group_ref] = (stored, revision)
        if len(self._cache) > MAX_CACHED_GROUPS:
            self._cache.pop(next(iter(self._cache)))


def settle(message: MessageReceived, cause: str, assembly: Assembly) -> Settled:
    """What is published and recorded for an assembly.

    Args:
        message: The message that was decided.
        cause: The `message_ref` of the event that is handled; another one for an edit or a reaction.
        assembly: The decision.
    """
    events: list[Event] = [*assembly.late]
    if assembly.settlement is not None and not assembly.settlement.confirmed:
        target_ref = assembly.settlement.target_ref
        events.append(ConfirmationRefused(message_ref=cause, group_ref=message.group_ref, target_ref=target_ref))
    if assembly.incident is not None or assembly.decision.asks:
        events.append(
            MessageClassified(
                message_ref=cause,
                group_ref=message.group_ref,
                message=message,
                decision=assembly.decision,
                incident=assembly.incident,
                joined=assembly.joined,
            )
        )
    return Settled(
        ref=cause,
        events=tuple(_store(one) for one in events),
        decisions={**assembly.earlier, message.message_ref: assembly.decision},
        waits=assembly.waits,
        about="" if cause == message.message_ref else message.message_ref,
    )


def settle_correction(event: Event, correction: Correction) -> Settled:
    """What is published and recorded for an edit, a deletion or a reaction."""
    events = tuple(_store(one) for one in correction.events)
    if correction.assembly is None or correction.message is None:
        own = Decision(kind=Kind.CHATTER, reasons=(correction.reason,))
        return Settled(ref=event.message_ref, events=events, decisions={**correction.decisions, event.message_ref: own})
    decision = correction.assembly.decision
    reasons = (correction.reason, *decision.reasons)
    assembly = replace(correction.assembly, decision=decision.model_copy(update={"reasons": reasons}))
    settled = settle(correction.message, event.message_ref, assembly)
    return settled.model_copy(
        update={
            "events": (*settled.events, *events),
            "decisions": {**correction.decisions, **settled.decisions},
        }
    )


def words_of(message: MessageReceived, assembly: Assembly) -> tuple[Word, ...]:
    """What a message that answers the bot's question says about the one that was asked about."""
    settlement = assembly.settlement
    if settlement is None or settlement.over:
        return ()
    decision = assembly.earlier[settlement.target_ref]
    word = Word(
        target_ref=settlement.target_ref,
        by=message.sender,
        at=message.sent_at,
        kind=decision.kind,
        category=decision.category,
        priority=decision.priority,
    )
    return (word,)


def recall(memory: Memory, event: Event) -> Settled | None:
    """What handling this event gave before; None when it is new."""
    known = next((one for one in memory.settled if one.ref == event.message_ref), None)
    if known is not None or not isinstance(event, MessageReceived):
        return known
    message = memory.message(event.message_ref)
    if message is None:
        return None
    incident = memory.incident(message.incident_id)
    return settle(event, event.message_ref, Assembly(message.decision, incident.state if incident else None))


async def _publish(settled: Settled, event: Event, context: Context) -> Event | None:
    """Publish what was settled, the event of this message last (the bus does that), and record all decisions."""
    events = [parse_event(*_split(one)) for one in settled.events]
    result = events[-1] if events and events[-1].message_ref == event.message_ref else None
    for one in events:
        if one is not result:
            await context.publish(one)
    for ref, decision in settled.decisions.items():
        outcome = _outcome(ref, decision, settled, result is not None and ref == event.message_ref)
        context.record(
            outcome,
            reasons=decision.reasons,
            incident_id=decision.incident_id,
            decision=decision,
            message_ref=ref,
        )
        if ref == event.message_ref:
            _count(decision)
    if event.message_ref not in settled.decisions:
        # An edit or a reaction that had another message decided.
        context.record(Outcome.CLASSIFIED if result else Outcome.IGNORED, reasons=("had an earlier message decided",))
    return result


def _outcome(ref: str, decision: Decision, settled: Settled, published: bool) -> Outcome:
    if decision.incident_id is not None or published:
        return Outcome.CLASSIFIED
    waits = settled.waits and ref == (settled.about or settled.ref)
    return Outcome.REVIEW if waits or decision.asks else Outcome.IGNORED


def _count(decision: Decision) -> None:
    priority = decision.priority.value if decision.priority else "none"
    metrics.CLASSIFICATIONS.labels(decision.category or "none", priority, decision.tier.value).inc()
    metrics.observe(metrics.CLASSIFICATION_CONFIDENCE.labels(decision.tier.value), decision.confidence)
    _log.info(
        "message_classified",
        kind=decision.kind.value,
        incident_id=decision.incident_id,
        opens=decision.opens,
        confidence=decision.confidence,
        tier=decision.tier.value,
    )


def _store(event: Event) -> str:
    return f"{event.type} {dump_event(event).decode()}"


def _split(stored: str) -> tuple[str, bytes]:
    event_type, _, body = stored.partition(" ")
    return event_type, body.encode()
