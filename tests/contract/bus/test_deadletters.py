"""Dead letters: by hand, by the command line, and by the janitor for messages that killed every worker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from nats.js.api import ConsumerInfo
from tests.conftest import LANES, SMALL
from tests.contract.bus.support import consuming, read_texts
from tests.events import classify, make_message, until
from typer.testing import CliRunner

from supportbot.bus import Bus, Context
from supportbot.cli.dlq import app
from supportbot.contracts import Event, MessageReceived, Outcome
from supportbot.deadletters import drop_dead_letter, list_dead_letters, replay_dead_letter, show_dead_letter
from supportbot.errors import PermanentError, UserError
from supportbot.janitor import purge_settled, run_janitor
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology
from supportbot.topology import EVENTS_STREAM, Stage, consumer_name, janitor_consumer, stream_name
from supportbot.trail import Ledger, read_trail

pytestmark = pytest.mark.nats


class Picky:
    """Refuses what it is told to refuse."""

    def __init__(self, *texts: str) -> None:
        self.refused = set(texts)
        self.calls: list[str] = []

    async def __call__(self, event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        self.calls.append(event.text)
        if event.text in self.refused:
            raise PermanentError("the department is gone", reason="invalid_data")
        ctx.record(Outcome.COMMENT)
        return classify(event)


async def test_a_replayed_dead_letter_goes_through_and_one_that_fails_again_is_back(bus: Bus) -> None:
    picky = Picky("1", "2")
    async with consuming(bus, picky):
        for number in range(4):
            await bus.publish(make_message(number))
        await until(lambda: len(picky.calls) == 4)
        await asyncio.sleep(0.2)
        one, two = await list_dead_letters(bus)
        picky.refused = {"2"}
        await replay_dead_letter(bus, one.seq)
        await replay_dead_letter(bus, two.seq)
        await until(lambda: len(picky.calls) == 6)
        await asyncio.sleep(0.2)
        [again] = await list_dead_letters(bus)
        assert (again.event_id, again.reason) == (two.event_id, "invalid_data")
        picky.refused = set()
        await replay_dead_letter(bus, again.seq)
        await until(lambda: len(picky.calls) == 7)
        await asyncio.sleep(0.2)
    assert await list_dead_letters(bus) == []
    assert list((await read_texts(bus)).values()) == [[0, 3, 1, 2]]
    assert Ledger(await read_trail(bus)).counts() == {Outcome.COMMENT: 4}


async def bury(bus: Bus, *numbers: int) -> None:
    picky = Picky(*map(str, numbers))
    async with consuming(bus, picky):
        for number in numbers:
            await bus.publish(make_message(number, text=str(number)))
        await until(lambda: len(picky.calls) == len(numbers))
        await asyncio.sleep(0.2)


async def test_dropping_forgets_a_dead_letter_but_not_its_outcome(bus: Bus) -> None:
    await bury(bus, 1)
    [letter] = await list_dead_letters(bus)
    shown = await show_dead_letter(bus, letter.seq)
    assert (shown.event_id, shown.headers, shown.body) == (letter.event_id, letter.headers, letter.body)
    await drop_dead_letter(bus, letter.seq)
    assert await list_dead_letters(bus) == []
    assert Ledger(await read_trail(bus)).counts() == {Outcome.DEAD_LETTER: 1}
    for seq in (letter.seq, 0, -1):
        with pytest.raises(UserError, match="no dead letter"):
            await show_dead_letter(bus, seq)


async def test_the_command_line_lists_shows_replays_and_drops(bus: Bus, nats_server: EmbeddedServer) -> None:
    await bury(bus, 1, 2, 3)

    def run(*arguments: str) -> str:
        command = [*arguments, "--bot", bus.bot, "--url", nats_server.url]
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    listed = json.loads(await asyncio.to_thread(run, "list", "--json"))
    assert [(letter["number"], letter["reason"]) for letter in listed] == [(n, "invalid_data") for n in (1, 2, 3)]
    assert "invalid_data" in await asyncio.to_thread(run, "list", "--stage", "classifier")
    assert "no dead letters" in await asyncio.to_thread(run, "list", "--stage", "ticket")
    assert "event" not in json.loads(await asyncio.to_thread(run, "show", "2"))
    assert json.loads(await asyncio.to_thread(run, "show", "2", "--show-text"))["event"]["text"] == "2"
    assert (await asyncio.to_thread(run, "drop", "3")).startswith("dropped 3")
    assert len(json.loads(await asyncio.to_thread(run, "replay", "--all", "--json"))) == 2
    assert await list_dead_letters(bus) == []


@pytest.mark.parametrize(
    "arguments", [["replay"], ["drop", "1", "--all"], ["list", "--stage", "nobody"], ["show", "7"], ["drop", "7"]]
)
async def test_wrong_input_is_one_sentence(bus: Bus, nats_server: EmbeddedServer, arguments: list[str]) -> None:
    command = [*arguments, "--bot", bus.bot, "--url", nats_server.url]
    with pytest.raises(UserError):
        await asyncio.to_thread(CliRunner().invoke, app, command, catch_exceptions=False)


async def test_a_message_that_kills_every_worker_becomes_a_dead_letter_once(
    nats_server: EmbeddedServer, bot: str
) -> None:
    message = make_message(1)
    async with exhausted(nats_server, bot, message) as bus:
        await run_janitor_until_a_letter(bus)
        [letter] = await list_dead_letters(bus)
        assert (letter.reason, letter.message_ref, letter.attempts) == ("deliveries_exhausted", message.message_ref, 2)
        assert Ledger(await read_trail(bus)).counts() == {Outcome.DEAD_LETTER: 1}


async def test_nothing_is_removed_before_its_dead_letter_is_written(nats_server: EmbeddedServer, bot: str) -> None:
    """The janitor was away for longer than settled messages are kept."""
    later = datetime.now(UTC) + timedelta(minutes=1)
    async with exhausted(nats_server, bot, make_message(1)) as bus:
        assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=later) == 0
        await run_janitor_until_a_letter(bus)
        assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=later) == 1


@asynccontextmanager
async def exhausted(server: EmbeddedServer, bot: str, message: MessageReceived) -> AsyncIterator[Bus]:
    """A bot whose inbox holds a message that was taken again and again, without a word."""
    async with Bus.connect(server.url, bot=bot, service="test") as bus:
        await ensure_topology(bus.js, bot, LANES, replace(SMALL, ack_wait_s=0.2, max_deliver=2))
        await bus.publish(message)
        takers = [
            asyncio.create_task(take_forever(bus, consumer_name(Stage.CLASSIFIER, lane))) for lane in range(LANES)
        ]
        try:
            async with asyncio.timeout(20):
                while not (await read_advisories(bus)).num_pending:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            for task in takers:
                task.cancel()
            await asyncio.gather(*takers, return_exceptions=True)
        yield bus


async def read_advisories(bus: Bus) -> ConsumerInfo:
    info: ConsumerInfo = await bus.js.consumer_info(EVENTS_STREAM, janitor_consumer(bus.bot))
    return info


async def run_janitor_until_a_letter(bus: Bus) -> None:
    """And until it has said so."""
    janitor = asyncio.create_task(run_janitor(bus, lanes=LANES))
    try:
        async with asyncio.timeout(20):
            while not await list_dead_letters(bus) or (await read_advisories(bus)).num_ack_pending:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        janitor.cancel()
        await asyncio.gather(janitor, return_exceptions=True)


async def take_forever(bus: Bus, consumer: str) -> None:
    pull = await bus.js.pull_subscribe_bind(stream=stream_name(bus.bot, Stage.CLASSIFIER), consumer=consumer)
    while True:
        with suppress(TimeoutError):
            await pull.fetch(1, timeout=1)


async def test_the_janitor_removes_what_is_settled_and_old_and_nothing_else(bus: Bus) -> None:
    """Message 2 waits in its lane: it and everything behind it stay."""
    picky = Picky()
    stream = stream_name(bus.bot, Stage.CLASSIFIER)
    later = datetime.now(UTC) + timedelta(minutes=1)
    async with consuming(bus, picky):
        for number in range(2):
            await bus.publish(make_message(number))
        await until(lambda: len(picky.calls) == 2)
    before_rest = datetime.now(UTC)
    await asyncio.sleep(0.05)
    for number in range(2, 5):
        await bus.publish(make_message(number))
    long_ago = before_rest - timedelta(hours=1)
    assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=long_ago) == 0
    assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=later) == 2
    assert (await bus.js.stream_info(stream)).state.first_seq == 3
    async with consuming(bus, picky):
        await until(lambda: len(picky.calls) == 5)
    assert picky.calls == ["0", "1", "2", "3", "4"]
    assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=before_rest) == 0
    assert await purge_settled(bus, Stage.CLASSIFIER, lanes=LANES, before=later) == 3
    assert (await bus.js.stream_info(stream)).state.messages == 0
    assert not await bus.publish(make_message(0)), "the broker must still know the id"


@pytest.mark.parametrize("name", ["nobody", "no body", "no.body"])
async def test_the_command_line_says_that_there_is_no_such_bot(
    bus: Bus, nats_server: EmbeddedServer, name: str
) -> None:
    command = ["list", "--bot", name, "--url", nats_server.url]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert isinstance(result.exception, UserError)
    assert "has no bot" in str(result.exception)


async def test_the_command_line_says_at_once_that_no_server_is_there(bus: Bus) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as stranger:
        port = stranger.sockets[0].getsockname()[1]
        for url in (f"nats://somebody:word@127.0.0.1:{port}", "nats://127.0.0.1:1", "nats://127.0.0.1:x"):
            started = time.monotonic()
            result = await asyncio.to_thread(CliRunner().invoke, app, ["list", "--bot", bus.bot, "--url", url])
            assert isinstance(result.exception, UserError)
            assert "no NATS server answers" in str(result.exception)
            assert "word" not in str(result.exception)
            assert time.monotonic() - started < 2.5
