"""Edits, deletions and reactions: what they change in an incident, and what they settle. Pure."""

from datetime import timedelta

from supportbot.classifier.assembly import make_subject
from supportbot.classifier.correction import Correction, corrected
from supportbot.classifier.incidents import assemble
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Incident, Memory, Recent, raise_priority
from supportbot.classifier.merging import keep_sites
from supportbot.classifier.reactions import message_to_judge, react
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn
from supportbot.classifier.verdict import INJECTION, Verdict
from supportbot.contracts import (
    ConfirmationRefused,
    Decision,
    Event,
    Kind,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionReceived,
)

EDIT_LIFE = timedelta(hours=24)

Correcting = MessageEdited | MessageDeleted | ReactionReceived


def turn_to_judge(memory: Memory, event: Correcting) -> Turn | None:
    """What a tier is asked before `correct`; None when no text decides anything."""
    if isinstance(event, MessageEdited):
        message = _edited_message(memory, event)
    elif isinstance(event, ReactionReceived):
        message = message_to_judge(memory, event)
    else:
        message = None
    return Turn(message.text, memory, message) if message is not None and message.text.strip() else None


def correct(
    memory: Memory, event: Correcting, policy: Policy, verdict: Verdict | None = None
) -> tuple[Correction, Memory]:
    """Decide on a correction.

    Args:
        memory: Of the group.
        event: What somebody did to an earlier message.
        policy: Of the spec.
        verdict: Of `turn_to_judge`.

    Returns:
        What it came to, and the memory after it.
    """
    match event:
        case ReactionReceived():
            return react(memory, event, policy, verdict)
        case MessageDeleted():
            return _delete(memory, event)
        case MessageEdited():
            return _edit(memory, event, policy, verdict)


def _edited_message(memory: Memory, event: MessageEdited) -> MessageReceived | None:
    """The edited message as if it came now; None when its new text changes nothing."""
    known = memory.message(event.target_ref)
    if known is None or known.author != event.sender.ref or event.sent_at - known.at > EDIT_LIFE:
        return None
    quotes_own = known.quoted is not None and known.quoted.startswith("i_")
    return MessageReceived(
        message_ref=event.target_ref,
        group_ref=event.group_ref,
        sender=event.sender,
        sent_at=event.sent_at,
        received_at=event.received_at,
        text=event.text,
        media=known.media,
        quoted_ref=None if quotes_own else known.quoted,
        quoted_incident=known.quoted if quotes_own else None,
    )


def _edit(memory: Memory, event: MessageEdited, policy: Policy, verdict: Verdict | None) -> tuple[Correction, Memory]:
    known, incident = memory.message(event.target_ref), memory.incident_of(event.target_ref)
    if known is None and incident is None:
        return Correction("the edited message is not remembered"), memory
    if known is not None and known.author != event.sender.ref:
        return Correction("only its author edits a message"), memory
    if incident is None:
        return _decide_anew(memory, event, policy, verdict)
    verdict = verdict or judge(event.text, policy.categories, memory.known_sites)
    if event.target_ref != incident.state.opening_ref:
        incident = _learn(memory, incident, known, verdict)
        reason = "a message of an incident was edited"
    elif reports_nothing(verdict):
        # The ticket stays: a person decides about it. What its author writes next goes on with it.
        incident = incident.model_copy(update={"told": False})
        reason = "the opening was edited into something that reports nothing"
    else:
        incident = _retell(_learn(memory, incident, known, verdict), event.text, verdict)
        reason = "the opening was edited"
    memory = _reword(memory.in_place(incident), event.target_ref, event.text)
    return Correction(reason, events=(corrected(event, incident, "edited"),)), memory


def _decide_anew(
    memory: Memory, event: MessageEdited, policy: Policy, verdict: Verdict | None
) -> tuple[Correction, Memory]:
    """A message that belongs to no incident is decided as if it came now with its new text."""
    message = _edited_message(memory, event)
    if message is None:
        return Correction("the edited message is too old"), memory
    before = memory.message(event.target_ref)
    recent = tuple(one for one in memory.recent if one.ref != event.target_ref)
    memory = memory.model_copy(update={"recent": recent}).without_pending([event.target_ref])
    verdict = verdict or judge(event.text, policy.categories, memory.known_sites)
    assembly, memory = assemble(memory, message, verdict, policy)
    decision = assembly.decision
    settled = not decision.asks and decision.incident_id is None and not assembly.waits
    events: tuple[Event, ...] = ()
    if before is not None and before.decision.asks and settled:
        events = (
            ConfirmationRefused(message_ref=event.message_ref, group_ref=event.group_ref, target_ref=event.target_ref),
        )
    return Correction("the text changed", events=events, message=message, assembly=assembly), memory


def reports_nothing(verdict: Verdict) -> bool:
    """Whether a text holds neither a problem nor a request nor a thing: thanks, a joke, a full stop."""
    s = verdict.signals
    if s.courtesy > 0.7 or not verdict.length:
        return True
    return max(s.problem, s.request, s.object, s.report) < 0.5 and not verdict.numbers and len(verdict.tokens) < 4


def _retell(incident: Incident, text: str, verdict: Verdict) -> Incident:
    """The incident told by the new text of its opening; one that gives orders changes neither category nor priority."""
    ordered = INJECTION in verdict.flags
    subject = make_subject(text if ordered else verdict.subject or text)
    state = incident.state.model_copy(update={"subject": subject})
    if not ordered:
        state = state.model_copy(update={"category": verdict.category or state.category})
        state = raise_priority(state, verdict.priority)
    return incident.model_copy(update={"state": state, "told": True})


def _learn(memory: Memory, incident: Incident, known: Recent | None, verdict: Verdict) -> Incident:
    """The incident with what the new text of a message names instead of the old one."""
    if known is not None and known.author != incident.reporter:
        return incident
    refs = set(incident.refs) - {known.ref if known else ""}
    others = [one.text for one in memory.recent if one.ref in refs]
    old = judge(known.text) if known is not None else Verdict()
    sites = keep_sites(incident.state.sites, [known.text] if known else [], others)
    sites = tuple(dict.fromkeys((*verdict.sites, *sites)))[:40]
    tokens = (one for one in incident.tokens if one not in old.tokens)
    documents = (one for one in incident.documents if one not in old.numbers)
    return incident.model_copy(
        update={
            "state": incident.state.model_copy(update={"sites": sites}),
            "tokens": tuple(dict.fromkeys((*verdict.tokens, *tokens)))[:36],
            "documents": tuple(dict.fromkeys((*verdict.documents, *verdict.bare_numbers, *documents)))[:20],
        }
    )


def _delete(memory: Memory, event: MessageDeleted) -> tuple[Correction, Memory]:
    incident = memory.incident_of(event.target_ref)
    waited = any(one.message_ref == event.target_ref for one in memory.pending)
    memory = _reword(memory.without_pending([event.target_ref]), event.target_ref, "")
    if incident is None:
        if not waited:
            return Correction("the deleted message belongs to no incident"), memory
        decision = Decision(kind=Kind.CHATTER, confidence=0.95, reasons=("was deleted before it was settled",))
        decisions = {event.target_ref: decision}
        return Correction("the message was deleted", decisions=decisions), memory.with_decisions(decisions)
    if event.target_ref == incident.state.opening_ref:
        # Not dropped: people delete a report to write it again, and that text then goes on with the incident.
        incident = incident.model_copy(update={"told": False})
        memory = memory.in_place(incident)
    return Correction("a message of an incident was deleted", events=(corrected(event, incident, "deleted"),)), memory


def _reword(memory: Memory, ref: str, text: str) -> Memory:
    recent = tuple(one.model_copy(update={"text": text[:120]}) if one.ref == ref else one for one in memory.recent)
    return memory.model_copy(update={"recent": recent})
