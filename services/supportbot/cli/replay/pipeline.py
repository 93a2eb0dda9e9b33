"""Runs events through the real bus, the real classifier and the real ticket handler in Shadow mode.

Everything happens in this process but for the NATS server, which keeps its streams in a temporary folder. Memories are
kept here as well: nobody reads them after the run, and the server would take an eighth of its time for them.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from nats.js.api import ConsumerInfo

from supportbot.bus import Bus
from supportbot.classifier.handler import Classifier
from supportbot.classifier.models.judge import ModelJudge
from supportbot.classifier.policy import make_policy
from supportbot.classifier.tiers import choose_local
from supportbot.cli.replay.ahead import Ahead
from supportbot.cli.supervisor import background
from supportbot.contracts import (
    IncidentCorrected,
    IncidentState,
    MessageClassified,
    MessageReceived,
    Outcome,
    TrailEntry,
)
from supportbot.envelope import read_event
from supportbot.errors import UnavailableError
from supportbot.kv import ConflictError, Entry
from supportbot.nats_errors import broker_errors
from supportbot.nats_server import EmbeddedServer
from supportbot.reader import read_stream
from supportbot.spec import SupportBot
from supportbot.streams import ensure_topology
from supportbot.ticket.handler import ShadowHandler
from supportbot.topology import REPLAY, Stage, consumer_name, stream_name
from supportbot.trail import read_trail

LANES = 1
"""A chat is one conversation, and those are handled in order."""
WINDOW = 200
"""Messages on the way at once."""
POLL_S = 0.05
STAGES = (Stage.CLASSIFIER, Stage.TICKET)
PROFILE = replace(REPLAY, stream_bytes=4 * 1024**3, media_bytes=1024**2)
"""Larger than any export; nothing is reserved on the disk."""
MAX_FILE = "100GB"


@dataclass(frozen=True)
class Run:
    """What a run left behind. Its repr is short: asyncio's runner makes one of every result (python/cpython#112559)."""

    trail: tuple[TrailEntry, ...] = field(repr=False)
    """All entries, in order."""
    incidents: dict[str, IncidentState] = field(repr=False)
    """Each incident as it stood at the end, by its id."""


class Memories:
    """The values of a bucket, for as long as the run."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    async def get(self, key: str) -> Entry | None:
        """The value of a key, None when there is none."""
        return self._entries.get(key)

    async def create(self, key: str, value: bytes) -> int:
        """Write a key that must not exist yet; its revision. Raises ConflictError."""
        return await self.update(key, value, revision=0)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        """Write a key that must still have `revision`; the new one. Raises ConflictError."""
        known = self._entries.get(key)
        if revision != (known.revision if known else 0):
            raise ConflictError(key)
        self._entries[key] = Entry(value, revision + 1)
        return revision + 1


async def run_events(bot: SupportBot, events: Sequence[MessageReceived], progress: Callable[[int], None]) -> Run:
    """Run the events in their order, and wait until all of them are settled.

    Args:
        bot: Its classification counts; its mode does not, a replay always is in Shadow mode.
        events: Of one group.
        progress: Gets the number of messages that the classifier has settled, again and again.

    Raises:
        UnavailableError: The NATS server ended.
        UserError: There is no NATS server on this machine.
    """
    policy = make_policy(bot.spec)
    local = choose_local(policy, threads=1)  # Several texts at once waste less than several threads for one.
    classifier = Classifier(Memories(), policy, ModelJudge(policy, local=local.judge))
    windows = [events[start : start + WINDOW] for start in range(0, len(events), WINDOW)]
    published = 0
    async with _pipeline(bot.metadata.name, classifier) as bus:
        with Ahead(local.prepare) as ahead:
            ahead.start(one.text for one in events[:WINDOW])
            for window, following in zip_longest(windows, windows[1:], fillvalue=()):
                await ahead.wait()
                ahead.start(one.text for one in following)
                await _publish(bus, window)
                published += len(window)
                await _until_left(bus, Stage.CLASSIFIER, WINDOW // 2, published, len(events), progress)
        for stage in STAGES:
            await _until_left(bus, stage, 0, len(events), len(events), progress)
        return Run(await read_trail(bus), await _read_incidents(bus))


@asynccontextmanager
async def _pipeline(name: str, classifier: Classifier) -> AsyncIterator[Bus]:
    """A bus whose stages `classifier` and `ticket` are served."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="supportbot-replay-"))
        server = EmbeddedServer(Path(folder), sync="default", max_file=MAX_FILE)
        await stack.enter_async_context(server)
        await stack.enter_async_context(background(_watch(server), "watch nats"))
        bus = await stack.enter_async_context(Bus.connect(server.url, bot=name, service="replay"))
        await ensure_topology(bus.js, name, LANES, PROFILE)
        for stage, handler in ((Stage.CLASSIFIER, classifier), (Stage.TICKET, ShadowHandler("shadow"))):
            consuming = bus.consume(stage, handler, lanes=LANES)
            await stack.enter_async_context(background(consuming, f"consume {stage}"))
        yield bus


async def _publish(bus: Bus, events: Sequence[MessageReceived]) -> None:
    """Publish in order, as the gateway does: the event, and the trail's word that it was received."""
    async with asyncio.TaskGroup() as group:
        for event in events:  # Tasks start in their order, and each sends before it waits for its PubAck.
            group.create_task(bus.publish(event))
            group.create_task(bus.record(_receipt(event)))


def _receipt(event: MessageReceived) -> TrailEntry:
    return TrailEntry(
        message_ref=event.message_ref,
        group_ref=event.group_ref,
        stage="whatsapp",
        outcome=Outcome.RECEIVED,
        at=event.received_at,
    )


async def _until_left(
    bus: Bus, stage: Stage, left: int, published: int, total: int, progress: Callable[[int], None]
) -> None:
    """Wait until a stage has at most `left` messages before it."""
    while True:
        waiting = await _waiting(bus, stage)
        if stage is Stage.CLASSIFIER:
            progress(min(published, total) - waiting)
        if waiting <= left:
            return
        await asyncio.sleep(POLL_S)


async def _waiting(bus: Bus, stage: Stage) -> int:
    """Messages that a stage has not settled; what its handler made of the others is on the bus by now."""
    stream = stream_name(bus.bot, stage)
    with broker_errors():
        last_seq = (await bus.js.stream_info(stream)).state.last_seq
        return count_waiting(last_seq, await bus.js.consumer_info(stream, consumer_name(stage, 0)))


def count_waiting(last_seq: int, lane: ConsumerInfo) -> int:
    """Messages of a stream that its only lane has not settled.

    The server counts `num_pending` behind the PubAck, so just published messages may be missing in it; the stream's
    last sequence knows them.

    Args:
        last_seq: Of the stream, read before the lane.
        lane: As the server describes it.
    """
    assert lane.delivered is not None
    return max(last_seq - lane.delivered.stream_seq, 0) + (lane.num_ack_pending or 0)


async def _read_incidents(bus: Bus) -> dict[str, IncidentState]:
    incidents: dict[str, IncidentState] = {}
    for stored in await read_stream(bus.nc, stream_name(bus.bot, Stage.TICKET)):
        event = read_event(stored.headers, stored.data)
        if isinstance(event, MessageClassified | IncidentCorrected) and event.incident is not None:
            incidents[event.incident.incident_id] = event.incident
    return incidents


async def _watch(server: EmbeddedServer) -> None:
    status = await server.process.wait()
    raise UnavailableError(f"the NATS server of the replay ended with status {status}", dependency="nats")
