"""The HTTP side in this process, on the simulator."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.events import until
from tests.simulated import CHAT, Inbox, make_bot, simulated, speaking

from supportbot.auth import APIKeys
from supportbot.health import Health
from supportbot.service import Service
from supportbot.settings import load_settings
from supportbot.whatsapp.app import create_whatsapp_app
from supportbot.whatsapp.gateway import Gateway
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.limits import UNLIMITED, Policy
from supportbot.whatsapp.neonize.gateway import NeonizeGateway
from supportbot.whatsapp.neonize.wire import Start
from supportbot.whatsapp.outgoing import OutgoingMessages
from supportbot.whatsapp.simulator_api import create_router

Open = Callable[..., Any]
HELLO = {"jid": CHAT, "text": "hola"}


def make_service(folder: Path, **environ: str) -> Service:
    (folder / "bot.yaml").write_text("kind: SupportBot\n")
    (folder / "secrets").mkdir()
    (folder / "key").write_text("0b" * 32)
    environ |= {
        "SUPPORTBOT_SPEC": str(folder / "bot.yaml"),
        "SUPPORTBOT_SECRETS": str(folder / "secrets"),
        "SUPPORTBOT_INSTALL_KEY_FILE": str(folder / "key"),
    }
    settings = load_settings("whatsapp", environ)
    return Service(name="whatsapp", settings=settings, health=Health("whatsapp"), keys=APIKeys())


@pytest.fixture
def open_client(tmp_path: Path) -> Open:
    """A client of the service; `gateway` replaces the simulator, `inbox` takes what is posted."""
    service = make_service(tmp_path)

    @asynccontextmanager
    async def open_it(
        *, gateway: Gateway | None = None, inbox: Inbox | None = None, policy: Policy = UNLIMITED, **spec: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        with (
            simulated(tmp_path) as (simulator, server),
            Journal(tmp_path / "journal.db") as journal,
            speaking(tmp_path, gateway or simulator, policy=policy) as (speaker, allowance),
        ):
            app = create_whatsapp_app(
                service,
                make_bot(**spec).spec,
                gateway=gateway or simulator,
                journal=journal,
                outgoing=OutgoingMessages(speaker=speaker, journal=journal),
                allowance=allowance,
            )
            app.include_router(create_router(simulator, server, default_group=CHAT))
            running = asyncio.create_task(simulator.run(inbox or Inbox()))
            await asyncio.sleep(0)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    return open_it


async def life(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await client.get("/simulator/messages")).json()["messages"]
    return messages


async def test_health_and_status_of_a_linked_bot(open_client: Open) -> None:
    async with open_client() as client:
        health = (await client.get("/health")).json()
        status = (await client.get("/api/status")).json()

    assert (health["status"], health["service"]) == ("healthy", "whatsapp-service")
    asked = (
        "connected",
        "service",
        "state",
        "reason",
        "groups",
        "phone",
        "pairing",
        "backlog",
        "journal_depth",
        "sends",
    )
    assert {name: status[name] for name in asked} == {
        "connected": True,
        "service": "whatsapp-service",
        "state": "connected",
        "reason": "Linked",
        "phone": "+10•••••••00",
        "pairing": False,
        "backlog": 0,
        "journal_depth": 0,
        "sends": {"last_24_hours": 0, "limit": None, "waiting": None},
        "groups": [{"jid": CHAT, "name": "Tiendas", "configured": True, "joined": True}],
    }
    assert "timestamp" in health
    assert "timestamp" in status


async def test_a_link_that_does_not_run_is_told_honestly(open_client: Open, tmp_path: Path) -> None:
    start = Start(
        session=tmp_path / "session.db", journal=tmp_path / "journal.db", install_key="0b" * 32, groups=(CHAT,)
    )
    with NeonizeGateway(start, tmp_path / "link.db") as gateway:
        async with open_client(gateway=gateway) as client:
            health = await client.get("/health")
            status = (await client.get("/api/status")).json()
            sent = await client.post("/api/send-message", json=HELLO)

    words = "the link to WhatsApp does not run"
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert (status["connected"], status["state"]) == (False, "stopped")
    assert words in status["message"]
    assert (sent.status_code, sent.json()["error"]) == (500, "Failed to send message")
    assert words in sent.json()["details"]


async def test_sends_a_message(open_client: Open) -> None:
    async with open_client() as client:
        sent = await client.post("/api/send-message", json={**HELLO, "mentions": ["+529980000001"]})
        (entry,) = await life(client)

    assert sent.status_code == 200
    assert sent.json() == {"success": True, "message": "Message sent successfully", "id": entry["id"]}
    assert (entry["from_bot"], entry["group"], entry["text"], entry["mentions"]) == (
        True,
        CHAT,
        "hola",
        ["529980000001@s.whatsapp.net"],
    )


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({}, 400, {"error": "Missing required fields: jid and text"}),
        ({"jid": CHAT}, 400, {"error": "Missing required fields: jid and text"}),
        ({"jid": CHAT, "text": ""}, 400, {"error": "Missing required fields: jid and text"}),
        (
            {"jid": "120363000000000009@g.us", "text": "hola"},
            403,
            {"detail": "only the bot's configured groups may be addressed"},
        ),
    ],
)
async def test_refuses_to_send(open_client: Open, body: dict[str, Any], status: int, answer: dict[str, Any]) -> None:
    async with open_client() as client:
        response = await client.post("/api/send-message", json=body)

    assert (response.status_code, response.json()) == (status, answer)


@pytest.mark.parametrize(
    "body",
    [
        {"jid": CHAT, "text": "x" * 4097},
        {"jid": 7, "text": "hola"},
        {**HELLO, "mentions": ["somebody"]},
        {**HELLO, "mentions": "529980000001"},
    ],
)
async def test_wrong_fields_are_422(open_client: Open, body: dict[str, Any]) -> None:
    async with open_client() as client:
        response = await client.post("/api/send-message", json=body)

    assert response.status_code == 422
    assert isinstance(response.json()["detail"], list)


@pytest.mark.parametrize("spec", [{"mode": "Shadow"}, {"paused": True}])
async def test_a_silent_bot_sends_for_nobody(open_client: Open, spec: dict[str, Any]) -> None:
    async with open_client(**spec) as client:
        response = await client.post("/api/send-message", json=HELLO)

        assert response.status_code == 409
        assert await life(client) == []


async def test_over_a_limit_the_caller_is_told_when_to_come_again(open_client: Open) -> None:
    async with open_client(policy=Policy(per_day=1)) as client:
        first = await client.post("/api/send-message", json=HELLO)
        second = await client.post("/api/send-message", json=HELLO, headers={"Idempotency-Key": "k2"})
        sends = (await client.get("/api/status")).json()["sends"]

        assert len(await life(client)) == 1
    assert (first.status_code, second.status_code) == (200, 429)
    assert 86_000 < int(second.headers["retry-after"]) <= 86_400
    assert "the limit of 1 messages in 24 hours is reached; sending goes on at " in second.json()["detail"]
    assert (sends["last_24_hours"], sends["limit"], sends["waiting"]["reason"]) == (1, 1, "DailyLimitReached")


async def test_an_idempotency_key_sends_once_whatever_happens(open_client: Open) -> None:
    headers = {"Idempotency-Key": "k1"}
    async with open_client() as client:
        await client.post("/simulator/faults", json={"ambiguous_sends": 1})
        lost = await client.post("/api/send-message", json=HELLO, headers=headers)
        again = await client.post("/api/send-message", json=HELLO, headers=headers)
        other = await client.post("/api/send-message", json={**HELLO, "text": "adiós"}, headers=headers)
        sent = [entry["id"] for entry in await life(client)]
    async with open_client() as client:
        after_restart = await client.post("/api/send-message", json=HELLO, headers=headers)

    assert [lost.status_code, again.status_code, other.status_code, after_restart.status_code] == [500, 200, 422, 200]
    assert lost.json()["error"] == "Failed to send message"
    assert sent == [again.json()["id"]] == [after_restart.json()["id"]]


async def test_without_a_key_each_request_is_a_message(open_client: Open) -> None:
    async with open_client() as client:
        for _ in range(2):
            await client.post("/api/send-message", json=HELLO)

        assert len(await life(client)) == 2


PERSON = {"phone": "+529980000001", "name": "Ana"}


async def test_people_act_in_the_simulated_group(open_client: Open) -> None:
    inbox = Inbox()
    photo = {"filename": "caja.jpg", "base64": base64.b64encode(b"jpeg").decode()}
    posts = [
        ("messages", {"id": "A1", "sender": PERSON, "text": "la 909 no imprime", "mentions": ["bot", "529980000002"]}),
        ("messages", {"id": "A1", "sender": PERSON, "text": "la 909 no imprime"}),
        ("messages", {"id": "A2", "sender": PERSON, "quoted": "A1", "media": photo}),
        ("edits", {"id": "A3", "target": "A1", "text": "la 908 no imprime"}),
        ("reactions", {"id": "A4", "target": "A1", "emoji": "👍", "sender": {"phone": "529980000002"}}),
        ("deletions", {"id": "A5", "target": "A2"}),
    ]
    async with open_client(inbox=inbox) as client:
        created = [(await client.post(f"/simulator/{path}", json=body)).json()["created"] for path, body in posts]
        await until(lambda: len(inbox.events) == 5)
        entries = await life(client)
        rest = (await client.get("/simulator/messages", params={"after": entries[2]["cursor"]})).json()
        data = (await client.get(f"/simulator/media/{entries[1]['media']['handle']}")).content
        far = await client.get("/simulator/messages", params={"after": 10**30})

    assert far.status_code == 422
    assert created == [True, False, True, True, True, True]
    assert [(entry["id"], entry["kind"], entry["target"], entry["quoted"]) for entry in entries] == [
        ("A1", "message", None, None),
        ("A2", "message", None, "A1"),
        ("A3", "edit", "A1", None),
        ("A4", "reaction", "A1", None),
        ("A5", "deletion", "A2", None),
    ]
    assert entries[1]["media"]["kind"] == "image"
    assert data == b"jpeg"
    assert entries[0]["mentions"] == ["+10000000000", "+529980000002"]
    assert [entry["id"] for entry in rest["messages"]] == ["A4", "A5"]
    assert inbox.ids == ["A1", "A2", "A3", "A4", "A5"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("messages", {"sender": PERSON, "quoted": "nobody"}, 404),
        ("edits", {"target": "nobody", "text": "x"}, 404),
        ("messages", {"text": "x"}, 422),
        ("messages", {"sender": {"phone": "call me"}}, 422),
        ("messages", {"sender": PERSON, "group": "status@broadcast"}, 422),
        ("messages", {"sender": PERSON, "media": {"base64": "§"}}, 400),
        ("messages", {"sender": PERSON, "mentions": ["somebody"]}, 400),
        ("faults", {"earthquake": True}, 422),
        ("faults", {"ambiguous_sends": -1}, 422),
    ],
)
async def test_refuses_what_nobody_can_do(open_client: Open, path: str, body: dict[str, Any], status: int) -> None:
    async with open_client() as client:
        response = await client.post(f"/simulator/{path}", json=body)
        assert await life(client) == []

    assert response.status_code == status
