"""How far a bot's messages are, seen from outside, and what remains of a bot that is deleted."""

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from tests.conftest import LANES, SMALL
from tests.contract.bus.support import consuming
from tests.events import classify, make_message, until

from supportbot import topology
from supportbot.bus import Bus, Context
from supportbot.contracts import Event, MessageReceived, Outcome, TrailEntry
from supportbot.errors import PermanentError
from supportbot.nats_server import EmbeddedServer
from supportbot.pipeline_state import PipelineWatch, Queue
from supportbot.streams import delete_topology, ensure_topology
from supportbot.topology import Stage

pytestmark = pytest.mark.nats

NOTHING = Queue(pending=0, ack_pending=0, redelivered=0, oldest_at=None)


async def receive(bus: Bus, number: int, group: str = "g-1", *, minutes_ago: float = 0) -> MessageReceived:
    """As the gateway does."""
    message = make_message(number, group)
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    await bus.publish(message)
    await bus.record(
        TrailEntry(
            message_ref=message.message_ref,
            group_ref=message.group_ref,
            stage="whatsapp",
            outcome=Outcome.RECEIVED,
            at=at,
        )
    )
    return message


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"supportbot_{name}", labels)


def errors(component: str, error_type: str) -> float:
    return sample("errors_total", component=component, error_type=error_type) or 0.0


async def test_a_bot_at_rest(bus: Bus) -> None:
    state = await PipelineWatch(bus, lanes=LANES).look()
    assert state.queues == dict.fromkeys(Stage, NOTHING)
    assert state.dead_letters == dict.fromkeys(Stage, 0)
    assert (state.received, state.outcomes, state.open, state.unaccounted) == (0, {}, 0, ())
    assert sample("ledger_discrepancies_total", bot=bus.bot) == 0


async def test_what_waits_what_failed_and_what_is_missing(bus: Bus) -> None:
    """Across several looks, each of which reads only what is new."""
    watch = PipelineWatch(bus, lanes=LANES)
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert (await watch.look()).received == 0
    lost = await receive(bus, 1, minutes_ago=60)
    for number in range(2, 7):
        await receive(bus, number, f"g-{number}")
    state = await watch.look()
    inbox = state.queues[Stage.CLASSIFIER]
    assert (inbox.pending, inbox.ack_pending, state.received, state.open) == (6, 0, 6, 6)
    assert inbox.oldest_at is not None
    assert before < inbox.oldest_at <= state.at
    assert state.unaccounted == (lost.message_ref,)
    assert state.queues[Stage.TICKET] == NOTHING

    held = asyncio.Event()
    seen: list[Event] = []

    async def classify_all(event: Event, ctx: Context) -> Event | None:
        assert isinstance(event, MessageReceived)
        seen.append(event)
        if event.text == "6":
            await held.wait()
        if event.text == "5":
            raise PermanentError("no good", reason="rejected")
        if event.text == "1":
            return None  # Without a word in the trail.
        if event.text in {"2", "3"}:
            ctx.record(Outcome.IGNORED)
            return None
        return classify(event)

    async with consuming(bus, classify_all):
        await until(lambda: len(seen) == 6)
        await until_trail(bus, 9)
        state = await watch.look()
        inbox = state.queues[Stage.CLASSIFIER]
        assert (inbox.pending, inbox.ack_pending) == (0, 1)
        assert inbox.oldest_at is not None
        assert state.queues[Stage.TICKET].pending == 1
        assert state.dead_letters == {Stage.WHATSAPP: 0, Stage.CLASSIFIER: 1, Stage.TICKET: 0}
        assert state.outcomes == {Outcome.IGNORED: 2, Outcome.DEAD_LETTER: 1}
        assert (state.received, state.open, state.dead_lettered, state.tickets) == (6, 3, 1, 0)
        held.set()
    names = {"bot": bus.bot, "stage": "classifier"}
    assert sample("queue_ack_pending", **names) == 1
    assert sample("queue_oldest_age_seconds", **names) is not None
    assert sample("dead_letter_messages", **names) == 1
    assert sample("ledger_open_messages", bot=bus.bot) == 3
    assert (sample("ledger_oldest_open_seconds", bot=bus.bot) or 0) > 3500
    assert sample("ledger_discrepancies_total", bot=bus.bot) == 1, "it is counted once"
    watch.forget_metrics()
    assert sample("queue_ack_pending", **names) is None
    assert sample("ledger_open_messages", bot=bus.bot) is None


async def until_trail(bus: Bus, count: int) -> None:
    async with asyncio.timeout(10):
        while (await bus.js.stream_info(topology.trail_stream(bus.bot))).state.messages < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_long_trail_is_read_in_portions(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportbot.pipeline_state.PORTION", 3)
    for number in range(6):
        await receive(bus, number)
    watch = PipelineWatch(bus, lanes=LANES)
    assert (await watch.look()).received == 6
    await receive(bus, 7)
    assert (await watch.look()).received == 7


async def test_what_is_found_at_the_first_look_is_not_counted_and_what_comes_later_is_counted_once(bus: Bus) -> None:
    """The operator may restart as often as it likes."""
    await receive(bus, 1, minutes_ago=60)
    for number in (2, 3):
        watch = PipelineWatch(bus, lanes=LANES)
        assert len((await watch.look()).unaccounted) == number - 1
        await receive(bus, number, minutes_ago=60)
        for _ in range(2):
            assert len((await watch.look()).unaccounted) == number
    assert sample("ledger_discrepancies_total", bot=bus.bot) == 2


async def test_an_entry_that_cannot_be_read_is_skipped_and_counted_once(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a portion holds nothing else."""
    monkeypatch.setattr("supportbot.pipeline_state.PORTION", 2)
    await receive(bus, 1)
    subject = topology.trail_subject(bus.bot, "57d43950ac262b14")
    later_version = {"message_ref": make_message(1).message_ref, "stage": "archive", "outcome": "kept"}
    for junk in (b"", b"{", b"\xff", json.dumps(later_version).encode()):
        await bus.js.publish(subject, junk)
    await receive(bus, 2)
    before = errors("trail", "UnreadableEntry")
    watch = PipelineWatch(bus, lanes=LANES)
    for _ in range(2):
        assert (await watch.look()).received == 2
    assert errors("trail", "UnreadableEntry") == before + 4


async def test_a_dead_letter_of_a_stage_that_nobody_knows_is_passed_over(bus: Bus) -> None:
    await bus.js.publish(f"dlq.{bus.bot}.archive.57d43950ac262b14", b"{}")
    await bus.js.publish(f"dlq.{bus.bot}.ticket.57d43950ac262b14", b"{}")
    before = errors("pipeline", "UnknownStage")
    watch = PipelineWatch(bus, lanes=LANES)
    for _ in range(2):
        assert (await watch.look()).dead_letters == {Stage.WHATSAPP: 0, Stage.CLASSIFIER: 0, Stage.TICKET: 1}
    assert errors("pipeline", "UnknownStage") == before + 1


async def test_a_trail_that_was_made_anew_is_a_new_ledger(bus: Bus) -> None:
    """Though it is longer by now than the old one was."""
    for number in (1, 2):
        await receive(bus, number, minutes_ago=60)
    watch = PipelineWatch(bus, lanes=LANES)
    assert len((await watch.look()).unaccounted) == 2
    await delete_topology(bus.js, bus.bot)
    await ensure_topology(bus.js, bus.bot, LANES, SMALL)
    for number in (3, 4, 5):
        await receive(bus, number)
    for _ in range(2):
        state = await watch.look()
        assert (state.received, state.open, state.unaccounted) == (3, 3, ())


async def test_a_trail_that_came_back_from_an_older_copy_is_read_anew(tmp_path: Path, bot: str) -> None:
    """And what was counted as missing before is not counted again."""
    data, copy = tmp_path / "server", tmp_path / "copy"
    async with (
        EmbeddedServer(data, sync="default", max_file="10000GB") as server,
        Bus.connect(server.url, bot=bot, service="test") as bus,
    ):
        await ensure_topology(bus.js, bot, LANES, SMALL)
        watch = PipelineWatch(bus, lanes=LANES)
        await watch.look()
        await receive(bus, 1, minutes_ago=60)
        await server.stop()
        await asyncio.to_thread(shutil.copytree, data / "nats", copy)
        await server.start()
        await until(lambda: bus.nc.is_connected)
        await receive(bus, 2)
        await receive(bus, 3)
        assert (await watch.look()).received == 3
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, data / "nats")
        await asyncio.to_thread(copy.rename, data / "nats")
        await server.start()
        await until(lambda: bus.nc.is_connected)
        await receive(bus, 4)
        state = await watch.look()
        assert (state.received, len(state.unaccounted)) == (2, 1)
    assert sample("ledger_discrepancies_total", bot=bot) == 1
