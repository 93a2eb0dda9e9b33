"""A plain rule to compare with: request and problem words, a number, some length and a waiting photo add up. Pure.

A text by somebody who is not staff opens an incident from a threshold on, unless its author's own incident was active
in the last 20 minutes; photos go to the author's own incident of the last 30 minutes, else wait 5 minutes; staff
answers go to the incident with the same number, else to the most recent one.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from supportbot.contracts import Decision, Kind, MessageReceived
from supportbot.evaluation.conversation import Conversation
from supportbot.evaluation.run import Course
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
LIVE = timedelta(minutes=20)
LIVE_FOR_PHOTOS = timedelta(minutes=30)
PHOTO_WAITS = timedelta(minutes=5)


@dataclass
class _Incident:
    id: str
    reporter: str
    at: datetime
    sites: set[str]


@dataclass
class _Rule:
    course: Course = field(default_factory=Course)
    incidents: list[_Incident] = field(default_factory=list)
    waiting: list[MessageReceived] = field(default_factory=list)

    def take(self, message: MessageReceived) -> None:
        """Decide on the next message."""
        author, numbers = message.sender.ref, set(NUMBER.findall(message.text))
        own = next((one for one in reversed(self.incidents) if one.reporter == author), None)
        if not message.text and message.media:
            kind, target = Kind.EVIDENCE, own if own and message.sent_at - own.at <= LIVE_FOR_PHOTOS else None
            if target is None:
                self.waiting.append(message)
        elif message.sender.staff:
            kind = Kind.STAFF
            target = next((one for one in reversed(self.incidents) if one.sites & numbers), self._latest())
        else:
            live = own if own and message.sent_at - own.at <= LIVE else None
            if self._opens(message, numbers, live):
                self._open(message, numbers)
                return
            kind, target = Kind.FOLLOW_UP, live or own
            if target is None and INSIST.search(message.text) and not THANKS.search(message.text):
                target = self._latest()
        if target is not None:
            target.at = message.sent_at
        self.course.decisions[message.message_ref] = Decision(
            kind=kind if target else Kind.CHATTER, incident_id=target.id if target else None
        )

    def _opens(self, message: MessageReceived, numbers: set[str], live: _Incident | None) -> bool:
        text = message.text
        score = 2 * bool(REQUEST.search(text)) + 2 * bool(PROBLEM.search(text)) + bool(numbers)
        score += (len(text) > 40) + bool(self._photos(message)) - 2 * bool(INSIST.search(text))
        if live is None:
            return score >= 3
        return score >= 4 and bool(numbers - live.sites or GREETING.search(text))

    def _open(self, message: MessageReceived, numbers: set[str]) -> None:
        incident = _Incident(make_incident_id(message.message_ref), message.sender.ref, message.sent_at, numbers)
        self.incidents.append(incident)
        self.course.opened.add(incident.id)
        self.course.decisions[message.message_ref] = Decision(kind=Kind.INCIDENT, incident_id=incident.id, opens=True)
        for photo in self._photos(message):
            self.course.decisions[photo.message_ref] = Decision(kind=Kind.EVIDENCE, incident_id=incident.id)
            self.waiting.remove(photo)

    def _photos(self, message: MessageReceived) -> list[MessageReceived]:
        """The author's photos that wait for a sentence."""
        own = [one for one in self.waiting if one.sender.ref == message.sender.ref]
        return [one for one in own if message.sent_at - one.sent_at <= PHOTO_WAITS]

    def _latest(self) -> _Incident | None:
        return max(self.incidents, key=lambda one: one.at, default=None)


def decide_plainly(conversation: Conversation) -> Course:
    """The rule's decisions."""
    rule = _Rule()
    for one in conversation.messages:
        rule.take(one.message)
    return rule.course
