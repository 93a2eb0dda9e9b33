"""Keeps a bot's streams tidy; run once per bot, by `up` or the operator.

Messages stay in a stream after their ack, so that the broker still knows their ids; what every lane has settled is
removed after a day. And where a message used up its deliveries without a word from a service (each of which died), the
server's advisory becomes a dead letter. To the lanes such a message is settled, so nothing is removed before that.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from nats.aio.msg import Msg
from nats.js import api

from supportbot import topology
from supportbot.deadletters import bury
from supportbot.errors import PermanentError, TemporaryError
from supportbot.lane import Lane
from supportbot.nats_errors import broker_errors
from supportbot.reader import read_message
from supportbot.settle import ACK, Term, nak_frame
from supportbot.topology import Stage

if TYPE_CHECKING:
    from supportbot.bus import Bus

log = structlog.get_logger(__name__)

KEEP = timedelta(hours=24)
"""The duplicate window: what is purged sooner would be forgotten at a restart."""
PERIOD_S = 600.0
RETRY_S = 5.0


async def run_janitor(bus: "Bus", *, lanes: int, period_s: float = PERIOD_S) -> None:
    """Purge every `period_s` and turn advisories into dead letters, until cancelled."""

    async def handle(msg: Msg) -> None:
        await _handle_advisory(bus, msg)

    lane = Lane(bus.nc, topology.EVENTS_STREAM, topology.janitor_consumer(bus.bot), handle)
    bus.lanes.append(lane)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(lane.run(), name="janitor advisories")
            group.create_task(_purge_forever(bus, lanes, period_s), name="janitor purge")
    finally:
        bus.lanes.remove(lane)


async def purge_settled(bus: "Bus", stage: Stage, *, lanes: int, before: datetime) -> int:
    """Remove what every lane has settled and what is older than `before`; the number of messages.

    It removes nothing while there are advisories to read: they may be about what is to be removed.

    Raises:
        UnavailableError: The broker is away, or the stream does not exist yet.
    """
    stream = topology.stream_name(bus.bot, stage)
    with broker_errors():
        state = (await bus.js.stream_info(stream)).state
        # Read before the lanes' floors: what comes meanwhile is not settled.
        floor = await _settled_floor(bus, stage, lanes, last_seq=state.last_seq)
        limit = min(floor + 1, await _first_since(bus, stream, before))
        # Read after the floors: what used up its deliveries later is above them.
        if not state.messages or limit <= state.first_seq or await _has_advisories(bus):
            return 0
        await bus.js.purge_stream(stream, seq=limit)
    return min(limit, state.last_seq + 1) - state.first_seq


async def _settled_floor(bus: "Bus", stage: Stage, lanes: int, *, last_seq: int) -> int:
    """Up to which sequence every lane has settled everything. The floor of an idle lane lags, so it does not count."""
    floor = last_seq
    for lane in range(lanes):
        stream = topology.stream_name(bus.bot, stage)
        info = await bus.js.consumer_info(stream, topology.consumer_name(stage, lane))
        if (info.num_pending or info.num_ack_pending) and info.ack_floor is not None:
            floor = min(floor, info.ack_floor.stream_seq)
    return floor


async def _has_advisories(bus: "Bus") -> bool:
    """Whether there are advisories that have not become dead letters yet."""
    info = await bus.js.consumer_info(topology.EVENTS_STREAM, topology.janitor_consumer(bus.bot))
    return bool(info.num_pending or info.num_ack_pending)


async def _first_since(bus: "Bus", stream: str, at: datetime) -> int:
    """The sequence of the first message that came at or after a time; behind the last one when none did."""
    config = api.ConsumerConfig(
        deliver_policy=api.DeliverPolicy.BY_START_TIME,
        opt_start_time=at,
        ack_policy=api.AckPolicy.NONE,
        mem_storage=True,
        inactive_threshold=5.0,
    )
    info = await bus.js.add_consumer(stream, config)
    await bus.js.delete_consumer(stream, info.name)
    assert info.delivered is not None
    return info.delivered.stream_seq + 1


async def _purge_forever(bus: "Bus", lanes: int, period_s: float) -> None:
    while True:
        for stage in Stage:
            try:
                count = await purge_settled(bus, stage, lanes=lanes, before=datetime.now(UTC) - KEEP)
            except TemporaryError as exc:
                log.warning("purge_postponed", stage=stage.value, error=str(exc))
            else:
                if count:
                    log.info("stream_purged", stage=stage.value, messages=count)
        await asyncio.sleep(period_s)


async def _handle_advisory(bus: "Bus", msg: Msg) -> None:
    try:
        await _bury_exhausted(bus, json.loads(msg.data))
    except (TemporaryError, PermanentError) as exc:
        log.warning("advisory_postponed", error=str(exc))
        await bus.nc.publish(msg.reply, nak_frame(RETRY_S))
    else:
        await bus.nc.publish(msg.reply, ACK)


async def _bury_exhausted(bus: "Bus", advisory: dict[str, int | str]) -> None:
    """Write the dead letter of a message that used up its deliveries, unless it is there already."""
    stream, seq = str(advisory["stream"]), int(advisory["stream_seq"])
    stage = next(stage for stage in Stage if topology.stream_name(bus.bot, stage) == stream)
    stored = await read_message(bus.nc, stream, seq)
    if stored is None:
        log.error("exhausted_message_gone", stream=stream, seq=seq)
        return
    term = Term("deliveries_exhausted", "every service that tried it died")
    await bury(bus, stage, stored, term, attempts=int(advisory["deliveries"]))
