"""The grey band: a message that the bot asked about with a ❓, and how a person's answer settles it. Pure.

Only the message's author and listed staff settle it, by a reaction or in words. Silence settles nothing.
"""

from dataclasses import replace
from datetime import timedelta

from supportbot.classifier.answers import Answer, read_answer, says_yes_and_more
from supportbot.classifier.assembly import Assembly, Settlement, as_message, continue_incident, leave, open_incident
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Scene
from supportbot.contracts import Decision, Evidence, Kind, MessageClassified, Person

ANSWERED_WITHIN = timedelta(minutes=30)
"""So long after the question the next message of the group may answer it without a quote."""
ORDERS = "gives orders to the bot"
"""Why a message waits for a person, whatever its author says."""
SURE = 0.95
"""Confidence of what a person has said."""


def find_question(memory: Memory, target_ref: str) -> Evidence | None:
    """The message that was asked about and is still open."""
    known = memory.message(target_ref)
    if known is None or not known.decision.asks:
        return None
    return next((one for one in memory.pending if one.message_ref == target_ref and one.text), None)


def may_settle(person: Person, question: Evidence) -> bool:
    """Whether somebody's word settles a question: its author's and that of listed staff; never of inferred staff."""
    return person.staff or person.ref == question.sender.ref


def may_confirm(memory: Memory, person: Person, question: Evidence) -> bool:
    """Whether somebody's yes opens a ticket: who gives the bot orders would also say yes to them, so staff looks."""
    known = memory.message(question.message_ref)
    return person.staff or (
        may_settle(person, question) and known is not None and known.decision.reasons[:1] != (ORDERS,)
    )


def settle_by_words(scene: Scene, memory: Memory) -> tuple[Assembly, Memory] | None:
    """Settle a question when the message answers it; None when it does not."""
    message = scene.message
    if not memory.pending or message.media is not None or message.mentions or not message.text.strip():
        return None
    question = _question_of(scene, memory)
    if question is None or not may_settle(message.sender, question):
        return None
    answer = read_answer(message.text)
    more = answer is None and message.quoted_ref is not None and says_yes_and_more(message.text)
    if answer is Answer.YES or more:
        may = may_confirm(memory, message.sender, question)
        return _confirm(scene, memory, question, says_more=more) if may else None
    if answer is None:
        return None
    assembly, memory = leave(scene, memory, _kind_of(scene), "answers what was asked: no ticket", confidence=SURE)
    settlement = Settlement(question.message_ref, confirmed=False, over=answer is Answer.OVER)
    earlier = {question.message_ref: refused_decision(message.sender, over=settlement.over)}
    return replace(assembly, earlier=earlier, settlement=settlement), memory.without_pending(earlier)


def _question_of(scene: Scene, memory: Memory) -> Evidence | None:
    """The open question that the message quotes; without any quote the one about the very message before."""
    message = scene.message
    if message.quoted_ref or message.quoted_incident:
        return find_question(memory, message.quoted_ref) if message.quoted_ref else None
    previous = scene.previous
    if previous is None or not previous.decision.asks or scene.now - previous.at > ANSWERED_WITHIN:
        return None
    return find_question(memory, previous.ref)


def _confirm(scene: Scene, memory: Memory, question: Evidence, *, says_more: bool) -> tuple[Assembly, Memory]:
    """The message asked about opens its incident first; an answer that says more then goes on with it."""
    asked = as_message(question, scene.message.group_ref)
    verdict = judge(question.text, scene.policy.categories, memory.known_sites)
    opened, memory = open_confirmed(Scene(memory, asked, verdict, scene.policy), memory, scene.message.sender)
    assert opened.incident is not None
    event = MessageClassified(
        message_ref=asked.message_ref,
        group_ref=asked.group_ref,
        message=asked,
        decision=opened.decision,
        incident=opened.incident,
        joined=opened.joined,
    )
    incident = memory.incident(opened.incident.incident_id)
    if says_more and incident is not None:
        kind = Kind.STAFF if scene.message.sender.staff else Kind.FOLLOW_UP
        assembly, memory = continue_incident(scene, memory, incident, kind, ("answers what was asked: a report",))
    else:
        assembly, memory = leave(scene, memory, _kind_of(scene), "answers what was asked: a report", confidence=SURE)
    earlier = {**opened.earlier, asked.message_ref: opened.decision, **assembly.earlier}
    settlement = Settlement(asked.message_ref, confirmed=True)
    return replace(assembly, late=(event,), earlier=earlier, settlement=settlement), memory


def _kind_of(scene: Scene) -> Kind:
    return Kind.STAFF if scene.message.sender.staff else Kind.CHATTER


def open_confirmed(scene: Scene, memory: Memory, by: Person) -> tuple[Assembly, Memory]:
    """Open the incident of a message that a person says is a report.

    Args:
        scene: Of that message.
        memory: In which it may wait.
        by: Who said so.
    """
    reasons = (f"{_who(by)} says that it is a report",)
    memory = memory.without_pending([scene.message.message_ref])
    return open_incident(scene, memory, reasons, confidence=SURE)


def refused_decision(by: Person, *, over: bool = False) -> Decision:
    """The decision of a message that a person says needs no ticket."""
    reason = "says that it needs no ticket any more" if over else "says that it is no report"
    return Decision(kind=Kind.CHATTER, confidence=SURE, reasons=(f"{_who(by)} {reason}",))


def _who(person: Person) -> str:
    return "staff" if person.staff else "its author"
