"""Folds what a run left behind into a line per message and a ticket per incident, as they stood at the end. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from supportbot.classifier.final import final_decisions
from supportbot.cli.replay.pipeline import Run
from supportbot.contracts import Decision, IncidentState, Kind, Outcome
from supportbot.export.chat import ExportedMessage
from supportbot.ids import make_incident_id
from supportbot.trail import Ledger

SYSTEM = "system"
"""The kind of a line that WhatsApp wrote."""
NO_TIER = "none"
_NOTICE = "written by WhatsApp itself"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message of the export, and what became of it."""

    message: ExportedMessage
    at: datetime
    """With the offset of the time zone."""
    kind: str
    tier: str = NO_TIER
    confidence: float | None = None
    """0 to 1; None for what WhatsApp wrote."""
    degraded: bool = False
    """A better tier is configured but did not answer."""
    reasons: tuple[str, ...] = ()
    ticket: str | None = None
    """The label of the ticket that it belongs to."""
    opens: bool = False
    category: str | None = None
    priority: str | None = None
    sites: tuple[str, ...] = ()
    """Of the incident, as far as they were named by its end."""
    outcome: Outcome | None = None
    """None for what WhatsApp wrote, and for what is unaccounted for."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket that the bot would have opened."""

    label: str
    """`#1` for the first one in the file."""
    incident: IncidentState
    reporter: str
    lines: tuple[Line, ...]
    """Its messages, in the order of the file."""

    @property
    def attachments(self) -> int:
        """How many of its messages bring a file."""
        return sum(line.message.media in {"image", "video", "audio", "document", "unknown"} for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that is shown of a replay."""

    lines: tuple[Line, ...]
    """One for each message of the period, in the order of the file."""
    tickets: tuple[Ticket, ...]
    ledger: Ledger

    @property
    def complete(self) -> bool:
        """Whether every message was received, and came to an end that is no dead letter."""
        people = sum(line.kind != SYSTEM for line in self.lines)
        settled = len(self.ledger.received) == people and not self.ledger.unaccounted()
        return settled and not self.ledger.counts()[Outcome.DEAD_LETTER]

    def kinds(self) -> Counter[str]:
        """Lines per kind."""
        return Counter(line.kind for line in self.lines)


def fold_run(
    messages: Sequence[ExportedMessage], moments: Sequence[datetime], refs: Mapping[int, str], run: Run
) -> Result:
    """The lines and tickets of a run.

    Args:
        messages: In the order of the file.
        moments: Their times.
        refs: The `message_ref` of each message that a person wrote, by its line.
        run: What the run left behind.
    """
    decisions, ledger = final_decisions(run.trail), Ledger(run.trail)
    by_ref = {refs[message.line]: message for message in messages if message.line in refs}
    labels = _labels(by_ref, decisions, run)
    lines = []
    for message, at in zip(messages, moments, strict=True):
        ref = refs.get(message.line)
        if ref is None:
            lines.append(Line(message=message, at=at, kind=SYSTEM, reasons=(_NOTICE,)))
            continue
        decision, last = decisions.get(ref), ledger.last.get(ref)
        outcome = last.outcome if last is not None else None
        if decision is None or outcome is Outcome.DEAD_LETTER:
            why = f"dead letter: {', '.join(last.reasons)}" if last is not None else "no stage settled it"
            reasons = (why, *(decision.reasons if decision else ()))
            decision = (decision or Decision(kind=Kind.CHATTER)).model_copy(update={"reasons": reasons})
        lines.append(_line(message, at, decision, outcome, labels, run.incidents))
    lines = _mark_occasions(lines, refs, decisions)
    return Result(lines=tuple(lines), tickets=_tickets(labels, lines, by_ref, run.incidents), ledger=ledger)


def _labels(by_ref: Mapping[str, ExportedMessage], decisions: Mapping[str, Decision], run: Run) -> dict[str, str]:
    """A label for every incident, in the order of the messages on whose arrival they were opened.

    Incidents whose every message was moved to another one later are tickets all the same: they had been opened by then.
    """
    known = {decision.incident_id for decision in decisions.values()}
    known |= {entry.incident_id for entry in run.trail if entry.outcome is Outcome.TICKET}
    refs = [ref for ref in by_ref if make_incident_id(ref) in known and make_incident_id(ref) in run.incidents]
    refs.sort(key=lambda ref: by_ref[_occasion(ref, decisions)].line)
    return {make_incident_id(ref): f"#{number}" for number, ref in enumerate(refs, 1)}


def _occasion(ref: str, decisions: Mapping[str, Decision]) -> str:
    """The message on whose arrival `ref` opened its incident, if it belongs to the incident itself; else `ref`."""
    decision = decisions.get(ref)
    later = decisions.get(decision.opened_on) if decision is not None and decision.opened_on else None
    if decision is None or decision.opened_on is None or later is None or later.incident_id != decision.incident_id:
        return ref
    return decision.opened_on


def _mark_occasions(lines: Sequence[Line], refs: Mapping[int, str], decisions: Mapping[str, Decision]) -> list[Line]:
    """`opens` on the messages on whose arrival incidents were opened."""
    places = {refs[line.message.line]: place for place, line in enumerate(lines) if line.message.line in refs}
    opening = {places[_occasion(ref, decisions)] for ref, place in places.items() if lines[place].opens}
    return [replace(line, opens=place in opening) for place, line in enumerate(lines)]


def _line(
    message: ExportedMessage,
    at: datetime,
    decision: Decision,
    outcome: Outcome | None,
    labels: Mapping[str, str],
    incidents: Mapping[str, IncidentState],
) -> Line:
    incident = incidents.get(decision.incident_id or "")
    priority = incident.priority if incident is not None else decision.priority
    return Line(
        message=message,
        at=at,
        kind=decision.kind.value,
        tier=decision.tier.value,
        confidence=decision.confidence,
        degraded=decision.degraded,
        reasons=decision.reasons,
        ticket=labels.get(decision.incident_id or ""),
        opens=decision.opens,
        category=incident.category if incident is not None else decision.category,
        priority=priority.value if priority is not None else None,
        sites=incident.sites if incident is not None else (),
        outcome=outcome,
    )


def _tickets(
    labels: Mapping[str, str],
    lines: Sequence[Line],
    by_ref: Mapping[str, ExportedMessage],
    incidents: Mapping[str, IncidentState],
) -> tuple[Ticket, ...]:
    openings = {make_incident_id(ref): message for ref, message in by_ref.items()}
    own: dict[str | None, list[Line]] = {}
    for line in lines:
        own.setdefault(line.ticket, []).append(line)
    return tuple(
        Ticket(
            label=label,
            incident=incidents[incident_id],
            reporter=openings[incident_id].author or "",
            lines=tuple(own.get(label, ())),
        )
        for incident_id, label in labels.items()
    )
