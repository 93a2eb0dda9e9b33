from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.events import NOON, counting_turns, make_message

from supportbot.contracts import Outcome, TrailEntry
from supportbot.reader import Stored
from supportbot.trail import SLICE, Ledger, TrailPart, parse_part

REFS = [make_message(number).message_ref for number in range(6)]
GROUP = make_message(0).group_ref


def entry(ref: str, outcome: Outcome, *, minute: int = 0) -> TrailEntry:
    at = NOON + timedelta(minutes=minute)
    return TrailEntry(message_ref=ref, group_ref=GROUP, stage="ticket", outcome=outcome, at=at)


def test_the_last_terminal_entry_of_a_message_counts() -> None:
    ledger = Ledger(
        [
            entry(REFS[0], Outcome.RECEIVED),
            entry(REFS[0], Outcome.REVIEW),
            entry(REFS[0], Outcome.CLASSIFIED),
            entry(REFS[0], Outcome.EVIDENCE),
            entry(REFS[0], Outcome.REPLIED),
        ]
    )
    assert ledger.counts() == {Outcome.EVIDENCE: 1}
    assert ledger.unaccounted() == []


def test_an_answer_that_could_not_be_sent_is_no_fate_of_its_message() -> None:
    unsent = entry(REFS[0], Outcome.DEAD_LETTER).model_copy(update={"stage": "whatsapp"})
    ledger = Ledger([entry(REFS[0], Outcome.RECEIVED), entry(REFS[0], Outcome.TICKET), unsent])
    assert ledger.counts() == {Outcome.TICKET: 1}


def test_a_message_that_only_passed_through_is_unaccounted_oldest_first() -> None:
    late, early = entry(REFS[0], Outcome.RECEIVED, minute=5), entry(REFS[1], Outcome.RECEIVED, minute=1)
    ledger = Ledger([late, early, entry(REFS[0], Outcome.CLASSIFIED, minute=6), entry(REFS[2], Outcome.IGNORED)])
    assert ledger.unaccounted() == [early, late]
    assert [lost.message_ref for lost in ledger.unreceived()] == [REFS[2]]


@given(st.lists(st.tuples(st.sampled_from(REFS), st.sampled_from(list(Outcome)), st.integers(0, 99))))
def test_received_is_the_sum_of_all_fates(said: list[tuple[str, Outcome, int]]) -> None:
    ledger = Ledger(entry(ref, outcome, minute=minute) for ref, outcome, minute in said)
    received = {ref for ref, outcome, _ in said if outcome is Outcome.RECEIVED}
    assert len(received) == ledger.counts().total() - len(ledger.unreceived()) + len(ledger.unaccounted())
    assert all(outcome.terminal for outcome in ledger.counts())


@given(st.lists(st.tuples(st.sampled_from(REFS), st.sampled_from(list(Outcome)), st.integers(0, 99))))
def test_reading_in_two_parts_is_reading_at_once(said: list[tuple[str, Outcome, int]]) -> None:
    entries = [entry(ref, outcome, minute=minute) for ref, outcome, minute in said]
    parts = Ledger(entries[: len(entries) // 2])
    for later in entries[len(entries) // 2 :]:
        parts.add(later)
    whole = Ledger(entries)
    assert (parts.last, parts.received) == (whole.last, whole.received)


async def test_what_cannot_be_read_is_skipped() -> None:
    known = entry(REFS[0], Outcome.TICKET)
    stored = [store(4, known.model_dump_json()), store(7, '{"outcome": "archived"}'), store(9, "")]
    assert await parse_part(stored, after=3) == TrailPart(entries=(known,), skipped=2, seq=9)
    assert await parse_part([], after=9) == TrailPart(entries=(), skipped=0, seq=9)


async def test_others_get_their_turn_while_a_long_part_is_parsed() -> None:
    stored = [store(seq, entry(REFS[0], Outcome.TICKET).model_dump_json()) for seq in range(1, 4 * SLICE)]
    async with counting_turns() as turns:
        await parse_part(stored, after=0)
    assert len(turns) >= 4


def store(seq: int, text: str) -> Stored:
    return Stored(seq, "trail.b.g", text.encode(), NOON)
