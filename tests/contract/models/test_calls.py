"""What the providers send, and what they make of a good answer."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import anthropic
import pytest
from tests.contract.models.support import REQUEST, VENDORS, Build, Vendor, ask

from supportbot.classifier.models.request import Opinion
from supportbot.emulators.models.server import EmulatedModels

OPENAI, ANTHROPIC, GEMINI = VENDORS
OPINION = Opinion.model_validate(
    {
        "evidence": "la 909 no puede recepcionar",
        "kind": "incident",
        "category": "billing",
        "language": "es",
        "priority": "high",
        "subject": "909 sin recepción",
        "summary": "La 909 no puede recepcionar.",
        "entities": {"site": "909", "device": None, "error_code": None, "system": None},
        "follow_up_of": None,
        "confidence": 0.9,
        "needs_review": False,
    }
)


def body_without_schema(models: EmulatedModels) -> dict[str, Any]:
    """What was sent, but for the texts and the schema."""
    body = dict(models.journal[-1]["body"])
    for name in ("messages", "contents", "systemInstruction", "system"):
        body.pop(name, None)
    return body


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
class TestEveryVendor:
    async def test_an_answer_becomes_an_opinion(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        models.queue(text=OPINION.model_dump_json())
        provider = build(vendor)
        reply = await ask(provider)
        assert (provider.name, provider.model) == (vendor.name, vendor.model)
        assert (reply.opinion, reply.model) == (OPINION, vendor.model)
        assert reply.usage.input_tokens > 20 < reply.usage.output_tokens
        assert reply.finish_reason in {"stop", "end_turn", "STOP"}

    async def test_each_text_stands_in_its_place(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        """The group's text only in the user's role, the instructions only in the system's."""
        await ask(build(vendor))
        body = models.journal[-1]["body"]
        match vendor.name:
            case "openai":
                texts = [(one["role"], one["content"]) for one in body["messages"]]
                assert texts == [("system", REQUEST.system), ("user", REQUEST.user)]
            case "anthropic":
                assert body["messages"] == [{"role": "user", "content": REQUEST.user}]
                assert [block["text"] for block in body["system"]] == [REQUEST.system]
            case "gemini":
                assert body["contents"] == [{"role": "user", "parts": [{"text": REQUEST.user}]}]
                assert [part["text"] for part in body["systemInstruction"]["parts"]] == [REQUEST.system]

    @pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
    async def test_the_address_may_end_as_people_write_it(
        self, vendor: Vendor, ending: str, models: EmulatedModels, build: Build
    ) -> None:
        await ask(build(vendor, models.url + ending))
        assert models.journal[-1]["status"] == 200

    async def test_a_path_before_the_api_is_kept(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        """A gateway's; here nobody is there."""
        with pytest.raises(Exception, match="HTTP 404"):
            await ask(build(vendor, f"{models.url}/team/ai"))

    async def test_closing_leaves_nothing_open(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        """Warnings about unclosed sockets are errors."""
        provider = build(vendor)
        await ask(provider)
        await provider.close()
        await provider.close()

    async def test_the_environment_changes_nothing(
        self, vendor: Vendor, models: EmulatedModels, build: Build, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys and addresses of a laptop's other tools must not be used."""
        for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "GOOGLE_API_KEY"):
            monkeypatch.setenv(name, "from-the-environment")
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT"):
            monkeypatch.setenv(name, "from-the-environment")
        for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
        monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v7")
        await ask(build(vendor))
        assert "from-the-environment" not in str(models.journal[-1]["headers"])


async def test_what_openai_is_sent(models: EmulatedModels, build: Build) -> None:
    await ask(build(OPENAI))
    body = body_without_schema(models)
    assert body.pop("prompt_cache_key")
    assert body == {
        "model": "gpt-6-luna",
        "max_completion_tokens": 512,
        "reasoning_effort": "none",
        "store": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "opinion", "schema": REQUEST.schema, "strict": True},
        },
    }


async def test_what_an_old_model_of_openai_is_sent(models: EmulatedModels, build: Build) -> None:
    await ask(build(OPENAI, model="gpt-4o-mini"))
    body = body_without_schema(models)
    assert (body["temperature"], body["max_completion_tokens"]) == (0.1, 512)
    assert "reasoning_effort" not in body


async def test_what_anthropic_is_sent(models: EmulatedModels, build: Build) -> None:
    await ask(build(ANTHROPIC))
    assert body_without_schema(models) == {
        "model": "claude-haiku-5-5",
        "max_tokens": 512,
        "thinking": {"type": "disabled"},
        "output_config": {
            "effort": "low",
            "format": {"type": "json_schema", "schema": anthropic.transform_schema(REQUEST.schema)},
        },
    }
    [block] = models.journal[-1]["body"]["system"]
    assert block["cache_control"] == {"type": "ephemeral"}
    assert models.journal[-1]["headers"]["anthropic-version"] == "2026-10-21"
    assert "traceparent" not in models.journal[-1]["headers"]


async def test_what_gemini_is_sent(models: EmulatedModels, build: Build) -> None:
    await ask(build(GEMINI, models.url))
    assert body_without_schema(models) == {
        "generationConfig": {
            "maxOutputTokens": 512,
            "responseMimeType": "application/json",
            "responseJsonSchema": REQUEST.schema,
            "thinkingConfig": {"thinking_level": "MINIMAL"},
        }
    }
    assert models.journal[-1]["path"] == "/v1beta/models/gemini-3.5-flash-lite:generateContent"
    # The SDK's own requests are told apart from aiohttp's by what they accept.
    assert models.journal[-1]["headers"]["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(("ending", "version"), [("/v1", "v1"), ("/v1beta/", "v1beta"), ("", "v1beta")])
async def test_geminis_version_may_stand_in_the_address(
    ending: str, version: str, models: EmulatedModels, build: Build
) -> None:
    await ask(build(GEMINI, models.url + ending))
    assert models.journal[-1]["path"].split("/")[1] == version


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5-nano", "gpt-5.6-luna", "gpt-6-luna"])
async def test_every_known_model_of_openai_is_sent_only_what_it_takes(
    model: str, models: EmulatedModels, build: Build
) -> None:
    await ask(build(OPENAI, model=model))
    assert [entry["status"] for entry in models.journal] == [200]


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-haiku-5-5", "claude-sonnet-5-5"])
async def test_every_known_model_of_anthropic_is_sent_only_what_it_takes(
    model: str, models: EmulatedModels, build: Build
) -> None:
    await ask(build(ANTHROPIC, model=model))
    assert [entry["status"] for entry in models.journal] == [200]


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro", "gemini-3.1-flash-lite"])
async def test_every_known_model_of_gemini_is_sent_only_what_it_takes(
    model: str, models: EmulatedModels, build: Build
) -> None:
    await ask(build(GEMINI, model=model))
    assert [entry["status"] for entry in models.journal] == [200]


@pytest.mark.parametrize(("vendor", "cached"), [(OPENAI, 1408), (ANTHROPIC, 1408), (GEMINI, 0)], ids=["o", "a", "g"])
async def test_the_same_beginning_is_counted_as_cached(
    vendor: Vendor, cached: int, models: EmulatedModels, build: Build
) -> None:
    request = replace(REQUEST, system="x" * 4 * 1500)
    provider = build(vendor)
    usages = [(await provider.classify(request, 1e9)).usage for _ in range(2)]
    assert [usage.cached_tokens for usage in usages] == [0, cached]
    # With the cached ones, whatever the vendor counts apart.
    assert usages[0].input_tokens == usages[1].input_tokens > 1500


SPANS = """
import asyncio, json, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
from supportbot.emulators.models.server import EmulatedModels
from tests.contract.models.support import VENDORS, ask, builder
async def main():
    with EmulatedModels() as models:
        for vendor in VENDORS:
            provider = builder(models, [])(vendor)
            with trace.get_tracer("test").start_as_current_span("own"):
                await ask(provider)
            await provider.close()
        traced = [entry["vendor"] for entry in models.journal if "traceparent" in entry["headers"]]
    print(json.dumps([[span.name for span in exporter.get_finished_spans()], traced]))
asyncio.run(main())
"""


def test_no_sdk_makes_spans_of_its_own() -> None:
    """The chain makes one for each attempt; a process of its own, because its tracer provider is set once."""
    command = [sys.executable, "-c", SPANS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [["own"] * 3, []]
