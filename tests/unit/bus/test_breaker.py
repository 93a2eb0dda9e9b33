import asyncio
import json
import math
from collections.abc import Callable
from contextlib import suppress

import pytest

from supportbot.breaker import Breaker, BreakerPolicy, BreakerState, share_breakers
from supportbot.errors import UnavailableError
from supportbot.kv import Entry, KeyValue

POLICY = BreakerPolicy(window_s=60, min_calls=4, failure_ratio=0.5, open_s=10, max_open_s=35, probe_s=5)


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("zoho", policy=POLICY, clock=clock, sleep=clock.sleep)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.record_failure()


async def test_lets_calls_through_while_few_fail(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    await breaker.ready()
    assert (breaker.state, breaker.open_until, clock.now) == (BreakerState.CLOSED, None, 1000)


def test_opens_at_the_ratio_once_there_are_enough_calls(breaker: Breaker) -> None:
    breaker.record_success()
    breaker.record_success()
    breaker.record_failure()
    assert breaker.state is BreakerState.CLOSED
    breaker.record_failure()
    assert (breaker.state, breaker.open_until) == (BreakerState.OPEN, 1010)


def test_forgets_what_left_the_window(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 61
    breaker.record_failure()
    assert breaker.state is BreakerState.CLOSED


async def test_waits_out_the_opening_and_closes_after_a_good_probe(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    await breaker.ready()
    assert clock.now >= 1010
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.record_success()
    assert (breaker.state, breaker.open_until) == (BreakerState.CLOSED, None)


async def test_each_failed_probe_doubles_the_opening_up_to_the_limit(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    lengths = []
    for _ in range(3):
        await breaker.ready()
        breaker.record_failure()
        lengths.append((breaker.open_until or 0) - clock.now)
    assert lengths == [20, 35, 35]


async def test_one_probe_at_a_time_until_it_reports_or_its_time_is_up(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now = 1010
    await breaker.ready()
    assert clock.now == 1010
    await breaker.ready()
    assert clock.now == 1015


def test_a_requested_pause_opens_at_once_and_is_not_cut_short(breaker: Breaker, clock: Clock) -> None:
    breaker.record_failure(retry_after_s=600)
    breaker.record_failure(retry_after_s=1)
    breaker.record_success()
    assert (breaker.state, breaker.open_until) == (BreakerState.OPEN, 1600)


async def test_an_outage_of_days_is_probed_at_the_longest_interval(clock: Clock) -> None:
    policy = BreakerPolicy(min_calls=4, open_s=10.0, max_open_s=35.0)
    breaker = Breaker("zoho", policy=policy, clock=clock, sleep=clock.sleep)
    fail(breaker, 4)
    for _ in range(1100):
        await breaker.ready()
        breaker.record_failure()
    assert breaker.open_until is not None
    assert breaker.open_until - clock.now == 35


COUNTING = BreakerPolicy(
    window_s=30, failure_ratio=math.inf, max_failures=5, max_run=3, open_s=30, max_open_s=300, probe_s=10
)


def state_of(breaker: Breaker) -> BreakerState:
    """A function, or mypy takes it for unchanged."""
    return breaker.state


@pytest.fixture
def counting(clock: Clock) -> Breaker:
    return Breaker("openai/m", policy=COUNTING, clock=clock, sleep=clock.sleep)


def test_opens_at_a_run_of_failures(counting: Breaker) -> None:
    fail(counting, 2)
    counting.record_success()
    fail(counting, 2)
    assert state_of(counting) is BreakerState.CLOSED
    counting.record_failure()
    assert (counting.state, counting.open_until) == (BreakerState.OPEN, 1030)


def test_opens_at_a_count_of_failures_in_the_window_among_any_number_of_successes(
    counting: Breaker, clock: Clock
) -> None:
    for _ in range(4):
        counting.record_failure()
        counting.record_success()
        counting.record_success()
    assert state_of(counting) is BreakerState.CLOSED
    clock.now += 31
    counting.record_failure()
    assert state_of(counting) is BreakerState.CLOSED
    for _ in range(4):
        counting.record_success()
        counting.record_failure()
    assert state_of(counting) is BreakerState.OPEN


def test_half_failures_count_half(counting: Breaker) -> None:
    for _ in range(5):
        counting.record_failure(weight=0.5)
    assert state_of(counting) is BreakerState.CLOSED
    counting.record_failure(weight=0.5)
    assert state_of(counting) is BreakerState.OPEN


def test_who_cannot_wait_asks(counting: Breaker, clock: Clock) -> None:
    assert counting.acquire()
    fail(counting, 3)
    assert not counting.acquire()
    clock.now += 30
    assert [counting.acquire(), counting.acquire()] == [True, False], "one probe"
    counting.record_success()
    assert [counting.acquire(), counting.acquire()] == [True, True]


def test_a_probe_that_was_cancelled_gives_way_to_the_next(counting: Breaker, clock: Clock) -> None:
    fail(counting, 3)
    clock.now += 30
    assert counting.acquire()
    counting.release()
    assert counting.acquire()
    assert state_of(counting) is BreakerState.HALF_OPEN


def test_an_answer_that_says_nothing_closes_after_a_probe_and_counts_otherwise_for_nothing(
    counting: Breaker, clock: Clock
) -> None:
    fail(counting, 2)
    counting.record_answer()
    counting.record_failure()
    assert state_of(counting) is BreakerState.OPEN, "it does not end a run"
    counting.record_answer()
    assert state_of(counting) is BreakerState.OPEN, "the answer to a call from before"
    clock.now += 30
    assert counting.acquire()
    counting.record_answer()
    assert state_of(counting) is BreakerState.CLOSED


class Bucket(KeyValue):
    """One that remembers, is away, or never answers."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.is_away = False
        self.hangs = False
        self.during_put: Callable[[], None] = lambda: None

    async def get(self, key: str) -> Entry | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_away:
            raise UnavailableError("away", dependency="nats")
        return Entry(self.values[key], 1) if key in self.values else None

    async def put(self, key: str, value: bytes) -> int:
        self.during_put()
        self.values[key] = value
        return 1


async def share(*breakers: Breaker, rounds: int = 1) -> None:
    """Some rounds of `share_breakers`."""
    left = rounds

    async def sleep(seconds: float) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise asyncio.CancelledError

    with suppress(asyncio.CancelledError):
        await share_breakers(breakers, sleep)


async def test_replicas_share_their_breakers_under_a_key_of_its_own(clock: Clock) -> None:
    bucket = Bucket()
    here, there = (
        Breaker("openai/m 4.1 é", key="model.x", policy=COUNTING, clock=clock, bucket=bucket) for _ in range(2)
    )
    fail(here, 3)
    clock.now += 3
    await share(here, there)
    assert list(bucket.values) == ["model.x"]
    assert (there.state, there.open_until) == (BreakerState.OPEN, 1030)
    clock.now = 1031
    assert there.acquire()
    there.record_success()
    await share(there, here)
    assert here.state is BreakerState.CLOSED


async def test_a_bucket_that_is_away_is_tried_again(clock: Clock) -> None:
    bucket = Bucket()
    bucket.is_away = True
    breaker = Breaker("m", policy=COUNTING, clock=clock, bucket=bucket)
    fail(breaker, 3)
    await share(breaker, rounds=2)
    bucket.is_away = False
    await share(breaker)
    assert json.loads(bucket.values["m"])["until"] == 1030


async def test_what_changes_while_it_is_written_is_written_next(clock: Clock) -> None:
    bucket = Bucket()
    breaker = Breaker("m", policy=COUNTING, clock=clock, bucket=bucket)
    fail(breaker, 3)

    def answer_the_probe() -> None:
        clock.now = 1040
        if breaker.acquire():
            breaker.record_success()

    bucket.during_put = answer_the_probe
    await share(breaker)
    assert json.loads(bucket.values["m"])["until"] == 1030
    await share(breaker)
    assert json.loads(bucket.values["m"])["until"] is None


async def test_a_bucket_that_hangs_delays_nobody_who_asks(counting: Breaker) -> None:
    counting.bucket = Bucket()
    counting.bucket.hangs = True
    sharing = asyncio.create_task(share_breakers([counting]))
    await asyncio.sleep(0)
    fail(counting, 3)
    assert not counting.acquire()
    sharing.cancel()
    with suppress(asyncio.CancelledError):
        await sharing
