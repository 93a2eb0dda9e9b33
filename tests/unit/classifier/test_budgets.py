"""How much one author and one group may set off."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.benchmarks.conversations import CONVERSATIONS, read_conversation
from tests.unit.classifier.group import Group, make_person

from supportbot.classifier.budgets import (
    AUTHOR_OPENINGS,
    AUTHOR_TEXTS,
    GROUP_OPENINGS,
    GROUP_TEXTS,
    call_limit,
    opening_limit,
)
from supportbot.classifier.memory import MAX_INCIDENTS, MAX_RECENT, Incident, Memory, Recent
from supportbot.contracts import Decision, IncidentState, Kind, Priority
from supportbot.ids import make_incident_id

MINUTE = timedelta(minutes=1)


def with_openings(memory: Memory, group: Group, *people: str, ticket: bool = True) -> Memory:
    """Everybody opens an incident now."""
    for name in people:
        message = group.make(name, "x")
        group.messages.append(message)
        state = IncidentState(
            incident_id=make_incident_id(message.message_ref),
            opening_ref=message.message_ref,
            opened_at=group.now,
            reporter=make_person(name),
            subject="x",
            category="technical",
            priority=Priority.HIGH,
        )
        memory = memory.with_incident(Incident(state=state, last_at=group.now, ticket=ticket))
    return memory


def with_texts(memory: Memory, group: Group, *people: str, text: str = "x") -> Memory:
    """Everybody writes now."""
    for name in people:
        message = group.make(name, text)
        group.messages.append(message)
        memory = memory.with_recent(
            Recent(
                ref=message.message_ref,
                author=message.sender.ref,
                at=group.now,
                kind=Kind.CHATTER,
                text=message.text,
                decision=Decision(kind=Kind.CHATTER),
            )
        )
    return memory


def test_an_author_opens_at_most_so_many_incidents_within_ten_minutes() -> None:
    group, memory = Group(), Memory()
    most, within = AUTHOR_OPENINGS[0]
    for count in range(most):
        assert opening_limit(memory, group.make("Ana", "x")) is None, count
        memory = with_openings(memory, group, "Ana")
        group.now += timedelta(seconds=10)
    assert opening_limit(memory, group.make("Ana", "x")) == "its author has opened 6 incidents within 10 minutes"
    assert opening_limit(memory, group.make("Caro", "x")) is None, "others may"
    group.now += within - timedelta(seconds=10 * most)
    assert opening_limit(memory, group.make("Ana", "x")) is None, "ten minutes after the first"


def test_an_author_opens_at_most_so_many_incidents_a_day() -> None:
    group, memory = Group(), Memory()
    for _ in range(AUTHOR_OPENINGS[1].most):
        memory = with_openings(memory, group, "Ana")
        group.now += 15 * MINUTE
    assert opening_limit(memory, group.make("Ana", "x")) == "its author has opened 40 incidents within a day"
    group.now += timedelta(days=1) - 40 * 15 * MINUTE
    assert opening_limit(memory, group.make("Ana", "x")) is None


@pytest.mark.parametrize(("limit", "words"), list(zip(GROUP_OPENINGS, ("10 minutes", "4 hours"), strict=True)))
def test_a_group_opens_at_most_so_many_incidents_however_many_people_take_part(
    limit: tuple[int, timedelta], words: str
) -> None:
    group, memory = Group(), Memory()
    for number in range(limit[0]):
        memory = with_openings(memory, group, f"P{number}")
        group.now += limit[1] / (2 * limit[0])
    assert opening_limit(memory, group.make("Zoe", "x")) == f"the group has opened {limit[0]} incidents within {words}"
    assert opening_limit(memory, group.make("Berta", "x")) is not None, "for staff as well"


def test_who_is_on_the_staff_list_may_pass_on_a_whole_list_and_questions_are_no_tickets() -> None:
    group = Group()
    memory = with_openings(Memory(), group, *["Berta"] * 12)
    assert opening_limit(memory, group.make("Berta", "x")) is None
    asked = with_openings(Memory(), group, *["Ana"] * 12, ticket=False)
    assert opening_limit(asked, group.make("Ana", "x")) is None


@pytest.mark.parametrize("path", sorted(CONVERSATIONS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_nobody_who_really_reports_meets_a_limit(path: Path) -> None:
    """Every labelled opening of the invented conversations, each of them twice."""
    group, memory = Group(), Memory()
    for one in read_conversation(path):
        if one.role != "open":
            continue
        group.now = one.message.sent_at
        assert opening_limit(memory, group.make(one.name, "x")) is None, one.id
        memory = with_openings(memory, group, *[one.name] * 2)


def test_calls_of_models_are_bounded_by_author_and_by_group() -> None:
    group, memory = Group(), Memory()
    memory = with_texts(memory, group, *["Ana"] * AUTHOR_TEXTS[0].most)
    assert call_limit(memory, group.make("Ana", "x")) == "author_busy"
    assert call_limit(memory, group.make("Caro", "x")) is None
    memory = with_texts(memory, group, *(f"P{n}" for n in range(GROUP_TEXTS[0].most - AUTHOR_TEXTS[0].most)))
    assert call_limit(memory, group.make("Caro", "x")) == "group_busy"
    group.now += 10 * MINUTE
    assert call_limit(memory, group.make("Ana", "x")) is None
    photos = with_texts(Memory(), group, *["Ana"] * 99, text="[photo]")
    assert call_limit(photos, group.make("Ana", "x")) is None


def test_the_memory_holds_enough_to_count_by() -> None:
    assert max(limit.most for limit in (*AUTHOR_OPENINGS, *GROUP_OPENINGS)) < MAX_INCIDENTS
    assert max(limit.most for limit in (*AUTHOR_TEXTS, *GROUP_TEXTS)) < MAX_RECENT


def test_beyond_the_limit_reports_wait_for_a_person_and_none_is_lost() -> None:
    group = Group()
    for number in range(12):
        group.say(30, "Ana", f"buen día, la {900 + 7 * number} no puede facturar, su apoyo por favor")
    opened = [one for one in group.assemblies if one.decision.opens]
    beyond = [one for one in group.assemblies if one.waits]
    assert (len(opened), len(beyond)) == (6, 6)
    assert {one.decision.reasons for one in beyond} == {("its author has opened 6 incidents within 10 minutes",)}
    assert all(one.decision.asks and one.decision.incident_id is None for one in beyond)
    assert group.say(30, "Caro", "buen día, la 305 no puede facturar, su apoyo por favor").decision.opens
