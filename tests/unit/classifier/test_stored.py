"""A memory is read as it was stored, whatever became of it in between."""

import random
import zlib
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.classifier.group import START, Group, make_ref
from tests.unit.classifier.test_properties import conversations, long_conversation

from supportbot.classifier.memory import Author, Memory, dump_memory
from supportbot.classifier.stored import MAX_VALUE_BYTES, Stored
from supportbot.contracts import Evidence

FULL = long_conversation(80).memory


def check(stored: Stored, memory: Memory) -> None:
    read = Stored.read(stored.value).memory
    assert read == memory == stored.memory
    # Their order settles who goes when there are too many.
    assert (list(read.authors), list(read.sites)) == (list(memory.authors), list(memory.sites))


@given(conversations)
@settings(max_examples=80, deadline=None)
def test_each_memory_of_a_conversation_is_read_as_it_was_stored(conversation: list[tuple[int, str, str]]) -> None:
    group, stored = Group(), Stored.read(None)
    for line in conversation:
        group.say(*line)
        stored = stored.after(group.memory)
        check(stored, group.memory)


@given(st.integers(), st.integers(min_value=1, max_value=6))
@settings(max_examples=60, deadline=None)
def test_parts_may_go_come_change_and_move(seed: int, steps: int) -> None:
    dice, memory = random.Random(seed), FULL
    stored = Stored().after(memory)
    for _ in range(steps):
        memory = shuffle(memory, dice)
        stored = stored.after(memory)
        check(stored, memory)


def shuffle(memory: Memory, dice: random.Random) -> Memory:
    recent, incidents = list(memory.recent), list(memory.incidents)
    dice.shuffle(recent)
    del incidents[: dice.randrange(3)]
    dice.shuffle(incidents)
    if incidents and dice.random() < 0.5:
        incidents[0] = incidents[0].model_copy(update={"told": False, "tokens": (), "dropped": dice.random() < 0.5})
    authors = dict(memory.authors)
    if authors and dice.random() < 0.5:
        authors.pop(dice.choice(list(authors)))
    authors['"ñ\\'] = Author(ref='"ñ\\', last_at=START, texts=dice.randrange(3))
    if dice.random() < 0.3:
        authors = dict(reversed(authors.items()))
    return memory.model_copy(
        update={
            "recent": tuple(recent[: dice.randrange(len(recent) + 1)]),
            "incidents": tuple(incidents),
            "authors": authors,
            "sites": {key: value + dice.randrange(2) * 1_000 for key, value in memory.sites.items()},
            "pending": () if dice.random() < 0.3 else memory.pending,
            "staff_listed": dice.random() < 0.5,
        }
    )


def test_changes_are_small_and_give_way_to_a_snapshot_in_time() -> None:
    group = long_conversation(160)
    stored = Stored().after(group.memory)
    sizes = [len(stored.value)]
    for number in range(90):
        group.say(60, f"P{number % 9}", f"la {100 + number} no puede recepcionar el pedido {4_500_000 + number}, apoyo")
        stored = stored.after(group.memory)
        sizes.append(len(stored.value))
    added = [after - before for before, after in pairwise(sizes) if after > before]
    assert 70 < len(added) < 90
    assert sorted(added)[len(added) // 2] < 2_500
    assert max(sizes) < 3 * sizes[0]


def test_a_memory_that_was_just_read_is_written_in_full() -> None:
    group = long_conversation(40)
    stored = Stored.read(Stored().after(group.memory).value)
    group.say(60, "Ana", "gracias")
    assert zlib.decompress(stored.after(group.memory).value) == dump_memory(group.memory)


def test_a_value_without_changes_is_one_compressed_document() -> None:
    """As it was stored before changes were."""
    memory = FULL
    check(Stored(memory, zlib.compress(dump_memory(memory))), memory)


@pytest.mark.parametrize("cut", [1, 5, 200])
def test_a_value_that_is_cut_off_is_an_error(cut: int) -> None:
    group, stored = Group(), Stored()
    for _ in range(3):
        group.say(5, "Ana", "la 909 no puede recepcionar, su apoyo")
        stored = stored.after(group.memory)
    with pytest.raises(ValueError, match="cut off"):
        Stored.read(stored.value[:-cut])


def test_a_damaged_value_is_an_error() -> None:
    value = bytearray(Stored().after(FULL).value)
    value[len(value) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="damaged"):
        Stored.read(bytes(value))


def test_a_flood_that_does_not_compress_stays_below_the_limit() -> None:
    dice, group, stored = random.Random(1), long_conversation(40), Stored()
    memory = group.memory
    for number in range(30):
        text = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(16_000))
        at = START + timedelta(seconds=number)
        sender = group.messages[0].sender
        memory = memory.with_pending(Evidence(message_ref=make_ref(number), sender=sender, sent_at=at, text=text))
        stored = stored.after(memory)
        memory = stored.memory
        assert len(stored.value) <= MAX_VALUE_BYTES
        check(stored, memory)
