"""Servers that speak OpenAI's Chat Completions: Ollama, vLLM, llama.cpp, LiteLLM, and ones that know almost nothing."""

import asyncio
import json

import pytest
from tests.contract.models.support import REQUEST, Build, Vendor, ask, fail, raw_server, read_request
from tests.contract.models.test_answers import openai_choice
from tests.contract.models.test_calls import OPINION

from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.emulators.models.app import KEYS
from supportbot.emulators.models.self_hosted import DIALECTS
from supportbot.emulators.models.server import EmulatedModels


def at(dialect: str) -> Vendor:
    """The first model of a dialect."""
    return Vendor("OpenAICompatible", DIALECTS[dialect].models[0], "self-hosted")


FIRST_CALLS = {
    "ollama": 1,
    "vllm": 1,
    "llama-cpp": 2,  # Without the word strict.
    "old-vllm": 2,  # With any JSON object instead of the schema.
    "plain": 3,  # Without any form of the answer; it is in the prompt.
    "litellm": 3,  # Without the temperature, with the new name of the limit.
}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_dialect_answers_and_is_learned_once(dialect: str, models: EmulatedModels, build: Build) -> None:
    key = KEYS["self-hosted"] if DIALECTS[dialect].needs_key else ""
    provider = build(at(dialect), models.base_url(dialect), key=key, apiKeySecretRef=None)
    for _ in range(2):
        reply = await ask(provider)
        assert (reply.opinion.kind, reply.opinion.entities.site) == ("incident", "909")
        assert reply.usage.input_tokens > 0
    assert (provider.name, len(models.journal)) == ("openai", FIRST_CALLS[dialect] + 1)


@pytest.mark.parametrize("model", DIALECTS["ollama"].models)
@pytest.mark.parametrize("ending", ["/ollama/v1", "/ollama/v1/"])
async def test_ollama_answers_with_its_thoughts(model: str, ending: str, models: EmulatedModels, build: Build) -> None:
    vendor = Vendor("OpenAICompatible", model, "self-hosted")
    assert (await ask(build(vendor, models.url + ending, key=""))).opinion.kind == "incident"


async def test_the_schema_stands_in_the_prompt_too(models: EmulatedModels, build: Build) -> None:
    """Many servers ignore a form of the answer that they do not know."""
    await ask(build(at("ollama"), models.base_url("ollama"), key=""))
    body = models.journal[0]["body"]
    assert body["messages"][0]["content"].endswith(json.dumps(REQUEST.schema, ensure_ascii=False))
    assert "Answer with one JSON object" in body["messages"][0]["content"]
    assert (body["max_tokens"], body["temperature"]) == (512, 0.1)
    assert not {"store", "prompt_cache_key", "reasoning_effort", "max_completion_tokens"} & body.keys()


async def test_without_a_key_none_of_the_machines_is_sent(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-machine")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-of-the-machine")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-machine")
    seen: list[dict[str, str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, headers, _ = await read_request(reader)
        seen.append(headers)
        body = json.dumps(openai_choice(content=OPINION.model_dump_json())).encode()
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    async with raw_server(answer) as url:
        await ask(build(at("ollama"), url, key=""))
    assert seen[0]["authorization"] == "Bearer none"
    assert "of-the-machine" not in str(seen)


async def test_a_model_that_was_not_pulled(models: EmulatedModels, build: Build) -> None:
    error = await fail(build(at("ollama"), models.base_url("ollama"), key="", model="llama9"))
    assert (error.outcome, error.status) == (OutcomeKind.MISCONFIGURED, 404)


async def test_a_gateway_whose_key_is_missing(models: EmulatedModels, build: Build) -> None:
    error = await fail(build(at("litellm"), models.base_url("litellm"), key=""))
    assert (error.outcome, error.status) == (OutcomeKind.MISCONFIGURED, 401)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("hang", OutcomeKind.RETRYABLE),
        ("html", OutcomeKind.BAD_OUTPUT),
        ("not_json", OutcomeKind.BAD_OUTPUT),
        ("truncated", OutcomeKind.TRUNCATED),
        ("drop_after", OutcomeKind.RETRYABLE),
    ],
)
async def test_their_failures_mean_the_same(
    kind: str, expected: OutcomeKind, models: EmulatedModels, build: Build
) -> None:
    models.queue(kind, vendor="self-hosted")
    assert (await fail(build(at("vllm"), models.base_url("vllm"), key=""), 0.5)).outcome is expected


async def test_an_error_in_plain_text_is_understood(build: Build) -> None:
    """Servers written in Rust answer so."""
    bodies: list[dict[str, object]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            bodies.append(json.loads((await read_request(reader))[2]))
            if "temperature" in bodies[-1]:
                status, body = "422 Unprocessable Entity", b"Failed to deserialize: unknown field `temperature`"
            else:
                status, body = "200 OK", json.dumps(openai_choice(content=OPINION.model_dump_json())).encode()
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    async with raw_server(answer) as url:
        assert (await ask(build(at("plain"), url, key=""))).opinion == OPINION
    assert ["temperature" in body for body in bodies] == [True, False]
