"""Moves messages between incidents when a person says so: two become one, or a message becomes one of its own. Pure."""

from dataclasses import dataclass, replace
from datetime import timedelta

from supportbot.classifier.assembly import Assembly, open_incident
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import MAX_REFS, Incident, Memory, Recent, raise_priority
from supportbot.classifier.scene import Scene
from supportbot.contracts import Decision, Evidence, IncidentState, Kind, Person

BESIDE = timedelta(minutes=5)
"""Photos of the same author so close to a message go along with it."""


@dataclass(frozen=True)
class Merged:
    """Two incidents that are one now."""

    source: IncidentState
    target: IncidentState
    moved: tuple[Evidence, ...]
    decisions: dict[str, Decision]
    """Of the messages that moved."""


def merge(memory: Memory, source: Incident, target: Incident) -> tuple[Merged, Memory]:
    """Put everything of `source` into `target`; what is said about `source` later is then about `target`."""
    messages = _messages_of(memory, source)
    decisions = {one.ref: _moved_decision(one.decision, target.incident_id) for one in messages}
    order = {one.ref: place for place, one in enumerate(memory.recent)}
    refs = sorted((*target.refs, *source.refs), key=lambda ref: order.get(ref, -1))
    whole = target.model_copy(
        update={
            "state": _add_state(target.state, source.state),
            "last_at": max(target.last_at, source.last_at),
            "seen": {**source.seen, **target.seen},
            "tokens": tuple(dict.fromkeys((*target.tokens, *source.tokens)))[:36],
            "documents": tuple(dict.fromkeys((*target.documents, *source.documents)))[:20],
            "refs": tuple(refs[-MAX_REFS:]),
            "told": target.told or source.told,
            "answered": target.answered or source.answered,
            **({} if source.resolved_at else {"resolved_at": None, "resolved_by": None, "thanked_at": None}),
        }
    )
    part = source.model_copy(update={"dropped": True, "merged_into": target.incident_id, "refs": ()})
    moved = tuple(as_evidence(memory, one) for one in messages)
    memory = memory.in_place(part).with_decisions(decisions)
    memory = memory.with_incident(whole) if source.last_at > target.last_at else memory.in_place(whole)
    return Merged(source.state, whole.state, moved, decisions), memory


def _add_state(target: IncidentState, source: IncidentState) -> IncidentState:
    known = {target.reporter.ref}
    people: list[Person] = []
    for person in (*target.affected, source.reporter, *source.affected):
        if person.ref not in known:
            known.add(person.ref)
            people.append(person)
    state = target.model_copy(
        update={
            "sites": tuple(dict.fromkeys((*target.sites, *source.sites)))[:40],
            "affected": tuple(people[-30:]),
            "resolved": target.resolved and source.resolved,
        }
    )
    return raise_priority(state, source.priority)


def _moved_decision(decision: Decision, incident_id: str) -> Decision:
    kind = Kind.FOLLOW_UP if decision.kind is Kind.INCIDENT else decision.kind
    reasons = ("staff says that it is part of this incident", *decision.reasons)[:5]
    return decision.model_copy(
        update={"kind": kind, "incident_id": incident_id, "opens": False, "opened_on": None, "reasons": reasons}
    )


def separate(scene: Scene, memory: Memory, reason: str) -> tuple[Assembly, Incident | None, Memory]:
    """Make a message an incident of its own, with the photos beside it.

    Args:
        scene: Of that message, which was decided before.
        memory: The present one.
        reason: Why.

    Returns:
        What became of it, the incident that it was taken out of as it stands now (None if it was in none), and the
        memory.
    """
    ref = scene.message.message_ref
    before = memory.incident_of(ref)
    beside = tuple(as_evidence(memory, one) for one in _beside(memory, ref, before))
    gone = (ref, *(one.message_ref for one in beside))
    others = tuple(one for one in memory.pending if one.message_ref not in gone)
    # What else its author has waiting may be of another day: it stays where it is.
    bare = memory.model_copy(update={"pending": ()})
    assembly, memory = open_incident(replace(scene, memory=bare), bare, (reason,), confidence=0.95, taken=beside)
    memory = memory.model_copy(update={"pending": others})
    memory = memory.with_decisions({**assembly.earlier, ref: assembly.decision})
    if before is None:
        return assembly, None, memory
    left = _without(memory, before, gone, scene.author)
    return assembly, left, memory.in_place(left)


def _without(memory: Memory, incident: Incident, gone: tuple[str, ...], author: str) -> Incident:
    """An incident without messages, the sites that only they named, and an author who wrote nothing else in it."""
    refs = tuple(ref for ref in incident.refs if ref not in gone)
    texts = [one.text for one in memory.recent if one.ref in refs]
    lost = [one.text for one in memory.recent if one.ref in gone]
    state = incident.state.model_copy(update={"sites": keep_sites(incident.state.sites, lost, texts)})
    seen = incident.seen
    stays = incident.reporter == author or any(one.author == author for one in memory.recent if one.ref in refs)
    if not stays:
        seen = {ref: at for ref, at in seen.items() if ref != author}
        state = state.model_copy(update={"affected": tuple(one for one in state.affected if one.ref != author)})
    return incident.model_copy(update={"refs": refs, "state": state, "seen": seen})


def keep_sites(sites: tuple[str, ...], lost: list[str], texts: list[str]) -> tuple[str, ...]:
    """The sites without those that are named in `lost` texts and in none of the others."""
    named = {number for text in lost for number in judge(text).numbers}
    named -= {number for text in texts for number in judge(text).numbers}
    return tuple(site for site in sites if site not in named)


def _beside(memory: Memory, ref: str, incident: Incident | None) -> list[Recent]:
    """The author's photos around a message, up to their next text on either side, of the same incident or of none."""
    place = next((place for place, one in enumerate(memory.recent) if one.ref == ref), None)
    if place is None:
        return []
    message = memory.recent[place]
    around: list[Recent] = []
    for side in (reversed(memory.recent[:place]), memory.recent[place + 1 :]):
        for one in side:
            if one.author != message.author:
                continue
            same = one.incident_id == (incident.incident_id if incident else None)
            if one.text or not one.media or not same or abs(one.at - message.at) > BESIDE:
                break
            if incident is None or one.ref != incident.state.opening_ref:
                around.append(one)
    return sorted(around, key=lambda one: one.at)


def as_evidence(memory: Memory, one: Recent) -> Evidence:
    """A remembered message as something that joins an incident; of a long text only its beginning is remembered."""
    return Evidence(
        message_ref=one.ref, sender=memory.person(one.author), sent_at=one.at, text=one.text, media=one.media
    )


def _messages_of(memory: Memory, incident: Incident) -> list[Recent]:
    refs = set(incident.refs)
    return [one for one in memory.recent if one.ref in refs or one.incident_id == incident.incident_id]
