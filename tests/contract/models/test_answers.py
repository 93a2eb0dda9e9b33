"""Answers of odd shapes, byte for byte: the SDKs let them through, the providers must not stumble."""

import json
from typing import Any

import pytest
from tests.contract.models.support import VENDORS, Build, Vendor, answering, ask, fail, raw_server
from tests.contract.models.test_calls import OPINION

from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.classifier.models.request import Usage

OPENAI, ANTHROPIC, GEMINI = VENDORS
TEXT = OPINION.model_dump_json()
BAD, REFUSED, TRUNCATED = OutcomeKind.BAD_OUTPUT, OutcomeKind.REFUSED, OutcomeKind.TRUNCATED


def openai_choice(**message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant"} | message, "finish_reason": "stop"}]}


def gemini_candidate(reason: str | None = "STOP", *parts: dict[str, Any]) -> dict[str, Any]:
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return {"candidates": [content | ({"finishReason": reason} if reason else {})]}


def anthropic_message(stop_reason: str | None, *content: dict[str, Any]) -> dict[str, Any]:
    return {"content": list(content), "stop_reason": stop_reason, "usage": {"input_tokens": 5, "output_tokens": 7}}


ANSWERED = (
    # Self-hosted servers leave much out.
    (OPENAI, openai_choice(content=TEXT)),
    (OPENAI, openai_choice(content=TEXT, reasoning_content="hm", tool_calls=[], refusal=None) | {"usage": None}),
    (OPENAI, openai_choice(content=TEXT) | {"usage": {"prompt_tokens": 1, "completion_tokens": 2}, "model": None}),
    (OPENAI, {"choices": [{"message": {"content": f"```json\n{TEXT}\n```"}, "finish_reason": None}]}),
    (OPENAI, {"choices": [{"message": {"content": f"<think>{{no}}</think>\n{TEXT}"}, "finish_reason": "eos"}]}),
    (ANTHROPIC, anthropic_message("end_turn", {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": TEXT})),
    (ANTHROPIC, anthropic_message("end_turn", {"type": "news", "items": [1]}, {"type": "text", "text": TEXT})),
    (ANTHROPIC, anthropic_message(None, {"type": "text", "text": TEXT})),
    (GEMINI, gemini_candidate("STOP", {"text": "let me see", "thought": True}, {"text": TEXT})),
    (GEMINI, gemini_candidate("STOP", {"text": TEXT[:40]}, {"text": TEXT[40:]})),
    (GEMINI, gemini_candidate(None, {"text": TEXT}) | {"news": 1}),
)


@pytest.mark.parametrize(("vendor", "answer"), ANSWERED, ids=lambda value: getattr(value, "name", ""))
async def test_an_answer_is_found_in_what_is_around_it(vendor: Vendor, answer: dict[str, Any], build: Build) -> None:
    async with raw_server(answering(json.dumps(answer).encode())) as url:
        assert (await ask(build(vendor, url))).opinion == OPINION


FAILED: tuple[tuple[Vendor, OutcomeKind, dict[str, Any]], ...] = (
    (OPENAI, BAD, {}),
    (OPENAI, BAD, {"choices": []}),
    (OPENAI, BAD, {"choices": None}),
    (OPENAI, BAD, {"choices": "none"}),
    (OPENAI, BAD, {"choices": [{"message": "hello"}]}),
    (OPENAI, BAD, {"error": {"message": "upstream failed", "code": 502}}),
    (OPENAI, BAD, openai_choice(content=None)),
    (OPENAI, BAD, openai_choice(content=None, tool_calls=[{"id": "x"}])),
    (OPENAI, REFUSED, openai_choice(content=None, refusal="I'm sorry")),
    (OPENAI, REFUSED, {"choices": [{"message": {"content": TEXT}, "finish_reason": "content_filter"}]}),
    (OPENAI, TRUNCATED, {"choices": [{"message": {"content": TEXT}, "finish_reason": "length"}]}),
    (ANTHROPIC, BAD, {}),
    (ANTHROPIC, BAD, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (ANTHROPIC, BAD, anthropic_message("end_turn")),
    (ANTHROPIC, BAD, anthropic_message("tool_use", {"type": "tool_use", "id": "x", "name": "y", "input": {}})),
    (ANTHROPIC, BAD, anthropic_message("pause_turn", {"type": "text", "text": ""})),
    (ANTHROPIC, REFUSED, anthropic_message("refusal", {"type": "text", "text": TEXT})),
    (ANTHROPIC, TRUNCATED, anthropic_message("max_tokens", {"type": "text", "text": TEXT})),
    (ANTHROPIC, TRUNCATED, anthropic_message("model_context_window_exceeded")),
    (GEMINI, BAD, {}),
    (GEMINI, BAD, {"candidates": None}),
    (GEMINI, BAD, {"candidates": [{}]}),
    (GEMINI, BAD, {"candidates": [{"content": []}]}),
    (GEMINI, BAD, gemini_candidate("OTHER")),
    (GEMINI, BAD, gemini_candidate("MALFORMED_RESPONSE", {"text": TEXT[:9]})),
    (GEMINI, BAD, gemini_candidate("STOP", {"text": TEXT, "thought": True})),
    (GEMINI, REFUSED, {"promptFeedback": {"blockReason": "JAILBREAK"}}),
    (GEMINI, REFUSED, gemini_candidate("SPII", {"text": TEXT})),
    (GEMINI, REFUSED, gemini_candidate("RECITATION")),
    (GEMINI, TRUNCATED, gemini_candidate("MAX_TOKENS", {"text": TEXT})),
    (GEMINI, TRUNCATED, gemini_candidate("CONTINUATION", {"text": TEXT}) | {"continuationToken": "eA=="}),
)


@pytest.mark.parametrize(("vendor", "expected", "answer"), FAILED, ids=lambda value: getattr(value, "name", str(value)))
async def test_the_reason_to_stop_counts_before_the_text(
    vendor: Vendor, expected: OutcomeKind, answer: dict[str, Any], build: Build
) -> None:
    async with raw_server(answering(json.dumps(answer).encode())) as url:
        assert (await fail(build(vendor, url))).outcome is expected


NO_OBJECTS = (b"[]", b'"text"', b"null", b"17", b"\xff\xfe{", b"[" * 100_000, b"data: {}\n\n")


@pytest.mark.parametrize("body", NO_OBJECTS, ids=lambda body: repr(body[:8]))
@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error", "400 Bad Request"])
@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
async def test_a_body_that_is_no_object(vendor: Vendor, status: str, body: bytes, build: Build) -> None:
    expected = {"2": BAD, "4": OutcomeKind.REJECTED, "5": OutcomeKind.RETRYABLE}[status[0]]
    async with raw_server(answering(body, status=status)) as url:
        assert (await fail(build(vendor, url))).outcome is expected


ODD_ERRORS: tuple[Any, ...] = (
    {"error": "no"},
    {"error": None},
    {"error": {"code": 7, "type": [], "message": {}}},
    {"detail": []},
    [{}],
)


@pytest.mark.parametrize("body", ODD_ERRORS, ids=str)
@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
async def test_an_error_of_another_shape(vendor: Vendor, body: Any, build: Build) -> None:
    """A gateway's, or of a version to come."""
    async with raw_server(answering(json.dumps(body).encode(), status="503 Service Unavailable")) as url:
        error = await fail(build(vendor, url))
    assert (error.outcome, error.status) == (OutcomeKind.RETRYABLE, 503)


async def test_thoughts_are_paid_for(build: Build) -> None:
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 5, "thoughtsTokenCount": 30, "cachedContentTokenCount": 4}
    answer = gemini_candidate("STOP", {"text": TEXT}) | {"usageMetadata": usage}
    async with raw_server(answering(json.dumps(answer).encode())) as url:
        assert (await ask(build(GEMINI, url))).usage == Usage(11, 35, 4)


async def test_cached_tokens_are_part_of_the_input(build: Build) -> None:
    answer = anthropic_message("end_turn", {"type": "text", "text": TEXT})
    answer["usage"] |= {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 20}
    async with raw_server(answering(json.dumps(answer).encode())) as url:
        assert (await ask(build(ANTHROPIC, url))).usage == Usage(125, 7, 100)
