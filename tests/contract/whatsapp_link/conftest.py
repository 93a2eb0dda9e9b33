"""A linked bot for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.emulators.whatsapp.protocol.tokens import LibraryMissingError, library_path
from tests.linked import LinkedBot, Paired, linked_bot


@pytest.fixture(scope="session", autouse=True)
def _the_library_runs_here() -> None:
    try:
        library_path()
    except LibraryMissingError as exc:
        pytest.skip(str(exc))


@pytest.fixture
async def linked(perhaps_paired: Paired, tmp_path: Path) -> AsyncIterator[LinkedBot]:
    """A bot with a copy of the paired session."""
    async with linked_bot(perhaps_paired, tmp_path) as made:
        yield made
