"""Pairing over HTTP, on the simulator and on a scripted gateway; who may look, and what a log line never holds."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno
from structlog.testing import capture_logs
from tests.simulated import CHAT, Inbox, make_bot, simulated, speaking
from tests.unit.whatsapp.scripted import ScriptedGateway, ScriptedLink
from tests.unit.whatsapp.test_app import make_service

from supportbot.auth import APIKeys, parse_api_keys
from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.app import create_whatsapp_app
from supportbot.whatsapp.gateway import Gateway, GatewayState, LinkState, PairingMethod, PairingOffer
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.outgoing import OutgoingMessages
from supportbot.whatsapp.simulator_api import create_router

Open = Callable[..., Any]
PAYLOAD = "https://wa.me/settings/linked_devices#2@invented,noise,identity,adv,1"
OFFER = PairingOffer(method=PairingMethod.QR, payload=PAYLOAD, expires_at=datetime(2026, 3, 2, 15, 1, tzinfo=UTC))
KEYS = parse_api_keys(
    "\n".join(
        f"{name} {hashlib.sha256(key).hexdigest()} {right}"
        for name, key, right in (
            ("lead", b"may write", "write"),
            ("help", b"may too", "write"),
            ("grafana", b"may read", "read"),
        )
    ),
    where="keys",
)
WRITER, READER = {"authorization": "Bearer may write"}, {"authorization": "Bearer may read"}


@pytest.fixture
def open_client(tmp_path: Path) -> Open:
    """A client of the service with the simulator, or with another gateway."""
    service = make_service(tmp_path)

    @asynccontextmanager
    async def open_it(
        gateway: Gateway | None = None, *, keys: APIKeys | None = None, **spec: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        with (
            simulated(tmp_path) as (simulator, server),
            Journal(tmp_path / "journal.db") as journal,
            speaking(tmp_path, gateway or simulator) as (speaker, allowance),
        ):
            used = service if keys is None else replace(service, keys=keys)
            app = create_whatsapp_app(
                used,
                make_bot(**spec).spec,
                gateway=gateway or simulator,
                journal=journal,
                outgoing=OutgoingMessages(speaker=speaker, journal=journal),
                allowance=allowance,
            )
            app.include_router(create_router(simulator, server, default_group=CHAT))
            running = asyncio.create_task(simulator.run(Inbox()))
            await asyncio.sleep(0)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    return open_it


async def test_from_an_unlinked_bot_to_a_linked_one(open_client: Open) -> None:
    async with open_client() as client:
        await client.post("/simulator/faults", json={"unpaired": True})
        before = (await client.get("/pairing")).json()
        begun = await client.post("/pairing")
        again = (await client.post("/pairing", json={"method": "qr"})).json()
        picture = await client.get("/pairing/qr.svg")
        wrong = await client.post("/simulator/phone", json={"shown": "something else"})
        right = await client.post("/simulator/phone", json={"shown": again["offer"]["payload"]})
        after = (await client.get("/pairing")).json()
        refused = await client.post("/pairing")

    assert (before["state"], before["reason"], before["offer"]) == ("unpaired", "PairingRequired", None)
    assert (before["title"], before["pairable"], before["method"]) == ("Sin vincular", True, "qr")
    assert (begun.status_code, begun.json()["state"]) == (202, "pairing")
    assert again["offer"] == begun.json()["offer"]
    assert picture.headers["content-type"] == "image/svg+xml"
    assert (wrong.status_code, right.status_code) == (409, 204)
    assert (after["state"], after["offer"], after["phone"]) == ("connected", None, "+10•••••••00")
    assert (refused.status_code, refused.json()) == (409, {"detail": "the device is linked already"})


async def test_by_a_code_to_type(open_client: Open) -> None:
    whatsapp = {
        "gateway": "Simulator",
        "groups": [{"jid": CHAT}],
        "pairing": {"method": "Code", "phoneNumber": "+529980000001"},
    }
    async with open_client(whatsapp=whatsapp) as client:
        await client.post("/simulator/faults", json={"unpaired": True})
        view = (await client.post("/pairing")).json()
        picture = await client.get("/pairing/qr.svg")
        typed = await client.post("/simulator/phone", json={"shown": view["offer"]["code"]})

    assert (view["method"], view["offer"]["method"], view["offer"]["payload"]) == ("code", "code", None)
    assert picture.status_code == 404
    assert typed.status_code == 204


async def test_an_offer_is_taken_back_and_a_device_unlinked(open_client: Open) -> None:
    async with open_client() as client:
        unlinked = (await client.post("/pairing/unpair")).json()["state"]
        twice = await client.post("/pairing/unpair")
        forgotten = await client.post("/pairing/unpair", json={"forget": True})
        await client.post("/pairing")
        ended = (await client.delete("/pairing")).json()

    assert unlinked == "unpaired"
    assert twice.status_code == 503
    assert (forgotten.status_code, ended["state"], ended["offer"]) == (200, "unpaired", None)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({}, ("begin", PairingMethod.QR, None)),
        ({"phone": "+529980000001"}, ("begin", PairingMethod.QR, None)),
        ({"method": "code", "phone": "+529980000001"}, ("begin", PairingMethod.CODE, "+529980000001")),
    ],
)
async def test_what_the_gateway_is_asked_for(
    open_client: Open, body: dict[str, str], asked: tuple[object, ...]
) -> None:
    gateway = ScriptedGateway()
    async with open_client(gateway) as client:
        assert (await client.post("/pairing", json=body)).status_code == 202

    assert gateway.asked == [asked]


@pytest.mark.parametrize(
    ("body", "error", "status"),
    [
        ({"method": "code"}, None, 400),
        ({"method": "smoke"}, None, 422),
        ({"method": "code", "phone": "529980000001"}, None, 422),
        ({}, PermanentError("three attempts today; wait", reason="too_many_attempts"), 429),
        ({}, PermanentError("linked", reason="already_paired"), 409),
        ({}, UnavailableError("WhatsApp cannot be reached", dependency="whatsapp"), 503),
    ],
)
async def test_what_is_refused(open_client: Open, body: dict[str, str], error: Exception | None, status: int) -> None:
    async with open_client(ScriptedGateway(error=error)) as client:
        answer = await client.post("/pairing", json=body)

    assert answer.status_code == status
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0


async def test_a_gateway_without_a_device_says_so(open_client: Open) -> None:
    async with open_client(ScriptedLink()) as client:
        view = (await client.get("/pairing")).json()
        answers = [await client.post("/pairing"), await client.delete("/pairing"), await client.post("/pairing/unpair")]

    assert view["pairable"] is False
    assert [answer.status_code for answer in answers] == [409, 409, 409]


@pytest.mark.parametrize("path", ["/pairing", "/pairing/qr.svg"])
async def test_only_a_key_that_may_write_sees_a_code(open_client: Open, path: str) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.PAIRING, pairing=OFFER))
    async with open_client(gateway, keys=KEYS) as client:
        answers = [await client.get(path, headers=headers) for headers in ({}, READER, WRITER)]
        status = await client.get("/api/status", headers=READER)
        health = await client.get("/health")

    assert [answer.status_code for answer in answers] == [401, 403, 200]
    assert [PAYLOAD in answer.text for answer in answers[:2]] == [False, False]
    assert answers[2].headers["cache-control"] == "no-store"
    assert (status.status_code, status.json()["pairing"]) == (200, True)
    assert "linked_devices" not in status.text + health.text


async def test_a_code_is_in_no_log_line_and_each_use_is(open_client: Open) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.PAIRING, pairing=OFFER))
    with capture_logs() as lines:
        async with open_client(gateway, keys=KEYS) as client:
            await client.post("/pairing", headers=WRITER)
            for path in ("/pairing", "/pairing/qr.svg", "/pairing"):
                await client.get(path, headers=WRITER)
            await client.delete("/pairing", headers=WRITER)
            await client.post("/pairing/unpair", headers=WRITER)

    audited = [(line["event"], line["caller"]) for line in lines if line.get("audit")]
    assert audited == [
        (event, "lead") for event in ("pairing_begun", "pairing_offer_shown", "pairing_ended", "device_unpaired")
    ]
    assert "linked_devices" not in json.dumps(lines, default=str)


async def test_of_several_who_look_on_each_is_noted_once_for_each_code(open_client: Open) -> None:
    gateway = ScriptedGateway()
    other = {"authorization": "Bearer may too"}
    with capture_logs() as lines:
        async with open_client(gateway, keys=KEYS) as client:
            for payload in (PAYLOAD, PAYLOAD + "2"):
                offer = OFFER.model_copy(update={"payload": payload})
                gateway.current = GatewayState(link=LinkState.PAIRING, pairing=offer)
                for headers in (WRITER, other, WRITER, other):
                    await client.get("/pairing", headers=headers)

    assert [line["caller"] for line in lines if line.get("audit")] == ["lead", "help"] * 2


async def test_the_picture_holds_exactly_the_payload(open_client: Open) -> None:
    gateway = ScriptedGateway(GatewayState(link=LinkState.PAIRING, pairing=OFFER))
    async with open_client(gateway) as client:
        picture = (await client.get("/pairing/qr.svg")).content

    expected = io.BytesIO()
    segno.make_qr(PAYLOAD, error="l").save(expected, kind="svg", scale=6, border=4, light="white")
    assert picture == expected.getvalue()
    assert b"<script" not in picture


async def test_every_state_is_explained_in_each_language(open_client: Open) -> None:
    gateway = ScriptedGateway()
    until = datetime.now(UTC) + timedelta(hours=2)
    async with open_client(gateway) as client:
        seen = set()
        for link in LinkState:
            gateway.current = GatewayState(link=link, until=until)
            for language in ("es", "en", "pt"):
                view = (await client.get("/pairing", params={"language": language})).json()
                assert view["title"]
                assert view["advice"] or link is LinkState.CONNECTED
                seen.add((link, language, view["title"]))
        other = await client.get("/pairing", params={"language": "xx"})

    assert len(seen) == 3 * len(LinkState)
    assert other.status_code == 422
