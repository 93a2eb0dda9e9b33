"""`supportbot pair`, and what `up` does beside it, on the service's real endpoints; every look is a second."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from tests.simulated import Inbox, make_bot, simulated, speaking
from tests.unit.whatsapp.scripted import ScriptedGateway
from tests.unit.whatsapp.test_app import make_service

from supportbot.cli.whatsapp.client import AwayError, GatewayClient, View, connect
from supportbot.cli.whatsapp.pairing import AWAY_FOR, ROUNDS, pair, pair_beside
from supportbot.cli.whatsapp.screen import Screen
from supportbot.errors import PermanentError, UserError
from supportbot.whatsapp.app import create_whatsapp_app
from supportbot.whatsapp.gateway import Gateway, GatewayState, LinkState, PairingMethod, PairingOffer
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.outgoing import OutgoingMessages
from supportbot.whatsapp.simulated_pairing import LIFETIMES_S, SimulatedPairing
from supportbot.whatsapp.simulator import Faults, Simulator

ROUND_S = int(sum(LIFETIMES_S))


class Bench:
    """The service with a clock of ours, a terminal, and a person who does something at a certain second."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
        self.second = 0
        self.acts: dict[int, Callable[[], object]] = {}
        self.last = 10_000
        self.terminal = io.StringIO()
        self.said: list[str] = []
        self.simulator: Simulator
        self.gateway: GatewayClient

    @property
    def screen(self) -> Screen:
        return Screen(Console(file=self.terminal, width=120))

    @property
    def shown(self) -> str:
        return self.terminal.getvalue()

    def say(self, name: str, words: str) -> None:
        self.said.append(f"{name}: {words}")

    async def sleep(self, seconds: float) -> None:
        self.second += 1
        self.now += timedelta(seconds=seconds)
        if self.second in self.acts:
            self.acts[self.second]()
        if self.second >= self.last:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    def scan(self) -> None:
        offer = self.simulator.state().pairing
        assert offer is not None
        assert self.simulator.link_by_phone(offer.payload or offer.code or "")


def offer() -> PairingOffer:
    expires_at = datetime(2026, 3, 2, 15, 1, tzinfo=UTC)
    return PairingOffer(
        method=PairingMethod.QR, payload="https://wa.me/settings/linked_devices#x", expires_at=expires_at
    )


Open = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def open_bench(tmp_path: Path) -> Open:
    @asynccontextmanager
    async def open_it(gateway: Gateway | None = None) -> AsyncIterator[Bench]:
        bench = Bench()
        with (
            simulated(tmp_path, pairing=SimulatedPairing(clock=lambda: bench.now)) as (simulator, _),
            Journal(tmp_path / "journal.db") as journal,
            speaking(tmp_path, simulator) as (speaker, allowance),
        ):
            bench.simulator = simulator
            simulator.set_faults(Faults(unpaired=True))
            app = create_whatsapp_app(
                make_service(tmp_path, SUPPORTBOT_REQUESTS_PER_MINUTE="100000"),
                make_bot().spec,
                gateway=gateway or simulator,
                journal=journal,
                outgoing=OutgoingMessages(speaker=speaker, journal=journal),
                allowance=allowance,
            )
            running = asyncio.create_task(simulator.run(Inbox()))
            await asyncio.sleep(0)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                bench.gateway = GatewayClient(client)
                yield bench
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    return open_it


async def test_codes_are_shown_and_renewed_until_the_phone_has_one(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.acts[70] = bench.scan  # The second code of the first round.
        await pair(bench.gateway, bench.screen, {"method": "qr"}, sleep=bench.sleep)

        assert bench.simulator.state().connected
    assert bench.shown.count("scan this code on the bot's phone") == 2
    assert "linked as +10•••••••00" in bench.shown
    assert "`supportbot groups` lists its groups" in bench.shown
    assert "linked_devices" not in bench.shown


async def test_a_code_to_type(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.acts[3] = bench.scan
        offered: list[str] = []
        bench.acts[2] = lambda: offered.append(str(bench.simulator.state().pairing.code))  # type: ignore[union-attr]
        await pair(bench.gateway, bench.screen, {"method": "code", "phone": "+529980000001"}, sleep=bench.sleep)

    assert f"    {offered[0]}\n" in bench.shown
    assert "Link with phone number" in bench.shown


async def test_after_three_rounds_that_nobody_takes_up_it_ends_and_takes_the_code_back(open_bench: Open) -> None:
    async with open_bench() as bench:
        with pytest.raises(UserError, match="nobody took up the codes"):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)

        assert bench.simulator.state().link is LinkState.UNPAIRED
    assert bench.shown.count("scan this code") == ROUNDS * len(LIFETIMES_S)
    assert bench.second >= ROUNDS * ROUND_S


async def test_who_goes_away_takes_the_code_along(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.last = 5
        with pytest.raises(asyncio.CancelledError):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)

        assert bench.simulator.state().link is LinkState.UNPAIRED


async def test_a_linked_bot_is_left_alone(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.simulator.set_faults(Faults())
        await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)

    assert bench.shown == "already linked as +10•••••••00; `supportbot unpair` unlinks it\n"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (LinkState.BANNED, "The account is banned (until "),
        (LinkState.OUTDATED, "Install a newer version of supportbot"),
        (LinkState.REPLACED, "end it, and restart this one"),
        (LinkState.STORE_FAILED, "Make room on the volume"),
    ],
)
async def test_what_no_code_can_mend_is_said(open_bench: Open, link: LinkState, words: str) -> None:
    gateway = ScriptedGateway(GatewayState(link=link, until=datetime(2026, 3, 3, tzinfo=UTC)))
    async with open_bench(gateway) as bench:
        with pytest.raises(UserError) as refused:
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)

    assert words in str(refused.value)
    assert ("begin", "qr", None) not in gateway.asked


async def test_a_passkey_that_whatsapp_wants_ends_it_with_advice(open_bench: Open) -> None:
    gateway = ScriptedGateway()
    async with open_bench(gateway) as bench:
        bench.acts[1] = lambda: setattr(gateway, "current", GatewayState(link=LinkState.PAIRING, pairing=offer()))
        bench.acts[2] = lambda: setattr(gateway, "current", GatewayState(link=LinkState.PASSKEY_REQUIRED))
        with pytest.raises(UserError, match="Turn passkeys off on the phone"):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)


async def test_no_code_within_a_minute_is_an_error(open_bench: Open) -> None:
    async with open_bench(ScriptedGateway()) as bench:
        with pytest.raises(UserError, match="WhatsApp gave no code within 60 s"):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)


async def test_an_attempt_without_a_code_ends_it_with_the_gateways_words(open_bench: Open) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.UNPAIRED))
    away = GatewayState(link=LinkState.UNPAIRED, message="WhatsApp cannot be reached from here")
    async with open_bench(gateway) as bench:
        bench.acts[1] = lambda: setattr(gateway, "current", GatewayState(link=LinkState.RECONNECTING))
        bench.acts[2] = lambda: setattr(gateway, "current", away)
        with pytest.raises(UserError, match="there is no code: WhatsApp cannot be reached from here"):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)

    assert bench.second == 2


async def test_what_is_no_address_is_called_so() -> None:
    async with connect("whatsapp.example", None) as gateway:
        with pytest.raises(UserError, match=r"'whatsapp.example/' is no address such as http://127.0.0.1:3001"):
            await gateway.look()


async def test_too_many_attempts_are_told_in_the_gateways_words(open_bench: Open) -> None:
    error = PermanentError("three attempts today; try again tomorrow", reason="too_many_attempts")
    async with open_bench(ScriptedGateway(error=error)) as bench:
        with pytest.raises(UserError, match="three attempts today; try again tomorrow"):
            await pair(bench.gateway, bench.screen, {}, sleep=bench.sleep)


class Flaky(GatewayClient):
    """A service that does not answer at certain looks."""

    def __init__(self, client: GatewayClient, away: range) -> None:
        super().__init__(client._client)
        self.looks, self._away = 0, away

    async def look(self) -> View:
        self.looks += 1
        if self.looks in self._away:
            raise AwayError("no whatsapp service answers")
        return await super().look()


async def test_a_service_that_restarts_meanwhile_is_waited_for(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.acts[20] = bench.scan
        await pair(Flaky(bench.gateway, range(3, 3 + AWAY_FOR)), bench.screen, {}, sleep=bench.sleep)

    assert "linked as" in bench.shown


async def test_a_service_that_stays_away_is_given_up(open_bench: Open) -> None:
    async with open_bench() as bench:
        flaky = Flaky(bench.gateway, range(3, 10_000))
        with pytest.raises(AwayError):
            await pair(flaky, bench.screen, {}, sleep=bench.sleep)

    assert flaky.looks == 3 + AWAY_FOR


async def beside(bench: Bench) -> None:
    with pytest.raises(asyncio.CancelledError):
        await pair_beside(bench.gateway, bench.screen, bench.say, sleep=bench.sleep)


async def test_up_shows_codes_by_itself_and_says_when_it_is_linked(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.acts[10], bench.last = bench.scan, 15
        await beside(bench)

    assert bench.shown.count("scan this code") == 1
    assert bench.said == ["whatsapp: linked as +10•••••••00; `supportbot groups` lists its groups"]


async def test_up_stops_after_three_rounds(open_bench: Open) -> None:
    async with open_bench() as bench:
        bench.last = 5 * ROUND_S
        await beside(bench)

        assert bench.simulator.state().link is LinkState.UNPAIRED
    assert bench.said == ["whatsapp: nobody took up the codes; `supportbot pair` shows more"]
    assert bench.shown.count("scan this code") == ROUNDS * len(LIFETIMES_S)


async def test_up_blames_nobody_for_codes_that_never_came(open_bench: Open) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.UNPAIRED, message="WhatsApp cannot be reached from here"))
    async with open_bench(gateway) as bench:
        bench.last = 2 * ROUNDS
        await beside(bench)

    assert bench.said == ["whatsapp: there is no code: WhatsApp cannot be reached from here"]


async def test_up_leaves_a_device_that_was_logged_out_to_a_person(open_bench: Open) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.LOGGED_OUT))
    async with open_bench(gateway) as bench:
        bench.last = 30
        await beside(bench)

    assert (gateway.asked, bench.said, bench.shown) == ([], [], "")


async def test_up_says_once_what_keeps_a_code_from_coming(open_bench: Open) -> None:
    error = PermanentError("three attempts today", reason="too_many_attempts")
    async with open_bench(ScriptedGateway(error=error)) as bench:
        bench.last = 30
        await beside(bench)

    assert bench.said == ["whatsapp: no pairing code: three attempts today"]
