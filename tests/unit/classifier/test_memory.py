"""What a memory keeps and for how long: what is open outlasts what is over, and everything has a bound."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.classifier.group import START, Group, make_person, make_ref
from tests.unit.classifier.test_properties import long_conversation

from supportbot.classifier.memory import (
    CLOSED_LIFE,
    CLOSED_QUIET,
    MAX_INCIDENTS,
    MAX_REFS,
    OPEN_LIFE,
    Incident,
    Memory,
    dump_memory,
    join_incident,
)
from supportbot.classifier.stored import MAX_VALUE_BYTES, Stored
from supportbot.ids import make_incident_id

TEMPLATE = long_conversation(1).memory.incidents[0]
SHORT = timedelta(seconds=1)


def make_incident(number: int, *, day: float = 0.0, resolved: bool = False, dropped: bool = False) -> Incident:
    at = START + timedelta(days=day)
    state = TEMPLATE.state.model_copy(update={"incident_id": make_incident_id(make_ref(number))})
    return TEMPLATE.model_copy(
        update={"state": state, "last_at": at, "resolved_at": at if resolved else None, "dropped": dropped}
    )


@pytest.mark.parametrize(
    ("incident", "life"),
    [
        (make_incident(1), OPEN_LIFE),
        (make_incident(1, resolved=True), CLOSED_LIFE),
        (make_incident(1, dropped=True), CLOSED_LIFE),
    ],
    ids=["open", "resolved", "dropped"],
)
def test_what_is_open_is_kept_for_months(incident: Incident, life: timedelta) -> None:
    memory = Memory().with_incident(incident)
    assert memory.forget(START + life) is memory
    assert memory.forget(START + life + SHORT).incidents == ()


def test_insistence_of_months_later_finds_its_incident() -> None:
    group = Group()
    group.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    assembly = group.say(60 * 86_400, "Ana", "buen día, sobre lo de la 909 seguimos igual")
    assert assembly.incident is not None
    assert assembly.incident.opening_ref == group.messages[0].message_ref
    assert not assembly.decision.opens


ALMOST_FULL = Memory(
    incidents=tuple(make_incident(number, day=-1, resolved=number % 9 == 0) for number in range(MAX_INCIDENTS - 10))
)
incidents = st.lists(
    st.tuples(st.floats(min_value=0, max_value=3), st.booleans(), st.booleans()), min_size=1, max_size=40
)


@given(incidents)
@settings(max_examples=100, deadline=None)
def test_of_too_many_incidents_the_oldest_that_is_over_and_quiet_goes_first(
    told: list[tuple[float, bool, bool]],
) -> None:
    memory = ALMOST_FULL
    day = 0.0
    for number, (pause, resolved, dropped) in enumerate(told, 1_000):
        day += pause
        new = make_incident(number, day=day, resolved=resolved, dropped=dropped)
        before = memory.incidents
        memory = memory.with_incident(new)
        kept = set(map(id, memory.incidents))
        gone = [one.incident_id for one in before if id(one) not in kept]
        quiet = [one.incident_id for one in before if one.is_over and new.last_at - one.last_at > CLOSED_QUIET]
        first = quiet or [one.incident_id for one in before]
        assert gone == (first[:1] if len(before) == MAX_INCIDENTS else [])
        assert memory.incidents[-1] is new
        assert [one.incident_id for one in memory.incidents[:-1]] == [
            one.incident_id for one in before if one.incident_id not in gone
        ]


def test_an_incident_that_goes_on_takes_nobody_s_place() -> None:
    memory = Memory(incidents=tuple(make_incident(number) for number in range(MAX_INCIDENTS)))
    after = memory.with_incident(make_incident(0, day=30))
    assert {one.incident_id for one in after.incidents} == {one.incident_id for one in memory.incidents}
    assert after.incidents[-1].incident_id == memory.incidents[0].incident_id


def test_the_largest_incidents_fit_the_bucket_without_losing_one() -> None:
    incident = make_incident(0)
    for number in range(200):
        incident = join_incident(
            incident,
            ref=make_ref(number),
            author=make_person(f"P{number}"),
            at=START,
            tokens=(f"{number:06d}",),
            documents=(f"{number:014d}",),
            sites=(f"{number:04d}",),
        )
    assert (len(incident.refs), len(incident.seen)) == (MAX_REFS, 20)
    full = tuple(
        incident.model_copy(update={"state": make_incident(number).state.model_copy(update={"sites": ("1234",) * 40})})
        for number in range(MAX_INCIDENTS)
    )
    memory = long_conversation(300).memory.model_copy(update={"incidents": full})
    assert len(dump_memory(memory)) < MAX_VALUE_BYTES
    assert Stored().after(memory).memory == memory
