"""What the service says of its link: to probes, to metrics, and to the operator alone."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY
from tests.unit.whatsapp.scripted import ScriptedGateway

from supportbot.errors import PermanentError
from supportbot.health import Health, State
from supportbot.whatsapp.allowance import Allowance
from supportbot.whatsapp.gateway import LINK_REASONS, GatewayState, LinkState, PairingMethod, PairingOffer
from supportbot.whatsapp.limits import Policy, QuietTime
from supportbot.whatsapp.link_watch import watch_link

ZONE = ZoneInfo("UTC")
OFFER = PairingOffer(
    method=PairingMethod.QR,
    payload="https://wa.me/settings/linked_devices#2@invented",
    expires_at=datetime(2026, 3, 2, 15, 1, tzinfo=UTC),
)


class Shelf:
    """Keeps the last report."""

    def __init__(self) -> None:
        self.report: dict[str, Any] = {}

    async def put(self, key: str, value: bytes) -> None:
        self.report = json.loads(value)


async def look_once(
    state: GatewayState, folder: Path, *, policy: Policy | None = None, paused: bool = False, refusals: int = 0
) -> tuple[Health, dict[str, Any]]:
    """What is said after one look, and what is reported then."""
    health, shelf = Health("whatsapp"), Shelf()
    with Allowance(folder / "sends.db", policy or Policy(per_day=300)) as allowance:
        for _ in range(refusals):
            with suppress(PermanentError):
                async with allowance.spend():
                    raise PermanentError("refused")
        watching = asyncio.create_task(watch_link(health, ScriptedGateway(state), allowance, paused=paused))
        while "sends" not in {check.name for check in health.checks}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        reporting = asyncio.create_task(health.report(shelf))
        while not shelf.report:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for task in (watching, reporting):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return health, shelf.report


@pytest.mark.parametrize("link", LinkState)
async def test_each_state_has_its_reason_and_says_what_to_do(tmp_path: Path, link: LinkState) -> None:
    health, _ = await look_once(GatewayState(link=link), tmp_path)
    check = health["whatsapp"]

    assert check.reason == LINK_REASONS[link]
    assert (check.state is State.OK) == (link is LinkState.CONNECTED) == (check.message == "")
    pairs = {LinkState.UNPAIRED, LinkState.PAIRING, LinkState.PASSKEY_REQUIRED, LinkState.LOGGED_OUT}
    assert REGISTRY.get_sample_value("supportbot_whatsapp_pairing_required") == (link in pairs)


async def test_the_gateways_own_words_and_a_pause_come_first(tmp_path: Path) -> None:
    state = GatewayState(link=LinkState.BANNED, message="too many people were written to (101)")

    told, _ = await look_once(state, tmp_path)
    paused, _ = await look_once(state, tmp_path, paused=True)

    assert told["whatsapp"].message == "too many people were written to (101)"
    assert (paused["whatsapp"].reason, paused["whatsapp"].state) == ("Paused", State.DEGRADED)


async def test_an_offer_is_told_to_the_readers_of_reports_alone(tmp_path: Path) -> None:
    health, report = await look_once(GatewayState(link=LinkState.PAIRING, pairing=OFFER), tmp_path)
    _, later = await look_once(GatewayState(link=LinkState.CONNECTED), tmp_path)

    assert report["private"] == {"qr": OFFER.payload, "expires-at": "2026-03-02T15:01:00+00:00"}
    assert "linked_devices" not in json.dumps(health.to_json())
    assert later["private"] == {}


async def test_a_pause_is_no_health_and_quiet_hours_are(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    start, end = (now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time()
    quiet = Policy(per_day=300, quiet=QuietTime(start=start, end=end, zone=ZONE))
    connected = GatewayState(link=LinkState.CONNECTED)

    silent, _ = await look_once(connected, tmp_path / "a", policy=quiet)
    paused, _ = await look_once(connected, tmp_path / "b", refusals=3)
    free, _ = await look_once(connected, tmp_path / "c")

    assert (silent["sends"].state, silent["sends"].reason) == (State.OK, "QuietHours")
    assert (paused["sends"].state, paused["sends"].reason) == (State.DEGRADED, "SendsPaused")
    assert paused["sends"].message.startswith("WhatsApp refused 3 messages in a row; answers wait until ")
    assert (free["sends"].state, free["sends"].reason) == (State.OK, "")
