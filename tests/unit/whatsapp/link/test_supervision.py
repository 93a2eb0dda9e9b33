"""What the service makes of a process that never hears what WhatsApp has said; the process is played by a script."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from tests.events import until
from tests.linked import Counts

from supportbot.whatsapp.gateway import GatewayState, LinkState
from supportbot.whatsapp.neonize import supervision as module
from supportbot.whatsapp.neonize.gateway import NeonizeGateway
from supportbot.whatsapp.neonize.wire import Start

SCRIPT = Path(__file__).with_name("scripted_process.py")


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_INTERVAL_S", 0.05)
    monkeypatch.setattr(module, "UNLINKED_S", 1.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a session of a linked device."""
    with closing(sqlite3.connect(tmp_path / "session.db")) as db, db:
        db.execute("CREATE TABLE whatsmeow_device (jid TEXT, lid TEXT)")
        db.execute("INSERT INTO whatsmeow_device VALUES ('529980000001:7@s.whatsapp.net', '77000000001:7@lid')")
    return tmp_path


@asynccontextmanager
async def supervised(script: str, folder: Path) -> AsyncIterator[NeonizeGateway]:
    start = Start(
        session=folder / "session.db", journal=folder / "journal.db", install_key="00" * 32, groups=("1@g.us",)
    )
    with NeonizeGateway(start, folder / "link.db", command=(sys.executable, str(SCRIPT), script)) as gateway:
        task = asyncio.create_task(gateway.run(Counts()))
        try:
            yield gateway
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def told(state: GatewayState) -> tuple[LinkState, bool]:
    """The state, and whether it asks for a pairing."""
    return state.link, "supportbot pair" in state.message


async def test_a_logout_that_nobody_heard_of_is_a_logout_and_stays_one(folder: Path) -> None:
    async with supervised("refused", folder) as gateway:
        await until(lambda: gateway.state().link is LinkState.CONNECTING)
        await until(lambda: gateway.state().link is LinkState.LOGGED_OUT)
        assert told(gateway.state()) == (LinkState.LOGGED_OUT, True)
        assert gateway._supervisor.process is None
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is not LinkState.STOPPED)
        assert told(gateway.state()) == (LinkState.LOGGED_OUT, True)


async def test_a_logout_that_the_service_did_not_live_to_see_is_one_too(folder: Path) -> None:
    """Otherwise it would look like a bot that was never linked, which `up` links again by itself."""
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is LinkState.CONNECTING)
    with closing(sqlite3.connect(folder / "session.db")) as db, db:
        db.execute("DELETE FROM whatsmeow_device")
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is not LinkState.STOPPED)
        assert gateway.state().link is LinkState.LOGGED_OUT


async def test_a_session_that_is_forgotten_is_no_logout(folder: Path) -> None:
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is LinkState.RECONNECTING)
        await gateway.forget_session()
        await until(lambda: gateway.state().link is LinkState.UNPAIRED)
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is not LinkState.STOPPED)
        assert gateway.state().link is LinkState.UNPAIRED


async def test_a_process_that_hears_nothing_is_replaced(folder: Path) -> None:
    """The refusal that it missed was no logout: the next one hears it, or gets the link."""
    async with supervised("hang", folder) as gateway:
        await until(lambda: gateway.state().link is LinkState.CONNECTING)
        first = gateway._supervisor.process
        assert first is not None
        await until(lambda: gateway.state().link is LinkState.RECONNECTING)
        state = gateway.state()
        assert state.until is not None
        assert "started again" in state.message
        assert first.ended.is_set()
        await until(lambda: gateway.state().link is LinkState.CONNECTING)
        assert gateway._supervisor.process not in (None, first)
