"""The emulated vendors over HTTP: strict where the real ones are, scriptable, and telling what they received."""

import copy
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.contract.models.support import VENDORS, Build, Vendor

from supportbot.classifier.keywords import Category
from supportbot.classifier.models.guards import check
from supportbot.classifier.models.prompt import make_request
from supportbot.classifier.models.request import make_schema
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Priority
from supportbot.emulators.models.app import KEYS
from supportbot.emulators.models.server import EmulatedModels

SCHEMA = make_schema(["technical", "billing"])
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
POLICY = Policy((Category("technical", (), Priority.MEDIUM, "Things that do not work."),))
PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3.5-flash-lite:generateContent",
}
HEADERS = {
    "openai": {"authorization": f"Bearer {KEYS['openai']}"},
    "anthropic": {"x-api-key": KEYS["anthropic"], "anthropic-version": "2026-10-21"},
    "gemini": {"x-goog-api-key": KEYS["gemini"]},
}
BODIES: dict[str, dict[str, Any]] = {
    "openai": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}]},
    "anthropic": {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "gemini": {"contents": [{"parts": [{"text": "hi"}]}]},
}


@pytest.fixture
def http(models: EmulatedModels) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=models.url, timeout=10) as client:
        yield client


def call(
    http: httpx.Client, vendor: str, changes: dict[str, Any] | None = None, **headers: str | None
) -> httpx.Response:
    """A good call with changes; None takes a field or header away."""
    body = copy.deepcopy(BODIES[vendor]) | (changes or {})
    sent = HEADERS[vendor] | {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(
        PATHS[vendor],
        json={name: value for name, value in body.items() if value is not None},
        headers={name: value for name, value in sent.items() if value is not None},
    )


def message_of(response: httpx.Response) -> str:
    return str(response.json()["error"]["message"])


@pytest.mark.parametrize("vendor", PATHS)
def test_a_good_call_is_answered_and_marked_as_emulated(vendor: str, http: httpx.Client) -> None:
    response = call(http, vendor)
    assert (response.status_code, response.headers["x-emulated"]) == (200, "supportbot.emulators.models")
    assert "emulated" in response.text


OPENAI_REFUSALS: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"model": "gpt-3"}, 404, "does not exist"),
    ({"model": None}, 400, "model"),
    ({"messages": []}, 400, "messages"),
    ({"messages": [{"role": "bot", "content": "hi"}]}, 400, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 7}]}, 400, "messages[0].content"),
    ({"temperature": 0}, 400, "Unsupported value: 'temperature'"),
    ({"model": "gpt-4o-mini", "temperature": 2.5}, 400, "from 0 to 2"),
    ({"model": "gpt-4o-mini", "reasoning_effort": "none"}, 400, "reasoning_effort"),
    ({"reasoning_effort": "minimal"}, 400, "'minimal'"),
    ({"max_tokens": 5}, 400, "Use 'max_completion_tokens'"),
    ({"max_completion_tokens": 0}, 400, "max_completion_tokens"),
    ({"max_completion_tokens": True}, 400, "max_completion_tokens"),
    ({"store": "no"}, 400, "'store'"),
    ({"thinking": {"type": "disabled"}}, 400, "Unknown parameter: 'thinking'"),
    ({"response_format": {"type": "json_object"}}, 400, "the word 'json'"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": CLOSED}}}, 400, "name"),
    ({"response_format": {"type": "xml"}}, 400, "response_format"),
)


@pytest.mark.parametrize(("changes", "status", "told"), OPENAI_REFUSALS, ids=str)
def test_openai_refuses(changes: dict[str, Any], status: int, told: str, http: httpx.Client) -> None:
    response = call(http, "openai", changes)
    assert response.status_code == status
    assert told in message_of(response)
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}


OPEN_SCHEMAS: tuple[tuple[dict[str, Any], str], ...] = (
    (CLOSED | {"additionalProperties": True}, "'additionalProperties' is required"),
    (CLOSED | {"required": []}, "Missing 'a'"),
    (CLOSED | {"properties": {"a": {"type": "string", "default": ""}}}, "'default' is not permitted"),
    (CLOSED | {"properties": {"a": {"anyOf": [{"type": "object"}]}}}, "'additionalProperties' is required"),
    ({"type": "array"}, 'of type "object"'),
)


@pytest.mark.parametrize(("schema", "told"), OPEN_SCHEMAS, ids=lambda value: str(value)[:40])
def test_openai_takes_only_closed_schemas_as_strict(schema: dict[str, Any], told: str, http: httpx.Client) -> None:
    wished = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    response = call(http, "openai", {"response_format": wished})
    assert (response.status_code, told in message_of(response)) == (400, True)


ANTHROPIC_REFUSALS: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"model": "claude-3-haiku"}, 404, "model: claude-3-haiku"),
    ({"max_tokens": None}, 400, "max_tokens: Field required"),
    ({"max_tokens": "9"}, 400, "max_tokens"),
    ({"temperature": 1.0}, 400, "temperature"),
    ({"top_p": 1.0}, 400, "top_p"),
    ({"store": False}, 400, "store: Extra inputs"),
    ({"output_format": {}}, 400, "output_format: Extra inputs"),
    ({"messages": [{"role": "system", "content": "x"}]}, 400, "messages.0"),
    ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]}, 400, "last message"),
    ({"system": [{"type": "image"}]}, 400, "system.0"),
    ({"thinking": {"type": "off"}}, 400, "thinking"),
    ({"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, 400, "at most high"),
    ({"model": "claude-haiku-4-5", "output_config": {"effort": "low"}}, 400, "effort"),
    ({"output_config": {"effort": "none"}}, 400, "effort"),
    ({"output_config": {"format": {"type": "json_schema", "schema": CLOSED, "strict": True}}}, 400, "format"),
)


@pytest.mark.parametrize(("changes", "status", "told"), ANTHROPIC_REFUSALS, ids=str)
def test_anthropic_refuses(changes: dict[str, Any], status: int, told: str, http: httpx.Client) -> None:
    response = call(http, "anthropic", changes)
    assert response.status_code == status
    assert told in message_of(response)
    assert response.json()["type"] == "error"


@pytest.mark.parametrize(
    ("field", "told"),
    [({"type": "number", "maximum": 1}, "'maximum' is not supported"), ({"type": "object"}, "explicitly set to false")],
)
def test_anthropic_takes_no_limits_and_no_open_objects(field: dict[str, Any], told: str, http: httpx.Client) -> None:
    schema = CLOSED | {"properties": {"a": field}}
    response = call(http, "anthropic", {"output_config": {"format": {"type": "json_schema", "schema": schema}}})
    assert (response.status_code, told in message_of(response)) == (400, True)


def test_the_old_version_of_anthropic_takes_a_temperature(http: httpx.Client) -> None:
    response = call(http, "anthropic", {"temperature": 0.5}, anthropic_version="2023-06-01")
    assert response.status_code == 200


GEMINI_REFUSALS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"contents": []}, "contents is not specified"),
    ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "contents"),
    ({"messages": []}, 'Unknown name "messages"'),
    ({"generationConfig": {"max_tokens": 5}}, 'Unknown name "maxTokens"'),
    ({"generationConfig": {"responseJsonSchema": CLOSED}}, "requires response_mime_type"),
    ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "NONE"}}}, "Thinking level NONE is not supported"),
    ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, "Thinking budget is not supported"),
    ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "x": 1}}}, "thinking_config"),
)


@pytest.mark.parametrize(("changes", "told"), GEMINI_REFUSALS, ids=str)
def test_gemini_refuses(changes: dict[str, Any], told: str, http: httpx.Client) -> None:
    response = call(http, "gemini", changes)
    assert (response.status_code, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert told in message_of(response)


def test_gemini_knows_its_models_by_the_path(http: httpx.Client) -> None:
    response = http.post("/v1/models/gemini-pro:generateContent", json=BODIES["gemini"], headers=HEADERS["gemini"])
    assert response.status_code == 404
    assert "models/gemini-pro is not found for API version v1," in message_of(response)


@pytest.mark.parametrize(
    ("vendor", "headers", "status"),
    [
        ("openai", {"authorization": None}, 401),
        ("openai", {"authorization": "Bearer other"}, 401),
        ("anthropic", {"x_api_key": None}, 401),
        ("anthropic", {"x_api_key": "other"}, 401),
        ("anthropic", {"x_api_key": None, "authorization": f"Bearer {KEYS['anthropic']}"}, 200),
        ("anthropic", {"anthropic_version": None}, 400),
        ("anthropic", {"anthropic_version": "2020-01-01"}, 400),
        ("gemini", {"x_goog_api_key": None}, 403),
        ("gemini", {"x_goog_api_key": "other"}, 400),
    ],
)
def test_keys_and_versions(vendor: str, headers: dict[str, str | None], status: int, http: httpx.Client) -> None:
    assert call(http, vendor, None, **headers).status_code == status


def test_each_vendor_lists_its_models_under_the_shared_path(http: httpx.Client) -> None:
    openai = http.get("/v1/models", headers=HEADERS["openai"]).json()["data"]
    anthropic = http.get("/v1/models", headers=HEADERS["anthropic"]).json()["data"]
    gemini = http.get("/v1/models", headers=HEADERS["gemini"]).json()["models"]
    ollama = http.get("/ollama/v1/models").json()["data"]
    names = [openai[0]["id"], anthropic[0]["id"], gemini[0]["name"], ollama[0]["id"]]
    assert names == ["gpt-4o-mini", "claude-haiku-4-5", "models/gemini-2.5-flash", "llama3.2"]
    assert http.get("/v1/models").status_code == 401
    assert http.get("/v2/models").status_code == 404


def test_outcomes_are_taken_in_order_by_those_who_are_meant(http: httpx.Client) -> None:
    outcomes = [
        {"kind": "status", "status": 529, "vendor": "anthropic", "times": 2},
        {"kind": "status", "status": 503, "model": "gpt-6-luna", "times": None},
        {"kind": "status", "status": 500, "vendor": "gemini"},
    ]
    queued = http.post("/_control/outcomes", json=outcomes).json()
    assert [one["left"] for one in queued] == [2, None, 1]
    statuses = {vendor: [call(http, vendor).status_code for _ in range(3)] for vendor in PATHS}
    assert statuses == {"openai": [503, 503, 503], "anthropic": [529, 529, 200], "gemini": [500, 200, 200]}
    assert len(http.get("/_control/outcomes").json()) == 1
    assert http.delete("/_control/outcomes").status_code == 204
    assert call(http, "openai").status_code == 200


def test_a_call_that_is_refused_anyway_uses_no_outcome_up(http: httpx.Client) -> None:
    http.post("/_control/outcomes", json={"kind": "status", "status": 503})
    assert call(http, "openai", {"temperature": 0}).status_code == 400
    assert call(http, "openai").status_code == 503


def test_the_journal_tells_what_came_but_no_key(models: EmulatedModels, http: httpx.Client) -> None:
    call(http, "openai")
    call(http, "anthropic", {"temperature": 1})
    first, second = http.get("/_control/journal").json()
    assert (first["vendor"], first["model"], first["status"], first["outcome"]) == ("openai", "gpt-6-luna", 200, "ok")
    assert (second["vendor"], second["model"], second["status"], second["outcome"]) == ("anthropic", None, 400, None)
    assert (first["body"], first["has_key"]) == (BODIES["openai"], True)
    assert not any(key in json.dumps([first, second]) for key in KEYS.values())
    http.delete("/_control/journal")
    assert models.journal == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "outcomes", {"kind": "nonsense"}, 422),
        ("POST", "outcomes", [], 200),
        ("POST", "outcomes", "x", 422),
        ("PATCH", "settings", {"latency_s": -1}, 422),
        ("PATCH", "settings", {"latency_s": 0.01}, 200),
        ("GET", "nonsense", None, 404),
    ],
)
def test_a_bad_control_call_says_so(method: str, path: str, body: Any, status: int, http: httpx.Client) -> None:
    assert http.request(method, f"/_control/{path}", json=body).status_code == status


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("buen día, la 909 no puede recepcionar, su apoyo", "incident"),
        ("Hi team, the card terminal at store 77 keeps rejecting every card", "incident"),
        ("gracias 👍", "chatter"),
        ("¿alguna novedad?", "chatter"),
    ],
)
async def test_supportbots_own_questions_get_answers_that_stand(
    vendor: Vendor, text: str, kind: str, models: EmulatedModels, build: Build
) -> None:
    """With the real prompt, and through the guards."""
    request = make_request(Turn(text), Verdict(), POLICY)
    opinion = check((await build(vendor).classify(request, 1e9)).opinion, request)
    assert opinion.kind == kind


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "supportbot.emulators.models", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_process_says_where_it_listens_and_ends_at_sigterm() -> None:
    with start("--key", "openai=mine") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx.Client(base_url=ready["OpenAI"], headers={"authorization": "Bearer mine"}) as client:
            answer = client.post("/chat/completions", json=BODIES["openai"])
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert ready["ready"] is True
    assert ready["Anthropic"] == ready["Gemini"] == ready["OpenAI"].removesuffix("/v1")
    assert answer.status_code == 200
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("arguments", [("--host", "0.0.0.0"), ("--key", "x"), ("--latency", "-1")])
def test_the_process_refuses_what_it_cannot_do(arguments: tuple[str, ...]) -> None:
    with start(*arguments) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith("the emulator of the models cannot start")
