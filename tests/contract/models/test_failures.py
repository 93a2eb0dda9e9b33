"""Every failure of a vendor, met by its real SDK: what it means, in time, after one attempt, telling nothing."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.contract.models.support import VENDORS, Build, Vendor, ask, fail

from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.emulators.models.server import EmulatedModels

SHORT_S = 0.3
"""The deadline where only the deadline ends the call."""


@dataclass(frozen=True)
class Failure:
    """What is scripted, and what it must become."""

    name: str
    kind: str
    expected: OutcomeKind
    fields: dict[str, Any] = field(default_factory=dict)
    retry_after_s: float | None = None
    status: int | None = None
    within_s: float = 5.0
    has_usage: bool = False


def _status(status: int, expected: OutcomeKind, retry_after_s: float | None = None, **headers: str) -> Failure:
    fields = {"status": status, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}
    name = f"{status} {' '.join(headers.values())}".strip()
    return Failure(name, "status", expected, fields, retry_after_s, status)


RETRYABLE, RATE_LIMITED, MISCONFIGURED = OutcomeKind.RETRYABLE, OutcomeKind.RATE_LIMITED, OutcomeKind.MISCONFIGURED
BAD_OUTPUT, REFUSED, TRUNCATED = OutcomeKind.BAD_OUTPUT, OutcomeKind.REFUSED, OutcomeKind.TRUNCATED

FAILURES = (
    _status(400, OutcomeKind.REJECTED),
    _status(401, MISCONFIGURED),
    _status(402, MISCONFIGURED),
    _status(403, MISCONFIGURED),
    _status(404, MISCONFIGURED),
    _status(408, RETRYABLE),
    _status(409, RETRYABLE),
    _status(413, OutcomeKind.REJECTED),
    _status(422, OutcomeKind.REJECTED),
    _status(429, RATE_LIMITED),
    _status(429, RATE_LIMITED, 7.0, retry_after="7"),
    _status(429, RATE_LIMITED, 600.0, retry_after="86400000000"),
    _status(429, RATE_LIMITED, 0.0, retry_after="-5"),
    _status(429, RATE_LIMITED, None, retry_after="soon"),
    _status(429, RATE_LIMITED, 0.0, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    _status(429, RATE_LIMITED, 600.0, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"),
    _status(500, RETRYABLE),
    _status(501, RETRYABLE),
    _status(503, RETRYABLE, 3.0, retry_after="3"),
    _status(529, RETRYABLE),
    Failure("500 html", "html", RETRYABLE, {"status": 500}, status=500),
    Failure("403 html", "html", MISCONFIGURED, {"status": 403}, status=403),
    Failure("portal", "html", BAD_OUTPUT, status=200),
    Failure("hang", "hang", RETRYABLE, within_s=SHORT_S),
    Failure("late", "ok", RETRYABLE, {"latency_s": 3.0}, within_s=SHORT_S),
    Failure("trickle", "trickle", RETRYABLE, within_s=SHORT_S),
    Failure("drop before headers", "drop_before", RETRYABLE),
    Failure("drop in the body", "drop_after", RETRYABLE),
    Failure("broken JSON", "broken_json", BAD_OUTPUT, status=200),
    Failure("empty", "empty", BAD_OUTPUT, status=200),
    Failure("huge", "huge", BAD_OUTPUT, status=200),
    Failure("not JSON", "not_json", BAD_OUTPUT, status=200, has_usage=True),
    Failure("wrong schema", "wrong_schema", BAD_OUTPUT, status=200, has_usage=True),
    Failure("empty text", "ok", BAD_OUTPUT, {"text": ""}, status=200, has_usage=True),
    Failure("half an answer", "ok", BAD_OUTPUT, {"text": '{"evidence": "x", "kind"'}, status=200, has_usage=True),
    Failure("two answers", "ok", BAD_OUTPUT, {"text": "[{}, {}]"}, status=200, has_usage=True),
    Failure("refusal", "refusal", REFUSED, has_usage=True),
    Failure("filtered", "filtered", REFUSED, has_usage=True),
    Failure("truncated", "truncated", TRUNCATED, has_usage=True),
)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
class TestEveryVendor:
    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
    async def test_a_failure_says_what_it_means(
        self, vendor: Vendor, failure: Failure, models: EmulatedModels, build: Build
    ) -> None:
        models.queue(failure.kind, times=2, **failure.fields)
        provider = build(vendor)
        for attempt in ("first", "repeated"):
            error = await fail(provider, failure.within_s)
            told = (error.outcome, error.retry_after_s, error.status, error.usage is not None)
            assert told == (failure.expected, failure.retry_after_s, failure.status, failure.has_usage), attempt
            assert len(models.journal) == ("first", "repeated").index(attempt) + 1
        # What failed leaves nothing behind that the next call stumbles over.
        assert (await ask(provider)).opinion.kind == "incident"

    async def test_the_cause_is_kept(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        models.queue("status", status=500)
        error = await fail(build(vendor))
        assert error.__cause__ is not None
        assert type(error.__cause__).__module__.partition(".")[0] in {"openai", "anthropic", "google"}

    async def test_cancellation_is_not_a_failure(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        models.queue("hang")
        provider = build(vendor)
        asking = asyncio.create_task(ask(provider, 30))
        await models.wait_for_calls(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await ask(provider)).opinion.kind == "incident"

    async def test_a_deadline_that_is_past_asks_nobody(
        self, vendor: Vendor, models: EmulatedModels, build: Build
    ) -> None:
        error = await fail(build(vendor), -1.0)
        assert (error.outcome, models.journal) == (RETRYABLE, [])

    async def test_the_models_own_timeout_ends_it_too(
        self, vendor: Vendor, models: EmulatedModels, build: Build
    ) -> None:
        models.queue("hang")
        started = time.monotonic()
        error = await fail(build(vendor, timeout="1s"), 60)
        assert error.outcome is RETRYABLE
        assert 0.9 <= time.monotonic() - started <= 1.5

    async def test_a_wrong_key_is_told_and_not_repeated(
        self, vendor: Vendor, models: EmulatedModels, build: Build
    ) -> None:
        error = await fail(build(vendor, key="demo-wrong-key"))
        assert error.outcome is MISCONFIGURED
        assert "demo-wrong-key" not in str(error)
        assert len(models.journal) == 1

    async def test_a_model_that_is_gone_is_told(self, vendor: Vendor, models: EmulatedModels, build: Build) -> None:
        error = await fail(build(vendor, model=f"{vendor.model}-x1"))
        assert (error.outcome, error.status, len(models.journal)) == (MISCONFIGURED, 404, 1)
        assert "check the model's name" in str(error)

    async def test_many_calls_at_once_do_not_disturb_each_other(
        self, vendor: Vendor, models: EmulatedModels, build: Build
    ) -> None:
        models.queue("status", status=500, times=5)
        models.queue("refusal", times=5)
        provider = build(vendor)
        results = await asyncio.gather(*(ask(provider) for _ in range(20)), return_exceptions=True)
        told = sorted(getattr(result, "outcome", "answered") for result in results)
        assert told == ["answered"] * 10 + ["refused"] * 5 + ["retryable"] * 5


OPENAI, ANTHROPIC, GEMINI = VENDORS


async def test_an_empty_account_of_openai_is_no_rate_limit(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=429, code="insufficient_quota", headers={"retry-after": "9"})
    error = await fail(build(OPENAI))
    assert (error.outcome, error.retry_after_s, error.status) == (MISCONFIGURED, None, 429)
    assert str(error) == "openai gpt-6-luna: HTTP 429 (insufficient_quota)"


async def test_an_empty_account_of_anthropic_comes_as_a_bad_request(models: EmulatedModels, build: Build) -> None:
    message = "Your credit balance is too low to access the Anthropic API."
    models.queue("status", status=400, message=message)
    assert (await fail(build(ANTHROPIC))).outcome is MISCONFIGURED


async def test_a_country_that_gemini_does_not_serve(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=400, code="FAILED_PRECONDITION")
    assert (await fail(build(GEMINI))).outcome is MISCONFIGURED


async def test_gemini_tells_its_wait_in_the_body(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=429, headers={"x-retry-delay": "37.5"})
    error = await fail(build(GEMINI))
    assert (error.outcome, error.retry_after_s) == (RATE_LIMITED, 37.5)


async def test_openai_tells_its_wait_in_milliseconds(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=429, headers={"retry-after-ms": "1500", "retry-after": "2"})
    assert (await fail(build(OPENAI))).retry_after_s == 1.5


async def test_a_filter_in_front_of_openai_refuses(models: EmulatedModels, build: Build) -> None:
    models.queue("status", status=400, code="content_filter")
    assert (await fail(build(OPENAI))).outcome is REFUSED
