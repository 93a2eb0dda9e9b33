from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.events import counting_turns

from supportbot.contracts import Outcome, TrailEntry
from supportbot.pipeline_state import SLICE, RunningLedger
from supportbot.trail import Ledger

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
REFS = tuple(f"m_{letter * 20}" for letter in "abc")
SAID = (
    ("whatsapp", Outcome.RECEIVED),
    ("whatsapp", Outcome.DEAD_LETTER),
    ("classifier", Outcome.IGNORED),
    ("classifier", Outcome.DEAD_LETTER),
    ("ticket", Outcome.TICKET),
    ("ticket", Outcome.REVIEW),
)


def entry(ref: str, stage: str, outcome: Outcome, minute: int = 0) -> TrailEntry:
    at = START + timedelta(minutes=minute)
    return TrailEntry.model_validate(
        {"message_ref": ref, "group_ref": "57d43950ac262b14", "stage": stage, "outcome": outcome, "at": at}
    )


@given(st.lists(st.tuples(st.sampled_from(REFS), st.sampled_from(SAID)), max_size=20))
def test_it_counts_as_the_whole_ledger_does(said: list[tuple[str, tuple[str, Outcome]]]) -> None:
    entries = [entry(ref, stage, outcome, minute) for minute, (ref, (stage, outcome)) in enumerate(said)]
    whole, running = Ledger(entries), RunningLedger()
    for one in entries:
        running.add(one)
    assert +running.outcomes == whole.counts()
    assert running.open == {one.message_ref: one.at for one in whole.unaccounted()}
    assert running.received == len(whole.received)


def test_what_is_settled_is_forgotten_and_stays_counted_what_is_open_is_not() -> None:
    running = RunningLedger()
    for minute, (ref, (stage, outcome)) in enumerate(
        [(REFS[0], SAID[0]), (REFS[0], SAID[4]), (REFS[1], SAID[0]), (REFS[2], SAID[0]), (REFS[2], SAID[2])]
    ):
        running.add(entry(ref, stage, outcome, minute))
    running.forget(START + timedelta(minutes=3))
    assert running.open == {REFS[1]: START + timedelta(minutes=2)}
    assert list(running._settled) == [REFS[2]]
    assert (running.received, running.outcomes) == (3, Counter({Outcome.TICKET: 1, Outcome.IGNORED: 1}))


async def test_what_is_late_comes_in_the_order_of_the_trail_and_the_oldest_by_the_clocks() -> None:
    running = RunningLedger()
    for ref, minute in zip(REFS, (2, 9, 1), strict=True):
        running.add(entry(ref, *SAID[0], minute))
    late, oldest = await running.find_late(START + timedelta(minutes=9))
    assert (late, oldest) == ((REFS[0], REFS[2]), START + timedelta(minutes=1))
    assert await RunningLedger().find_late(START) == ((), None)


async def test_others_get_their_turn_while_many_messages_are_open() -> None:
    running = RunningLedger()
    running.open = dict.fromkeys(map(str, range(4 * SLICE)), START)
    async with counting_turns() as turns:
        await running.find_late(START)
    assert len(turns) >= 4
