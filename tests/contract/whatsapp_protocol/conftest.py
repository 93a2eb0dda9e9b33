"""The real library against the emulator. It is linked once; each test begins with copies of that session."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from tests.contract.whatsapp_protocol.library_process import LibraryProcess
from tests.emulators.whatsapp import Account, WhatsAppEmulator
from tests.emulators.whatsapp.people import Group, Person
from tests.emulators.whatsapp.protocol.tokens import LibraryMissingError, library_tokens
from tests.emulators.whatsapp.remote import RemoteWhatsApp


@dataclass(frozen=True)
class LinkedSession:
    """The client's session file, and what the phone and the server know of it."""

    file: Path
    account: str
    """JSON."""

    def copy_to(self, folder: Path) -> tuple[Path, Account]:
        """A session of one's own."""
        for part in self.file.parent.glob("session.db*"):
            shutil.copy(part, folder)
        return folder / self.file.name, Account.model_validate_json(self.account)


@dataclass(frozen=True)
class Offline:
    """A linked account, its client away, and the group that it is in."""

    whatsapp: WhatsAppEmulator
    session: Path
    group: Group
    ana: Person
    beto: Person


@dataclass(frozen=True)
class Rig(Offline):
    """The same with a client that takes messages."""

    library: LibraryProcess


@pytest.fixture(scope="session", autouse=True)
def _the_library_runs_here() -> None:
    try:
        library_tokens()
    except LibraryMissingError as exc:
        pytest.skip(str(exc))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def linked_session(tmp_path_factory: pytest.TempPathFactory) -> LinkedSession:
    """Linked by a QR code, once for all tests."""
    file = tmp_path_factory.mktemp("whatsapp") / "session.db"
    async with WhatsAppEmulator() as whatsapp:
        library = await LibraryProcess.start(file, whatsapp.environment())
        try:
            await whatsapp.scan((await library.event("QR")).body["payload"])
            await library.event("Connected")
            await library.call("disconnect")
        finally:
            await library.kill()
        return LinkedSession(file, whatsapp.account.model_dump_json())


@pytest_asyncio.fixture
async def whatsapp() -> AsyncIterator[WhatsAppEmulator]:
    """A server whose account has no companion."""
    async with WhatsAppEmulator() as emulator:
        yield emulator


StartLibrary = Callable[[WhatsAppEmulator | RemoteWhatsApp, Path], Awaitable[LibraryProcess]]


@pytest_asyncio.fixture
async def start_library() -> AsyncIterator[StartLibrary]:
    """Starts clients that end with the test."""
    started: list[LibraryProcess] = []

    async def start(emulator: WhatsAppEmulator | RemoteWhatsApp, session: Path) -> LibraryProcess:
        started.append(await LibraryProcess.start(session, emulator.environment()))
        return started[-1]

    yield start
    for library in started:
        await library.kill()


@pytest_asyncio.fixture
async def offline(linked_session: LinkedSession, tmp_path: Path) -> AsyncIterator[Offline]:
    """A linked account whose client has not been started yet."""
    session, account = linked_session.copy_to(tmp_path)
    async with WhatsAppEmulator(account) as emulator:
        ana, beto = emulator.add_person("Ana"), emulator.add_person("Beto")
        yield Offline(emulator, session, emulator.add_group("Tiendas", [ana, beto]), ana, beto)


@pytest_asyncio.fixture
async def rig(offline: Offline, start_library: StartLibrary) -> Rig:
    """A linked client that takes messages."""
    library = await start_library(offline.whatsapp, offline.session)
    await library.event("Connected")
    await offline.whatsapp.until_ready()
    return Rig(**vars(offline), library=library)
