"""Lets a tier decide on a conversation, through the classifier's pure parts: no bus, no clock. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from supportbot.classifier.assembly import Assembly
from supportbot.classifier.incidents import assemble
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn, make_turn
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Decision, IncidentState
from supportbot.evaluation.conversation import Conversation
from supportbot.evaluation.outcome import Facts, Outcome, Prediction

Judge = Callable[[Turn], Verdict]
"""A tier that needs nobody else: the keywords, the local model."""


@dataclass
class Course:
    """What became of a conversation."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    """Each message's decision as it stands, by `message_ref`."""
    states: dict[str, IncidentState] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    """Every incident that was opened, whatever became of it."""

    def add(self, ref: str, assembly: Assembly) -> None:
        """Note what one message brought."""
        for event in assembly.late:
            self._note(event.message_ref, event.decision, event.incident)
        self._note(ref, assembly.decision, assembly.incident)
        for earlier, decision in assembly.earlier.items():
            self._note(earlier, decision, None)

    def _note(self, ref: str, decision: Decision, state: IncidentState | None) -> None:
        self.decisions[ref] = decision
        if state is not None:
            self.states[state.incident_id] = state
        if decision.opens and decision.incident_id:
            self.opened.add(decision.incident_id)


def decide(conversation: Conversation, judge: Judge, policy: Policy, *, remembers: bool = True) -> Course:
    """Decide on every message in its order, as the classifier would.

    Without `remembers` each one is decided on as if it were the group's first.
    """
    memory, course = Memory(), Course()
    for one in conversation.messages:
        verdict = judge(make_turn(memory, one.message))
        assembly, after = assemble(memory, one.message, verdict, policy)
        course.add(one.message.message_ref, assembly)
        memory = after if remembers else memory
    return course


def to_outcome(conversation: Conversation, course: Course) -> Outcome:
    """What a course comes to, in the ids of the conversation."""
    ids = {one.message.message_ref: one.id for one in conversation.messages}
    predictions = {
        ids[ref]: Prediction(incident=decision.incident_id)
        for ref, decision in course.decisions.items()
        if ref in ids  # A course may begin before the conversation.
    }
    opening = {ref: decision for ref, decision in course.decisions.items() if decision.opens}
    for ref, decision in opening.items():
        opener, later = _opener(ref, decision, course.decisions)
        if opener in ids:
            predictions[ids[opener]] = Prediction(
                incident=decision.incident_id, opens=True, opened_on=ids.get(later) if later else None
            )
    kept = {decision.incident_id for decision in opening.values()}
    return Outcome(
        predictions=predictions,
        incidents={name: to_facts(state) for name, state in course.states.items()},
        emptied=len(course.opened - kept),
    )


def to_facts(state: IncidentState) -> Facts:
    """What an incident's last state says."""
    return Facts(
        category=state.category,
        priority=state.priority.value,
        sites=state.sites,
        affected=tuple(person.ref for person in state.affected),
    )


def _opener(ref: str, decision: Decision, decisions: Mapping[str, Decision]) -> tuple[str, str | None]:
    """The message on whose arrival `ref` opened its incident, if that is of the incident itself; else `ref`, and it."""
    later = decision.opened_on
    if later is None or later == ref:
        return ref, None
    known = decisions.get(later)
    return (later, None) if known is not None and known.incident_id == decision.incident_id else (ref, later)
