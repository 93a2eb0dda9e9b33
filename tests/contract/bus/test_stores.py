"""The effects ledger, buckets, media and the shared breaker on a real server."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from nats.aio.client import Client

from supportbot.breaker import Breaker, BreakerPolicy, BreakerState
from supportbot.bus import Bus
from supportbot.effects import Effect, perform_once
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.kv import ConflictError, Entry
from supportbot.nats_server import EmbeddedServer
from supportbot.reader import read_stream

pytestmark = pytest.mark.nats

KEY = "ticket.i_aaaaaaaaaaaaaaaaaaaa"


async def test_one_of_fifty_racers_starts_an_effect(bus: Bus) -> None:
    effects = await asyncio.gather(*(bus.effects.begin(KEY) for _ in range(50)))
    assert sum(effect.fresh for effect in effects) == 1
    assert {effect.state for effect in effects} == {"started"}
    assert len({effect.nonce for effect in effects}) == 1


async def test_an_effect_keeps_its_notes_and_then_its_outcome(bus: Bus) -> None:
    started = await bus.effects.begin(KEY)
    noted = await bus.effects.note(started, {"lookups": 1})
    again = await bus.effects.begin(KEY)
    assert (again.state, again.outcome, again.fresh) == ("started", {"lookups": 1}, False)
    await bus.effects.finish(noted, {"number": "101"})
    done = await bus.effects.get(KEY)
    assert done is not None
    assert (done.state, done.outcome) == ("done", {"number": "101"})
    assert await bus.effects.get("ticket.i_bbbbbbbbbbbbbbbbbbbb") is None


async def test_who_finishes_first_is_right(bus: Bus) -> None:
    mine = await bus.effects.begin(KEY)
    theirs = await bus.effects.begin(KEY)
    await bus.effects.finish(theirs, {"number": "101"})
    assert (await bus.effects.finish(mine, {"number": "102"})).outcome == {"number": "101"}


async def test_a_stale_note_does_not_hide_an_outcome(bus: Bus) -> None:
    mine = await bus.effects.begin(KEY)
    await bus.effects.finish(mine, {"number": "101"})
    assert (await bus.effects.note(mine, {"lookups": 3})).state == "done"


async def test_an_effect_that_failed_starts_afresh(bus: Bus) -> None:
    await bus.effects.finish(await bus.effects.begin(KEY), {"error": "no field"}, failed=True)
    again = await bus.effects.begin(KEY)
    assert (again.state, again.fresh) == ("started", True)


class Desk:
    """Something that can be done once; it may break before or after it did it."""

    def __init__(self) -> None:
        self.tickets: list[str] = []
        self.looked = 0

    async def do(self) -> Mapping[str, Any]:
        self.tickets.append("101")
        return {"number": "101"}

    async def do_and_break(self) -> Mapping[str, Any]:
        await self.do()
        raise TemporaryError("the answer was lost")

    async def refuse(self) -> Mapping[str, Any]:
        raise PermanentError("no such department", reason="invalid_data")

    async def find(self, _: Effect) -> Mapping[str, Any] | None:
        self.looked += 1
        return {"number": self.tickets[0]} if self.tickets else None


async def test_what_was_done_is_not_done_again(bus: Bus) -> None:
    desk = Desk()
    outcomes = [await perform_once(bus.effects, KEY, do=desk.do, find=desk.find) for _ in range(3)]
    assert outcomes == [{"number": "101"}] * 3
    assert (desk.tickets, desk.looked) == (["101"], 0)


async def test_what_was_done_without_a_word_is_found(bus: Bus) -> None:
    desk = Desk()
    with pytest.raises(TemporaryError):
        await perform_once(bus.effects, KEY, do=desk.do_and_break, find=desk.find)
    assert await perform_once(bus.effects, KEY, do=desk.do, find=desk.find) == {"number": "101"}
    assert (desk.tickets, desk.looked) == (["101"], 1)


async def test_what_certainly_was_not_done_is_done(bus: Bus) -> None:
    desk = Desk()
    await bus.effects.begin(KEY)  # And then its process died.
    assert await perform_once(bus.effects, KEY, do=desk.do, find=desk.find) == {"number": "101"}
    with pytest.raises(PermanentError):
        await perform_once(bus.effects, "other", do=desk.refuse, find=desk.find)
    await perform_once(bus.effects, "other", do=desk.do, find=desk.find)
    assert (desk.tickets, desk.looked) == (["101", "101"], 1)


async def test_a_bucket_compares_revisions(bus: Bus) -> None:
    memory = await bus.bucket("memory")
    first = await memory.create("abc", b"1")
    with pytest.raises(ConflictError):
        await memory.create("abc", b"2")
    second = await memory.update("abc", b"2", revision=first)
    with pytest.raises(ConflictError):
        await memory.update("abc", b"3", revision=first)
    assert await memory.get("abc") == Entry(b"2", second)
    with pytest.raises(ConflictError):
        await memory.delete("abc", revision=first)
    await memory.delete("abc", revision=second)
    assert await memory.get("abc") is None
    await memory.create("abc", b"4")


async def test_a_bucket_lists_its_keys(bus: Bus) -> None:
    tokens = await bus.bucket("tokens")
    assert await tokens.keys() == []
    for key in ("lock.a", "lock.b", "locks", "gone"):
        await tokens.put(key, key.encode())
    await tokens.delete("gone")
    assert await tokens.keys() == ["lock.a", "lock.b", "locks"]
    assert await tokens.keys("lock.") == ["lock.a", "lock.b"]


async def test_a_lock_ends_by_itself(bus: Bus) -> None:
    tokens = await bus.bucket("tokens")
    await tokens.create("lock", b"me", ttl_s=1)
    with pytest.raises(ConflictError):
        await tokens.create("lock", b"you", ttl_s=1)
    await asyncio.sleep(2.2)
    await tokens.create("lock", b"you", ttl_s=1)


async def test_a_key_that_nats_cannot_store_is_refused(bus: Bus) -> None:
    with pytest.raises(PermanentError):
        await (await bus.bucket("memory")).put("529981234567@g.us", b"1")


async def test_a_bucket_that_does_not_exist_yet_is_unavailable(nats_server: EmbeddedServer, bot: str) -> None:
    async with Bus.connect(nats_server.url, bot=bot, service="test") as early:
        with pytest.raises(UnavailableError):
            await early.bucket("memory")


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
async def test_media_comes_back_as_it_was(bus: Bus, size: int) -> None:
    data = os.urandom(size)
    name = await bus.media.put(data)
    assert await bus.media.put(data) == name
    assert await bus.media.get(name) == data
    assert (await bus.js.stream_info(f"OBJ_{bus.bot}_media")).state.messages == 1 + -(-size // (128 * 1024))


async def test_media_that_is_gone_is_permanent(bus: Bus) -> None:
    with pytest.raises(PermanentError) as raised:
        await bus.media.get("0" * 64)
    assert raised.value.reason == "media_missing"


async def test_a_full_media_store_says_so(bus: Bus) -> None:
    await bus.media.put(os.urandom(40 * 1024**2))
    with pytest.raises(PermanentError) as raised:
        await bus.media.put(os.urandom(40 * 1024**2))
    assert raised.value.reason == "broker_full"


async def test_replicas_share_a_breaker(bus: Bus) -> None:
    now = [1000.0]
    bucket = await bus.bucket("breakers")
    policy = BreakerPolicy(min_calls=1, open_s=10)
    one, two = (Breaker("zoho", policy=policy, bucket=bucket, clock=lambda: now[0]) for _ in range(2))
    one.record_failure()
    await one.sync()
    await two.sync()
    assert (two.state, two.open_until) == (BreakerState.OPEN, 1010)
    now[0] = 1011
    await two.ready()
    two.record_success()
    await two.sync()
    now[0] = 1014
    await one.sync()
    assert one.state is BreakerState.CLOSED


async def test_a_bucket_without_room_is_unavailable(bus: Bus) -> None:
    """Room comes back: the lane holds its message meanwhile, which would otherwise be a dead letter."""
    config = (await bus.js.stream_info(f"KV_{bus.bot}_effects")).config
    await bus.js.update_stream(replace(config, max_bytes=2000))
    with pytest.raises(UnavailableError, match="no room"):
        await asyncio.gather(*(bus.effects.begin(f"{KEY}.{number}") for number in range(20)))


class ConsumerLost:
    """A client that is used like a real one; before its second pull the broker forgets the consumer."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._pulls = 0

    async def publish(self, subject: str, payload: bytes, reply: str) -> None:
        self._pulls += 1
        if self._pulls == 2:
            await self._nc.jetstream().delete_consumer(*subject.split(".")[-2:])
        await self._nc.publish(subject, payload, reply)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nc, name)


async def test_a_read_that_is_cut_off_is_no_shorter_stream(bus: Bus) -> None:
    """A broker that restarts forgets the reader's consumer: half an attachment would count as damaged for good."""
    tokens = await bus.bucket("tokens")
    await asyncio.gather(*(tokens.put(f"k{number}", b"1") for number in range(600)))
    with pytest.raises(UnavailableError):
        await read_stream(cast("Client", ConsumerLost(bus.nc)), f"KV_{bus.bot}_tokens")
