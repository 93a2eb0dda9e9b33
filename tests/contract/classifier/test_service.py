"""The classifier as a process: inbox in, tickets out, its HTTP endpoints, and what remains of it after kill -9."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.conftest import LANES
from tests.unit.classifier.group import PHOTO, Group

from supportbot.bus import Bus, Context
from supportbot.classifier.final import final_decisions
from supportbot.cli.ports import free_port
from supportbot.contracts import Event, Kind, MessageClassified
from supportbot.emulators.models.app import KEYS
from supportbot.nats_server import EmbeddedServer
from supportbot.topology import Stage
from supportbot.trail import read_trail

pytestmark = [pytest.mark.nats, pytest.mark.slow]

STORY = (
    (0, "Ana", PHOTO),
    (20, "Ana", "buen día, la 909 no puede recepcionar, su apoyo"),
    (60, "Caro", "gracias 🙏"),
    (60, "Berta", "ya quedó, intenten de nuevo"),
)
BODY = {
    "message": {
        "id": "1",
        "text": "la impresora de la 305 no imprime",
        "from_user": "5215550000001",
        "timestamp": "2026-03-02T09:00:00Z",
    }
}


@dataclass
class Tickets:
    """Stands for the ticket service: takes what comes."""

    events: list[Event] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, event: Event, _: Context) -> None:
        self.events.append(event)
        if len(self.events) == 2:
            self.complete.set()


def write_files(folder: Path, bot: str, nats_url: str, port: int, models: dict[str, Any]) -> dict[str, str]:
    (folder / "secrets" / "ai").mkdir(parents=True, exist_ok=True)
    for name, key in KEYS.items():
        (folder / "secrets" / "ai" / name).write_text(f"{key}\n")
    (folder / "install.key").write_text("00" * 32)
    whatsapp = {"gateway": "Simulator", "groups": [{"jid": "120363025246125486@g.us"}]}
    resource = {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": bot},
        "spec": {"mode": "Shadow", "whatsapp": whatsapp, "models": models},
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(resource))
    values = {
        "SPEC": str(folder / "spec.yaml"),
        "SECRETS": str(folder / "secrets"),
        "DATA": str(folder / "data"),
        "INSTALL_KEY_FILE": str(folder / "install.key"),
        "NATS_URL": nats_url,
        "LANES": str(LANES),
        "PORT": str(port),
        "METRICS_PORT": "0",
        "LOG_FORMAT": "json",
    }
    return {"PATH": os.environ["PATH"], **{f"SUPPORTBOT_{name}": value for name, value in values.items()}}


Started = tuple[asyncio.subprocess.Process, httpx.AsyncClient]


@asynccontextmanager
async def start(
    folder: Path, bot: str, nats_url: str, **models: Any
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """A classifier that is ready."""
    port = free_port()
    environment = write_files(folder, bot, nats_url, port, models)
    with (folder / "service.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "supportbot.classifier", env=environment, stdout=log, stderr=log
        )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        try:
            await until_ready(http)
            yield process, http
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def until_ready(http: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await http.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("the classifier did not become ready")


async def until_settled(bus: Bus, count: int) -> dict[str, Kind]:
    """The final kinds, once `count` messages have one."""
    for _ in range(400):
        decisions = final_decisions(await read_trail(bus))
        if len(decisions) == count:
            return {ref: one.kind for ref, one in decisions.items()}
        await asyncio.sleep(0.05)
    raise AssertionError(f"only {len(decisions)} of {count} messages were decided")


async def say(bus: Bus, group: Group, lines: tuple[tuple[int, str, str], ...]) -> None:
    for after_s, name, text in lines:
        group.now += timedelta(seconds=after_s)
        message = group.make(name, text)
        group.messages.append(message)
        await bus.publish(message)


async def test_a_conversation_goes_through_although_the_process_is_killed(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    group, tickets = Group(), Tickets()
    async with start(tmp_path, bus.bot, nats_server.url) as (process, _):
        await say(bus, group, STORY[:2])
        await until_settled(bus, 2)
        process.kill()
        await process.wait()
    async with start(tmp_path, bus.bot, nats_server.url):
        await say(bus, group, STORY[2:])
        kinds = await until_settled(bus, 4)
    task = asyncio.create_task(bus.consume(Stage.TICKET, tickets.take, lanes=LANES))
    await asyncio.wait_for(tickets.complete.wait(), 20)
    task.cancel()
    await asyncio.wait({task})
    photo, report, thanks, answer = (one.message_ref for one in group.messages)
    assert kinds == {photo: Kind.EVIDENCE, report: Kind.INCIDENT, thanks: Kind.CHATTER, answer: Kind.RESOLUTION}
    opened, resolved = tickets.events
    assert isinstance(opened, MessageClassified)
    assert isinstance(resolved, MessageClassified)
    assert (opened.message_ref, [one.message_ref for one in opened.joined]) == (report, [photo])
    assert resolved.decision.incident_id == opened.decision.incident_id


async def test_classify_reads_one_text_and_has_no_effect(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    async with start(tmp_path, bus.bot, nats_server.url) as (_, http):
        answer = (await http.post("/classify", json=BODY)).json()
        wrong = await http.post("/classify", json={"message": {"text": "hola"}})
        health = (await http.get("/health")).json()
    shown = {name: answer[name] for name in ("is_support_incident", "category", "urgency", "kind", "priority")}
    assert shown == {
        "is_support_incident": True,
        "category": "technical",
        "urgency": "high",
        "kind": "incident",
        "priority": "High",
    }
    assert (answer["tier"] in {"local", "keywords"}, answer["degraded"]) == (True, False)
    assert health["local_tier"].startswith(answer["tier"])
    assert (health["active_model"], health["warnings"]) == (health["local_tier"], [])
    assert answer["extracted_info"] == {"sites": ["305"], "numbers": []}
    assert (wrong.status_code, isinstance(wrong.json()["detail"], list)) == (422, True)
    assert (health["status"], health["service"], health["models_available"], health["redis_connected"]) == (
        "healthy",
        "classifier-service",
        [],
        True,
    )
    assert await read_trail(bus) == ()
