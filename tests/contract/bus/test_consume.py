"""What a handler may rely on, against a real server."""

import asyncio
import time
from collections import defaultdict

import pytest
from tests.conftest import LANES, SMALL
from tests.contract.bus.support import consuming, count_texts, read_texts
from tests.events import NOON, classify, make_message, until

from supportbot.bus import Bus, BusClosedError, Context, Handler
from supportbot.contracts import Event, Evidence, MessageReceived, Outcome
from supportbot.deadletters import list_dead_letters
from supportbot.errors import PermanentError, TemporaryError, UnavailableError, UserError
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology
from supportbot.topology import Stage, stream_name
from supportbot.trail import read_trail

pytestmark = pytest.mark.nats

HUGE = Evidence(
    message_ref=make_message(3).message_ref, sender=make_message(3).sender, sent_at=NOON, text="x" * 1_100_000
)
GROUPS = [f"group {number}" for number in range(10)]


async def test_a_result_and_the_trail_are_on_the_bus_before_the_ack(bus: Bus) -> None:
    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        ctx.record(Outcome.CLASSIFIED, reasons=("asks for help",))
        return classify(event)

    message = make_message(1)
    async with consuming(bus, handle):
        assert await bus.publish(message)
        await until_count(bus, 1)
    assert await read_texts(bus) == {message.group_ref: [1]}
    assert [(entry.stage, entry.outcome, entry.reasons) for entry in await read_trail(bus)] == [
        ("classifier", Outcome.CLASSIFIED, ("asks for help",))
    ]


async def until_count(bus: Bus, count: int, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while (seen := await count_texts(bus)) < count:
        assert time.monotonic() < deadline, f"only {seen} of {count} in time"
        await asyncio.sleep(0.05)


async def test_the_same_event_twice_is_one_message(bus: Bus) -> None:
    assert await bus.publish(make_message(1))
    assert not await bus.publish(make_message(1))
    assert (await bus.js.stream_info(stream_name(bus.bot, Stage.CLASSIFIER))).state.messages == 1


async def test_two_replicas_keep_each_conversation_in_order(bus: Bus, nats_server: EmbeddedServer) -> None:
    seen: dict[str, list[str]] = defaultdict(list)
    by: dict[str, int] = defaultdict(int)

    def replica(name: str) -> Handler:
        async def handle(event: Event, ctx: Context) -> Event:
            assert isinstance(event, MessageReceived)
            seen[event.group_ref].append(f"start {event.text}")
            by[name] += 1
            await asyncio.sleep(0.001)
            seen[event.group_ref].append(f"end {event.text}")
            return classify(event)

        return handle

    async with (
        Bus.connect(nats_server.url, bot=bus.bot, service="test") as other,
        consuming(bus, replica("a")),
        consuming(other, replica("b")),
    ):
        for number in range(30):
            await asyncio.gather(*(bus.publish(make_message(number, group)) for group in GROUPS))
        await until_count(bus, 300)
    expected = [f"{what} {number}" for number in range(30) for what in ("start", "end")]
    assert list(seen.values()) == [expected] * len(GROUPS)
    assert list((await read_texts(bus)).values()) == [list(range(30))] * len(GROUPS)
    assert set(by) == {"a", "b"}


async def test_poison_becomes_a_dead_letter_with_its_reason_and_holds_nobody(bus: Bus) -> None:
    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        return classify(event)

    poison, good = make_message(1), make_message(2)
    subject = f"in.{bus.bot}.{poison.group_ref}"
    await bus.js.publish(subject, b"{", headers={"ce-type": poison.type, "ce-id": poison.event_id})
    await bus.js.publish(f"in.{bus.bot}.foreign", b"no envelope at all")
    await bus.publish(good)
    async with consuming(bus, handle):
        await until_count(bus, 1)
        await until_dead(bus, 2)
    assert await read_texts(bus) == {good.group_ref: [2]}
    letters = {letter.message_ref: letter.reason for letter in await list_dead_letters(bus)}
    assert letters == {poison.message_ref: "invalid_event", "": "unknown_type"}
    assert [(entry.message_ref, entry.outcome) for entry in await read_trail(bus)] == [
        (poison.message_ref, Outcome.DEAD_LETTER)
    ]


async def until_dead(bus: Bus, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(await list_dead_letters(bus)) < count:
        assert time.monotonic() < deadline, "no dead letter in time"
        await asyncio.sleep(0.05)


async def test_a_permanent_error_is_buried_at_once_and_the_rest_goes_on(bus: Bus) -> None:
    calls: list[str] = []

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        calls.append(event.text)
        if event.text == "1":
            ctx.record(Outcome.IGNORED)
            raise PermanentError("the field is gone", reason="invalid_data")
        return classify(event)

    async with consuming(bus, handle):
        for number in range(3):
            await bus.publish(make_message(number))
        await until_count(bus, 2)
    assert calls == ["0", "1", "2"]
    [letter] = await list_dead_letters(bus)
    assert (letter.reason, letter.error, letter.attempts) == ("invalid_data", "the field is gone", 1)
    assert [entry.outcome for entry in await read_trail(bus)] == [Outcome.DEAD_LETTER]


@pytest.mark.parametrize(
    ("error", "reason"), [(TemporaryError("not yet", delay_s=0.01), "attempts_exhausted"), (KeyError("x"), "bug")]
)
async def test_what_never_succeeds_is_tried_six_times_in_its_place(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setattr("supportbot.settle.MAX_BACKOFF_S", 0.01)
    attempts: list[tuple[str, int]] = []

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        attempts.append((event.text, ctx.attempt))
        if event.text == "0":
            raise error
        return classify(event)

    async with consuming(bus, handle):
        await bus.publish(make_message(0))
        await bus.publish(make_message(1))
        await until_count(bus, 1)
    assert attempts == [("0", 1), ("0", 2), ("0", 3), ("0", 4), ("0", 5), ("0", 6), ("1", 1)]
    [letter] = await list_dead_letters(bus)
    assert (letter.reason, letter.attempts) == (reason, 6)


async def test_restarts_during_an_outage_bury_nothing(bus: Bus) -> None:
    """Every restart counts as a delivery; only failures of the handler count as attempts."""
    attempts: list[int] = []
    errors: list[Exception] = [UnavailableError("down", dependency="zoho", delay_s=60)] * 8
    errors.append(TemporaryError("locked", delay_s=0))

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        attempts.append(ctx.attempt)
        if errors:
            raise errors.pop(0)
        return classify(event)

    await bus.publish(make_message(1))
    for restarts in range(1, 9):
        async with consuming(bus, handle):
            await until(lambda restarts=restarts: len(attempts) == restarts)  # type: ignore[misc]
    async with consuming(bus, handle):
        await until_count(bus, 1)
    assert attempts == list(range(1, 11))
    assert await list_dead_letters(bus) == []


async def test_a_connection_that_is_closed_for_good_ends_the_process(bus: Bus) -> None:
    async def handle(event: Event, ctx: Context) -> None:
        raise AssertionError(event)

    consumer = asyncio.create_task(bus.consume(Stage.CLASSIFIER, handle, lanes=LANES))
    await until(lambda: bus.is_ready and bool(bus.lanes))
    await bus.nc.close()
    with pytest.raises(BusClosedError):
        await asyncio.wait_for(consumer, 5)
    with pytest.raises(BusClosedError):
        await bus.publish(make_message(1))


async def test_an_outage_holds_the_message_longer_than_any_deadline_and_burns_no_attempt(bus: Bus) -> None:
    """The broker would hand it to somebody else after `ack_wait` (2 s here) if the bus did not keep it."""
    attempts: list[int] = []
    started = time.monotonic()

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        attempts.append(ctx.attempt)
        if time.monotonic() - started < 2 * SMALL.ack_wait_s + 0.5:
            raise UnavailableError("down", dependency="zoho", delay_s=0.3)
        return classify(event)

    async with consuming(bus, handle):
        await bus.publish(make_message(1))
        await until_count(bus, 1)
    assert len(attempts) > 10
    assert set(attempts) == {1}
    assert await list_dead_letters(bus) == []


async def test_a_slow_handler_keeps_its_message(bus: Bus, nats_server: EmbeddedServer) -> None:
    calls: list[int] = []

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        calls.append(ctx.attempt)
        await asyncio.sleep(2 * SMALL.ack_wait_s)
        return classify(event)

    async with (
        Bus.connect(nats_server.url, bot=bus.bot, service="test") as other,
        consuming(bus, handle),
        consuming(other, handle),
    ):
        await bus.publish(make_message(1))
        await until_count(bus, 1)
    assert calls == [1]


async def test_nothing_is_handed_out_before_the_dependency_is_ready(bus: Bus) -> None:
    gate = asyncio.Event()
    calls: list[str] = []

    async def ready() -> None:
        await gate.wait()

    async def handle(event: Event, ctx: Context) -> None:
        calls.append(ctx.message_ref)

    async with consuming(bus, handle, ready=ready):
        await bus.publish(make_message(1))
        await asyncio.sleep(0.3)
        assert calls == []
        gate.set()
        await until(lambda: len(calls) == 1)


async def test_stopping_lets_the_handler_finish_and_gives_the_rest_back(bus: Bus) -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        started.set()
        await asyncio.sleep(0.3)
        finished.set()
        return classify(event)

    async with consuming(bus, handle):
        await asyncio.gather(*(bus.publish(make_message(number)) for number in range(3)))
        await started.wait()
    assert finished.is_set()
    assert await count_texts(bus) == 1

    async with consuming(bus, handle):  # At once, not after the first worker's `ack_wait`.
        await until_count(bus, 3, timeout_s=1.9)
    assert (await read_texts(bus))[make_message(0).group_ref] == [0, 1, 2]


async def test_stopping_during_an_outage_takes_no_time_and_gives_the_message_back(bus: Bus) -> None:
    calls: list[str] = []

    async def handle(event: Event, ctx: Context) -> None:
        calls.append(ctx.message_ref)
        raise UnavailableError("down", dependency="zoho", delay_s=60)

    async with consuming(bus, handle):
        await bus.publish(make_message(1))
        await until(lambda: len(calls) == 1)
        stopping_at = time.monotonic()
    async with consuming(bus, handle):  # At once, not after the first worker's `ack_wait`.
        await until(lambda: len(calls) == 2)
    assert time.monotonic() - stopping_at < SMALL.ack_wait_s / 2


async def test_a_service_may_start_before_its_streams_exist(nats_server: EmbeddedServer, bot: str) -> None:
    calls: list[str] = []

    async def handle(event: Event, ctx: Context) -> None:
        calls.append(ctx.message_ref)

    async with Bus.connect(nats_server.url, bot=bot, service="test") as early, consuming(early, handle):
        publishing = asyncio.create_task(early.publish(make_message(1)))
        await asyncio.sleep(0.2)
        await ensure_topology(early.js, bot, LANES, SMALL)
        await publishing
        await until(lambda: len(calls) == 1)


async def test_another_number_of_lanes_is_refused(bus: Bus) -> None:
    """Fewer would leave lanes that nobody serves; more would break the order."""

    async def handle(event: Event, ctx: Context) -> None:
        raise AssertionError(event)

    for lanes in (LANES - 1, LANES + 1):
        with pytest.raises(UserError, match="lanes"):
            await bus.consume(Stage.CLASSIFIER, handle, lanes=lanes)
        with pytest.raises(UserError, match="lanes"):
            await ensure_topology(bus.js, bus.bot, lanes, SMALL)


async def test_an_event_beside_the_returned_one_and_one_too_large(bus: Bus) -> None:
    errors: list[PermanentError] = []

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        await ctx.publish(classify(make_message(2)))
        try:
            await ctx.publish(classify(event).model_copy(update={"joined": (HUGE,)}))
        except PermanentError as exc:
            errors.append(exc)
        return classify(event)

    async with consuming(bus, handle):
        await bus.publish(make_message(1))
        await until_count(bus, 2)
    assert [error.reason for error in errors] == ["too_large"]
    assert bus.is_ready
