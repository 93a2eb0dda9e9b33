"""The life of a link, by the real library: lost, refused, ended, paired, and what is tried again."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.emulators.whatsapp import Refusal, WhatsAppEmulator
from tests.events import until
from tests.linked import LinkedBot

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import LinkState, PairingMethod
from supportbot.whatsapp.journal import Journal


def logins(linked: LinkedBot) -> list[str]:
    return [seen.outcome for seen in linked.whatsapp.seen.logins]


async def test_a_lost_connection_comes_back_at_once(linked: LinkedBot) -> None:
    async with linked.connected() as gateway:
        process = gateway._supervisor.process
        began = time.monotonic()
        linked.whatsapp.drop()
        await linked.whatsapp.until(lambda: len(logins(linked)) == 2 and linked.whatsapp.is_ready)
        assert time.monotonic() - began < 2
        await until(lambda: gateway.state().connected)
        assert gateway._supervisor.process is process


@pytest.mark.parametrize("away_s", [1.0, 9.0])
async def test_the_link_is_back_within_two_seconds_of_the_server(linked: LinkedBot, away_s: float) -> None:
    async with linked.connected() as gateway:
        linked.whatsapp.set_reachable(is_reachable=False)
        linked.whatsapp.drop()
        await until(lambda: not gateway.state().connected)
        await asyncio.sleep(away_s)
        linked.whatsapp.set_reachable(is_reachable=True)
        began = time.monotonic()
        await until(lambda: gateway.state().connected)
        assert time.monotonic() - began < 2.0


async def test_a_first_connection_that_fails_is_tried_again(linked: LinkedBot) -> None:
    linked.whatsapp.set_reachable(is_reachable=False)
    async with linked.running() as gateway:
        await until(lambda: gateway.state().until is not None)
        assert gateway.state().link is LinkState.RECONNECTING
        linked.whatsapp.set_reachable(is_reachable=True)
        await until(lambda: gateway.state().connected)


async def test_the_service_is_busy_for_a_while(linked: LinkedBot) -> None:
    linked.whatsapp.faults.refusals = [Refusal(reason=503)]
    async with linked.connected():
        assert logins(linked) == ["503", "success"]


async def test_a_refusal_that_takes_the_process_down(linked: LinkedBot) -> None:
    """The library panics on these: its process dies, and only that."""
    linked.whatsapp.faults.refusals = [Refusal(reason=413)]
    async with linked.connected():
        assert logins(linked) == ["413", "success"]


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (Refusal(reason=401), LinkState.LOGGED_OUT),
        (Refusal(reason=402, code=104, expire_s=3600), LinkState.BANNED),
        (Refusal(reason=402, code=999), LinkState.BANNED),
        (Refusal(reason=405), LinkState.OUTDATED),
    ],
)
async def test_an_end_is_not_tried_again(linked: LinkedBot, refusal: Refusal, state: LinkState) -> None:
    linked.whatsapp.faults.refuse_all = refusal
    async with linked.running() as gateway:
        await until(lambda: gateway.state().link is state and gateway._supervisor.process is None)
        assert gateway.state().message
        await asyncio.sleep(1.5)
        assert logins(linked) == [str(refusal.reason)]
        with pytest.raises(UnavailableError):
            await gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=())


@pytest.mark.parametrize("reason", [415, 409])
async def test_a_refusal_of_another_kind_has_its_time(linked: LinkedBot, reason: int) -> None:
    linked.whatsapp.faults.refusals = [Refusal(reason=reason)]
    async with linked.running() as gateway:
        await until(lambda: gateway.state().until is not None)
        state = gateway.state()

    assert state.link is LinkState.RECONNECTING
    assert state.until is not None
    assert state.until > datetime.now(UTC) + timedelta(minutes=4)


async def test_a_ban_outlives_the_service(linked: LinkedBot) -> None:
    linked.whatsapp.faults.refuse_all = Refusal(reason=402, code=101, expire_s=3600)
    async with linked.running() as gateway:
        await until(lambda: gateway.state().link is LinkState.BANNED and gateway._supervisor.process is None)
        before = gateway.state()
    async with linked.running() as gateway:
        await until(lambda: gateway.state().link is LinkState.BANNED)
        assert (gateway.state().until, gateway.state().message) == (before.until, before.message)
        with pytest.raises(PermanentError, match=r"linked already|banned"):
            await gateway.begin_pairing(PairingMethod.QR)

    assert logins(linked) == ["402"]


async def test_another_client_with_this_session_is_left_alone(linked: LinkedBot) -> None:
    async with linked.connected() as gateway:
        await linked.whatsapp.replace()
        await until(lambda: gateway.state().link is LinkState.REPLACED and gateway._supervisor.process is None)
        await asyncio.sleep(1)

    assert logins(linked) == ["success"]


async def test_unlinked_on_the_phone_and_paired_again_on_the_same_file(linked: LinkedBot) -> None:
    async with linked.connected() as gateway:
        await linked.whatsapp.log_out()
        await until(lambda: gateway.state().link is LinkState.LOGGED_OUT and gateway._supervisor.process is None)
        assert "supportbot pair" in gateway.state().message

        await gateway.begin_pairing(PairingMethod.QR)
        await until(lambda: gateway.state().pairing is not None)
        offer = gateway.state().pairing
        assert offer is not None
        assert offer.payload is not None
        await linked.whatsapp.scan(offer.payload)
        await until(lambda: gateway.state().connected)
        assert gateway.state().pairing is None
        await linked.whatsapp.until_ready()
        await linked.whatsapp.post(linked.group, linked.ana, "otra vez")
        assert [raw.text for raw in await linked.journalled(1)] == ["otra vez"]


async def test_a_stuck_process_is_replaced(linked: LinkedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportbot.whatsapp.neonize.supervision.SILENCE_S", 6.0)
    monkeypatch.setattr("supportbot.whatsapp.neonize.supervision.WATCH_INTERVAL_S", 0.2)
    async with linked.connected() as gateway:
        stuck = gateway._supervisor.process
        assert stuck is not None
        os.kill(stuck._process.pid, signal.SIGSTOP)
        await asyncio.wait_for(stuck.ended.wait(), 15)
        await until(lambda: gateway.state().connected and gateway._supervisor.process is not stuck)


class TestPairing:
    async def test_by_the_code_that_is_typed(self, tmp_path: Path) -> None:
        async with WhatsAppEmulator() as whatsapp:
            linked = LinkedBot(tmp_path, whatsapp)
            with Journal(tmp_path / "journal.db"):
                async with linked.running() as gateway:
                    await until(lambda: gateway.state().link is LinkState.UNPAIRED)
                    await gateway.begin_pairing(PairingMethod.CODE, phone="+" + whatsapp.account.owner.phone_user)
                    await until(lambda: gateway.state().pairing is not None)
                    offer = gateway.state().pairing
                    assert offer is not None
                    assert offer.code is not None
                    assert gateway.state().link is LinkState.PAIRING
                    await whatsapp.type_code(offer.code)
                    await until(lambda: gateway.state().connected)
                    assert gateway.state().phone == "+" + whatsapp.account.owner.phone_user
                    with pytest.raises(PermanentError) as caught:
                        await gateway.begin_pairing(PairingMethod.QR)

        assert caught.value.reason == "already_paired"
        assert (tmp_path / "session.db").stat().st_mode & 0o077 == 0

    async def test_an_offer_that_is_taken_back(self, tmp_path: Path) -> None:
        async with WhatsAppEmulator() as whatsapp:
            linked = LinkedBot(tmp_path, whatsapp)
            with Journal(tmp_path / "journal.db"):
                async with linked.running() as gateway:
                    await until(lambda: gateway.state().link is LinkState.UNPAIRED)
                    await gateway.begin_pairing(PairingMethod.QR)
                    await gateway.begin_pairing(PairingMethod.QR)
                    await until(lambda: gateway.state().pairing is not None)
                    await gateway.end_pairing()
                    await until(lambda: gateway.state().link is LinkState.UNPAIRED)
                    assert gateway.state().pairing is None
                    assert gateway._supervisor.process is None

    async def test_a_passkey_cannot_be_given(self, tmp_path: Path) -> None:
        async with WhatsAppEmulator() as whatsapp:
            linked = LinkedBot(tmp_path, whatsapp)
            with Journal(tmp_path / "journal.db"):
                async with linked.running() as gateway:
                    await until(lambda: gateway.state().link is LinkState.UNPAIRED)
                    await gateway.begin_pairing(PairingMethod.QR)
                    await until(lambda: gateway.state().pairing is not None)
                    await whatsapp.demand_passkey()
                    await until(lambda: gateway.state().link is LinkState.PASSKEY_REQUIRED)
                    assert gateway.state().pairing is None
                    await gateway.end_pairing()
                    await until(lambda: gateway._supervisor.process is None)
                    assert gateway.state().link is LinkState.PASSKEY_REQUIRED

    async def test_there_are_only_so_many_a_day(self, tmp_path: Path) -> None:
        async with WhatsAppEmulator() as whatsapp:
            linked = LinkedBot(tmp_path, whatsapp)
            with Journal(tmp_path / "journal.db"):
                async with linked.running() as gateway:
                    await until(lambda: gateway.state().link is LinkState.UNPAIRED)
                    for _ in range(3):
                        await gateway._memory.put_pairing("linked", datetime.now(UTC))
                    with pytest.raises(PermanentError) as caught:
                        await gateway.begin_pairing(PairingMethod.QR)

        assert caught.value.reason == "too_many_attempts"

    async def test_unpairing_tells_whatsapp(self, linked: LinkedBot) -> None:
        async with linked.connected() as gateway:
            await gateway.unpair()
            await until(lambda: gateway.state().link is LinkState.UNPAIRED and gateway._supervisor.process is None)

        assert linked.whatsapp.account.device is None

    async def test_a_session_can_be_forgotten_here(self, linked: LinkedBot) -> None:
        async with linked.connected() as gateway:
            await gateway.forget_session()
            await until(lambda: gateway.state().link is LinkState.UNPAIRED)
            assert not (linked.folder / "session.db").exists()

        assert linked.whatsapp.account.device is not None


async def test_a_wrong_clock_is_named(linked: LinkedBot) -> None:
    linked.whatsapp.set_clock(ahead_s=30 * 86_400)
    async with linked.running() as gateway:
        await until(lambda: gateway.state().link is LinkState.CLOCK_SKEWED)
        assert "NTP" in gateway.state().message
