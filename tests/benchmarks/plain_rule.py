"""A plain rule to compare with: request and problem words, a number, some length and a waiting photo add up.

A text by somebody who is not staff opens an incident from a threshold on, unless its author's own incident was active
in the last 20 minutes; photos go to the author's own incident of the last 30 minutes, else wait 5 minutes; staff
answers go to the incident with the same number, else to the most recent one.
"""

import re
from datetime import datetime, timedelta

from tests.benchmarks.conversations import Labelled

from supportbot.contracts import Decision, Kind
from supportbot.ids import make_incident_id

REQUEST = re.compile(r"apoy|ayud|favor|necesit|solicit|pueden|podr[ií]an|colabor|me regal", re.IGNORECASE)
PROBLEM = re.compile(
    r"\bno (me |nos |le |se )?(deja|puede|permite|abre|aparece|jala|funciona|imprime|llega|carga|refleja|pasa|sale)"
    r"|error|falla|problema|mal\b|urge|sin sistema|incorrect|bloque",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\b\d{2,4}\b")
GREETING = re.compile(r"buen|hola", re.IGNORECASE)
THANKS = re.compile(r"graci|ok\b|listo", re.IGNORECASE)
INSIST = re.compile(r"novedad|respuesta|sigue|en espera|todav|a[uú]n", re.IGNORECASE)


class _Incident:
    def __init__(self, incident_id: str, reporter: str, at: datetime, sites: set[str]) -> None:
        self.id, self.reporter, self.at, self.sites = incident_id, reporter, at, sites


def decide_plainly(messages: list[Labelled]) -> dict[str, Decision]:
    """The rule's decisions, by message id."""
    decisions: dict[str, Decision] = {}
    incidents: list[_Incident] = []
    waiting: list[Labelled] = []
    for one in messages:
        message, author, now = one.message, one.message.sender.ref, one.message.sent_at
        own = next((x for x in reversed(incidents) if x.reporter == author), None)
        live = own if own and now - own.at <= timedelta(minutes=20) else None
        numbers = set(NUMBER.findall(message.text))
        photos = [
            x for x in waiting if x.message.sender.ref == author and now - x.message.sent_at <= timedelta(minutes=5)
        ]
        target, kind = None, Kind.CHATTER
        if not message.text and message.media:
            kind, target = Kind.EVIDENCE, own if own and now - own.at <= timedelta(minutes=30) else None
            if target is None:
                waiting.append(one)
        elif message.sender.staff:
            kind = Kind.STAFF
            target = next(
                (x for x in reversed(incidents) if x.sites & numbers), max(incidents, key=lambda x: x.at, default=None)
            )
        else:
            score = 2 * bool(REQUEST.search(message.text)) + 2 * bool(PROBLEM.search(message.text)) + bool(numbers)
            score += (len(message.text) > 40) + bool(photos) - 2 * bool(INSIST.search(message.text))
            fresh = live and ((numbers - live.sites and numbers) or GREETING.search(message.text)) and score >= 4
            if score >= 3 and (live is None or fresh):
                incident = _Incident(make_incident_id(message.message_ref), author, now, numbers)
                incidents.append(incident)
                decisions[one.id] = Decision(kind=Kind.INCIDENT, incident_id=incident.id, opens=True)
                for photo in photos:
                    decisions[photo.id] = Decision(kind=Kind.EVIDENCE, incident_id=incident.id)
                    waiting.remove(photo)
                continue
            kind, target = (Kind.FOLLOW_UP, live or own)
            if target is None and not THANKS.search(message.text) and INSIST.search(message.text):
                target = max(incidents, key=lambda x: x.at, default=None)
        if target is not None:
            target.at = now
        decisions[one.id] = Decision(kind=kind if target else Kind.CHATTER, incident_id=target.id if target else None)
    return decisions
