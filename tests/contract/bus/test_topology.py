"""A bot's streams over time: made anew, updated, deleted, marked as orphaned, and kept apart by their origins."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError
from tests.conftest import LANES, SMALL
from tests.events import make_message

from supportbot import topology
from supportbot.bus import Bus
from supportbot.errors import UserError
from supportbot.nats_errors import StreamMissingError
from supportbot.pipeline_state import PipelineWatch
from supportbot.streams import ORPHANED_LABEL, BotStreams, delete_topology, ensure_topology, list_bots, mark_orphaned
from supportbot.topology import Bucket

pytestmark = pytest.mark.nats

OURS, THEIRS = "8c1f/shops/stores", "07ab/shops/stores"
SINCE = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)


async def test_a_deleted_bot_leaves_nothing_and_others_their_own(bus: Bus) -> None:
    other = f"{bus.bot}-b"
    await ensure_topology(bus.js, other, LANES, SMALL)
    assert {bus.bot, other} <= (await list_bots(bus.js)).keys()
    await bus.publish(make_message(1))
    for _ in range(2):
        await delete_topology(bus.js, bus.bot)
    found = await list_bots(bus.js)
    assert bus.bot not in found
    assert other in found
    names = [one.config.name or "" async for one in streams(bus)]
    assert not [name for name in names if name.removeprefix("KV_").removeprefix("OBJ_").startswith(f"{bus.bot}_")]
    with pytest.raises(NotFoundError):
        await bus.js.consumer_info(topology.EVENTS_STREAM, topology.janitor_consumer(bus.bot))
    assert (await bus.js.consumer_info(topology.EVENTS_STREAM, topology.janitor_consumer(other))).name
    with pytest.raises(StreamMissingError):
        await PipelineWatch(bus, lanes=LANES).look()
    await ensure_topology(bus.js, bus.bot, LANES, SMALL)
    assert await bus.publish(make_message(1)), "it begins anew"


async def streams(bus: Bus) -> AsyncIterator[StreamInfo]:
    offset = 0
    while page := await bus.js.streams_info(offset=offset):
        offset += len(page)
        for one in page:
            yield one


async def test_streams_of_an_earlier_version_become_those_of_this_one(bus: Bus) -> None:
    """Without the bot's key in their metadata, with roll-ups and direct reads; what is in them stays."""
    await (await bus.bucket(Bucket.MEMORY)).put("key", b"value")
    for config in topology.stream_configs(bus.bot, LANES, SMALL):
        if config.name != topology.EVENTS_STREAM:
            kind = (config.name or "").partition("_")[0]
            old = replace(config, metadata={}, allow_direct=True, allow_rollup_hdrs=kind in {"KV", "OBJ"})
            await bus.js.update_stream(old)
    assert bus.bot not in await list_bots(bus.js)
    for _ in range(2):
        await ensure_topology(bus.js, bus.bot, LANES, SMALL)
    assert bus.bot in await list_bots(bus.js)
    now = (await bus.js.stream_info(f"KV_{bus.bot}_memory")).config
    assert (now.allow_rollup_hdrs, now.allow_direct) == (False, False)
    async with Bus.share(bus.connection, bot=bus.bot) as anew:
        entry = await (await anew.bucket(Bucket.MEMORY)).get("key")
    assert entry is not None
    assert entry.value == b"value"


async def test_streams_of_another_origin_are_neither_changed_nor_deleted(bus: Bus) -> None:
    """Two installations in one account that came to the same key; an origin is taken on where there was none."""
    await ensure_topology(bus.js, bus.bot, LANES, replace(SMALL, origin=OURS))
    before = await describe(bus)
    with pytest.raises(UserError, match=rf"belongs to '{OURS}'.*account of its own"):
        await ensure_topology(bus.js, bus.bot, LANES + 1, replace(SMALL, origin=THEIRS))
    left = await delete_topology(bus.js, bus.bot, THEIRS)
    assert set(left) == before.keys()
    assert await describe(bus) == before
    assert (await bus.js.consumer_info(topology.EVENTS_STREAM, topology.janitor_consumer(bus.bot))).name
    assert (await list_bots(bus.js))[bus.bot] == BotStreams(origin=OURS)
    assert await delete_topology(bus.js, bus.bot, OURS) == ()
    assert await describe(bus) == {}


async def test_what_another_origin_has_left_over_is_refused_before_anything_is_made(bus: Bus) -> None:
    await ensure_topology(bus.js, bus.bot, LANES, replace(SMALL, origin=THEIRS))
    rest = topology.trail_stream(bus.bot)
    for name in await describe(bus):
        if name != rest:
            await bus.js.delete_stream(name)
    with pytest.raises(UserError, match=rest):
        await ensure_topology(bus.js, bus.bot, LANES, replace(SMALL, origin=OURS))
    assert list(await describe(bus)) == [rest]
    await bus.js.delete_stream(rest)


async def test_streams_that_say_no_origin_are_left_to_whoever_names_none(bus: Bus) -> None:
    assert set(await delete_topology(bus.js, bus.bot, OURS)) == (await describe(bus)).keys()
    assert await delete_topology(bus.js, bus.bot) == ()
    assert await describe(bus) == {}


async def test_an_orphaned_bot_is_so_until_its_streams_are_ensured(bus: Bus) -> None:
    profile = replace(SMALL, origin=OURS)
    await ensure_topology(bus.js, bus.bot, LANES, profile)
    before = await describe(bus)
    await bus.publish(make_message(1))
    await mark_orphaned(bus.js, bus.bot, SINCE)
    assert (await list_bots(bus.js))[bus.bot] == BotStreams(origin=OURS, orphaned_at=SINCE)
    await ensure_topology(bus.js, bus.bot, LANES, profile)
    assert (await list_bots(bus.js))[bus.bot] == BotStreams(origin=OURS)
    assert await describe(bus) == before
    assert not await bus.publish(make_message(1)), "it is the same stream"


@pytest.mark.parametrize("kind", ["b-replies", "b-trail", "KV_b_effects", "OBJ_b_media"])
async def test_what_a_deletion_left_of_a_bot_can_be_marked_and_is_otherwise_as_it_was(bus: Bus, kind: str) -> None:
    only = kind.replace("b", bus.bot, 1) if kind.startswith("b-") else kind.replace("_b_", f"_{bus.bot}_")
    before = (await describe(bus))[only]
    for name in await describe(bus):
        if name != only:
            await bus.js.delete_stream(name)
    await mark_orphaned(bus.js, bus.bot, SINCE)
    assert (await list_bots(bus.js))[bus.bot].orphaned_at == SINCE
    after = (await describe(bus))[only]
    assert after.pop("metadata") == {**before.pop("metadata"), ORPHANED_LABEL: SINCE.isoformat()}
    assert after == before
    await bus.js.delete_stream(only)
    with pytest.raises(StreamMissingError):
        await mark_orphaned(bus.js, bus.bot, SINCE)


async def test_a_time_that_somebody_else_wrote_is_none(bus: Bus) -> None:
    config = (await bus.js.stream_info(topology.dead_letter_stream(bus.bot))).config
    for text in ("long ago", "2026-03-02T12:00:00"):
        config.metadata = {**(config.metadata or {}), ORPHANED_LABEL: text}
        await bus.js.update_stream(config)
        assert (await list_bots(bus.js))[bus.bot].orphaned_at is None


async def describe(bus: Bus) -> dict[str, dict[str, Any]]:
    """The configurations of the bot's streams."""
    return {
        one.config.name or "": asdict(one.config)
        async for one in streams(bus)
        if (one.config.metadata or {}).get(topology.BOT_LABEL) == bus.bot
    }
