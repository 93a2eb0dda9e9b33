"""The daily budget: its limits, its day, and how several replicas share it, whatever becomes of the bucket."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from supportbot import metrics
from supportbot.classifier.models.budget import Budget, BudgetState, Used
from supportbot.errors import UnavailableError
from supportbot.kv import ConflictError, Entry, KeyValue
from supportbot.spec import DailyBudget

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Bucket(KeyValue):
    """One that remembers and compares revisions, is away, or never answers."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.is_away = self.hangs = self.loses_answers = False
        self.before_write: Callable[[], None] = lambda: None

    async def get(self, key: str) -> Entry | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_away:
            raise UnavailableError("away", dependency="nats")
        return self.entries.get(key)

    async def create(self, key: str, value: bytes, *, ttl_s: float | None = None) -> int:
        return await self.update(key, value, revision=0)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        self.before_write()
        known = self.entries[key].revision if key in self.entries else 0
        if known != revision:
            raise ConflictError(key)
        self.entries[key] = Entry(value, known + 1)
        if self.loses_answers:
            raise UnavailableError("away", dependency="nats")
        return known + 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def make_budget(clock: Clock, bucket: Bucket | None, **limits: object) -> Budget:
    return Budget(DailyBudget.model_validate(limits), bucket=bucket, clock=clock)


async def in_contact(clock: Clock, bucket: Bucket, **limits: object) -> Budget:
    budget = make_budget(clock, bucket, **limits)
    await budget.sync()
    return budget


@pytest.mark.parametrize(
    ("limits", "calls", "state"),
    [
        ({"tokens": 100}, [(50, 0.1), (49, None)], BudgetState.OPEN),
        ({"tokens": 100}, [(50, 0.1), (50, None)], BudgetState.SPENT),
        ({"usd": "0.10"}, [(9999, 0.05), (9999, 0.04)], BudgetState.OPEN),
        ({"usd": "0.10"}, [(9999, 0.05), (9999, 0.05)], BudgetState.SPENT),
        ({"usd": "0.10"}, [(9999, None)], BudgetState.OPEN),
        ({"usd": "0.10", "tokens": 100}, [(10, 0.10)], BudgetState.SPENT),
        ({"usd": "0.10", "tokens": 100}, [(100, None)], BudgetState.SPENT),
        ({"usd": "0.10", "tokens": 100}, [(99, 0.09)], BudgetState.OPEN),
    ],
)
async def test_the_first_limit_that_is_reached_counts(
    clock: Clock, bucket: Bucket, limits: dict[str, object], calls: list[tuple[int, float | None]], state: BudgetState
) -> None:
    budget = await in_contact(clock, bucket, **limits)
    for tokens, usd in calls:
        assert budget.state is BudgetState.OPEN
        budget.charge(tokens, usd)
    assert budget.state is state
    assert budget.renews_at == datetime(2026, 3, 3, tzinfo=UTC)


async def test_a_new_day_is_a_new_budget_and_both_are_told_once(clock: Clock, bucket: Bucket) -> None:
    budget = await in_contact(clock, bucket, tokens=100)
    with capture_logs() as logs:
        for _ in range(3):
            budget.charge(60, None)
            await budget.sync()
        assert metrics.LLM_BUDGET_REMAINING._value.get() == 0
        clock.now += 12 * 3600 - 1
        assert budget.state is BudgetState.SPENT
        clock.now += 1
        assert (budget.state, budget.used) == (BudgetState.OPEN, Used())
        assert metrics.LLM_BUDGET_REMAINING._value.get() == 1
    assert [(one["event"], one.get("renews_at")) for one in logs] == [
        ("llm_budget_spent", "2026-03-03T00:00:00+00:00"),
        ("llm_budget_open", None),
    ]
    await budget.sync()
    budget.charge(7, 0.5)
    await budget.sync()
    assert {key: Used.parse(entry.value) for key, entry in bucket.entries.items()} == {
        "2026-03-02": Used(180),
        "2026-03-03": Used(7, 0.5),
    }


async def test_replicas_count_together(clock: Clock, bucket: Bucket) -> None:
    one, other = await in_contact(clock, bucket, tokens=100), await in_contact(clock, bucket, tokens=100)
    for _ in range(5):
        one.charge(6, None)
        other.charge(5, None)
        await one.sync()
        await other.sync()
    clock.now += 10
    await one.sync()
    assert one.used == other.used == Used(55)
    other.charge(45, None)
    await other.sync()
    assert one.state is BudgetState.OPEN
    clock.now += 10
    await one.sync()
    assert (one.state, other.state) == (BudgetState.SPENT, BudgetState.SPENT)


async def test_who_loses_the_race_adds_to_what_the_other_wrote(clock: Clock, bucket: Bucket) -> None:
    one, other = await in_contact(clock, bucket, tokens=100), make_budget(clock, bucket, tokens=100)
    one.charge(10, 0.25)

    def meanwhile() -> None:
        if not bucket.entries:
            bucket.entries["2026-03-02"] = Entry(Used(30, 0.5).dump(), 1)

    bucket.before_write = meanwhile
    await one.sync()
    await other.sync()
    assert one.used == other.used == Used(40, 0.75)


async def test_what_is_used_during_the_exchange_is_shared_next(clock: Clock, bucket: Bucket) -> None:
    budget = await in_contact(clock, bucket, tokens=100)
    budget.charge(10, 0.1)
    bucket.before_write = lambda: budget.charge(1, 0.2)
    await budget.sync()
    assert budget.used == Used(11, 0.3)
    bucket.before_write = lambda: None
    await budget.sync()
    assert Used.parse(bucket.entries["2026-03-02"].value) == Used(11, 0.3)


async def test_a_bucket_that_is_lost_neither_stops_the_models_at_once_nor_lets_them_go_on_for_ever(
    clock: Clock, bucket: Bucket
) -> None:
    budget = await in_contact(clock, bucket, tokens=1000)
    budget.charge(300, None)
    await budget.sync()
    bucket.is_away = True
    for _ in range(9):
        clock.now += 30
        budget.charge(10, None)
        await budget.sync()
        assert budget.state is BudgetState.OPEN
    budget.charge(10, None)
    assert budget.state is BudgetState.BLIND
    bucket.is_away = False
    await budget.sync()
    assert (budget.state, Used.parse(bucket.entries["2026-03-02"].value)) == (BudgetState.OPEN, Used(400))


@pytest.mark.parametrize("bucket", [None, Bucket()])
def test_a_process_that_never_saw_the_count_has_a_tenth(clock: Clock, bucket: Bucket | None) -> None:
    budget = make_budget(clock, bucket, usd="1.00")
    states = []
    for usd in (0.09, 0.01):
        budget.charge(500, usd)
        states.append(budget.state)
    assert states == [BudgetState.OPEN, BudgetState.BLIND]


async def test_a_write_without_an_answer_counts_at_least_once(clock: Clock, bucket: Bucket) -> None:
    budget = await in_contact(clock, bucket, tokens=100)
    budget.charge(10, None)
    bucket.loses_answers = True
    await budget.sync()
    bucket.loses_answers = False
    await budget.sync()
    assert budget.used == Used(20)


async def test_a_bucket_that_hangs_delays_nobody(clock: Clock, bucket: Bucket) -> None:
    budget = await in_contact(clock, bucket, tokens=100)
    bucket.hangs = True
    budget.charge(1, None)
    sharing = asyncio.create_task(budget.share())
    await asyncio.sleep(0)
    budget.charge(100, None)
    assert budget.state is BudgetState.SPENT
    sharing.cancel()
    with suppress(asyncio.CancelledError):
        await sharing


async def test_nothing_is_written_and_little_is_read_while_nothing_is_used(clock: Clock, bucket: Bucket) -> None:
    budget = await in_contact(clock, bucket, tokens=100)
    bucket.is_away = True
    with capture_logs() as logs:
        clock.now += 9
        await budget.sync()
        assert logs == []
        clock.now += 1
        await budget.sync()
    assert [one["event"] for one in logs] == ["llm_budget_not_shared"]
    assert bucket.entries == {}
