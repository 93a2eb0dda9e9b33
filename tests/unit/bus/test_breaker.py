import asyncio

import pytest

from supportbot.breaker import Breaker, BreakerPolicy, BreakerState

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
