"""A write is made once, and again only after it was looked for long enough."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from tests.unit.ticket.conftest import FakeClock

from supportbot.effects import EffectsLedger
from supportbot.errors import PermanentError, UnavailableError
from supportbot.kv import ConflictError
from supportbot.ticket.answers import OutcomeUnknownError
from supportbot.ticket.once import Once

KEY = "ticket.i_aaaaaaaaaaaaaaaaaaaa"


class Desk:
    """Fails a number of times, applied or not, then works. Shows what it has when its list is not late."""

    def __init__(self, *faults: Exception, applied: bool = False) -> None:
        self.faults = list(faults)
        self.applied = applied
        self.made: list[str] = []
        self.visible = True
        self.writes = 0
        self.looks = 0

    async def write(self) -> Mapping[str, Any]:
        self.writes += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or self.applied:
            self.made.append(f"T{self.writes}")
        if fault is not None:
            raise fault
        return {"id": self.made[-1]}

    async def look(self, _: datetime) -> Mapping[str, Any] | None:
        self.looks += 1
        return {"id": self.made[0]} if self.made and self.visible else None


@pytest.fixture
def once(ledger: EffectsLedger, clock: FakeClock) -> Once:
    return Once(ledger, look_delays_s=(30, 60, 120), now=clock.now)


async def test_done_is_not_done_again(once: Once) -> None:
    desk = Desk()
    outcomes = [await once.perform(KEY, write=desk.write, look=desk.look) for _ in range(3)]
    assert outcomes == [{"id": "T1"}] * 3
    assert (desk.writes, desk.looks) == (1, 0)


async def test_lost_answer_is_found(once: Once) -> None:
    """The answer was lost, the ticket is there: the first look finds it, nothing is written."""
    desk = Desk(OutcomeUnknownError("lost"), applied=True)
    with pytest.raises(UnavailableError) as held:
        await once.perform(KEY, write=desk.write, look=desk.look)
    assert held.value.delay_s == 1
    assert await once.perform(KEY, write=desk.write, look=desk.look) == {"id": "T1"}
    assert (desk.writes, desk.looks) == (1, 1)


async def test_absent_is_looked_for_at_each_delay(once: Once, clock: FakeClock) -> None:
    """Looks after 30, 60 and 120 s; only then it is written again."""
    desk = Desk(OutcomeUnknownError("lost"))
    delays = []
    for _ in range(10):
        try:
            outcome = await once.perform(KEY, write=desk.write, look=desk.look)
        except UnavailableError as exc:
            delays.append(round(exc.delay_s or 0))
            clock.advance((exc.delay_s or 0) + 0.01)
        else:
            break
    assert outcome == {"id": "T2"}
    assert delays == [1, 29, 30, 60]
    assert (desk.writes, desk.looks) == (2, 4)


async def test_late_list_makes_no_second_ticket(once: Once, clock: FakeClock) -> None:
    """A ticket that the list shows after 100 s is found at 120 s."""
    desk = Desk(OutcomeUnknownError("lost"), applied=True)
    desk.visible = False
    for _ in range(4):
        with pytest.raises(UnavailableError) as held:
            await once.perform(KEY, write=desk.write, look=desk.look)
        clock.advance((held.value.delay_s or 0) + 0.01)
    desk.visible = True
    assert await once.perform(KEY, write=desk.write, look=desk.look) == {"id": "T1"}
    assert desk.writes == 1


async def test_killed_writer_is_in_doubt(once: Once, ledger: EffectsLedger, clock: FakeClock) -> None:
    """`started` by a process that died: look first."""
    await ledger.begin(KEY)
    desk = Desk()
    desk.made = ["T0"]
    assert await once.perform(KEY, write=desk.write, look=desk.look) == {"id": "T0"}
    assert desk.writes == 0


@pytest.mark.parametrize(
    "fault", [UnavailableError("away", dependency="zoho"), PermanentError("refused", reason="invalid_data")]
)
async def test_surely_not_applied_is_written_at_once(once: Once, fault: Exception) -> None:
    desk = Desk(fault)
    with pytest.raises(type(fault)):
        await once.perform(KEY, write=desk.write, look=desk.look)
    assert await once.perform(KEY, write=desk.write, look=desk.look) == {"id": "T2"}
    assert desk.looks == 0


async def test_always_in_doubt_gives_up(once: Once, clock: FakeClock) -> None:
    """A request that breaks Zoho every time is a dead letter in the end, not a lane that stands still for ever."""
    desk = Desk(*[OutcomeUnknownError("lost")] * 9)
    for _ in range(40):
        try:
            await once.perform(KEY, write=desk.write, look=desk.look)
        except UnavailableError as exc:
            clock.advance((exc.delay_s or 0) + 0.01)
        except OutcomeUnknownError:
            break
    assert desk.writes == 3


async def test_who_loses_the_race_for_a_repeat_writes_nothing(
    once: Once, ledger: EffectsLedger, clock: FakeClock
) -> None:
    """Two replicas found nothing and may both write again: the one that notes it first does."""
    await ledger.begin(KEY)
    clock.advance(121)
    other = Desk()

    async def look_while_the_other_writes(_: datetime) -> Mapping[str, Any] | None:
        await once.perform(KEY, write=other.write, look=other.look)
        return None

    mine = Desk()
    outcome = await once.perform(KEY, write=mine.write, look=look_while_the_other_writes)
    assert (outcome, other.writes, mine.writes) == ({"id": "T1"}, 1, 0)


async def test_who_loses_the_race_to_an_unfinished_repeat_looks_again(
    once: Once, ledger: EffectsLedger, clock: FakeClock
) -> None:
    await ledger.begin(KEY)
    clock.advance(121)
    other = Desk(OutcomeUnknownError("lost"))

    async def look_while_the_other_writes(_: datetime) -> Mapping[str, Any] | None:
        with pytest.raises(UnavailableError):
            await once.perform(KEY, write=other.write, look=other.look)
        return None

    mine = Desk()
    with pytest.raises(ConflictError):
        await once.perform(KEY, write=mine.write, look=look_while_the_other_writes)
    assert (other.writes, mine.writes) == (1, 0)
