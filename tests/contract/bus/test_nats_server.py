import asyncio
import json
import urllib.request
from pathlib import Path

import pytest
from tests.conftest import LANES, SMALL

from supportbot.bus import Bus
from supportbot.errors import UnavailableError, UserError
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology

pytestmark = pytest.mark.nats


async def test_flushes_before_every_puback_unless_told_otherwise(tmp_path: Path) -> None:
    """`sync_interval` in the answer says two minutes even then."""
    for sync, expected in (("always", True), ("default", None)):
        async with EmbeddedServer(tmp_path / sync, sync=sync) as server:  # type: ignore[arg-type]
            with await asyncio.to_thread(urllib.request.urlopen, f"{server.monitor_url}/jsz") as answer:
                assert json.load(answer)["config"].get("sync_always") is expected


async def test_keeps_its_port_and_store_over_a_restart(tmp_path: Path, bot: str) -> None:
    async with EmbeddedServer(tmp_path) as server:
        url = server.url
        async with Bus.connect(url, bot=bot, service="test") as bus:
            await ensure_topology(bus.js, bot, LANES, SMALL)
            await (await bus.bucket("memory")).put("key", b"value")
        server.process.kill()
        await server.process.wait()
        await server.start()
        assert server.url == url
        async with Bus.connect(url, bot=bot, service="test") as bus:
            entry = await (await bus.bucket("memory")).get("key")
            assert entry is not None
            assert entry.value == b"value"
    assert server.process.returncode == 0


async def test_a_taken_port_is_one_sentence(nats_server: EmbeddedServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="address already in use"):
        async with EmbeddedServer(tmp_path, port=nats_server.port):
            pass


async def test_no_broker_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportbot.nats_connection.CONNECT_TIMEOUT_S", 0.3)
    with pytest.raises(UnavailableError, match="no NATS server answers"):
        async with Bus.connect("nats://127.0.0.1:1", bot="b", service="test"):
            pass


async def test_a_topology_that_does_not_fit_says_so(tmp_path: Path, bot: str) -> None:
    async with (
        EmbeddedServer(tmp_path, max_file="10MB") as server,
        Bus.connect(server.url, bot=bot, service="test") as bus,
    ):
        with pytest.raises(Exception, match="no room left"):
            await ensure_topology(bus.js, bot, LANES, SMALL)
    with pytest.raises(UserError, match="lower-case"):
        await ensure_topology(bus.js, "Tiendas.MX", LANES)
