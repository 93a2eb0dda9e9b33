"""The endpoints that people have scripts for, on a running bot: methods, paths, field names and types."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.support import GROUP, Desk, Up, await_that, run_desk, up

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]

SERVICES = ("whatsapp", "classifier", "ticket")
QUICK_LOOKS = {"SUPPORTBOT_ZOHO_LOOKUP_DELAYS_S": "0.5,1,2"}
"""A write whose connection broke is in doubt; the emulator's lists show after seconds that it was not made."""


@dataclass(frozen=True)
class Bot:
    """A bot that runs, with a client for each service."""

    desk: Desk
    up: Up
    whatsapp: httpx.Client
    classifier: httpx.Client
    ticket: httpx.Client

    def client(self, service: str) -> httpx.Client:
        found: httpx.Client = getattr(self, service)
        return found


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    with run_desk() as desk, up(tmp_path_factory.mktemp("bot"), desk, env=QUICK_LOOKS) as running:
        urls = running.addresses
        with (
            httpx.Client(base_url=urls["whatsapp"], timeout=30) as whatsapp,
            httpx.Client(base_url=urls["classifier"], timeout=30) as classifier,
            httpx.Client(base_url=urls["ticket"], timeout=30) as ticket,
        ):
            for client in (whatsapp, ticket):
                await_that(lambda client=client: client.get("/health").json()["status"] == "healthy")  # type: ignore[misc]
            yield Bot(desk, running, whatsapp, classifier, ticket)


@pytest.fixture
def zoho_away(bot: Bot) -> Iterator[None]:
    bot.desk.go_away()
    yield
    bot.desk.come_back()
    await_that(lambda: bot.ticket.get("/departments").status_code == 200, 90)


def is_time(value: object) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value) is not None


def make_request(**more: Any) -> dict[str, Any]:
    return {
        "subject": "La 909 no puede facturar",
        "description": "marca error",
        "classification": "technical",
        "contact_id": more.pop("contact_id"),
        "department_id": "987654321",
        **more,
    }


@pytest.fixture
def contact_id(bot: Bot) -> str:
    return str(bot.ticket.post("/contacts", params={"email": "ana@example.com"}).json()["contact_id"])


# All services


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_answer(bot: Bot, service: str, path: str) -> None:
    assert bot.client(service).get(path).status_code == 200


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_are_prometheus_text(bot: Bot, service: str) -> None:
    answer = bot.client(service).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "\n# TYPE supportbot_" in answer.text


PATHS = {
    "whatsapp": {"/health", "/api/status", "/api/send-message"},
    "classifier": {"/health", "/classify"},
    "ticket": {
        "/health",
        "/tickets",
        "/tickets/{ticket_id}/status",
        "/departments",
        "/contacts",
        "/queue/process",
        "/auth/url",
        "/auth/callback",
    },
}


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_describes_every_endpoint(bot: Bot, service: str) -> None:
    assert bot.client(service).get("/openapi.json").json()["paths"].keys() >= PATHS[service]


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_path_is_told_in_detail(bot: Bot, service: str) -> None:
    answer = bot.client(service).get("/nothing")
    assert (answer.status_code, type(answer.json()["detail"])) == (404, str)


# whatsapp


def test_whatsapp_health(bot: Bot) -> None:
    answer = bot.whatsapp.get("/health").json()
    assert (answer["status"], answer["service"]) == ("healthy", "whatsapp-service")
    assert is_time(answer["timestamp"])


def test_whatsapp_status(bot: Bot) -> None:
    answer = bot.whatsapp.get("/api/status").json()
    assert (answer["connected"], answer["service"]) == (True, "whatsapp-service")
    assert is_time(answer["timestamp"])
    assert answer.keys() >= {"state", "pairing", "groups"}
    assert [group["jid"] for group in answer["groups"]] == [GROUP]


def test_send_message(bot: Bot) -> None:
    body = {"jid": GROUP, "text": "hola @529985550001", "mentions": ["529985550001@s.whatsapp.net"]}
    answers = [bot.whatsapp.post("/api/send-message", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (answer.json() for answer in answers)
    assert (first["success"], first["message"]) == (True, "Message sent successfully")
    assert first["id"] == second["id"]
    assert [entry["id"] for entry in bot.up.answers if entry["text"] == body["text"]] == [first["id"]]


@pytest.mark.parametrize("body", [{}, {"jid": GROUP}, {"text": "hola"}, {"jid": GROUP, "text": ""}])
def test_send_message_without_its_fields(bot: Bot, body: dict[str, str]) -> None:
    answer = bot.whatsapp.post("/api/send-message", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "Missing required fields: jid and text"})


def test_send_message_to_another_group(bot: Bot) -> None:
    answer = bot.whatsapp.post("/api/send-message", json={"jid": "120363000000000009@g.us", "text": "hola"})
    assert (answer.status_code, type(answer.json()["detail"])) == (403, str)


def test_send_message_that_is_too_long(bot: Bot) -> None:
    answer = bot.whatsapp.post("/api/send-message", json={"jid": GROUP, "text": "x" * 4097})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "text"]


def test_send_message_without_a_link(bot: Bot) -> None:
    bot.up.post("faults", disconnected=True)
    try:
        answer = bot.whatsapp.post("/api/send-message", json={"jid": GROUP, "text": "hola"})
        health = bot.whatsapp.get("/health")
        connected = bot.whatsapp.get("/api/status").json()["connected"]
    finally:
        bot.up.post("faults")
    assert answer.status_code == 500
    assert answer.json()["error"] == "Failed to send message"
    assert isinstance(answer.json()["details"], str)
    assert (health.status_code, health.json()["status"], connected) == (200, "degraded", False)


# classifier


def test_classifier_health(bot: Bot) -> None:
    answer = bot.classifier.get("/health").json()
    assert (answer["status"], answer["service"]) == ("healthy", "classifier-service")
    assert is_time(answer["timestamp"])
    assert answer["models_available"] == []
    assert answer["redis_connected"] is True


TYPES: dict[str, type | tuple[type, ...]] = {
    "is_support_incident": bool,
    "confidence": float,
    "category": str,
    "urgency": str,
    "summary": str,
    "requires_followup": bool,
    "suggested_response": str,
    "extracted_info": dict,
    "trigger_words": list,
    "processing_time": float,
    "kind": str,
    "priority": str,
    "tier": str,
    "degraded": bool,
    "reasons": list,
}


@pytest.mark.parametrize(
    ("text", "incident"), [("la tienda 909 no puede facturar, su apoyo", True), ("muchas gracias 👍", False)]
)
def test_classify(bot: Bot, text: str, incident: bool) -> None:
    tickets = len(bot.desk.tickets)
    message = {"id": "M1", "text": text, "from_user": "529985550001", "timestamp": "2026-03-02T15:00:00Z"}
    answer = bot.classifier.post("/classify", json={"message": message})
    assert answer.status_code == 200
    body = answer.json()
    assert {name: type(body[name]) for name in TYPES} == TYPES
    assert body["is_support_incident"] is incident
    assert (body["category"] == "not_support") is not incident
    assert body["urgency"] in {"critical", "high", "medium", "low"}
    assert len(bot.desk.tickets) == tickets


def test_classify_without_a_message(bot: Bot) -> None:
    answer = bot.classifier.post("/classify", json={"message": {"id": "M1"}})
    assert answer.status_code == 422
    assert {tuple(fault["loc"]) for fault in answer.json()["detail"]} >= {("body", "message", "text")}


# ticket


def test_ticket_health(bot: Bot) -> None:
    answer = bot.ticket.get("/health").json()
    assert (answer["status"], answer["service"]) == ("healthy", "ticket-service")
    assert is_time(answer["timestamp"])
    assert (answer["zoho_connected"], answer["redis_connected"], answer["queue_length"]) == (True, True, 0)


def test_departments(bot: Bot) -> None:
    departments = bot.ticket.get("/departments").json()["departments"]
    assert {"id": "987654321", "name": "Soporte"}.items() <= departments[0].items()
    assert "email" in departments[0]


def test_contacts_are_reused(bot: Bot) -> None:
    by_query = bot.ticket.post("/contacts", params={"email": "Luis@example.com", "name": "Luis Peña"}).json()
    by_body = bot.ticket.post("/contacts", json={"email": "luis@example.com"}).json()
    assert isinstance(by_query["contact_id"], str)
    assert by_body == by_query
    (contact,) = (one for one in bot.desk.state["contacts"] if (one["email"] or "").lower() == "luis@example.com")
    assert (contact["firstName"], contact["lastName"]) == ("Luis", "Peña")


def test_contacts_without_an_email(bot: Bot) -> None:
    answer = bot.ticket.post("/contacts")
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], list)


def test_create_a_ticket_once_and_read_its_status(bot: Bot, contact_id: str) -> None:
    body = make_request(contact_id=contact_id, priority="urgent", whatsapp_message_id="3EB0-1", location="909")
    first, second = (bot.ticket.post("/tickets", json=body).json() for _ in range(2))
    assert (first["status"], type(first["message"])) == ("created", str)
    assert is_time(first["created_at"])
    assert first["ticket_id"] == second["ticket_id"]
    assert [one["id"] for one in bot.desk.tickets if one["subject"].startswith(body["subject"])] == [first["ticket_id"]]
    status = bot.ticket.get(f"/tickets/{first['ticket_id']}/status").json()
    assert (status["ticket_id"], status["status"]) == (first["ticket_id"], "Open")
    assert status.keys() >= {"last_updated", "details"}


def test_create_a_ticket_without_its_fields(bot: Bot) -> None:
    answer = bot.ticket.post("/tickets", json={"subject": "x"})
    assert answer.status_code == 422
    missing = {fault["loc"][-1] for fault in answer.json()["detail"]}
    assert missing == {"description", "classification", "contact_id", "department_id"}


def test_a_ticket_waits_while_zoho_is_away(bot: Bot, contact_id: str, zoho_away: None) -> None:
    answer = bot.ticket.post("/tickets", json=make_request(contact_id=contact_id, whatsapp_message_id="3EB0-2"))
    assert answer.status_code == 200
    queued = answer.json()
    assert (queued["status"], queued["created_at"]) == ("queued", None)
    assert len(queued["ticket_id"]) == len("queue_") + 8
    assert bot.ticket.get(f"/tickets/{queued['ticket_id']}/status").json()["status"] in {"queued", "retrying"}
    assert bot.ticket.get("/health").json()["queue_length"] == 1
    bot.desk.come_back()

    def completed() -> Any:
        assert isinstance(bot.ticket.post("/queue/process").json()["processed"], int)
        status = bot.ticket.get(f"/tickets/{queued['ticket_id']}/status").json()
        return status if status["status"] == "completed" else None

    status = await_that(completed, 90)
    assert status["details"]["ticket_id"] in {ticket["id"] for ticket in bot.desk.tickets}
    assert is_time(status["last_updated"])


def test_the_status_of_what_does_not_exist(bot: Bot) -> None:
    assert bot.ticket.get("/tickets/queue_00000000/status").json()["status"] == "not_found"
    answer = bot.ticket.get("/tickets/417000000000000001/status")
    assert (answer.status_code, type(answer.json()["detail"])) == (404, str)


def test_authorisation(bot: Bot) -> None:
    address = bot.ticket.get("/auth/url").json()["auth_url"]
    assert httpx.URL(address).params["response_type"] == "code"
    answer = bot.ticket.get("/auth/callback", params={"code": "1000.x", "state": "forged"})
    assert (answer.status_code, type(answer.json()["detail"])) == (400, str)


# Keys


def test_with_keys_everything_but_probes_needs_one(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ops {sha256(b'a-long-invented-key').hexdigest()}\n")
    with run_desk() as desk, up(tmp_path, desk, env={"SUPPORTBOT_API_KEYS_FILE": str(keys)}) as running:
        urls = running.addresses
        guarded = {
            "whatsapp": ("/api/status", "/simulator/messages", "/openapi.json", "/nothing"),
            "classifier": ("/classify", "/openapi.json"),
            "ticket": ("/departments", "/auth/url", "/tickets/1/status"),
        }
        for service, paths in guarded.items():
            for path in paths:
                answer = httpx.get(urls[service] + path)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
            for path in ("/livez", "/readyz", "/metrics"):
                assert httpx.get(urls[service] + path).status_code == 200, path
        headers = {"Authorization": "Bearer a-long-invented-key"}
        assert httpx.get(urls["ticket"] + "/departments", headers=headers).status_code == 200
        assert running.interrupt() == 0
