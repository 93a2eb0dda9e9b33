"""Carries out a decision on the memory: opens an incident, adds to one, lets a message wait or leaves it. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from supportbot.classifier.embedding import prepare_text
from supportbot.classifier.memory import Incident, Memory, join_incident, raise_priority
from supportbot.classifier.normalise import strip_invisible
from supportbot.classifier.scene import Policy, Scene
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import (
    Decision,
    Evidence,
    IncidentState,
    Kind,
    MessageClassified,
    MessageReceived,
    Person,
    Priority,
    Tier,
)
from supportbot.ids import make_incident_id

MAX_SUBJECT = 90
GOES_ALONG = timedelta(minutes=15)
"""A photo so long before its author's word about somebody else's incident shows that incident."""
NO_WORDS = {"es": "Foto sin explicación", "en": "Photo without a word", "pt": "Foto sem explicação"}
"""Subject of an incident that is told by an attachment alone, by the bot's language."""


@dataclass(frozen=True)
class Settlement:
    """A message answers the question that the bot asked about an earlier one."""

    target_ref: str
    confirmed: bool
    over: bool = False
    """Not refused because it is no report: it needs no ticket any more."""


@dataclass(frozen=True)
class Assembly:
    """What became of one message."""

    decision: Decision
    incident: IncidentState | None = None
    joined: tuple[Evidence, ...] = ()
    earlier: dict[str, Decision] = field(default_factory=dict)
    """Earlier messages that are decided otherwise now, by reference."""
    late: tuple[MessageClassified, ...] = ()
    """Incidents that an earlier photo opens now, to be published first."""
    waits: bool = False
    """The message waits for an explanation or an answer: not settled, for review."""
    settlement: Settlement | None = None


def as_evidence(message: MessageReceived) -> Evidence:
    """The message as something that may join an incident later."""
    return Evidence(
        message_ref=message.message_ref,
        sender=message.sender,
        sent_at=message.sent_at,
        text=message.text,
        media=message.media,
    )


def leave(scene: Scene, memory: Memory, kind: Kind, *reasons: str, confidence: float = 0.6) -> tuple[Assembly, Memory]:
    """The message belongs to nothing."""
    decision = Decision(kind=kind, confidence=confidence, tier=scene.verdict.tier, reasons=reasons)
    return Assembly(decision), memory


def let_wait(scene: Scene, memory: Memory, reason: str, *, asks: bool = False) -> tuple[Assembly, Memory]:
    """The message waits: what its author sends next may explain it."""
    kind = Kind.INCIDENT if asks else Kind.EVIDENCE if scene.message.media else Kind.CHATTER
    decision = Decision(kind=kind, confidence=0.4, asks=asks, tier=scene.verdict.tier, reasons=(reason,))
    return Assembly(decision, waits=True), memory.with_pending(as_evidence(scene.message))


def hold(scene: Scene, memory: Memory, reason: str) -> tuple[Assembly, Memory]:
    """The message waits for a person, whatever its author sends next."""
    decision = Decision(
        kind=Kind.INCIDENT,
        confidence=0.4,
        asks=scene.policy.ask_band > 0,
        tier=scene.verdict.tier,
        degraded=scene.verdict.degraded,
        reasons=(reason,),
    )
    return Assembly(decision, waits=True), memory.with_held(as_evidence(scene.message))


def open_incident(
    scene: Scene, memory: Memory, reasons: tuple[str, ...], *, confidence: float, taken: tuple[Evidence, ...] = ()
) -> tuple[Assembly, Memory]:
    """The message opens an incident; the author's waiting photos and fragments, and `taken`, join it."""
    message, verdict = scene.message, scene.verdict
    waiting = tuple(
        one for one in memory.waiting(scene.author) if one.message_ref not in {e.message_ref for e in taken}
    )
    joined = tuple(sorted((*waiting, *taken), key=lambda one: one.sent_at))
    words = " ".join([*(one.text for one in joined if one.text), message.text])
    category = choose_category(scene.policy, verdict, memory)
    state = IncidentState(
        incident_id=make_incident_id(message.message_ref),
        opening_ref=message.message_ref if message.text.strip() else _first_told(joined, message),
        opened_at=message.sent_at,
        reporter=message.sender,
        subject=make_subject(words) or _no_words(scene),
        category=category,
        priority=verdict.priority or _priority_of(scene.policy, category),
        sites=verdict.sites,
    )
    incident = Incident(
        state=state,
        last_at=message.sent_at,
        told=bool(words.strip()),
        said=prepare_text(words),
    )
    for one in joined:
        incident = join_incident(incident, ref=one.message_ref, author=one.sender, at=one.sent_at)
    incident = join_incident(
        incident,
        ref=message.message_ref,
        author=message.sender,
        at=message.sent_at,
        tokens=verdict.tokens,
        documents=(*verdict.documents, *verdict.bare_numbers),
    )
    decision = Decision(
        kind=Kind.INCIDENT,
        incident_id=state.incident_id,
        opens=True,
        category=state.category,
        priority=state.priority,
        confidence=confidence,
        tier=verdict.tier,
        degraded=verdict.degraded,
        reasons=reasons,
    )
    earlier = {one.message_ref: evidence_decision(state.incident_id, "explained by a later message") for one in joined}
    memory = memory.without_pending(earlier).with_incident(incident)
    return Assembly(decision, state, joined, earlier), memory


def continue_incident(
    scene: Scene, memory: Memory, incident: Incident, kind: Kind, reasons: tuple[str, ...], *, confidence: float = 0.75
) -> tuple[Assembly, Memory]:
    """The message belongs to a known incident."""
    message, verdict = scene.message, scene.verdict
    waiting = _goes_along(scene, memory, incident, kind)
    for one in waiting:
        incident = join_incident(incident, ref=one.message_ref, author=one.sender, at=one.sent_at)
    telling = scene.author == incident.reporter or verdict.signals.same_case > 0
    incident = join_incident(
        incident,
        ref=message.message_ref,
        author=message.sender,
        at=message.sent_at,
        tokens=verdict.tokens if kind is not Kind.STAFF else (),
        documents=verdict.documents if telling else (),
        sites=_added_sites(scene, incident) if telling or not incident.state.sites else (),
    )
    incident = _progress(scene, incident, kind)
    state = incident.state
    decision = Decision(
        kind=kind,
        incident_id=state.incident_id,
        category=state.category,
        priority=state.priority,
        confidence=confidence,
        tier=verdict.tier,
        degraded=verdict.degraded,
        reasons=reasons,
    )
    earlier = {one.message_ref: evidence_decision(state.incident_id, "explained by a later message") for one in waiting}
    return Assembly(decision, state, waiting, earlier), memory.without_pending(earlier).with_incident(incident)


def _goes_along(scene: Scene, memory: Memory, incident: Incident, kind: Kind) -> tuple[Evidence, ...]:
    """What of the author waits and goes with this message: all of the reporter's, of others what they just sent."""
    waiting = memory.waiting(scene.author)
    if incident.reporter == scene.author or kind is Kind.STAFF:
        return waiting if incident.reporter == scene.author else ()
    return tuple(one for one in waiting if scene.now - one.sent_at <= GOES_ALONG)


def join_waiting(
    scene: Scene, memory: Memory, incident: Incident, waiting: tuple[Evidence, ...], reason: str
) -> tuple[MessageClassified, dict[str, Decision], Memory]:
    """One author's waiting photos become evidence of a known incident.

    Returns:
        The event to publish, the decisions of all of them, and the memory.
    """
    for one in waiting:
        incident = join_incident(incident, ref=one.message_ref, author=one.sender, at=one.sent_at)
    first, *others = waiting
    decisions = {one.message_ref: evidence_decision(incident.incident_id, reason) for one in waiting}
    event = MessageClassified(
        message_ref=first.message_ref,
        group_ref=scene.message.group_ref,
        message=as_message(first, scene.message.group_ref),
        decision=decisions[first.message_ref],
        incident=incident.state,
        joined=tuple(others),
    )
    return event, decisions, memory.without_pending(decisions).with_incident(incident)


def as_message(one: Evidence, group_ref: str) -> MessageReceived:
    """What waited, as the message that it was."""
    return MessageReceived(
        message_ref=one.message_ref,
        group_ref=group_ref,
        sender=one.sender,
        sent_at=one.sent_at,
        received_at=one.sent_at,
        text=one.text,
        media=one.media,
    )


def open_waiting(
    scene: Scene, memory: Memory, waiting: tuple[Evidence, ...], reason: str
) -> tuple[MessageClassified, dict[str, Decision], Memory]:
    """The first of one author's waiting photos opens an incident of its own; the others are its evidence.

    Returns:
        The event to publish, the decisions of all of them, and the memory.
    """
    first, *others = waiting
    category = choose_category(scene.policy, Verdict(), memory)
    state = IncidentState(
        incident_id=make_incident_id(first.message_ref),
        opening_ref=first.message_ref,
        opened_at=first.sent_at,
        reporter=first.sender,
        subject=make_subject(" ".join(one.text for one in waiting if one.text)) or _no_words(scene),
        category=category,
        priority=_priority_of(scene.policy, category),
    )
    incident = Incident(state=state, last_at=first.sent_at)
    for one in waiting:
        incident = join_incident(incident, ref=one.message_ref, author=one.sender, at=one.sent_at)
    decision = Decision(
        kind=Kind.INCIDENT,
        incident_id=state.incident_id,
        opens=True,
        category=state.category,
        priority=state.priority,
        confidence=0.6,
        reasons=(reason,),
    )
    message = as_message(first, scene.message.group_ref)
    event = MessageClassified(
        message_ref=first.message_ref,
        group_ref=message.group_ref,
        message=message,
        decision=decision,
        incident=state,
        joined=tuple(others),
    )
    decisions = {
        one.message_ref: evidence_decision(state.incident_id, "beside the photo that opened it") for one in others
    }
    decisions[first.message_ref] = decision
    return event, decisions, memory.without_pending(decisions).with_incident(incident)


def take_back(memory: Memory, refs: tuple[str, ...]) -> Memory:
    """The memory with these messages out of the incidents that they had been put in."""
    incidents = tuple(
        one.model_copy(update={"refs": tuple(ref for ref in one.refs if ref not in refs)})
        if any(ref in one.refs for ref in refs)
        else one
        for one in memory.incidents
    )
    return memory.model_copy(update={"incidents": incidents})


def evidence_decision(incident_id: str, reason: str) -> Decision:
    """The decision of a photo or fragment that joins an incident."""
    return Decision(
        kind=Kind.EVIDENCE, incident_id=incident_id, confidence=0.75, tier=Tier.STRUCTURE, reasons=(reason,)
    )


def make_subject(text: str) -> str:
    """One line of at most 90 characters, cut between words."""
    line = " ".join(strip_invisible(text.replace("\n", " ")).split())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1].rsplit(" ", 1)[0][: MAX_SUBJECT - 1] + "…"


def choose_category(policy: Policy, verdict: Verdict, memory: Memory) -> str:
    """The verdict's category, where the group's usual one tips a close race; without any the usual or the default."""
    counts = Counter(one.state.category for one in memory.incidents if not one.dropped)
    shares = {name: count / (sum(counts.values()) + 8) for name, count in counts.items()}
    if verdict.categories and verdict.tier is Tier.KEYWORDS:
        return max(verdict.categories, key=lambda name: verdict.categories[name] + 1.2 * shares.get(name, 0.0))
    if verdict.category is not None:
        return verdict.category
    usual = max(counts, key=counts.__getitem__, default=policy.default_category)
    return usual if counts[usual] >= 3 else policy.default_category


def _progress(scene: Scene, incident: Incident, kind: Kind) -> Incident:
    """What the message changes in the incident's course and in what is known of it."""
    message, verdict = scene.message, scene.verdict
    state, update = incident.state, dict[str, object]()
    if kind is Kind.RESOLUTION:
        state = state.model_copy(update={"resolved": True})
        update["resolved_at"], update["resolved_by"] = message.sent_at, scene.author
    elif incident.resolved_at is not None and verdict.signals.problem and scene.author == incident.reporter:
        state = state.model_copy(update={"resolved": False})
        update["resolved_at"] = update["resolved_by"] = None
    if kind is Kind.STAFF or (kind is Kind.RESOLUTION and scene.author != incident.reporter):
        update["answered"] = True
    if scene.author == incident.reporter and not incident.told and not _explains(verdict):
        if message.text.strip() and verdict.numbers:
            state = state.model_copy(update={"subject": make_subject(f"{_no_words(scene)} — {message.text}")})
    elif scene.author == incident.reporter and not incident.told:
        update["told"], update["said"] = True, prepare_text(message.text)
        state = state.model_copy(
            update={"subject": make_subject(message.text), "category": verdict.category or state.category}
        )
        state = raise_priority(state, verdict.priority)
    if scene.author != incident.reporter and verdict.signals.same_case and kind is Kind.FOLLOW_UP:
        state = state.model_copy(update={"affected": _add_person(state.affected, message.sender)})
    return incident.model_copy(update={**update, "state": state})


def _explains(verdict: Verdict) -> bool:
    """Whether a text tells what a photo shows; a number, a name or thanks do not."""
    s = verdict.signals
    if s.courtesy >= 0.6:
        return False
    return len(verdict.tokens) >= 2 or max(s.problem, s.request) >= 0.8


def _added_sites(scene: Scene, incident: Incident) -> tuple[str, ...]:
    verdict = scene.verdict
    if verdict.sites:
        return verdict.sites
    if not incident.state.sites and verdict.length <= 12 and len(verdict.bare_numbers) == 1:
        return verdict.bare_numbers
    return ()


def _first_told(joined: tuple[Evidence, ...], message: MessageReceived) -> str:
    """The fragment that told the problem when a photo completed it."""
    return next((one.message_ref for one in joined if one.text), message.message_ref)


def _add_person(people: tuple[Person, ...], person: Person) -> tuple[Person, ...]:
    return people if any(one.ref == person.ref for one in people) else (*people, person)[-30:]


def _priority_of(policy: Policy, category: str) -> Priority:
    known = policy.category(category)
    return known.priority if known is not None else Priority.MEDIUM


def _no_words(scene: Scene) -> str:
    return NO_WORDS.get(scene.policy.language, NO_WORDS["en"])
