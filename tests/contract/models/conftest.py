"""The emulated vendors for the contract tests of the model providers."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.contract.models.support import Build, builder

from supportbot.classifier.models.port import Provider
from supportbot.emulators.models.server import EmulatedModels


@pytest.fixture(scope="session")
def served_models() -> Iterator[EmulatedModels]:
    """One server for all tests."""
    with EmulatedModels() as models:
        yield models


@pytest.fixture
def models(served_models: EmulatedModels) -> EmulatedModels:
    """The server, with nothing scripted and nothing in its journal."""
    served_models.reset()
    return served_models


@pytest_asyncio.fixture
async def build(models: EmulatedModels) -> AsyncIterator[Build]:
    """Builds providers that the test need not close."""
    made: list[Provider] = []
    yield builder(models, made)
    for provider in made:
        await provider.close()
