"""A secured server for the session, and two bots on it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.conftest import LANES, SMALL
from tests.contract.access.support import SecuredNATS, run_secured_nats

from supportbot.bus import Bus
from supportbot.nats_connection import Connection, open_connection
from supportbot.streams import ensure_topology


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredNATS]:
    async with run_secured_nats(tmp_path_factory.mktemp("secured")) as server:
        yield server


@pytest_asyncio.fixture
async def operator(secured: SecuredNATS) -> AsyncIterator[Connection]:
    """The one connection of who may do everything."""
    async with open_connection(secured.url, service="operator", access=secured.admin()) as connection:
        yield connection


@pytest_asyncio.fixture
async def bots(operator: Connection) -> tuple[str, str]:
    """Two bots of one account, whose names begin alike."""
    name = f"t-{uuid4().hex[:8]}"
    names = (name, f"{name}-b")
    for bot in names:
        async with Bus.share(operator, bot=bot) as bus:
            await ensure_topology(bus.js, bot, LANES, SMALL)
    return names
