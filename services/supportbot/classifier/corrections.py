"""Edits, deletions and reactions: what they change in an incident, and what they settle. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from supportbot.classifier.assembly import make_subject
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Incident, Memory
from supportbot.classifier.scene import Policy
from supportbot.contracts import (
    IncidentCorrected,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionReceived,
)

YES = frozenset("👍✅☑✔👌🙏💯")
NO = frozenset("👎❌✖🚫⛔")
EDIT_LIFE = timedelta(hours=24)


@dataclass(frozen=True)
class Correction:
    """What an edit, a deletion or a reaction came to."""

    reason: str
    event: IncidentCorrected | None = None
    message: MessageReceived | None = None
    """A text to decide on as if it came now: an edited one, or one that a person confirmed."""
    confirmed: bool = False
    """A person said that `message` reports something."""


def correct(
    memory: Memory, event: MessageEdited | MessageDeleted | ReactionReceived, policy: Policy
) -> tuple[Correction, Memory]:
    """Decide on a correction.

    Returns:
        What it came to, and the memory after it. A `message` is for `assemble`.
    """
    if isinstance(event, ReactionReceived):
        return _react(memory, event)
    incident = memory.incident_of(event.target_ref)
    if isinstance(event, MessageDeleted):
        return _delete(memory, event, incident)
    return _edit(memory, event, incident, policy)


def _edit(memory: Memory, event: MessageEdited, incident: Incident | None, policy: Policy) -> tuple[Correction, Memory]:
    memory = _reword(memory, event.target_ref, event.text)
    if incident is None:
        waits = any(one.message_ref == event.target_ref for one in memory.pending)
        known = memory.message(event.target_ref)
        if known is None or event.sent_at - known.at > EDIT_LIFE:
            return Correction("the edited message is not remembered"), memory
        memory = memory.without_pending([event.target_ref])
        return Correction(
            "the text changed" if waits else "the text of a message without incident changed",
            message=_as_message(event),
        ), memory
    state = incident.state
    if event.target_ref == state.opening_ref and event.text.strip():
        verdict = judge(event.text, policy.categories, memory.known_sites)
        sites = tuple(dict.fromkeys((*verdict.sites, *(site for site in state.sites if len(incident.refs) > 1))))
        state = state.model_copy(update={"subject": make_subject(event.text), "sites": sites or state.sites})
        incident = incident.model_copy(update={"state": state, "tokens": verdict.tokens or incident.tokens})
        memory = memory.with_incident(incident)
    return Correction("a message of an incident was edited", _corrected(event, incident, "edited", event.text)), memory


def _delete(memory: Memory, event: MessageDeleted, incident: Incident | None) -> tuple[Correction, Memory]:
    memory = memory.without_pending([event.target_ref])
    if incident is None:
        return Correction("the deleted message belongs to no incident"), memory
    if event.target_ref == incident.state.opening_ref:
        # Not dropped: people delete a report to write it again, and that text then goes on with the incident.
        incident = incident.model_copy(update={"told": False})
        memory = memory.with_incident(incident)
    return Correction("a message of an incident was deleted", _corrected(event, incident, "deleted")), memory


def _react(memory: Memory, event: ReactionReceived) -> tuple[Correction, Memory]:
    emoji = set(event.emoji)
    asked = next((one for one in memory.pending if one.message_ref == event.target_ref and one.text), None)
    known = memory.message(event.target_ref)
    if asked is not None and known is not None and known.decision.asks:
        entitled = event.sender.staff or event.sender.ref == asked.sender.ref
        if entitled and emoji & YES:
            message = MessageReceived(
                message_ref=asked.message_ref,
                group_ref=event.group_ref,
                sender=asked.sender,
                sent_at=asked.sent_at,
                received_at=event.received_at,
                text=asked.text,
                media=asked.media,
            )
            memory = memory.without_pending([asked.message_ref])
            return Correction("confirmed by a reaction", message=message, confirmed=True), memory
        if entitled and emoji & NO:
            return Correction("rejected by a reaction"), memory.without_pending([asked.message_ref])
    incident = memory.incident(event.target_incident) if event.target_incident else None
    incident = incident or next((one for one in memory.incidents if one.state.opening_ref == event.target_ref), None)
    if incident is not None and event.sender.staff and emoji & NO and not incident.dropped:
        dropped = incident.model_copy(update={"dropped": True})
        return Correction(
            "staff says that it is no incident", _corrected(event, dropped, "rejected")
        ), memory.with_incident(dropped)
    return Correction("the reaction changes nothing"), memory


def _corrected(
    event: MessageEdited | MessageDeleted | ReactionReceived, incident: Incident, change: str, text: str = ""
) -> IncidentCorrected:
    return IncidentCorrected.model_validate(
        {
            "message_ref": event.message_ref,
            "group_ref": event.group_ref,
            "target_ref": event.target_ref,
            "sender": event.sender,
            "sent_at": event.sent_at,
            "change": change,
            "text": text,
            "incident": incident.state,
        }
    )


def _as_message(event: MessageEdited) -> MessageReceived:
    return MessageReceived(
        message_ref=event.message_ref,
        group_ref=event.group_ref,
        sender=event.sender,
        sent_at=event.sent_at,
        received_at=event.received_at,
        text=event.text,
    )


def _reword(memory: Memory, ref: str, text: str) -> Memory:
    recent = tuple(one.model_copy(update={"text": text[:120]}) if one.ref == ref else one for one in memory.recent)
    pending = tuple(one.model_copy(update={"text": text}) if one.message_ref == ref else one for one in memory.pending)
    return memory.model_copy(update={"recent": recent, "pending": pending})
