"""One message against the memory: who writes, what is alive, what came just before. Pure; computed once per message."""

import math
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain

from supportbot.classifier.keywords import Category
from supportbot.classifier.memory import Incident, Memory, Recent
from supportbot.classifier.normalise import fold
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Evidence, MessageReceived

BURST = timedelta(minutes=3)
"""Consecutive messages of one author so close are one turn."""
WAIT_FOR_WORDS = timedelta(minutes=12)
"""So long a photo by somebody without an incident waits for its sentence; then it is a report of its own."""
MAX_FRAGMENT = 25
"""Characters of "la 909", "pedido 778123", "suc centro, factura 8812"."""
LIVELY = timedelta(hours=2)
LIVE = timedelta(hours=18)
"""An incident that was silent for longer is only found by quote, site, document or its reporter."""


_SUBJECT = re.compile(r"(?:el|la|los|las|mi|mis|the|my|our|o|a|os|as|meu|minha) \w{4,} \w")
"""A sentence that begins with a thing."""
CONFIDENCE_AT_ZERO = math.log(0.6 / 0.4)
"""A text with even log-odds opens with the confidence .6, the spec's default for `minConfidencePercent`."""


def _is_called(name: str, words: set[str]) -> bool:
    """Whether one of the words is the name, or its beginning as friends use it: "Elvi" for Elvira."""
    if len(name) < 3:
        return False
    return name in words or any(4 <= len(word) < len(name) and name.startswith(word) for word in words)


@dataclass(frozen=True)
class Policy:
    """What the spec says about classification."""

    categories: tuple[Category, ...] = ()
    default_category: str = "general_inquiry"
    language: str = "es"
    open_at: float = 0.0
    """Log-odds from which a text opens an incident."""
    ask_band: float = 0.35
    """So much below `open_at` the group is asked, when nothing else explains the text; 0 never asks."""

    def category(self, category: str) -> Category | None:
        """The configured category of that name."""
        return next((one for one in self.categories if one.name == category), None)


@dataclass(frozen=True)
class Scene:
    """A message and everything around it that a decision looks at."""

    memory: Memory
    message: MessageReceived
    verdict: Verdict
    policy: Policy = field(default_factory=Policy)

    @property
    def now(self) -> datetime:
        """The message's own time."""
        return self.message.sent_at

    @property
    def author(self) -> str:
        """The sender's reference."""
        return self.message.sender.ref

    @cached_property
    def numbers(self) -> frozenset[str]:
        """All numbers of the text that can identify something."""
        return self.verdict.numbers

    @cached_property
    def known_documents(self) -> frozenset[str]:
        """Numbers of the text that are documents of a remembered incident; a store is none."""
        numbers = self.numbers.difference(self.verdict.sites)
        return frozenset(chain.from_iterable(numbers.intersection(one.documents) for one in self.alive))

    @cached_property
    def solver(self) -> float:
        """Belief, 0 to 1, that the author is one of those who solve: 1 when listed, else from what they did before."""
        if self.message.sender.staff:
            return 1.0
        known = self.memory.authors.get(self.author)
        belief = 0.0
        if known is not None:
            belief = known.answers / (known.answers + 1.3 * known.openings + 1.2)
        if self.own or self.waiting:
            hint = 0.0
        else:
            hint = 0.45 * min(1.0, self.verdict.signals.answer / 1.5) if self.previous_incident else 0.0
        belief = 1 - (1 - belief) * (1 - hint)
        return belief * (0.6 if self.memory.staff_listed else 1.0)

    @property
    def solves(self) -> bool:
        """Whether the message is read as that of somebody who solves."""
        return self.solver >= 0.5

    @cached_property
    def alive(self) -> tuple[Incident, ...]:
        """Incidents that somebody may still speak of, newest activity last."""
        return tuple(one for one in self.memory.incidents if not one.dropped)

    @cached_property
    def lively(self) -> tuple[Incident, ...]:
        """Those in which somebody wrote in the last two hours."""
        since = self.now - LIVELY
        return tuple(one for one in self.alive if one.last_at >= since)

    def count_livelier(self, incident: Incident) -> int:
        """How many incidents were written in since somebody last wrote in this one."""
        return len(self._activity) - bisect_right(self._activity, incident.last_at)

    @cached_property
    def _activity(self) -> list[datetime]:
        return sorted(one.last_at for one in self.alive)

    @cached_property
    def all_own(self) -> tuple[Incident, ...]:
        """All incidents that the author reported and that are still remembered."""
        author = self.author
        return tuple(one for one in self.alive if one.reporter == author)

    @cached_property
    def own(self) -> Incident | None:
        """The author's own incident that they wrote in last."""
        return max(self.all_own, key=lambda one: one.seen.get(self.author, one.state.opened_at), default=None)

    @cached_property
    def previous(self) -> Recent | None:
        """The message before in the group."""
        return self.memory.recent[-1] if self.memory.recent else None

    @cached_property
    def previous_incident(self) -> Incident | None:
        """The incident of the last message of the group that belongs to one, when it is at most 30 minutes old."""
        for one in reversed(self.memory.recent[-4:]):
            if self.now - one.at > timedelta(minutes=30):
                return None
            if one.incident_id:
                return self.memory.incident(one.incident_id)
        return None

    @cached_property
    def own_previous(self) -> Recent | None:
        """The author's message before."""
        return next((one for one in reversed(self.memory.recent) if one.author == self.author), None)

    @property
    def in_burst(self) -> bool:
        """The author wrote at most 3 minutes ago."""
        return self.own_previous is not None and self.now - self.own_previous.at <= BURST

    @property
    def follows_itself(self) -> bool:
        """The message before in the group is the author's own, at most 3 minutes old."""
        return self.in_burst and self.previous is not None and self.previous.author == self.author

    @cached_property
    def comes_new(self) -> bool:
        """Whether the author was silent for 25 messages, has nothing alive, and speaks to nobody: mostly a new matter.

        Source: the rule by which conversations begin in public support chats (Kummerfeld et al., ACL 2019).
        """
        if self.solves or self.addressed or self.message.quoted_ref or self.verdict.length < 14:
            return False
        if self.verdict.length < 25 and len(self.verdict.tokens) < 2:
            return False
        if self.own is not None and self.now - self.own.last_at <= timedelta(hours=1):
            return False
        return all(one.author != self.author or (one.media and not one.text) for one in self.memory.recent[-25:])

    @cached_property
    def is_concrete(self) -> bool:
        """Whether there is anything to report: a clear problem or request, a thing, a number, a photo."""
        s = self.verdict.signals
        if s.problem >= 1.2 or s.request >= 1.2 or s.object or s.report or self.numbers:
            return True
        if len(self.verdict.tokens) >= 7:
            return True  # Chatter is short; who says so much names something, if only in words that no list holds.
        if s.problem >= 0.8 and _SUBJECT.match(fold(self.message.text)):
            return True
        return self.message.media is not None or any(one.media for one in self.waiting)

    @cached_property
    def tells_nothing(self) -> bool:
        """Whether no word of the text tells, asks or reports anything; a number or a thing may be named."""
        s = self.verdict.signals
        return max(s.problem, s.request, s.report, s.insistence, s.detail, s.resolution, s.same_case, s.answer) < 0.5

    @property
    def is_fragment(self) -> bool:
        """Whether the text only names something: its author has yet to say what about it."""
        return self.tells_nothing and self.verdict.length <= MAX_FRAGMENT and not self.verdict.signals.question

    def is_news(self, incident: Incident) -> bool:
        """Whether the text tells something that has no word and no number in common with the incident."""
        verdict, s = self.verdict, self.verdict.signals
        if max(s.problem, s.request) < 0.8 or len(verdict.tokens) < 3:
            return False
        if not (s.object or s.another or self.numbers):
            return False
        known = {*incident.state.sites, *incident.documents}
        return not set(verdict.tokens) & set(incident.tokens) and not self.numbers & known

    @cached_property
    def waiting(self) -> tuple[Evidence, ...]:
        """The author's photos and fragments that wait for an explanation."""
        return self.memory.waiting(self.author)

    @cached_property
    def fresh_photos(self) -> tuple[Recent, ...]:
        """The author's photos since their last text, at most 5 minutes old, oldest first."""
        photos: list[Recent] = []
        for one in reversed(self.memory.recent[-40:]):
            if self.now - one.at > timedelta(minutes=5):
                break
            if one.author != self.author:
                continue
            if not one.media or one.text:
                break
            photos.append(one)
        return tuple(reversed(photos))

    @cached_property
    def question(self) -> Recent | None:
        """The last question of somebody who solves, in the last 8 messages, if nobody but the author wrote after it."""
        for one in reversed(self.memory.recent[-8:]):
            if one.asked and one.author != self.author:
                return one if self.now - one.at <= timedelta(hours=2) else None
        return None

    @cached_property
    def topic_of_addressed(self) -> str | None:
        """The incident that an addressed person wrote in within the last 30 minutes."""
        for one in reversed(self.memory.recent[-40:]):
            if one.author in self.addressed and self.now - one.at <= timedelta(minutes=30):
                return one.incident_id
        return None

    def rare(self, token: str) -> bool:
        """Whether few of the remembered incidents use a word of the text, so that sharing it means something."""
        return self._word_counts[token] <= max(2, len(self.alive) // 8)

    @cached_property
    def _word_counts(self) -> Counter[str]:
        """In how many incidents each word of the text stands."""
        words = frozenset(self.verdict.tokens)
        return Counter(chain.from_iterable(words.intersection(one.tokens) for one in self.alive))

    @cached_property
    def quoted(self) -> Incident | None:
        """The incident of the quoted message."""
        message = self.message
        if message.quoted_incident:
            return self.memory.incident(message.quoted_incident)
        return self.memory.incident_of(message.quoted_ref) if message.quoted_ref else None

    @cached_property
    def addressed(self) -> frozenset[str]:
        """References of the people who are mentioned, or named at the start or the end of the text."""
        people = {person.ref for person in self.message.mentions}
        words = fold(self.message.text).replace(",", " ").split()
        named = set(words[:3]) | set(words[-2:])
        people |= {one.ref for one in self.memory.authors.values() if _is_called(one.name, named)}
        if self.message.quoted_ref and (quoted := self.memory.message(self.message.quoted_ref)):
            people.add(quoted.author)
        return frozenset(people - {self.author})

    def age_min(self, at: datetime) -> float:
        """Minutes of conversation time since `at`, never negative."""
        return max(0.0, (self.now - at).total_seconds() / 60)
