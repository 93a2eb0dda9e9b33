"""Reactions as commands: answers to the bot's questions, and what staff says of incidents. Pure.

A person has one reaction per message. A new one takes the place of the one before, whose doing is undone first as far
as it can be; an empty one only takes back. The set is described in `docs/corrections.md`.
"""

from dataclasses import dataclass, replace

from supportbot.classifier import signs
from supportbot.classifier.asking import open_confirmed, refused_decision
from supportbot.classifier.assembly import as_message
from supportbot.classifier.commands import Command, read_command
from supportbot.classifier.correction import Correction, corrected
from supportbot.classifier.labels import Word
from supportbot.classifier.memory import PENDING_LIFE, Act, Incident, Memory, Reacted
from supportbot.classifier.merging import merge, separate
from supportbot.classifier.scene import Policy, Scene
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import (
    ConfirmationRefused,
    Decision,
    Evidence,
    IncidentCorrected,
    Kind,
    MessageReceived,
    ReactionReceived,
)


def message_to_judge(memory: Memory, event: ReactionReceived) -> MessageReceived | None:
    """The earlier message that the reaction opens an incident with, to be judged before `react`."""
    if _is_stale(memory, event):
        return None
    _, memory = _undo(memory, event)
    command = read_command(memory, event)
    if command is not None and command.act is Act.CONFIRM and command.question is not None:
        return as_message(command.question, event.group_ref)
    return _remembered(memory, event) if command is not None and command.act is Act.SEPARATE else None


def _remembered(memory: Memory, event: ReactionReceived) -> MessageReceived | None:
    known = memory.message(event.target_ref)
    if known is None:
        return None
    waiting = next((one for one in memory.pending if one.message_ref == known.ref), None)
    return MessageReceived(
        message_ref=known.ref,
        group_ref=event.group_ref,
        sender=memory.person(known.author),
        sent_at=known.at,
        received_at=event.received_at,
        text=waiting.text if waiting else known.text,
        media=known.media,
    )


def react(
    memory: Memory, event: ReactionReceived, policy: Policy, verdict: Verdict | None
) -> tuple[Correction, Memory]:
    """Do what a reaction says.

    Args:
        memory: Of the group.
        event: The reaction.
        policy: Of the spec.
        verdict: Of `message_to_judge`.
    """
    if _is_stale(memory, event):
        return Correction("an older or repeated reaction"), memory
    last = memory.reaction(event.target_ref, event.sender.ref)
    undone, memory = _undo(memory, event)
    command = read_command(memory, event)
    if command is None:
        if last is not None:
            memory = memory.with_reaction(_note(event, None))
        return undone or Correction("the reaction changes nothing"), memory
    done, memory = _act(memory, event, command, Scenery(policy, verdict or Verdict()))
    if undone is not None:
        decisions = {**undone.decisions, **done.decisions}
        done = replace(done, decisions=decisions, words=(*undone.words, *done.words))
    return done, memory.with_reaction(_note(event, command))


def _is_stale(memory: Memory, event: ReactionReceived) -> bool:
    """Whether the same person's reaction was handled before or replaced since, as after a redelivery."""
    last = memory.reaction(event.target_ref, event.sender.ref)
    if last is None:
        return False
    same = last.act is not None and signs.base_of(event.emoji) == last.emoji
    return same or event.sent_at < last.at or event.message_ref == last.ref


def _note(event: ReactionReceived, command: Command | None) -> Reacted:
    return Reacted(
        ref=event.message_ref,
        target=event.target_ref,
        by=event.sender.ref,
        at=event.sent_at,
        emoji=signs.base_of(event.emoji),
        act=command.act if command else None,
        incident_id=command.incident.incident_id if command and command.incident else None,
        question=command.question if command and command.act is Act.REFUSE else None,
    )


def _undo(memory: Memory, event: ReactionReceived) -> tuple[Correction | None, Memory]:
    """Take back what the same person's last reaction to the message did; None when it did nothing."""
    last = memory.reaction(event.target_ref, event.sender.ref)
    if last is None or last.act is None:
        return None, memory
    word = Word(target_ref=event.target_ref, by=event.sender, at=event.sent_at)
    incident = memory.incident(last.incident_id)
    match last.act:
        case Act.REFUSE if last.question is not None and event.sent_at - last.question.sent_at <= PENDING_LIFE:
            asked = Decision(
                kind=Kind.INCIDENT, confidence=0.4, asks=True, reasons=("the answer to what was asked was taken back",)
            )
            decisions = {event.target_ref: asked}
            memory = memory.with_pending(last.question).with_decisions(decisions)
            return Correction("the answer was taken back", decisions=decisions, words=(word,)), memory
        case Act.SOLVE if incident is not None and (incident.resolved_at, incident.resolved_by) == (last.at, last.by):
            incident = _resolve(incident, None)
            done = Correction("staff takes the solution back", events=(corrected(event, incident, "reopened"),))
            return done, memory.in_place(incident)
        case Act.REJECT if incident is not None and incident.dropped and not incident.merged_into:
            incident = incident.model_copy(update={"dropped": False})
            events = (corrected(event, incident, "restored"),)
            return Correction("it is an incident after all", events=events, words=(word,)), memory.in_place(incident)
        case Act.MARK:
            return Correction("the incident is no longer marked"), memory
        case _:
            # A ticket was opened or got another one's evidence: that stays, and other reactions correct it.
            return Correction("what the reaction did stays", words=(word,)), memory


def _resolve(incident: Incident, event: ReactionReceived | None) -> Incident:
    by = event.sender.ref if event else None
    return incident.model_copy(
        update={
            "state": incident.state.model_copy(update={"resolved": event is not None}),
            "resolved_at": event.sent_at if event else None,
            "resolved_by": by,
            "answered": incident.answered or (by is not None and by != incident.reporter),
        }
    )


@dataclass(frozen=True)
class Scenery:
    """What a decision on an earlier message needs beside the memory."""

    policy: Policy
    verdict: Verdict


def _act(memory: Memory, event: ReactionReceived, command: Command, scenery: Scenery) -> tuple[Correction, Memory]:
    match command:
        case Command(act=Act.CONFIRM, question=Evidence() as question):
            return _confirm(memory, event, question, scenery)
        case Command(act=Act.REFUSE):
            return _refuse(memory, event)
        case Command(act=Act.SEPARATE):
            return _separate(memory, event, scenery)
        case Command(act=Act.SOLVE, incident=Incident() as incident):
            incident = _resolve(incident, event)
            events = (corrected(event, incident, "solved"),)
            return Correction("says by a reaction that it is solved", events=events), memory.in_place(incident)
        case Command(act=Act.REJECT, incident=Incident() as incident):
            return _reject(memory, event, incident)
        case Command(act=Act.MERGE, incident=Incident() as incident, other=Incident() as other):
            return _merge(memory, event, incident, other)
        case _:
            return Correction("marked to be merged with the next incident that is marked"), memory


def _confirm(
    memory: Memory, event: ReactionReceived, question: Evidence, scenery: Scenery
) -> tuple[Correction, Memory]:
    message = as_message(question, event.group_ref)
    scene = Scene(memory, message, scenery.verdict, scenery.policy)
    assembly, memory = open_confirmed(scene, memory, event.sender)
    memory = memory.with_decisions({**assembly.earlier, message.message_ref: assembly.decision})
    word = _word(event, Kind.INCIDENT, assembly.decision)
    return Correction("confirmed by a reaction", message=message, assembly=assembly, words=(word,)), memory


def _refuse(memory: Memory, event: ReactionReceived) -> tuple[Correction, Memory]:
    decisions = {event.target_ref: refused_decision(event.sender)}
    refused = ConfirmationRefused(message_ref=event.message_ref, group_ref=event.group_ref, target_ref=event.target_ref)
    done = Correction(
        "rejected by a reaction", events=(refused,), decisions=decisions, words=(_word(event, Kind.CHATTER),)
    )
    return done, memory.without_pending(decisions).with_decisions(decisions)


def _reject(memory: Memory, event: ReactionReceived, incident: Incident) -> tuple[Correction, Memory]:
    dropped = incident.model_copy(update={"dropped": True})
    word = replace(_word(event, Kind.CHATTER), target_ref=incident.state.opening_ref)
    events = (corrected(event, dropped, "rejected"),)
    return Correction("says that it is no incident", events=events, words=(word,)), memory.in_place(dropped)


def _separate(memory: Memory, event: ReactionReceived, scenery: Scenery) -> tuple[Correction, Memory]:
    message = _remembered(memory, event)
    assert message is not None
    scene = Scene(memory, message, scenery.verdict, scenery.policy)
    assembly, left, memory = separate(scene, memory, "staff says that it is an incident of its own")
    events: tuple[IncidentCorrected, ...] = ()
    if left is not None and not left.dropped:
        split = corrected(event, left, "split")
        events = (split.model_copy(update={"other": assembly.incident, "moved": assembly.joined}),)
    word = _word(event, Kind.INCIDENT, assembly.decision)
    done = Correction("made an incident of its own", message=message, assembly=assembly, events=events, words=(word,))
    return done, memory


def _merge(memory: Memory, event: ReactionReceived, incident: Incident, other: Incident) -> tuple[Correction, Memory]:
    merged, memory = merge(memory, incident, other)
    moved = corrected(event, incident, "merged").model_copy(update={"other": merged.target, "moved": merged.moved})
    word = replace(_word(event, Kind.FOLLOW_UP), target_ref=incident.state.opening_ref)
    done = Correction("made part of another incident", events=(moved,), decisions=merged.decisions, words=(word,))
    return done, memory


def _word(event: ReactionReceived, kind: Kind, decision: Decision | None = None) -> Word:
    return Word(
        target_ref=event.target_ref,
        by=event.sender,
        at=event.sent_at,
        kind=kind,
        category=decision.category if decision else None,
        priority=decision.priority if decision else None,
    )
