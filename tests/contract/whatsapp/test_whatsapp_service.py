"""The service as a process of its own, with a real NATS server: what it promises when things die."""

import asyncio
import base64
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import LANES, SMALL
from tests.simulated import CHAT, INSTALL_KEY, eventually, spec_document

from supportbot.bus import Bus
from supportbot.cli.ports import free_port
from supportbot.contracts import (
    Event,
    InboxEvent,
    MessageReceived,
    Outcome,
    Priority,
    ReactionReceived,
    TicketOpened,
    TrailEntry,
    parse_event,
)
from supportbot.errors import UnavailableError
from supportbot.ids import make_group_ref, make_incident_id, make_message_ref
from supportbot.nats_server import EmbeddedServer
from supportbot.reader import read_stream
from supportbot.streams import ensure_topology
from supportbot.topology import Stage, consumer_name, stream_name, trail_stream

pytestmark = pytest.mark.nats

PERSON = {"phone": "+529980000001", "name": "Ana"}
SENDER = "529980000001@s.whatsapp.net"


class Process:
    """The service in a folder; `start` and `kill` as often as a test likes."""

    def __init__(self, folder: Path, *, nats_url: str, bot: str, **spec: Any) -> None:
        folder.mkdir()
        (folder / "secrets").mkdir()
        (folder / "bot.yaml").write_text(json.dumps(spec_document(bot, **spec)))
        (folder / "key").write_text(INSTALL_KEY.hex())
        port = free_port()
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10)
        self.log = folder / "log"
        self._environ = {
            "SUPPORTBOT_SPEC": str(folder / "bot.yaml"),
            "SUPPORTBOT_SECRETS": str(folder / "secrets"),
            "SUPPORTBOT_DATA": str(folder / "data"),
            "SUPPORTBOT_INSTALL_KEY_FILE": str(folder / "key"),
            "SUPPORTBOT_NATS_URL": nats_url,
            "SUPPORTBOT_PORT": str(port),
            "SUPPORTBOT_METRICS_PORT": "0",
            "SUPPORTBOT_LANES": str(LANES),
        }

    async def start(self) -> None:
        self.process = await self.spawn()
        await eventually(self._is_up)

    async def spawn(self, **environ: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "supportbot.whatsapp"]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command, env={**os.environ, **self._environ, **environ}, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = await self.client.post(path, json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def say(self, message_id: str, text: str, **fields: Any) -> None:
        await self.post("/simulator/messages", {"id": message_id, "sender": PERSON, "text": text, **fields})

    async def said(self) -> list[dict[str, Any]]:
        """What the bot sent."""
        life = (await self.client.get("/simulator/messages", params={"limit": 5000})).json()
        return [entry for entry in life["messages"] if entry["from_bot"]]

    async def is_healthy(self) -> bool:
        return bool((await self.client.get("/health")).json()["status"] == "healthy")

    async def _is_up(self) -> bool:
        assert self.process.returncode is None, self.log.read_text()
        try:
            return (await self.client.get("/livez")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[Process]:
    process = Process(folder, **options)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()
        await process.client.aclose()


async def inbox(bus: Bus) -> list[Event]:
    stored = await read_stream(bus.nc, stream_name(bus.bot, Stage.CLASSIFIER))
    return [parse_event(message.headers["ce-type"], message.data) for message in stored]


async def inbox_has(bus: Bus, count: int) -> list[InboxEvent]:
    async def arrived() -> bool:
        with suppress(UnavailableError):  # The test has just restarted the broker.
            return len(await inbox(bus)) >= count
        return False

    await eventually(arrived)
    events = await inbox(bus)
    assert len(events) == count
    assert all(isinstance(event, InboxEvent) for event in events)
    return [event for event in events if isinstance(event, InboxEvent)]


async def replies_settled(bus: Bus) -> bool:
    """Every reply has been handled and acknowledged."""
    infos = [
        await bus.js.consumer_info(stream_name(bus.bot, Stage.WHATSAPP), consumer_name(Stage.WHATSAPP, lane))
        for lane in range(LANES)
    ]
    return all(not info.num_pending and not info.num_ack_pending for info in infos)


def ref_of(message_id: str) -> str:
    return make_message_ref(INSTALL_KEY, chat=CHAT, sender=SENDER, message_id=message_id)


def opened(message_id: str) -> TicketOpened:
    return TicketOpened(
        message_ref=ref_of(message_id),
        group_ref=make_group_ref(INSTALL_KEY, CHAT),
        incident_id=make_incident_id(ref_of(message_id)),
        opening_ref=ref_of(message_id),
        ticket_id="7001",
        ticket_number="1024",
        subject="la 909 no imprime",
        category="technical",
        priority=Priority.HIGH,
    )


async def test_what_people_write_is_on_the_stream_with_its_attachment(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    photo = b"\xff\xd8" + bytes(300_000)
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot) as service:
        media = {"filename": "caja.jpg", "base64": base64.b64encode(photo).decode()}
        await service.say("A1", "miren", media=media)
        await service.say("A2", "la 909 no imprime", quoted="A1")
        await service.say("A2", "la 909 no imprime", quoted="A1")
        await service.say("B1", "other group", group="120363000000000009@g.us")
        first, second = await inbox_has(bus, 2)
        await eventually(service.is_healthy)

        trail = [
            TrailEntry.model_validate_json(stored.data) for stored in await read_stream(bus.nc, trail_stream(bus.bot))
        ]

    assert isinstance(first, MessageReceived)
    assert isinstance(second, MessageReceived)
    assert first.media is not None
    assert (first.text, first.media.kind, first.media.size_bytes) == ("miren", "image", len(photo))
    assert first.media.sha256 == hashlib.sha256(photo).hexdigest()
    assert await bus.media.get(first.media.sha256) == photo
    assert (second.message_ref, second.quoted_ref) == (ref_of("A2"), ref_of("A1"))
    assert [(entry.message_ref, entry.outcome) for entry in trail][:1] == [(ref_of("A1"), Outcome.RECEIVED)]
    assert list((tmp_path / "s" / "data" / "attachments").iterdir()) == []


async def test_without_nats_it_journals_and_later_drains_in_order(tmp_path: Path, bot: str) -> None:
    async with EmbeddedServer(tmp_path / "nats", sync="default") as nats:
        async with Bus.connect(nats.url, bot=bot, service="test") as bus:
            await ensure_topology(bus.js, bot, LANES, SMALL)
        await nats.stop()
        async with running(tmp_path / "s", nats_url=nats.url, bot=bot) as service:
            for number in range(30):
                await service.say(f"A{number}", str(number))
            ready = await service.client.get("/readyz")
            depth = (await service.client.get("/api/status")).json()["journal_depth"]
            await service.kill()
            await service.start()
            await nats.start()
            async with Bus.connect(nats.url, bot=bot, service="test") as bus:
                events = await inbox_has(bus, 30)

                await nats.stop()
                for number in range(30, 40):
                    await service.say(f"A{number}", str(number))
                await nats.start()
                more = await inbox_has(bus, 40)

    assert (ready.status_code, depth) == (503, 30)
    assert [event.text for event in events if isinstance(event, MessageReceived)] == [str(n) for n in range(30)]
    assert [event.text for event in more if isinstance(event, MessageReceived)] == [str(n) for n in range(40)]


async def test_kill_9_while_messages_come_loses_none_and_repeats_none(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    total = 120
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot) as service:
        for number in range(total):
            await service.say(f"A{number}", str(number))
            if number % 40 == 20:
                await service.kill()
                await service.start()
        events = await inbox_has(bus, total)

    texts = [event.text for event in events if isinstance(event, MessageReceived)]
    assert texts == [str(number) for number in range(total)]


async def test_a_ticket_is_told_once_although_the_process_dies_before_the_ledger_knows(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot) as service:
        await service.say("A1", "la 909 no imprime")
        await inbox_has(bus, 1)
        await service.post("/simulator/faults", {"unanswered_sends": 1})
        await bus.publish(opened("A1"))
        await eventually(service.said)
        key = f"reply.{make_incident_id(ref_of('A1'))}.opened"
        before = await bus.effects.get(key)
        await service.kill()
        await service.start()

        async def done() -> bool:
            effect = await bus.effects.get(key)
            return effect is not None and effect.state == "done"

        await eventually(done)
        await eventually(lambda: replies_settled(bus))
        (entry,) = await service.said()

        # The journal knows again what the message was about, so that a reaction to it finds the incident.
        await service.post("/simulator/reactions", {"target": entry["id"], "emoji": "👍", "sender": PERSON})
        _, reaction = await inbox_has(bus, 2)

    assert before is not None
    assert before.state == "started"
    assert entry["quoted"] == "A1"
    assert isinstance(reaction, ReactionReceived)
    assert reaction.target_incident == make_incident_id(ref_of("A1"))


async def test_in_shadow_mode_the_group_hears_nothing(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot, mode="Shadow") as service:
        await service.say("A1", "la 909 no imprime")
        await inbox_has(bus, 1)
        await bus.publish(opened("A1"))
        await eventually(lambda: replies_settled(bus))

        assert await service.said() == []


async def test_a_bot_that_nobody_has_linked_waits_for_its_phone(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    whatsapp = {"gateway": "Neonize", "groups": [{"jid": CHAT}]}
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot, whatsapp=whatsapp) as service:

        async def waits() -> bool:
            return bool((await service.client.get("/api/status")).json()["reason"] == "PairingRequired")

        await eventually(waits)
        health = (await service.client.get("/health")).json()
        simulator = await service.client.get("/simulator/messages")

    assert (health["status"], health["checks"]["process"]["state"]) == ("degraded", "ok")
    assert simulator.status_code == 404


async def test_a_second_process_on_the_same_data_refuses_to_start(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot) as service:
        second = await service.spawn(SUPPORTBOT_PORT="0")
        try:
            status = await asyncio.wait_for(second.wait(), 30)
        finally:
            with suppress(ProcessLookupError):
                second.kill()

    assert status == 2
    assert "another whatsapp service uses" in service.log.read_text()


async def test_sigterm_ends_it_soon_and_cleanly(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    async with running(tmp_path / "s", nats_url=nats_server.url, bot=bus.bot) as service:
        await service.say("A1", "hola")
        await inbox_has(bus, 1)
        async with asyncio.timeout(5):
            status = await service.stop()

    assert status == 0
    assert "Traceback" not in service.log.read_text()
