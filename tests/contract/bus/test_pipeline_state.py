"""How far a bot's messages are, seen from outside, and what remains of a bot that is deleted."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from tests.conftest import LANES
from tests.contract.bus.support import consuming
from tests.events import classify, make_message, until

from supportbot import topology
from supportbot.bus import Bus, Context
from supportbot.contracts import Event, MessageReceived, Outcome, TrailEntry
from supportbot.errors import PermanentError
from supportbot.pipeline_state import PipelineWatch, Queue
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
