"""kill -9 of a worker and of the broker: nothing lost, nothing twice, each conversation in order."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from tests.conftest import LANES, SMALL
from tests.contract.bus.support import consuming, count_texts, read_texts
from tests.events import classify, make_message, until

from supportbot.bus import Bus, Context
from supportbot.contracts import Event, MessageReceived
from supportbot.lane import HEARTBEAT_S
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology

pytestmark = [pytest.mark.nats, pytest.mark.slow]

WORKER = Path(__file__).parent / "worker.py"
ROOT = Path(__file__).parents[3]
GROUPS = [f"group {number}" for number in range(5)]
EACH = 40


async def start_worker(bus: Bus, url: str, log: Path) -> asyncio.subprocess.Process:
    command = (sys.executable, str(WORKER), url, bus.bot, str(log), "0.01")
    return await asyncio.create_subprocess_exec(*command, env={"PYTHONPATH": f"{ROOT}/services:{ROOT}"})


async def wait_for_all(bus: Bus) -> None:
    for _ in range(600):
        if await count_texts(bus) >= EACH * len(GROUPS):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"only {await count_texts(bus)} came through")


async def test_workers_that_are_killed_lose_nothing_and_do_nothing_twice(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    log = tmp_path / "handled"
    workers = [await start_worker(bus, nats_server.url, log) for _ in range(2)]
    try:
        await asyncio.gather(*(bus.publish(make_message(n, group)) for n in range(EACH) for group in GROUPS))
        for kills in (1, 2, 3):
            await until(lambda kills=kills: log.exists() and len(log.read_text().split()) >= 40 * kills)  # type: ignore[misc]
            victim = workers.pop(0)
            victim.send_signal(signal.SIGKILL)
            await victim.wait()
            workers.append(await start_worker(bus, nats_server.url, log))
        await wait_for_all(bus)
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()
    assert {group: len(texts) for group, texts in (await read_texts(bus)).items()} == {
        make_message(0, group).group_ref: EACH for group in GROUPS
    }
    assert list((await read_texts(bus)).values()) == [list(range(EACH))] * len(GROUPS)


async def test_a_broker_that_is_killed_forgets_nothing_that_it_acknowledged(tmp_path: Path, bot: str) -> None:
    calls = 0

    async def handle(event: Event, ctx: Context) -> Event:
        nonlocal calls
        assert isinstance(event, MessageReceived)
        calls += 1
        await asyncio.sleep(0.002)
        return classify(event)

    async def publish_all(bus: Bus) -> None:
        for number in range(EACH):
            await asyncio.gather(*(bus.publish(make_message(number, group)) for group in GROUPS))
            await asyncio.sleep(0.02)

    async with EmbeddedServer(tmp_path) as server, Bus.connect(server.url, bot=bot, service="test") as bus:
        await ensure_topology(bus.js, bot, LANES, SMALL)
        async with consuming(bus, handle):
            publishing = asyncio.create_task(publish_all(bus))
            for at in (20, 60, 120):
                await until(lambda at=at: calls >= at)  # type: ignore[misc]
                server.process.kill()
                await server.process.wait()
                assert not bus.is_ready or not bus.nc.is_connected
                await asyncio.sleep(0.2)
                await server.start()
            await publishing
            await until(lambda: bus.is_ready)
            await wait_for_all(bus)
        assert list((await read_texts(bus)).values()) == [list(range(EACH))] * len(GROUPS)


async def test_lanes_ask_again_as_soon_as_the_broker_is_back(tmp_path: Path, bot: str) -> None:
    """What they asked for is forgotten; without asking anew they would wait for two missed heartbeats."""
    handled: list[str] = []

    async def handle(event: Event, ctx: Context) -> None:
        handled.append(ctx.message_ref)

    async with EmbeddedServer(tmp_path) as server, Bus.connect(server.url, bot=bot, service="test") as bus:
        await ensure_topology(bus.js, bot, LANES, SMALL)
        async with consuming(bus, handle):
            await bus.publish(make_message(0))
            await until(lambda: len(handled) == 1)
            server.process.kill()
            await server.process.wait()
            await server.start()
            await bus.publish(make_message(1))
            await until(lambda: make_message(1).message_ref in handled, timeout_s=HEARTBEAT_S)
