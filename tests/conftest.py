"""What many tests need: a real NATS server for the session, and a bot of its own for each test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio

from supportbot.bus import Bus
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology
from supportbot.topology import REPLAY

LANES = 4
SMALL = replace(REPLAY, stream_bytes=16 * 1024**2, media_bytes=64 * 1024**2, ack_wait_s=2.0)
"""Limits of a test's bot; a message goes to another worker after 2 s."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServer]:
    """A server that all tests share; it reserves nothing in advance, so its limit may exceed the disk."""
    folder = tmp_path_factory.mktemp("nats")
    async with EmbeddedServer(folder, sync="default", max_file="10000GB") as server:
        yield server


@pytest.fixture
def bot() -> str:
    """A name that no other test uses."""
    return f"t-{uuid4().hex[:10]}"


@pytest_asyncio.fixture
async def bus(nats_server: EmbeddedServer, bot: str) -> AsyncIterator[Bus]:
    """A connection to the test's own bot, whose streams exist."""
    async with Bus.connect(nats_server.url, bot=bot, service="test") as connected:
        await ensure_topology(connected.js, bot, LANES, SMALL)
        yield connected
