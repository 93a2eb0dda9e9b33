"""What a server says that ends or disturbs a connection, and what the library makes of it."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.whatsapp_protocol.conftest import Offline, Rig, StartLibrary
from tests.emulators.whatsapp import Refusal

pytestmark = pytest.mark.xdist_group("whatsapp")


@dataclass(frozen=True)
class Refused:
    refusal: Refusal
    event: str
    body: dict[str, Any]


@pytest.mark.parametrize(
    "case",
    [
        Refused(Refusal(reason=401), "LoggedOut", {"OnConnect": True}),
        Refused(Refusal(reason=403), "LoggedOut", {"OnConnect": True}),
        Refused(Refusal(reason=402, code=101, expire_s=3600), "TemporaryBan", {"Expire": "3600"}),
        Refused(Refusal(reason=405), "ClientOutdated", {}),
        Refused(Refusal(reason=400), "ConnectFailure", {}),
        Refused(Refusal(reason=402, code=777), "ended", {}),
    ],
    ids=lambda case: f"{case.refusal.reason}-{case.event}",
)
async def test_a_login_is_refused(case: Refused, offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.faults.refuse_all = case.refusal

    library = await start_library(offline.whatsapp, offline.session)

    body = (await library.event(case.event)).body
    assert case.body.items() <= body.items()
    assert [seen.outcome for seen in offline.whatsapp.seen.logins] == [str(case.refusal.reason)]


async def test_the_server_is_unavailable_for_a_while(offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.faults.refusals = [Refusal(reason=503)]

    library = await start_library(offline.whatsapp, offline.session)

    await library.event("Connected")
    assert [seen.outcome for seen in offline.whatsapp.seen.logins] == ["503", "success"]


async def test_the_library_aborts_at_a_refusal_that_it_does_not_know(
    offline: Offline, start_library: StartLibrary
) -> None:
    offline.whatsapp.faults.refuse_all = Refusal(reason=413)

    library = await start_library(offline.whatsapp, offline.session)

    assert await library.ended() != 0


async def test_this_machines_clock_is_wrong(offline: Offline, start_library: StartLibrary) -> None:
    """To the library, certificates of tomorrow are what a clock of yesterday is."""
    offline.whatsapp.set_clock(ahead_s=86400 * 2)

    library = await start_library(offline.whatsapp, offline.session)

    assert "cert" in (await library.event("ended")).body["error"]
    assert offline.whatsapp.seen.logins == []


async def test_nobody_listens(offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.set_reachable(is_reachable=False)

    library = await start_library(offline.whatsapp, offline.session)

    assert "dial" in (await library.event("ended")).body["error"]


async def test_another_client_takes_the_session_over(rig: Rig, start_library: StartLibrary) -> None:
    await start_library(rig.whatsapp, rig.session)

    await rig.library.event("StreamReplaced")


async def test_the_network_breaks(rig: Rig) -> None:
    rig.whatsapp.drop()

    await rig.library.event("Disconnected")
    await rig.library.until(lambda: len(rig.library.of("Connected")) == 2)


async def test_a_stream_error_of_no_known_kind(rig: Rig) -> None:
    await rig.whatsapp.stream_error("599")

    assert (await rig.library.event("StreamError")).body["Code"] == "599"


async def test_a_login_that_takes_its_time(offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.faults.login_delay_s = 1

    library = await start_library(offline.whatsapp, offline.session)

    await library.event("Connected")


async def test_a_login_that_is_never_answered(offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.faults.login_delay_s = 3600

    library = await start_library(offline.whatsapp, offline.session)

    await offline.whatsapp.until(lambda: bool(offline.whatsapp.seen.logins))
    assert await library.call("is_logged_in") is False
    assert library.of("Connected") == []


async def test_queries_that_are_never_answered(rig: Rig) -> None:
    rig.whatsapp.faults.unanswered = {"w:g2"}

    waiting = rig.library.begin("groups")

    await rig.library.call("typing", chat=rig.group.jid)
    await rig.whatsapp.until(lambda: bool(rig.whatsapp.seen.states))
    assert not waiting.done()
    waiting.cancel()
