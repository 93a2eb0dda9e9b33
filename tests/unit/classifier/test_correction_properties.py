"""Whatever people say, edit, delete and react with: nothing is lost or in two incidents, and a repeat is a repeat."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.classifier.group import PHOTO, make_ref
from tests.unit.classifier.test_handler import edit
from tests.unit.classifier.test_reactions import GREY, OTHER, REPORT, Room, delete

from supportbot.classifier.memory import MAX_REACTIONS
from supportbot.contracts import Event, IncidentCorrected, MessageClassified, Outcome

TEXTS = (REPORT, OTHER, GREY, PHOTO, "sí", "no, era broma", "gracias", "ya quedó", "mismo caso en la 220", "es el 7781")
EMOJI = ("👍", "👎", "✅", "❌", "🔁", "🔁", "🔁", "🆕", "🆕", "👀", "😂", "")
PEOPLE = ("Ana", "Dani", "Berta", "Bruno")


@dataclass(frozen=True)
class Say:
    after_s: int
    who: str
    text: str
    quotes: int | None = None


@dataclass(frozen=True)
class React:
    who: str
    emoji: str
    target: int


@dataclass(frozen=True)
class Edit:
    target: int
    text: str


@dataclass(frozen=True)
class Delete:
    target: int
    who: str


targets = st.integers(0, 7)
says = st.builds(
    Say,
    st.sampled_from((5, 60, 900)),
    st.sampled_from(PEOPLE),
    st.sampled_from(TEXTS),
    st.one_of(st.none(), targets),
)
reacts = st.builds(React, st.sampled_from(PEOPLE), st.sampled_from(EMOJI), targets)
steps = st.lists(
    st.one_of(
        says,
        reacts,
        reacts,
        st.builds(Edit, targets, st.sampled_from(TEXTS)),
        st.builds(Delete, targets, st.sampled_from(PEOPLE)),
    ),
    max_size=22,
)


class Story:
    """A conversation through the handler, step by step."""

    def __init__(self) -> None:
        self.room = Room()
        self.handled: list[Event] = []
        self.published: list[Event] = []
        self.last: dict[str, Outcome] = {}

    async def play(self, steps: list[Say | React | Edit | Delete], *, twice: bool = False) -> None:
        for step in (Say(5, "Ana", REPORT), *steps):
            messages = self.room.inbox.group.messages
            match step:
                case Say():
                    quotes = step.quotes if step.quotes is not None and step.quotes < len(messages) else None
                    await self.room.say(step.after_s, step.who, step.text, quotes=quotes)
                    event: Event = messages[-1]
                case React():
                    event = self.room.reaction(step.who, step.emoji, step.target % len(messages))
                case Edit():
                    self.room.number += 1
                    event = edit(self.room.inbox, step.target % len(messages), step.text, self.room.number)
                case Delete():
                    event = delete(self.room, step.target % len(messages), step.who)
            if not isinstance(step, Say):
                await self.room.inbox.handle(event)
            self._note(event)
            if twice:
                before = self.room.inbox.published
                await self.room.inbox.handle(event)
                assert self.room.inbox.published == before

    def _note(self, event: Event) -> None:
        self.handled.append(event)
        self.published += self.room.inbox.published
        for entry in self.room.inbox.contexts[-1].entries:
            self.last[entry.message_ref] = entry.outcome


def told(steps: list[Say | React | Edit | Delete], *, twice: bool = False) -> Story:
    story = Story()
    asyncio.run(story.play(steps, twice=twice))
    return story


@given(steps)
@settings(max_examples=40, deadline=None)
def test_every_event_is_accounted_for_and_no_two_results_share_an_id(steps: list[Say | React | Edit | Delete]) -> None:
    story = told(steps)
    assert {event.message_ref for event in story.handled} <= set(story.last)
    counts = Counter(event.event_id for event in story.published)
    assert max(counts.values()) == 1


@given(steps)
@settings(max_examples=40, deadline=None)
def test_a_message_is_in_one_incident_and_the_memory_says_the_same_everywhere(
    steps: list[Say | React | Edit | Delete],
) -> None:
    memory = told(steps).room.memory
    refs = Counter(ref for incident in memory.incidents for ref in incident.refs)
    assert not refs or max(refs.values()) == 1
    ids = [incident.incident_id for incident in memory.incidents]
    assert len(ids) == len(set(ids))
    for one in memory.recent:
        incident = memory.incident_of(one.ref)
        assert one.incident_id == one.decision.incident_id
        assert incident is None or one.incident_id == incident.incident_id
    for incident in memory.incidents:
        goes_on = memory.incident(incident.incident_id)
        assert goes_on is not None
        assert not goes_on.merged_into
    assert len(memory.reactions) <= MAX_REACTIONS
    waiting = {one.message_ref for one in memory.pending}
    assert not waiting & set(refs)


@given(steps)
@settings(max_examples=25, deadline=None)
def test_what_comes_twice_does_what_it_did(steps: list[Say | React | Edit | Delete]) -> None:
    once, twice = told(steps), told(steps, twice=True)
    assert once.room.memory == twice.room.memory
    assert [event.event_id for event in once.published] == [event.event_id for event in twice.published]
    assert {ref: entry.value for ref, entry in once.room.labels.entries.items()} == {
        ref: entry.value for ref, entry in twice.room.labels.entries.items()
    }


@given(steps)
@settings(max_examples=30, deadline=None)
def test_every_incident_was_opened_and_every_correction_is_about_one(steps: list[Say | React | Edit | Delete]) -> None:
    opened: set[str] = set()
    for event in told(steps).published:
        if isinstance(event, MessageClassified) and event.incident is not None:
            if event.decision.opens:
                opened.add(event.incident.incident_id)
            assert event.incident.incident_id in opened
        elif isinstance(event, IncidentCorrected):
            assert event.incident.incident_id in opened
            assert event.other is None or event.other.incident_id in opened


def test_reactions_are_remembered_in_bounds() -> None:
    story = told([React("Berta", emoji, 0) for emoji in ("✅", "") for _ in range(MAX_REACTIONS)])
    assert len(story.room.memory.reactions) == 1
    assert make_ref(0) == story.handled[0].message_ref
