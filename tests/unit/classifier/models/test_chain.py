"""The chain in virtual time: who is asked when, for how long, and what the breakers make of it."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.registry import REGISTRY
from structlog.testing import capture_logs
from tests.unit.classifier.models.fakes import (
    DEAF,
    HANGS,
    REQUEST,
    USAGE,
    Scripted,
    Step,
    fail,
    link_up,
    make_model,
    make_opinion,
)
from tests.virtual_time import now, run_virtually

from supportbot.breaker import BreakerState
from supportbot.classifier.models.budget import Budget
from supportbot.classifier.models.chain import Asked, Chain
from supportbot.classifier.models.links import breaker_key, make_links
from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind
from supportbot.classifier.models.request import Opinion, Usage
from supportbot.spec import DailyBudget, Model, Models


def accept(opinion: Opinion) -> Opinion:
    return opinion


def refuse(opinion: Opinion) -> Opinion:
    raise BadOutput("the evidence is not in the turn")


def away(outcome: OutcomeKind = OutcomeKind.RETRYABLE, **values: Any) -> Scripted:
    return Scripted(fail(outcome, **values))


def in_time(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_virtually(work())


async def timed(chain: Chain) -> tuple[str, float]:
    """Who answered, and after how many seconds."""
    started = now()
    asked = await chain.ask(REQUEST, accept)
    return asked.model, round(now() - started, 3)


def test_the_first_that_answers_decides_and_nobody_else_is_asked() -> None:
    primary, fallback = Scripted(0.8), Scripted()

    async def work() -> None:
        chain = Chain(link_up({"a": primary, "b": fallback}))
        assert await chain.ask(REQUEST, accept) == Asked(make_opinion(), "openai/a", 1)
        assert (len(primary.asked_at), fallback.asked_at) == (1, [])
        assert (chain.troubles, chain.has_answered) == ({}, True)

    in_time(work)


@pytest.mark.parametrize(
    "step",
    [*(fail(outcome) for outcome in OutcomeKind), BadOutput("no"), KeyError("a fault of the adapter"), TimeoutError()],
    ids=str,
)
def test_every_failure_goes_on_to_the_next(step: Step) -> None:
    async def work() -> None:
        chain = Chain(link_up({"a": Scripted(step), "b": Scripted()}))
        assert await chain.ask(REQUEST, accept) == Asked(make_opinion(), "openai/b", 2)
        assert list(chain.troubles) == ["openai/a"]

    in_time(work)


def test_an_opinion_that_the_guards_refuse_is_bad_output() -> None:
    async def work() -> None:
        chain = Chain(link_up({"a": Scripted(), "b": away(OutcomeKind.REFUSED)}))
        assert await chain.ask(REQUEST, refuse) == Asked(None, attempts=2, reason="refused")
        assert chain.troubles["openai/a"].outcome is OutcomeKind.BAD_OUTPUT

    in_time(work)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # One model that hangs costs at most 3.5 s where another comes after it, and 6 s where none does.
        ([HANGS, 1.0], ("openai/b", 4.5)),
        ([HANGS, 2.4, 0.1], ("openai/b", 5.9)),
        ([HANGS], ("local", 6.0)),
        ([0.1, HANGS], ("openai/a", 0.1)),
        ([HANGS, 4.0], ("openai/b", 7.5)),
        # Two that hang leave 2 s, and all of them 8.
        ([HANGS, HANGS, 1.9], ("openai/c", 7.9)),
        ([HANGS, HANGS, HANGS], ("local", 8.0)),
        ([HANGS, HANGS, HANGS, 0.0], ("local", 8.0)),
        ([HANGS, HANGS], ("local", 8.0)),
        # One that does not keep to its deadline is cancelled a moment later.
        ([DEAF, DEAF, DEAF], ("local", 8.2)),
        ([DEAF, 1.0], ("openai/b", 4.7)),
    ],
)
def test_a_turn_is_decided_in_time(steps: list[float], expected: tuple[str, float]) -> None:
    async def work() -> None:
        providers = {name: Scripted(step) for name, step in zip("abcd", steps, strict=False)}
        assert await timed(Chain(link_up(providers))) == expected

    in_time(work)


def test_the_timeout_of_a_model_shortens_its_share_and_never_lengthens_it() -> None:
    async def work() -> None:
        assert await timed(Chain(link_up({"a": Scripted(HANGS), "b": Scripted()}, timeout="1500ms"))) == (
            "openai/b",
            1.5,
        )
        assert await timed(Chain(link_up({"a": Scripted(HANGS)}, timeout="120s"))) == ("local", 6.0)

    in_time(work)


def test_who_is_open_is_passed_over_at_once_and_counts_for_no_share() -> None:
    async def work() -> None:
        primary, fallback, third = Scripted(HANGS), Scripted(HANGS), Scripted(HANGS, 0.5)
        chain = Chain(link_up({"a": primary, "b": fallback, "c": third}))
        for link in chain.links[:2]:
            link.breaker.record_failure(60)
        assert await timed(chain) == ("local", 6.0), "it is the last one that is left"
        assert await timed(chain) == ("openai/c", 0.5)
        chain.links[2].breaker.record_failure(60)
        assert await timed(chain) == ("local", 0.0)
        assert await chain.ask(REQUEST, accept) == Asked(None, reason="all_away")
        assert (primary.asked_at, fallback.asked_at, len(third.asked_at)) == ([], [], 2)
        assert chain.available == ()

    in_time(work)


def open_for(times: int, *steps: Step) -> tuple[BreakerState, float | None]:
    """The breaker after so many turns, and how long it is open."""

    async def work() -> tuple[BreakerState, float | None]:
        chain = Chain(link_up({"a": Scripted(*steps)}))
        breaker = chain.links[0].breaker
        for _ in range(times):
            await chain.ask(REQUEST, accept)
        return breaker.state, None if breaker.open_until is None else round(breaker.open_until - now(), 3)

    return run_virtually(work())


@pytest.mark.parametrize(
    ("times", "step", "state", "for_s"),
    [
        (2, fail(OutcomeKind.RETRYABLE), BreakerState.CLOSED, None),
        (3, fail(OutcomeKind.RETRYABLE), BreakerState.OPEN, 30),
        (3, HANGS, BreakerState.OPEN, 30),
        (3, KeyError("x"), BreakerState.OPEN, 30),
        (5, fail(OutcomeKind.BAD_OUTPUT), BreakerState.CLOSED, None),
        (6, fail(OutcomeKind.BAD_OUTPUT), BreakerState.OPEN, 30),
        (6, fail(OutcomeKind.TRUNCATED), BreakerState.OPEN, 30),
        (1, fail(OutcomeKind.RATE_LIMITED, retry_after_s=17), BreakerState.OPEN, 17),
        (1, fail(OutcomeKind.RATE_LIMITED), BreakerState.OPEN, 30),
        (1, fail(OutcomeKind.RATE_LIMITED, retry_after_s=0), BreakerState.OPEN, 1),
        (1, fail(OutcomeKind.RATE_LIMITED, retry_after_s=1e6), BreakerState.OPEN, 600),
        (1, fail(OutcomeKind.RETRYABLE, retry_after_s=5), BreakerState.OPEN, 5),
        (1, fail(OutcomeKind.MISCONFIGURED, status=401), BreakerState.OPEN, 600),
        (50, fail(OutcomeKind.REFUSED), BreakerState.CLOSED, None),
        (50, fail(OutcomeKind.REJECTED), BreakerState.CLOSED, None),
        (50, 0.0, BreakerState.CLOSED, None),
    ],
)
def test_what_a_failure_means_for_the_breaker(times: int, step: Step, state: BreakerState, for_s: float | None) -> None:
    assert open_for(times, step) == (state, for_s)


def test_refusals_do_not_end_a_run_of_failures() -> None:
    assert open_for(3, fail(OutcomeKind.RETRYABLE), fail(OutcomeKind.REFUSED), fail(OutcomeKind.RETRYABLE))[1] is None
    assert open_for(4, fail(OutcomeKind.RETRYABLE), fail(OutcomeKind.REFUSED), fail(OutcomeKind.RETRYABLE))[1] == 30


def test_each_failed_probe_doubles_the_opening_and_a_good_one_ends_it() -> None:
    async def work() -> None:
        provider = Scripted(*[fail(OutcomeKind.RETRYABLE)] * 7, 0.0)
        chain = Chain(link_up({"a": provider}))
        for _ in range(2 * 3600):
            await chain.ask(REQUEST, accept)
            await asyncio.sleep(1)
        gaps = [round(later - earlier) for earlier, later in itertools.pairwise(provider.asked_at)]
        assert gaps[:7] == [1, 1, 30, 60, 120, 240, 300]
        assert set(gaps[7:]) == {1}

    in_time(work)


def test_one_turn_is_the_probe_and_the_others_go_on_to_the_fallback() -> None:
    async def work() -> None:
        primary = Scripted(fail(OutcomeKind.MISCONFIGURED), 2.0)
        chain = Chain(link_up({"a": primary, "b": Scripted(0.1)}))
        await chain.ask(REQUEST, accept)
        await asyncio.sleep(600)
        turns = await asyncio.gather(*(chain.ask(REQUEST, accept) for _ in range(4)))
        assert [turn.model for turn in turns] == ["openai/a", "openai/b", "openai/b", "openai/b"]
        assert (await chain.ask(REQUEST, accept)).model == "openai/a"

    in_time(work)


def test_a_cancelled_turn_counts_for_nothing_and_gives_the_probe_back() -> None:
    async def work() -> None:
        primary = Scripted(HANGS)
        chain = Chain(link_up({"a": primary}))
        for _ in range(10):
            await cancel_after(1, chain)
        assert (primary.cancelled, chain.links[0].breaker.state, chain.troubles) == (10, BreakerState.CLOSED, {})
        chain.links[0].breaker.record_failure(30)
        await asyncio.sleep(30)
        await cancel_after(1, chain)
        assert chain.links[0].breaker.acquire(), "the next may be the probe"

    in_time(work)


async def cancel_after(seconds: float, chain: Chain) -> None:
    turn = asyncio.create_task(chain.ask(REQUEST, accept))
    await asyncio.sleep(seconds)
    turn.cancel()
    with suppress(asyncio.CancelledError):
        await turn
    assert turn.cancelled()


def make_budget(**limits: object) -> Budget:
    return Budget(DailyBudget.model_validate(limits), clock=now)


def test_the_budget_is_charged_for_all_that_is_on_the_bill_and_then_nobody_is_asked() -> None:
    async def work() -> None:
        truncated = fail(OutcomeKind.TRUNCATED, usage=Usage(1_000, 512))
        primary, fallback = Scripted(truncated), Scripted(0.0)
        budget = make_budget(tokens=100_000)
        chain = Chain(link_up({"gpt-6-luna": primary, "gpt-4o-mini": fallback}), budget)
        await chain.ask(REQUEST, accept)
        await chain.ask(REQUEST, refuse)
        assert budget.used.tokens == 2 * 1_512 + 2 * 1_740
        luna, mini = 2 * (1_000 * 0.1 + 512 * 0.5), 2 * (200 * 0.15 + 1_400 * 0.075 + 140 * 0.6)
        assert budget.used.usd == pytest.approx((luna + mini) / 1e6)
        budget.charge(100_000, None)
        primary.asked_at.clear()
        assert await chain.ask(REQUEST, accept) == Asked(None, reason="budget_spent")
        assert (primary.asked_at, chain.available) == ([], ())
        await asyncio.sleep(12 * 3600)
        assert (await chain.ask(REQUEST, accept)).opinion == make_opinion()

    in_time(work)


def test_a_budget_that_ends_with_the_first_model_spares_the_second() -> None:
    async def work() -> None:
        fallback = Scripted()
        primary = away(OutcomeKind.TRUNCATED, usage=Usage(10_000, 0))
        chain = Chain(link_up({"gpt-6-luna": primary, "gpt-4o-mini": fallback}), make_budget(tokens=10_000))
        assert await chain.ask(REQUEST, accept) == Asked(None, attempts=1, reason="budget_spent")
        assert fallback.asked_at == []

    in_time(work)


@pytest.mark.parametrize(
    ("limits", "asked"),
    [({"usd": "1.00"}, ["openai/gpt-6-luna"]), ({"usd": "1.00", "tokens": 9}, ["openai/x", "openai/gpt-6-luna"])],
)
def test_a_model_without_a_price_is_asked_only_where_tokens_are_bounded(
    limits: dict[str, object], asked: list[str]
) -> None:
    async def work() -> None:
        providers = {"x": Scripted(), "gpt-6-luna": Scripted()}
        chain = Chain(link_up(providers), make_budget(**limits))
        assert [link.name for link in chain.links] == asked
        assert [link.name for link in chain.left_out] == (["openai/x"] if len(asked) == 1 else [])
        await chain.close()
        assert all(provider.closed for provider in providers.values())

    in_time(work)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("supportbot.classifier.models.attempt.tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def described(span: ReadableSpan) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in (span.attributes or {}).items()}


def test_every_attempt_has_a_span_with_usage_and_outcome_and_without_words(spans: InMemorySpanExporter) -> None:
    async def work() -> None:
        primary = away(OutcomeKind.TRUNCATED, usage=Usage(1_000, 512), status=200)
        compatible: dict[str, Any] = {"provider": "OpenAICompatible", "baseURL": "http://models:8000/v1"}
        chain = Chain((*link_up({"gpt-6-luna": primary}), *link_up({"qwen": Scripted()}, **compatible)))
        await chain.ask(REQUEST, accept)

    in_time(work)
    failed, answered = spans.get_finished_spans()
    assert (failed.name, failed.kind, failed.status.status_code) == (
        "chat gpt-6-luna",
        SpanKind.CLIENT,
        StatusCode.ERROR,
    )
    assert described(failed) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-6-luna",
        "gen_ai.request.max_tokens": 512,
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 512,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cost.amount": pytest.approx(0.000356),
        "gen_ai.usage.cost.currency": "USD",
        "gen_ai.usage.cost.source": "local",
        "http.response.status_code": 200,
        "supportbot.llm.outcome": "truncated",
        "error.type": "truncated",
    }
    assert (answered.name, answered.status.status_code, answered.events) == ("chat qwen", StatusCode.UNSET, ())
    assert described(answered) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "qwen",
        "gen_ai.request.max_tokens": 512,
        "gen_ai.output.type": "json",
        "server.address": "models",
        "gen_ai.usage.input_tokens": 1_600,
        "gen_ai.usage.output_tokens": 140,
        "gen_ai.usage.cache_read.input_tokens": 1_400,
        "gen_ai.response.model": "m-2026",
        "gen_ai.response.finish_reasons": ["stop"],
        "supportbot.llm.outcome": "ok",
    }


def test_an_adapter_that_breaks_leaves_no_words_on_span_or_in_log(spans: InMemorySpanExporter) -> None:
    async def work() -> None:
        await Chain(link_up({"a": Scripted(ValueError("la 909 no imprime"))})).ask(REQUEST, accept)

    with capture_logs() as logs:
        in_time(work)
    (span,) = spans.get_finished_spans()
    assert span.events == ()
    assert "909" not in repr(described(span))
    assert [one["event"] for one in logs] == ["model_adapter_failed", "model_failed"]
    assert all("909" not in repr({**one, "exc_info": None}) for one in logs)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"supportbot_llm_{name}", labels) or 0.0


def test_calls_tokens_and_cost_are_counted_by_model_and_an_unknown_price_is_no_cost() -> None:
    async def work() -> None:
        providers = {"priced-not": away(OutcomeKind.RATE_LIMITED), "gpt-5.4-nano": Scripted(1.5)}
        chain = Chain(link_up(providers))
        nano, unpriced = ({"provider": "openai", "model": name} for name in ("gpt-5.4-nano", "priced-not"))
        assert REGISTRY.get_sample_value("supportbot_llm_requests_total", {**nano, "outcome": "refused"}) == 0
        for _ in range(2):
            await chain.ask(REQUEST, accept)
        providers["priced-not"].steps = [0.0]
        await asyncio.sleep(30)
        await chain.ask(REQUEST, accept)
        assert value("requests_total", **nano, outcome="ok") == 2
        assert value("requests_total", **unpriced, outcome="rate_limited") == 1
        assert value("request_duration_seconds_sum", **nano) == pytest.approx(3.0)
        counted = [value("tokens_total", **nano, type=kind) for kind in ("input", "cached", "output")]
        assert counted == [2 * USAGE.input_tokens, 2 * USAGE.cached_tokens, 2 * USAGE.output_tokens]
        assert value("cost_usd_total", **nano) == pytest.approx(2 * (200 * 0.2 + 1_400 * 0.02 + 140 * 1.25) / 1e6)
        assert value("unpriced_requests_total", **unpriced) == 1
        assert REGISTRY.get_sample_value("supportbot_llm_cost_usd_total", unpriced) is None
        fallback = {"from": "openai/priced-not", "to": "openai/gpt-5.4-nano", "reason": "rate_limited"}
        assert value("fallbacks_total", **fallback) == 1

    in_time(work)


def test_the_keys_of_breakers_are_valid_whatever_the_model_is_called_and_differ_with_server_and_key() -> None:
    compatible = {"provider": "OpenAICompatible", "baseURL": "http://a:1/v1"}
    models = [
        make_model("gpt-4.1"),
        make_model("gpt-4-1"),
        make_model("ünï/çode: * > $KV.x " * 6),
        make_model("m" * 128),
        make_model("..."),
        make_model("gpt-4.1", **compatible),
        make_model("gpt-4.1", **{**compatible, "baseURL": "http://b:1/v1"}),
    ]
    keys = [breaker_key(model, "sk-1") for model in models] + [breaker_key(models[0], "sk-2")]
    assert len(set(keys)) == len(keys)
    for key in keys:
        prefix, token = key.split(".")
        assert prefix == "model"
        assert token.isascii()
        assert token.replace("-", "").isalnum()
        assert "sk" not in token


def test_two_entries_of_one_model_have_names_and_breakers_of_their_own() -> None:
    model = make_model("gpt-6-luna", apiKeySecretRef={"name": "ai", "key": "one"})
    other = make_model("gpt-6-luna", apiKeySecretRef={"name": "ai", "key": "two"})
    keys = {"one": "sk-1", "two": "sk-2"}

    def read_key(model: Model) -> str:
        assert model.api_key_secret_ref is not None
        return keys[model.api_key_secret_ref.key]

    links = make_links(Models(primary=model, fallbacks=(other,)), read_key, lambda *_: Scripted())
    assert [link.name for link in links] == ["openai/gpt-6-luna", "openai/gpt-6-luna #2"]
    assert len({link.breaker.key for link in links}) == 2
