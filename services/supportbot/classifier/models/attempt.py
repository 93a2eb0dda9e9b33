"""One call of one model: within its time, with its span and metrics, and with its word to the breaker."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from opentelemetry.trace import Span, SpanKind, StatusCode

from supportbot import metrics
from supportbot.breaker import Breaker, BreakerState
from supportbot.classifier.models.links import POLICY, Link
from supportbot.classifier.models.outcomes import OutcomeKind, ProviderError
from supportbot.classifier.models.prices import cost_usd
from supportbot.classifier.models.request import Opinion, Reply, Request, Usage
from supportbot.spec import Provider as Vendor
from supportbot.telemetry import tracer

GRACE_S: Final = 0.2
"""A provider ends by its deadline; one that does not is cancelled so much later."""
MISCONFIGURED_S: Final = 600.0
"""A wrong key does not become right by asking; a new key has a breaker of its own."""
PAUSE_S: Final = (1.0, 600.0)
"""The shortest and the longest pause that a vendor can ask for."""

_SEMCONV: Final = {
    Vendor.OPENAI: "openai",
    Vendor.ANTHROPIC: "anthropic",
    Vendor.GEMINI: "gcp.gemini",
    Vendor.OPENAI_COMPATIBLE: "openai",
}
"""`gen_ai.provider.name` of the semantic conventions; `server.address` tells who only speaks OpenAI's API."""

_log = structlog.get_logger(__name__)

Check = Callable[[Opinion], Opinion]
"""The guards: the opinion as it holds; raises BadOutput."""


@dataclass
class Attempt:
    """A call and what came of it."""

    link: Link
    opinion: Opinion | None = None
    """Checked."""
    error: ProviderError | None = None
    """Why there is no opinion."""
    reply: Reply | None = None
    usage: Usage | None = None
    """None where the vendor told none."""
    took_s: float = 0.0

    @property
    def outcome(self) -> str:
        """`ok`, or how it failed."""
        return "ok" if self.error is None else self.error.outcome.value

    @property
    def cost_usd(self) -> float | None:
        """None where the price or the usage is not known."""
        return None if self.usage is None or self.link.price is None else cost_usd(self.link.price, self.usage)


async def attempt_call(link: Link, request: Request, check: Check, share_s: float) -> Attempt:
    """Ask a model once. Whatever goes wrong is told in the attempt; only cancellation is raised.

    Args:
        link: The model, whose breaker has let this call through.
        request: The question.
        check: The guards.
        share_s: How long it may take.
    """
    loop = asyncio.get_running_loop()
    attempt, started = Attempt(link), loop.time()
    with _span(link) as span:
        try:
            await _call(attempt, request, check, started + share_s)
        except asyncio.CancelledError:
            link.breaker.release()
            raise
        attempt.took_s = loop.time() - started
        _tell_breaker(link.breaker, attempt.error)
        _count(attempt)
        _describe(span, attempt)
    _write(attempt)
    return attempt


async def _call(attempt: Attempt, request: Request, check: Check, end: float) -> None:
    who = attempt.link.name
    try:
        async with asyncio.timeout_at(end + GRACE_S):
            attempt.reply = await attempt.link.provider.classify(request, end)
        attempt.usage = attempt.reply.usage
        attempt.opinion = check(attempt.reply.opinion)
    except ProviderError as exc:
        attempt.error, attempt.usage = exc, exc.usage or attempt.usage
    except TimeoutError:
        attempt.error = ProviderError(f"{who}: no answer in time", OutcomeKind.RETRYABLE)
    except Exception as exc:  # noqa: BLE001 - A fault in an adapter must not hold up the group: others can decide.
        _log.error("model_adapter_failed", model=who, error_type=type(exc).__name__, exc_info=exc)
        attempt.error = ProviderError(f"{who}: the adapter failed ({type(exc).__name__})", OutcomeKind.RETRYABLE)


def _tell_breaker(breaker: Breaker, error: ProviderError | None) -> None:
    """What a call says of the model."""
    if error is None:
        breaker.record_success()
        return
    match error.outcome:
        case OutcomeKind.RETRYABLE:
            breaker.record_failure(_pause_s(error.retry_after_s))
        case OutcomeKind.RATE_LIMITED:
            # Nobody said how long: as long as any opening, and longer each time.
            unsaid = None if breaker.state is BreakerState.HALF_OPEN else POLICY.open_s
            breaker.record_failure(unsaid if error.retry_after_s is None else _pause_s(error.retry_after_s))
        case OutcomeKind.MISCONFIGURED:
            breaker.record_failure(MISCONFIGURED_S)
        case OutcomeKind.BAD_OUTPUT | OutcomeKind.TRUNCATED:
            breaker.record_failure(weight=0.5)
        case OutcomeKind.REFUSED | OutcomeKind.REJECTED:
            breaker.record_answer()


def _pause_s(asked_s: float | None) -> float | None:
    return None if asked_s is None else min(max(asked_s, PAUSE_S[0]), PAUSE_S[1])


def _span(link: Link) -> AbstractContextManager[Span]:
    attributes: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _SEMCONV[link.spec.provider],
        "gen_ai.request.model": link.spec.model,
        "gen_ai.request.max_tokens": link.spec.max_tokens,
        "gen_ai.output.type": "json",
    }
    if link.spec.base_url and (host := urlsplit(link.spec.base_url).hostname):
        attributes["server.address"] = host
    return tracer.start_as_current_span(
        f"chat {link.spec.model}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


def _describe(span: Span, attempt: Attempt) -> None:
    """Put on the span what the call gave and took; never what was asked or answered."""
    usage, reply, error, cost = attempt.usage, attempt.reply, attempt.error, attempt.cost_usd
    if usage is not None:
        span.set_attribute("gen_ai.usage.input_tokens", usage.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", usage.output_tokens)
        span.set_attribute("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens)
    if cost is not None:
        span.set_attribute("gen_ai.usage.cost.amount", cost)
        span.set_attribute("gen_ai.usage.cost.currency", "USD")
        span.set_attribute("gen_ai.usage.cost.source", "local")
    if reply is not None:
        span.set_attribute("gen_ai.response.model", reply.model)
        span.set_attribute("gen_ai.response.finish_reasons", [reply.finish_reason])
    span.set_attribute("supportbot.llm.outcome", attempt.outcome)
    if error is not None:
        span.set_attribute("error.type", attempt.outcome)
        span.set_status(StatusCode.ERROR, "the model gave no opinion")
        if error.status is not None:
            span.set_attribute("http.response.status_code", error.status)


def bear_counters(link: Link) -> None:
    """Bring a link's counters to life at 0, for the alerts."""
    labels = (link.vendor, link.spec.model)
    for outcome in ("ok", *OutcomeKind):
        metrics.LLM_REQUESTS.labels(*labels, str(outcome))
    for kind in ("input", "cached", "output"):
        metrics.LLM_TOKENS.labels(*labels, kind)
    (metrics.LLM_UNPRICED if link.price is None else metrics.LLM_COST).labels(*labels)


def _count(attempt: Attempt) -> None:
    labels, usage, cost = (attempt.link.vendor, attempt.link.spec.model), attempt.usage, attempt.cost_usd
    metrics.count(metrics.LLM_REQUESTS.labels(*labels, attempt.outcome))
    metrics.observe(metrics.LLM_DURATION.labels(*labels), attempt.took_s)
    if usage is None or usage == Usage(0, 0):
        return
    metrics.LLM_TOKENS.labels(*labels, "input").inc(usage.input_tokens)
    metrics.LLM_TOKENS.labels(*labels, "cached").inc(usage.cached_tokens)
    metrics.LLM_TOKENS.labels(*labels, "output").inc(usage.output_tokens)
    if cost is None:
        metrics.LLM_UNPRICED.labels(*labels).inc()
    else:
        metrics.LLM_COST.labels(*labels).inc(cost)


def _write(attempt: Attempt) -> None:
    error = attempt.error
    if error is None:
        return
    write = _log.error if error.outcome is OutcomeKind.MISCONFIGURED else _log.warning
    took_ms = round(attempt.took_s * 1000)
    write(
        "model_failed",
        model=attempt.link.name,
        outcome=attempt.outcome,
        status=error.status,
        error=str(error),
        duration_ms=took_ms,
    )
