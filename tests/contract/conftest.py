"""A WhatsApp session that is paired once, from which the tests of the link start."""

import pytest
import pytest_asyncio
from tests.emulators.whatsapp.protocol.tokens import LibraryMissingError, library_path
from tests.linked import Paired, pair


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def perhaps_paired(tmp_path_factory: pytest.TempPathFactory) -> Paired | None:
    """Paired by its QR code, to be copied; None where the library does not run."""
    try:
        library_path()
    except LibraryMissingError:
        return None
    return await pair(tmp_path_factory.mktemp("paired"))
