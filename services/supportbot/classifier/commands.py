"""What a reaction means, by its emoji, its target and who it is from. Pure. `docs/corrections.md` describes the set."""

from dataclasses import dataclass
from datetime import timedelta

from supportbot.classifier import signs
from supportbot.classifier.asking import find_question, may_confirm, may_settle
from supportbot.classifier.memory import Act, Incident, Memory
from supportbot.contracts import Evidence, ReactionReceived

PAIR = timedelta(minutes=10)
"""Two reactions that merge the incidents of their messages are so close."""


@dataclass(frozen=True)
class Command:
    """What a reaction means, as things stand."""

    act: Act
    question: Evidence | None = None
    incident: Incident | None = None
    other: Incident | None = None
    """The incident that goes on after a merge."""


def read_command(memory: Memory, event: ReactionReceived) -> Command | None:
    """The command of a reaction; None for one that means nothing where it is, or from whom it is."""
    base, person = signs.base_of(event.emoji), event.sender
    question = _open_question(memory, event)
    if question is not None:
        if base in signs.YES or (base in signs.TAKEN | signs.SEPARATE and person.staff):
            return Command(Act.CONFIRM, question=question) if may_confirm(memory, person, question) else None
        return Command(Act.REFUSE, question=question) if base in signs.NO else None
    incident = _incident_of(memory, event)
    if base in signs.SEPARATE:
        return _read_separate(memory, event, incident)
    if incident is None or incident.dropped:
        return None
    if base in signs.SOLVED and incident.resolved_at is None and _may_solve(memory, event, incident):
        return Command(Act.SOLVE, incident=incident)
    if base in signs.NO and _tells_of_all(event, incident) and _may_reject(memory, event):
        return Command(Act.REJECT, incident=incident)
    if base in signs.MERGE and person.staff:
        return _read_merge(memory, event, incident)
    return None


def _open_question(memory: Memory, event: ReactionReceived) -> Evidence | None:
    """What the reaction can settle: a message that was asked about, for staff also a photo that nobody explained."""
    asked = find_question(memory, event.target_ref)
    if asked is None and event.sender.staff:
        return next((one for one in memory.pending if one.message_ref == event.target_ref and one.media), None)
    return asked if asked is not None and may_settle(event.sender, asked) else None


def _incident_of(memory: Memory, event: ReactionReceived) -> Incident | None:
    if event.target_incident:
        return memory.incident(event.target_incident)
    known = memory.message(event.target_ref)
    return memory.incident_of(event.target_ref) or (memory.incident(known.incident_id) if known else None)


def _tells_of_all(event: ReactionReceived, incident: Incident) -> bool:
    """Whether the message stands for its incident: the one that opened it, or the bot's own about it."""
    return event.target_incident is not None or event.target_ref == incident.state.opening_ref


def _may_solve(memory: Memory, event: ReactionReceived, incident: Incident) -> bool:
    """Staff, and the reporter on what they wrote themselves: on the bot's or others' words a ✅ may only be thanks."""
    known = memory.message(event.target_ref)
    own = known is not None and known.author == event.sender.ref == incident.reporter
    return event.sender.staff or own


def _may_reject(memory: Memory, event: ReactionReceived) -> bool:
    """Staff, and whoever had it opened by a reaction to this very message."""
    last = memory.reaction(event.target_ref, event.sender.ref)
    return event.sender.staff or (last is not None and last.act is Act.CONFIRM)


def _read_separate(memory: Memory, event: ReactionReceived, incident: Incident | None) -> Command | None:
    if not event.sender.staff or event.target_incident or memory.message(event.target_ref) is None:
        return None
    if incident is not None and event.target_ref == incident.state.opening_ref:
        return None
    return Command(Act.SEPARATE, incident=incident)


def _read_merge(memory: Memory, event: ReactionReceived, incident: Incident) -> Command:
    known = memory.message(event.target_ref)
    quoted = known.quoted if known is not None else None
    other = (memory.incident(quoted) or memory.incident_of(quoted)) if quoted else None
    if other is not None and _can_merge(incident, other):
        return Command(Act.MERGE, incident=incident, other=other)
    marked = _marked_before(memory, event)
    if marked is not None and _can_merge(incident, marked):
        older, newer = sorted((incident, marked), key=lambda one: one.state.opened_at)
        return Command(Act.MERGE, incident=newer, other=older)
    return Command(Act.MARK, incident=incident)


def _can_merge(incident: Incident, other: Incident) -> bool:
    return other.incident_id != incident.incident_id and not other.dropped


def _marked_before(memory: Memory, event: ReactionReceived) -> Incident | None:
    """The incident that the same person marked last, not long ago."""
    for one in reversed(memory.reactions):
        if one.by == event.sender.ref and one.act is Act.MARK and event.sent_at - one.at <= PAIR:
            return memory.incident(one.incident_id)
    return None
