"""The line on a scripted library: when it waits, redials and ends."""

import asyncio
import random
import time

import pytest
from tests.events import until

from supportbot.whatsapp.gateway import LinkState
from supportbot.whatsapp.neonize import line as module
from supportbot.whatsapp.neonize.backoff import SOON, Backoff, redial_s
from supportbot.whatsapp.neonize.line import Line
from supportbot.whatsapp.neonize.link_states import Heard, Link, LinkEvent


class ScriptedLibrary:
    """Remembers what it was told; `fail` ends the present client."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._endings: list[asyncio.Future[None]] = []

    async def dial(self) -> "asyncio.Task[None]":
        self.calls.append("dial")
        ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._endings.append(ending)

        async def live() -> None:
            await ending

        return asyncio.create_task(live())

    def fail(self, error: str, client: int = -1) -> None:
        self._endings[client].set_exception(RuntimeError(error))

    async def hang_up(self) -> None:
        self.calls.append("hang up")
        if not self._endings[-1].done():
            self._endings[-1].set_result(None)

    async def cut(self) -> None:
        self.calls.append("cut")


class Rig:
    def __init__(self, *, may_dial: bool = True) -> None:
        self.library = ScriptedLibrary()
        self.links: list[Link] = []
        self.stalls = 0
        self.line = Line(
            self.library,
            tell=self.links.append,
            stalled=self._stall,
            last_arrival=lambda: time.monotonic() - 3600,
            may_dial=may_dial,
        )
        self.running = asyncio.create_task(self.line.run())

    def _stall(self) -> None:
        self.stalls += 1

    async def hear(self, *heard: Heard | LinkEvent) -> None:
        await until(lambda: bool(self.library.calls))
        for one in heard:
            self.line.hear(one if isinstance(one, LinkEvent) else LinkEvent(heard=one))
        await asyncio.sleep(0.05)

    @property
    def states(self) -> list[LinkState]:
        return [link.state for link in self.links]

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        await self.library.hang_up()


async def test_a_first_connection_that_fails_ends_the_process() -> None:
    rig = Rig()
    await rig.hear()
    rig.library.fail("failed to dial")
    await asyncio.wait_for(rig.running, 5)

    assert rig.library.calls == ["dial"]
    assert rig.states == [LinkState.CONNECTING, LinkState.RECONNECTING]


async def test_a_link_that_held_is_redialled_when_the_library_gives_up() -> None:
    rig = Rig()
    await rig.hear(Heard.CONNECTED)
    rig.library.fail("proto: required field neonize.Receipt.Type not set")
    await until(lambda: rig.library.calls == ["dial", "hang up", "dial"])
    await rig.hear(Heard.CONNECTED)

    assert rig.states == [LinkState.CONNECTING, LinkState.CONNECTED, LinkState.RECONNECTING, LinkState.CONNECTED]
    await rig.stop()


async def test_the_library_has_its_two_tries_before_it_is_redialled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.2)
    rig = Rig()
    await rig.hear(Heard.CONNECTED, Heard.DISCONNECTED, Heard.DISCONNECTED)
    assert rig.library.calls == ["dial"]
    await until(lambda: rig.library.calls == ["dial", "hang up", "dial"])
    await rig.stop()


async def test_a_library_that_reconnects_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.1)
    rig = Rig()
    await rig.hear(Heard.CONNECTED, Heard.DISCONNECTED, Heard.CONNECTED)
    await asyncio.sleep(0.2)

    assert rig.library.calls == ["dial"]
    await rig.stop()


async def test_without_a_device_nothing_is_dialled() -> None:
    """The library would begin to pair, with nobody there to scan."""
    rig = Rig(may_dial=False)
    await asyncio.wait_for(rig.running, 5)

    assert rig.library.calls == []
    assert rig.states == [LinkState.LOGGED_OUT]


async def test_a_journal_that_fails_cuts_the_link_until_it_works() -> None:
    rig = Rig()
    await rig.hear(Heard.CONNECTED, Heard.STORE_FAILED, Heard.DISCONNECTED)
    assert rig.library.calls == ["dial", "cut"]
    await rig.hear(Heard.STORE_WORKS)
    await until(lambda: rig.library.calls == ["dial", "cut", "hang up", "dial"])
    await rig.stop()


async def test_a_backlog_that_stalls_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SYNC_STALL_S", 0.1)
    rig = Rig()
    await rig.hear(Heard.CONNECTED, LinkEvent(heard=Heard.BACKLOG, number=3))
    await until(lambda: rig.line.is_connected)

    assert rig.stalls == 1
    await rig.stop()


async def test_what_an_older_client_says_is_not_believed() -> None:
    rig = Rig()
    await rig.hear(Heard.CONNECTED)
    rig.library.fail("something", client=0)
    await until(lambda: len(rig.library.calls) == 3)
    await rig.hear(Heard.CONNECTED)
    assert rig.line.is_connected
    assert not rig.running.done()
    await rig.stop()


def test_redials_are_quick_at_first_and_then_rare() -> None:
    rng = random.Random(7)
    assert [redial_s(failures, rng) for failures in (0, 1, 2, SOON)] == [0, 0.5, 1.0, 1.0]
    assert all(5 <= redial_s(SOON + 1, rng) <= 30 for _ in range(100))


def test_the_back_off_doubles_to_five_minutes_and_begins_anew() -> None:
    backoff = Backoff(random.Random(7))
    waits = [backoff.next_s() for _ in range(2000)]
    assert all(wait <= min(300, 2**number) for number, wait in enumerate(waits))
    assert max(waits[20:]) > 250
    assert min(waits[20:]) < 50
    backoff.reset()
    assert backoff.next_s() <= 1
