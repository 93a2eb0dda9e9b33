"""The house rules of every service's HTTP side, on an application with a few routes of its own."""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import REGISTRY
from pydantic import BaseModel, Field

from supportbot.auth import APIKeys, parse_api_keys
from supportbot.errors import PermanentError, UnavailableError, UserError
from supportbot.health import Health, State
from supportbot.http import create_app, create_probe_app
from supportbot.settings import Settings

MakeSettings = Callable[..., Settings]
KEYS = parse_api_keys(
    f"shop {hashlib.sha256(b'open sesame').hexdigest()}\ngrafana {hashlib.sha256(b'only look').hexdigest()} read",
    where="keys",
)
AUTHORIZED = {"authorization": "Bearer open sesame"}
READER = {"authorization": "Bearer only look"}


class Note(BaseModel):
    text: Annotated[str, Field(max_length=20)]


FAULTS: dict[str, Exception] = {
    "temporary": UnavailableError("Zoho is away; try again", dependency="zoho", delay_s=7.4),
    "permanent": PermanentError("the department does not exist", reason="invalid_data"),
    "user": UserError("no such group"),
    "http": HTTPException(409, "already there"),
    "bug": ZeroDivisionError("canary +529981234567"),
}


def make_app(settings: Settings, *, keys: APIKeys = KEYS, health: Health | None = None, **options: Any) -> FastAPI:
    app = create_app("notes", settings, keys=keys, health=health or Health("ticket"), **options)

    @app.get("/health")
    async def get_health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/auth/callback")
    async def callback() -> dict[str, str]:
        return {"message": "done"}

    @app.post("/notes")
    async def post(note: Note) -> dict[str, int]:
        return {"length": len(note.text)}

    @app.get("/notes/{note_id}")
    async def get(note_id: str) -> dict[str, str]:
        return {"id": note_id}

    @app.get("/faults/{name}")
    async def fail(name: str) -> None:
        raise FAULTS[name]

    return app


@asynccontextmanager
async def client_of(app: FastAPI, *, base_url: str = "http://127.0.0.1:8003") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic b3Blbg=="}])
@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/notes", b'{"text": "hola"}'),
        ("POST", "/notes", b"{malformed"),
        ("POST", "/notes", b"x" * 100_000),
        ("GET", "/notes/1", None),
        ("DELETE", "/notes", None),
        ("GET", "/no/such/path", None),
        ("GET", "/openapi.json", None),
        ("GET", "/docs", None),
        ("GET", "/health/", None),
        ("GET", "//health", None),
        ("OPTIONS", "/notes", None),
    ],
)
async def test_whoever_is_unknown_learns_nothing(
    make_settings: MakeSettings, headers: dict[str, str], method: str, path: str, content: bytes | None
) -> None:
    async with client_of(make_app(make_settings())) as client:
        url = "http://127.0.0.1:8003" + path
        response = await client.request(method, url, content=content, headers=headers)

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert "API key" in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/notes", 422),
        ("GET", "/notes/1", 200),
        ("DELETE", "/notes", 405),
        ("GET", "/no/such/path", 404),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 404),
    ],
)
async def test_a_known_caller_gets_the_answer_of_the_route(
    make_settings: MakeSettings, method: str, path: str, status: int
) -> None:
    async with client_of(make_app(make_settings())) as client:
        response = await client.request(method, path, headers=AUTHORIZED)

    assert response.status_code == status


async def test_a_reading_key_may_not_write(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings())) as client:
        read = await client.get("/notes/1", headers=READER)
        written = await client.post("/notes", headers=READER, content=b"{malformed")

    assert (read.status_code, written.status_code) == (200, 403)
    assert written.json() == {"detail": "this API key may only read"}


async def test_a_reading_key_may_not_begin_a_change_by_reading(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings(), write_paths={"/notes/1"})) as client:
        answers = [await client.get(path, headers=READER) for path in ("/notes/1", "/notes/2")]
        allowed = await client.get("/notes/1", headers=AUTHORIZED)

    assert [*(answer.status_code for answer in answers), allowed.status_code] == [403, 200, 200]


@pytest.mark.parametrize("path", ["/livez", "/health", "/metrics", "/auth/callback"])
async def test_probes_metrics_and_what_guards_itself_are_open(make_settings: MakeSettings, path: str) -> None:
    async with client_of(make_app(make_settings(), open_paths=["/auth/callback"])) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8003"}, 200),
        ({"host": "[::1]:8003"}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": "127.0.0.1.example"}, 403),
        ({"host": "[oops"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_an_open_service_serves_no_foreign_web_page(
    make_settings: MakeSettings, headers: dict[str, str], status: int
) -> None:
    async with client_of(make_app(make_settings(), keys=APIKeys())) as client:
        response = await client.get("/notes/1", headers=headers)

    assert response.status_code == status


async def test_only_an_open_service_shows_its_documentation_page(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings(), keys=APIKeys())) as client:
        page = await client.get("/docs")

    assert page.status_code == 200
    assert "content-security-policy" not in page.headers, "the page loads its scripts from elsewhere"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 422), (64 * 1024 + 1, 413)])
async def test_a_body_has_a_limit(make_settings: MakeSettings, size: int, status: int, chunked: bool) -> None:
    body = b'{"text": "' + b"x" * (size - 12) + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    async with client_of(make_app(make_settings())) as client:
        response = await client.post(
            "/notes", headers=AUTHORIZED | {"content-type": "application/json"}, content=chunks() if chunked else body
        )

    assert response.status_code == status
    if status == 413:
        assert response.json() == {"detail": "the body may have at most 65536 bytes"}


async def test_single_paths_may_have_a_larger_body(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings(), body_limits={"/notes": 200_000})) as client:
        response = await client.post("/notes", headers=AUTHORIZED, json={"text": "x" * 100_000})

    assert response.status_code == 422


async def test_a_caller_has_a_rate(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings(requests_per_minute=3))) as client:
        answers = [await client.get("/notes/1", headers=AUTHORIZED) for _ in range(4)]
        other = await client.get("/notes/1", headers=READER)
        probe = await client.get("/livez")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].json() == {"detail": "too many requests: 3 are allowed in 60 s"}
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert (other.status_code, probe.status_code) == (200, 200)


async def test_single_paths_may_have_a_lower_rate(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings(), rates={"/notes": "1/minute"})) as client:
        posts = [await client.post("/notes", headers=AUTHORIZED, json={"text": "hola"}) for _ in range(2)]
        read = await client.get("/notes/1", headers=AUTHORIZED)

    assert [post.status_code for post in posts] == [200, 429]
    assert read.status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "detail"),
    [
        ("temporary", 503, "Zoho is away; try again"),
        ("permanent", 422, "the department does not exist"),
        ("user", 400, "no such group"),
        ("http", 409, "already there"),
        ("bug", 500, "internal error; the log has it under request id r-1"),
    ],
)
async def test_an_error_has_the_status_of_its_kind(
    make_settings: MakeSettings, caplog: pytest.LogCaptureFixture, fault: str, status: int, detail: str
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with client_of(make_app(make_settings())) as client:
        response = await client.get(f"/faults/{fault}", headers=AUTHORIZED | {"x-request-id": "r-1"})

    assert (response.status_code, response.json()) == (status, {"detail": detail})
    assert response.headers["x-request-id"] == "r-1"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers.get("retry-after") == ("7" if fault == "temporary" else None)


async def test_an_invalid_body_is_told_field_by_field_without_its_values(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings())) as client:
        response = await client.post("/notes", headers=AUTHORIZED, json={"text": "canary " * 9})

    assert response.status_code == 422
    assert response.json() == {
        "detail": [
            {
                "type": "string_too_long",
                "loc": ["body", "text"],
                "msg": "String should have at most 20 characters",
            }
        ]
    }


@pytest.mark.parametrize(("offered", "kept"), [("abc-1.2_3", True), ("x" * 65, False), ("a b", False), ("", False)])
async def test_a_harmless_request_id_is_echoed(make_settings: MakeSettings, offered: str, kept: bool) -> None:
    async with client_of(make_app(make_settings())) as client:
        response = await client.get("/livez", headers={"x-request-id": offered})

    assert (response.headers["x-request-id"] == offered) is kept
    assert response.headers["x-request-id"]


async def test_every_answer_forbids_what_browsers_guess(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings())) as client:
        response = await client.get("/notes/1")

    assert {
        name: response.headers[name] for name in ("x-content-type-options", "x-frame-options", "cache-control")
    } == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }


@pytest.mark.parametrize("make", [make_app, lambda _settings, health: create_probe_app(health)])
async def test_the_probes_follow_the_health(make_settings: MakeSettings, make: Callable[..., FastAPI]) -> None:
    health = Health("ticket")
    health.declare("bus", gates=True)
    health.set("process", State.OK)

    async with client_of(make(make_settings(), health=health)) as client:
        waiting = await client.get("/readyz")
        health.set("bus", State.OK)
        ready = await client.get("/readyz")
        health.set("process", State.DOWN)
        dead = await client.get("/livez")

    assert (waiting.status_code, waiting.json()) == (503, {"status": "waiting for bus"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert dead.status_code == 503


async def test_metrics_come_in_the_format_that_is_asked_for(make_settings: MakeSettings) -> None:
    async with client_of(create_probe_app(Health("ticket"))) as client:
        plain = await client.get("/metrics")
        rich = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert rich.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert rich.text.endswith("# EOF\n")
    assert "supportbot_http_server_request_duration_seconds" in plain.text


async def test_requests_are_measured_under_the_template_of_their_route(make_settings: MakeSettings) -> None:
    def measured(route: str, status_class: str) -> float:
        labels = {"method": "GET", "route": route, "status_class": status_class}
        return REGISTRY.get_sample_value("supportbot_http_server_request_duration_seconds_count", labels) or 0

    def refused(route: str) -> float:
        labels = {"route": route, "reason": "missing"}
        return REGISTRY.get_sample_value("supportbot_auth_failures_total", labels) or 0

    before = (measured("/notes/{note_id}", "2xx"), measured("unknown", "4xx"), refused("/notes/{note_id}"))
    async with client_of(make_app(make_settings())) as client:
        await client.get("/notes/1", headers=AUTHORIZED)
        await client.get("/notes/2")
        await client.get("/made/up", headers=AUTHORIZED)
    after = (measured("/notes/{note_id}", "2xx"), measured("unknown", "4xx"), refused("/notes/{note_id}"))

    assert [later - earlier for earlier, later in zip(before, after, strict=True)] == [1, 1, 1]


async def test_the_openapi_document_tells_the_key_and_the_common_refusals(make_settings: MakeSettings) -> None:
    async with client_of(make_app(make_settings())) as client:
        document = (await client.get("/openapi.json", headers=AUTHORIZED)).json()

    assert set(document["paths"]) == {"/health", "/auth/callback", "/notes", "/notes/{note_id}", "/faults/{name}"}
    operation = document["paths"]["/notes"]["post"]
    assert operation["security"] == [{"HTTPBearer": []}]
    assert set(operation["responses"]) == {"200", "401", "413", "422", "429"}
