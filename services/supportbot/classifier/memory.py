"""What the classifier remembers of one group: a bounded, frozen value that is kept as one JSON document.

Times are the messages' own. Limits keep the document under about 250 KB.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.contracts import (
    Decision,
    Evidence,
    IncidentState,
    Kind,
    Media,
    Person,
    Priority,
)

MAX_RECENT = 140
MAX_INCIDENTS = 150
MAX_PENDING = 40
MAX_AUTHORS = 120
MAX_SITES = 150
MAX_REFS = 60
MAX_AFFECTED = 30
MAX_SETTLED = 4
MAX_TEXT = 120
MAX_REACTIONS = 60
OPEN_LIFE = timedelta(days=180)
"""Somebody may insist for as long as the ticket is open, which in some trades is months."""
CLOSED_LIFE = timedelta(days=21)
"""Of what was resolved or dropped: later the same trouble is told anew."""
CLOSED_QUIET = timedelta(days=1)
"""When there are too many, what is over gives way first once nobody has spoken of it for so long: "no quedó"."""
PENDING_LIFE = timedelta(hours=12)


class Remembered(BaseModel):
    """A frozen part of the memory."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Recent(Remembered):
    """A message that was decided."""

    ref: str
    author: str
    at: AwareDatetime
    kind: Kind
    incident_id: str | None = None
    text: str = ""
    """Its beginning."""
    media: Media | None = None
    """The attachment; None for a sticker."""
    staff: bool = False
    """Listed or inferred, at that moment."""
    asked: bool = False
    """A question of somebody who solves."""
    quoted: str | None = None
    """The message that it quotes; of a quoted message of the bot's own the incident that it was about."""
    decision: Decision


class Incident(Remembered):
    """An incident, open or closed not long ago."""

    state: IncidentState
    last_at: AwareDatetime
    seen: dict[str, AwareDatetime] = {}
    """Each author's last message in it."""
    tokens: tuple[str, ...] = ()
    """Stems of what was told, for overlap."""
    documents: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    """Its messages, newest last."""
    told: bool = False
    """Somebody put the problem into words; a photo alone did not."""
    ticket: bool = True
    """False while the group is asked, or after it was rejected."""
    answered: bool = False
    """Staff has written in it."""
    said: str = ""
    """The words that told it, as the local tier compares them with later texts."""
    resolved_at: AwareDatetime | None = None
    resolved_by: str | None = None
    """Who said so; the reporter's word weighs more than that of staff."""
    thanked_at: AwareDatetime | None = None
    """The reporter thanked after an answer: for them it is over, whether or not somebody said so."""
    dropped: bool = False
    """Rejected by a person, or part of another incident."""
    merged_into: str | None = None
    """The incident that it is part of: the bot's message about this one is then about that."""

    @property
    def incident_id(self) -> str:
        """The id, for short."""
        return self.state.incident_id

    @property
    def reporter(self) -> str:
        """The reporter's `sender_ref`."""
        return self.state.reporter.ref

    @property
    def is_over(self) -> bool:
        """Whether it was resolved or dropped, as far as the group has said."""
        return self.resolved_at is not None or self.dropped


class Author(Remembered):
    """What is known of a person of the group; counts, never certainty."""

    ref: str
    name: str = ""
    """First word of the push name, folded: people are addressed by it."""
    last_at: AwareDatetime
    texts: int = 0
    openings: float = 0.0
    """Incidents reported, insisted on and illustrated."""
    answers: float = 0.0
    """Weighted signs of somebody who solves."""
    photo_first: float = 0.0
    text_first: float = 0.0
    """Manner: how often photos came before and after the sentence."""


class Act(StrEnum):
    """What a reaction did."""

    CONFIRM = "confirm"
    """Said that a message that was asked about is a report."""
    REFUSE = "refuse"
    """Said that it is none."""
    REJECT = "reject"
    """Said that an incident is none."""
    SOLVE = "solve"
    MERGE = "merge"
    MARK = "mark"
    """Named an incident that is to be merged with the next one so named."""
    SEPARATE = "separate"
    """Made a message an incident of its own."""


class Reacted(Remembered):
    """Somebody's last reaction to a message, as long as it may have done something: a person has one per message."""

    ref: str
    """The reaction's own reference."""
    target: str
    by: str
    at: AwareDatetime
    emoji: str = ""
    act: Act | None = None
    incident_id: str | None = None
    question: Evidence | None = None
    """Of a refused question, so that it can be asked for again."""


class Settled(Remembered):
    """What handling a message gave, so that handling it again gives the same."""

    ref: str
    events: tuple[str, ...] = ()
    """The published events, as `<ce-type> <JSON>`."""
    decisions: dict[str, Decision] = {}
    """Decisions of this message and of earlier ones that it changed."""
    waits: bool = False
    """The message itself waits for an explanation or an answer."""
    about: str = ""
    """The earlier message that was decided; empty when it is the message itself."""


class Memory(Remembered):
    """A group's memory."""

    version: int = 1
    recent: tuple[Recent, ...] = ()
    incidents: tuple[Incident, ...] = ()
    """By last activity, newest last."""
    pending: tuple[Evidence, ...] = ()
    """Photos and fragments that belong to nothing yet, oldest first."""
    held: tuple[str, ...] = ()
    """References of those that wait for a person: no part of their author's turn, and nothing opens them by itself."""
    authors: dict[str, Author] = {}
    sites: dict[str, int] = {}
    """Store numbers and how often they were named as such."""
    settled: tuple[Settled, ...] = ()
    reactions: tuple[Reacted, ...] = ()
    """Oldest first."""
    people: dict[str, Person] = {}
    """As they wrote last: whoever is made a reporter later has to have a name and a phone."""
    staff_listed: bool = False
    """Somebody of the staff list has written here."""

    def incident(self, incident_id: str | None) -> Incident | None:
        """The remembered incident of that id, or the one that it is part of by now."""
        found = next((one for one in reversed(self.incidents) if one.incident_id == incident_id), None)
        return self.incident(found.merged_into) if found is not None and found.merged_into else found

    def incident_of(self, ref: str) -> Incident | None:
        """The remembered incident that a message belongs to."""
        return next((one for one in reversed(self.incidents) if ref in one.refs), None)

    def message(self, ref: str) -> Recent | None:
        """The remembered message."""
        return next((one for one in reversed(self.recent) if one.ref == ref), None)

    def waiting(self, author: str) -> tuple[Evidence, ...]:
        """An author's pending photos and fragments, oldest first."""
        return tuple(one for one in self.pending if one.sender.ref == author and one.message_ref not in self.held)

    @property
    def known_sites(self) -> frozenset[str]:
        """Numbers named as a store twice and more."""
        return frozenset(site for site, count in self.sites.items() if count >= 2)

    def with_incident(self, incident: Incident) -> "Memory":
        """The memory with this incident as the latest active one.

        When there are too many, the oldest goes of those that are over and quiet, else the oldest of all.
        """
        incident_id = incident.incident_id
        others = [one for one in self.incidents if one.state.incident_id != incident_id]
        while len(others) >= MAX_INCIDENTS:
            quiet = (
                place
                for place, one in enumerate(others)
                if one.is_over and incident.last_at - one.last_at > CLOSED_QUIET
            )
            del others[next(quiet, 0)]
        return self.model_copy(update={"incidents": (*others, incident)})

    def with_recent(self, message: Recent) -> "Memory":
        """The memory with this message decided."""
        return self.model_copy(update={"recent": (*self.recent, message)[-MAX_RECENT:]})

    def with_decisions(self, decisions: dict[str, Decision]) -> "Memory":
        """The memory with earlier messages decided otherwise."""
        if not decisions:
            return self
        recent = tuple(
            one.model_copy(update={"decision": new, "kind": new.kind, "incident_id": new.incident_id})
            if (new := decisions.get(one.ref))
            else one
            for one in self.recent
        )
        return self.model_copy(update={"recent": recent})

    def without_pending(self, refs: Iterable[str]) -> "Memory":
        """The memory without these waiting messages."""
        gone = set(refs)
        return self.model_copy(update={"pending": tuple(one for one in self.pending if one.message_ref not in gone)})

    def with_pending(self, evidence: Evidence) -> "Memory":
        """The memory with one more message that waits for an explanation."""
        return self.model_copy(update={"pending": (*self.pending, evidence)[-MAX_PENDING:]})

    def with_held(self, evidence: Evidence) -> "Memory":
        """The memory with one more message that waits for a person."""
        memory = self.with_pending(evidence)
        waiting = {one.message_ref for one in memory.pending}
        held = tuple(ref for ref in (*self.held, evidence.message_ref) if ref in waiting)
        return memory.model_copy(update={"held": held})

    def with_author(self, author: Author) -> "Memory":
        """The memory with this author's counts; the one silent for longest goes when there are too many."""
        authors = {**self.authors, author.ref: author}
        if len(authors) > MAX_AUTHORS:
            del authors[min(authors, key=lambda ref: authors[ref].last_at)]
        return self.model_copy(update={"authors": authors})

    def with_person(self, person: Person) -> "Memory":
        """The memory with this person as they write now; nothing changes while they stay the same."""
        if self.people.get(person.ref) == person:
            return self
        people = {**{ref: known for ref, known in self.people.items() if ref != person.ref}, person.ref: person}
        return self.model_copy(update={"people": dict(list(people.items())[-MAX_AUTHORS:])})

    def person(self, ref: str) -> Person:
        """Who that is, as far as it is remembered."""
        return self.people.get(ref) or Person(ref=ref)

    def in_place(self, incident: Incident) -> "Memory":
        """The memory with this incident changed, but no more lately active than before."""
        return self.model_copy(
            update={
                "incidents": tuple(
                    incident if one.incident_id == incident.incident_id else one for one in self.incidents
                )
            }
        )

    def reaction(self, target: str, by: str) -> Reacted | None:
        """What somebody's last reaction to a message did."""
        return next((one for one in reversed(self.reactions) if (one.target, one.by) == (target, by)), None)

    def with_reaction(self, reacted: Reacted) -> "Memory":
        """The memory with this reaction in the place of the same person's one before."""
        others = [one for one in self.reactions if (one.target, one.by) != (reacted.target, reacted.by)]
        return self.model_copy(update={"reactions": (*others, reacted)[-MAX_REACTIONS:]})

    def with_sites(self, sites: Iterable[str]) -> "Memory":
        """The memory with these numbers named as stores once more."""
        counts = dict(self.sites)
        for site in sites:
            counts[site] = counts.get(site, 0) + 1
        if len(counts) > MAX_SITES:
            del counts[min(counts, key=counts.__getitem__)]
        return self.model_copy(update={"sites": counts})

    def forget(self, now: datetime) -> "Memory":
        """The memory without what is too old at `now`; what stays is untouched."""
        closed, opened = now - CLOSED_LIFE, now - OPEN_LIFE
        incidents = tuple(
            one for one in self.incidents if one.last_at >= closed or (one.last_at >= opened and not one.is_over)
        )
        pending = tuple(one for one in self.pending if now - one.sent_at <= PENDING_LIFE)
        if len(incidents) == len(self.incidents) and len(pending) == len(self.pending):
            return self
        return self.model_copy(update={"incidents": incidents, "pending": pending})


def load_memory(value: bytes | None) -> Memory:
    """The memory of a stored document; a new one when there is none."""
    return Memory() if value is None else Memory.model_validate_json(value)


def dump_memory(memory: Memory) -> bytes:
    """The document to store."""
    return memory.model_dump_json(exclude_defaults=True).encode()


def join_incident(
    incident: Incident,
    *,
    ref: str,
    author: Person,
    at: datetime,
    tokens: tuple[str, ...] = (),
    documents: tuple[str, ...] = (),
    sites: tuple[str, ...] = (),
) -> Incident:
    """The incident with one more message; its activity never goes back in time."""
    state = incident.state
    if sites:
        state = state.model_copy(update={"sites": tuple(dict.fromkeys((*state.sites, *sites)))[:40]})
    return incident.model_copy(
        update={
            "state": state,
            "last_at": max(incident.last_at, at),
            "seen": dict(list({**incident.seen, author.ref: at}.items())[-20:]),
            "tokens": tuple(dict.fromkeys((*incident.tokens, *tokens)))[:36],
            "documents": tuple(dict.fromkeys((*incident.documents, *documents)))[:20],
            "refs": (*incident.refs, ref)[-MAX_REFS:],
        }
    )


def raise_priority(state: IncidentState, priority: Priority | None) -> IncidentState:
    """The state with the higher of both priorities: an incident gets worse by what is added, not better."""
    order = list(Priority)
    if priority is None or order.index(priority) <= order.index(state.priority):
        return state
    return state.model_copy(update={"priority": priority})
