import asyncio

import pytest
from tests.unit.ticket.conftest import FakeClock, MemoryKeyValue

from supportbot.errors import UnavailableError
from supportbot.ticket.records import Records


async def test_lock_lets_one_in_at_a_time(kv: MemoryKeyValue) -> None:
    records = Records(kv, sleep=lambda _: asyncio.sleep(0))
    inside, most = 0, 0

    async def enter() -> None:
        nonlocal inside, most
        async with records.lock("l", ttl_s=60):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(5)))
    assert most == 1


async def test_lock_of_a_dead_holder_is_taken_over(records: Records, clock: FakeClock) -> None:
    await records.create("l", {"owner": "gone", "until": clock.time() + 20})
    async with records.lock("l", ttl_s=30):
        held = await records.get("l")
    assert held is not None
    assert held.value["owner"] != "gone"


async def test_lock_that_stays_taken_gives_up(records: Records, clock: FakeClock) -> None:
    await records.create("l", {"owner": "other", "until": clock.time() + 100})
    with pytest.raises(UnavailableError):
        async with records.lock("l", ttl_s=30):
            pass


async def test_late_release_leaves_the_next_holder_alone(records: Records, clock: FakeClock) -> None:
    async with records.lock("l", ttl_s=10):
        clock.advance(11)
        second = records.lock("l", ttl_s=10)
        await second.__aenter__()
    held = await records.get("l")
    assert held is not None
    assert held.value["owner"] != ""
    await second.__aexit__(None, None, None)


async def test_keys_of_a_prefix(records: Records) -> None:
    for key in ("b.2", "a.1", "b.1"):
        await records.put(key, {})
    assert await records.keys("b.") == ["b.1", "b.2"]
