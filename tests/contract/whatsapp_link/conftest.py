"""A session that all tests of the link start from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.linked import LinkedBot, Paired, linked_bot, pair


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def paired(tmp_path_factory: pytest.TempPathFactory) -> Paired:
    """Paired once; each test copies it."""
    return await pair(tmp_path_factory.mktemp("paired"))


@pytest.fixture
async def bot(paired: Paired, tmp_path: Path) -> AsyncIterator[LinkedBot]:
    """A linked bot of the test's own."""
    async with linked_bot(paired, tmp_path) as made:
        yield made
