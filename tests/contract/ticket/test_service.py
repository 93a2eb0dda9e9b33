"""The ticket service as a process: its stream, its HTTP endpoints, and what remains of it after kill -9."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from tests.conftest import LANES
from tests.contract.ticket.conftest import Emulator, Replica
from tests.unit.ticket.incidents import GROUP, make_classified, make_incident, make_message

from supportbot.bus import Bus, Context
from supportbot.cli.ports import free_port
from supportbot.contracts import Event, TicketDelayed, TicketOpened
from supportbot.nats_server import EmbeddedServer
from supportbot.topology import Stage

pytestmark = [pytest.mark.nats, pytest.mark.slow]

REQUEST = {
    "subject": "Impresora sin red",
    "description": "No imprime <desde> ayer",
    "classification": "technical",
    "contact_id": "1",
    "department_id": "987654321",
    "priority": "urgent",
    "whatsapp_message_id": "ABC123",
    "group_id": "g1",
}


@dataclass
class Machine:
    """A bot's files and servers; starts ticket services on them."""

    folder: Path
    bot: str
    nats_url: str
    zoho: str

    def write(self, **spec: Any) -> None:
        """Write spec, secrets and key."""
        secret = self.folder / "secrets" / "zoho"
        secret.mkdir(parents=True, exist_ok=True)
        for key, value in (("client-id", "client"), ("client-secret", "secret"), ("refresh-token", "refresh")):
            (secret / key).write_text(f"demo-{value}")
        (self.folder / "install.key").write_text("00" * 32)
        zoho = {"organizationID": "123456789", "departmentID": "987654321", "credentialsSecretRef": {"name": "zoho"}}
        whatsapp = {"gateway": "Simulator", "groups": [{"jid": "120363025246125486@g.us"}]}
        resource = {
            "apiVersion": "supportbot.dev/v1alpha1",
            "kind": "SupportBot",
            "metadata": {"name": self.bot},
            "spec": {"whatsapp": whatsapp, "zoho": zoho, **spec},
        }
        (self.folder / "spec.yaml").write_text(yaml.safe_dump(resource))

    def environment(self, port: int) -> dict[str, str]:
        """The settings of a service."""
        values = {
            "SPEC": str(self.folder / "spec.yaml"),
            "SECRETS": str(self.folder / "secrets"),
            "DATA": str(self.folder / "data"),
            "INSTALL_KEY_FILE": str(self.folder / "install.key"),
            "NATS_URL": self.nats_url,
            "LANES": str(LANES),
            "PORT": str(port),
            "METRICS_PORT": "0",
            "ZOHO_ACCOUNTS_URL": self.zoho,
            "ZOHO_DESK_URL": self.zoho,
            "ZOHO_LOOKUP_DELAYS_S": "0.1,0.2",
            "LOG_FORMAT": "json",
        }
        return {"PATH": os.environ["PATH"], **{f"SUPPORTBOT_{name}": value for name, value in values.items()}}

    @asynccontextmanager
    async def start(self) -> AsyncIterator["Running"]:
        """A service that is ready."""
        port = free_port()
        with (self.folder / "service.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "supportbot.ticket", env=self.environment(port), stdout=log, stderr=log
            )
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            try:
                await until_ready(http)
                yield Running(process, http)
            finally:
                if process.returncode is None:
                    process.terminate()
                await asyncio.wait_for(process.wait(), 20)


@dataclass
class Running:
    """A service process."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def get(self, path: str, **params: str) -> Any:
        """The JSON of a successful answer."""
        response = await self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Mapping[str, Any] | None = None, **params: str) -> Any:
        """The JSON of a successful answer."""
        response = await self.http.post(path, json=body, params=params)
        assert response.status_code == 200, response.text
        return response.json()


def read_private(path: Path) -> str:
    """The refresh token in a file that nobody else may read."""
    assert path.stat().st_mode & 0o777 == 0o600
    token: str = json.loads(path.read_text())["refresh_token"]
    return token


async def until_ready(http: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await http.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("the service is not ready")


class Replies:
    """What the gateway would get."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def take(self, event: Event, _: Context) -> None:
        self.events.append(event)

    async def until(self, kind: type[Event], count: int) -> list[Event]:
        """The first events of a kind, as soon as there are so many."""
        for _ in range(600):
            found = [event for event in self.events if isinstance(event, kind)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(self.events)} events, too few {kind.__name__}")


@pytest.fixture
async def replies(bus: Bus) -> AsyncIterator[Replies]:
    collected = Replies()
    task = asyncio.create_task(bus.consume(Stage.WHATSAPP, collected.take, lanes=LANES))
    yield collected
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def machine(tmp_path: Path, bus: Bus, nats_server: EmbeddedServer, emulator: Emulator) -> Machine:
    made = Machine(folder=tmp_path, bot=bus.bot, nats_url=nats_server.url, zoho=emulator.url)
    made.write()
    return made


def opening(number: int) -> Event:
    incident = make_incident(number, subject=f"falla {number}", sites=())
    return make_classified(make_message(number, f"falla {number}"), incident=incident, opens=True)


async def test_tickets_are_opened_once_though_the_service_is_killed(
    machine: Machine, bus: Bus, replies: Replies, emulator: Emulator
) -> None:
    """kill -9 while Zoho has made the third ticket and has not answered yet."""
    await emulator.fault(kind="delay", method="POST", path="/tickets$", skip=2, delay_s=30, applied=True)
    for number in range(1, 7):
        await bus.publish(opening(number))
    async with machine.start() as first:
        await emulator.until_made("tickets", 3)
        first.process.kill()
        await first.process.wait()
    async with machine.start():
        opened = await replies.until(TicketOpened, 6)
    subjects = [ticket["subject"].split(" [")[0] for ticket in (await emulator.state())["tickets"]]
    assert subjects == [f"falla {number}" for number in range(1, 7)]
    assert [event.subject for event in opened if isinstance(event, TicketOpened)] == subjects
    assert len((await emulator.state())["contacts"]) == 1


async def test_outage_is_told_and_made_up_for_in_order(
    machine: Machine, bus: Bus, replies: Replies, emulator: Emulator
) -> None:
    await emulator.fault(kind="down", path="^/api/")
    async with machine.start() as service:
        await bus.publish(opening(1))
        await bus.publish(opening(2))
        (delayed,) = await replies.until(TicketDelayed, 1)
        assert isinstance(delayed, TicketDelayed)
        health = await service.get("/health")
        assert (health["zoho_connected"], health["redis_connected"]) == (False, True)
        await emulator.clear_faults()
        opened = [event for event in await replies.until(TicketOpened, 2) if isinstance(event, TicketOpened)]
    assert [(event.subject, event.folio) for event in opened] == [("falla 1", delayed.folio), ("falla 2", None)]


async def test_shadow_calls_nobody(machine: Machine, bus: Bus, emulator: Emulator) -> None:
    machine.write(mode="Shadow")
    async with machine.start() as service:
        await bus.publish(opening(1))
        answer = await service.http.post("/tickets", json=REQUEST)
        assert answer.status_code == 503
        assert "Shadow mode" in answer.json()["detail"]
    assert await emulator.calls("POST", "") == 0


async def test_missing_secret_ends_the_start(machine: Machine) -> None:
    (machine.folder / "secrets" / "zoho" / "client-secret").unlink()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "supportbot.ticket", env=machine.environment(0), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"client-secret" in errors


async def test_endpoints(machine: Machine, emulator: Emulator) -> None:
    async with machine.start() as service:
        departments = (await service.get("/departments"))["departments"]
        assert {"id": "987654321", "name": "Soporte", "email": None} in departments

        contact = await service.post("/contacts", email="Ana@example.com")
        assert await service.post("/contacts", {"email": "ana@example.com", "name": "Ana Soto"}) == contact
        assert (await service.http.post("/contacts")).status_code == 422

        request = REQUEST | {"contact_id": contact["contact_id"]}
        made = await service.post("/tickets", request)
        assert (made["status"], set(made)) == ("created", {"ticket_id", "status", "message", "created_at"})
        assert (await service.post("/tickets", request))["ticket_id"] == made["ticket_id"]
        (ticket,) = (await emulator.state())["tickets"]
        assert (ticket["id"], ticket["priority"]) == (made["ticket_id"], "High")
        assert "No imprime &lt;desde&gt; ayer" in ticket["description"]

        status = await service.get(f"/tickets/{made['ticket_id']}/status")
        assert (status["ticket_id"], status["status"]) == (made["ticket_id"], "Open")
        assert (await service.http.get("/tickets/4170000000000000/status")).status_code == 404
        assert (await service.get("/tickets/queue_00000000/status"))["status"] == "not_found"
        assert (await service.http.post("/tickets", json={"subject": "x"})).status_code == 422
        refused = await service.http.post("/tickets", json=request | {"contact_id": "9", "whatsapp_message_id": "Z"})
        assert (refused.status_code, type(refused.json()["detail"])) == (422, str)


async def test_foreign_ticket_has_no_status(machine: Machine, replica: Replica) -> None:
    """A ticket that this installation has not made is not told about, though the token could read it."""
    async with machine.start() as service:
        contact = await service.post("/contacts", email="ana@example.com")
        body = {"subject": "hand-made", "departmentId": "987654321", "contactId": contact["contact_id"]}
        foreign = await replica.desk.create_ticket(body)
        for ticket_id in (foreign.id, "..%2Fcontacts", "1%3Fx=1"):
            assert (await service.http.get(f"/tickets/{ticket_id}/status")).status_code == 404


async def test_queue_of_requests(machine: Machine, emulator: Emulator) -> None:
    """Zoho is away: the request survives a kill, and becomes one ticket later."""
    async with machine.start() as service:
        contact = await service.post("/contacts", email="ana@example.com")
        request = REQUEST | {"contact_id": contact["contact_id"]}
        await emulator.fault(kind="down", path="^/api/")
        queued = await service.post("/tickets", request)
        assert queued["ticket_id"].startswith("queue_")
        assert len(queued["ticket_id"]) == len("queue_") + 8
        assert (queued["status"], queued["created_at"]) == ("queued", None)
        assert (await service.post("/tickets", request))["ticket_id"] == queued["ticket_id"]
        assert (await service.get("/health"))["queue_length"] == 1
        service.process.kill()
        await service.process.wait()
    await emulator.clear_faults()
    async with machine.start() as service:
        for _ in range(200):
            await service.post("/queue/process")
            status = await service.get(f"/tickets/{queued['ticket_id']}/status")
            if status["status"] == "completed":
                break
            await asyncio.sleep(0.1)
        assert (await service.post("/tickets", request))["ticket_id"] == status["details"]["ticket_id"]
    assert [ticket["id"] for ticket in (await emulator.state())["tickets"]] == [status["details"]["ticket_id"]]


async def test_an_idempotency_key_outlives_the_process(machine: Machine, emulator: Emulator) -> None:
    """Without a message's id, too: the client asks again because the answer was lost with the process."""
    headers = {"Idempotency-Key": "one"}
    answers = []
    for _ in range(2):
        async with machine.start() as service:
            contact = await service.post("/contacts", email="ana@example.com")
            request = REQUEST | {"contact_id": contact["contact_id"], "whatsapp_message_id": None}
            answers.append((await service.http.post("/tickets", json=request, headers=headers)).json())
    assert answers[0]["ticket_id"] == answers[1]["ticket_id"]
    assert len((await emulator.state())["tickets"]) == 1


async def test_authorisation_in_a_browser(machine: Machine, emulator: Emulator) -> None:
    async with machine.start() as service:
        address = (await service.get("/auth/url"))["auth_url"]
        async with httpx.AsyncClient() as browser:
            back = (await browser.get(address)).headers["location"]
        query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        assert query["accounts-server"] == emulator.url

        foreign = query | {"accounts-server": "https://evil.example"}
        assert (await service.http.get("/auth/callback", params=foreign)).status_code == 400
        answer = await service.get("/auth/callback", **query)
        token = read_private(Path(answer["stored_in"]))
        assert token not in json.dumps(answer)
        again = await service.http.get("/auth/callback", params=query)
        assert (again.status_code, "state" in again.json()["detail"]) == (400, True)
    log = (machine.folder / "service.log").read_text()
    assert token not in log
    assert query["code"] not in log


async def test_service_stops_cleanly(machine: Machine) -> None:
    async with machine.start() as service:
        service.process.terminate()
        assert await asyncio.wait_for(service.process.wait(), 10) == 0
    assert GROUP not in (machine.folder / "service.log").read_text()
