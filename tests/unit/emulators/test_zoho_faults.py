"""Which call meets which scripted fault, and the two limits."""

import pytest
from pydantic import ValidationError

from supportbot.emulators.zoho.answers import RefusedError
from supportbot.emulators.zoho.clock import Clock
from supportbot.emulators.zoho.faults import Fault, FaultQueue
from supportbot.emulators.zoho.limits import Credits, page_weight
from supportbot.emulators.zoho.settings import Settings

TICKETS = "/api/v1/tickets"


def kinds(queue: FaultQueue, calls: list[tuple[str, str]]) -> list[str | None]:
    faults = (queue.take(method, path) for method, path in calls)
    return [fault.kind if fault else None for fault in faults]


def test_a_fault_hits_only_what_it_matches_and_only_as_often_as_said() -> None:
    queue = FaultQueue()
    queue.add(Fault(kind="drop_after", method="post", path="/tickets$", skip=1, times=2))
    calls = [("GET", TICKETS), ("POST", TICKETS), ("POST", f"{TICKETS}/1/comments")] + [("POST", TICKETS)] * 3
    assert kinds(queue, calls) == [None, None, None, "drop_after", "drop_after", None]


def test_the_first_match_wins_and_the_next_follows_when_it_is_spent() -> None:
    queue = FaultQueue()
    queue.add(Fault(kind="html"))
    queue.add(Fault(kind="truncated"))
    assert kinds(queue, [("GET", TICKETS)] * 3) == ["html", "truncated", None]


def test_down_stays_until_cleared() -> None:
    queue = FaultQueue()
    queue.add(Fault(kind="down"))
    assert kinds(queue, [("GET", TICKETS)] * 3) == ["down"] * 3
    assert queue.as_json()[0]["hits"] == 3
    queue.clear()
    assert kinds(queue, [("GET", TICKETS)]) == [None]


def test_probability_is_repeatable() -> None:
    runs: list[list[str | None]] = []
    for _ in range(2):
        queue = FaultQueue(seed=7)
        queue.add(Fault(kind="status", probability=0.3, times=None))
        runs.append(kinds(queue, [("GET", TICKETS)] * 200))
    assert runs[0] == runs[1]
    assert 30 < runs[0].count("status") < 90


@pytest.mark.parametrize("bad", [{"kind": "nonsense"}, {"kind": "down", "path": "("}, {"kind": "down", "x": 1}])
def test_a_fault_that_cannot_be_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(bad)


def test_credits_run_out_and_come_back_at_midnight() -> None:
    clock = Clock(lambda: 86_400 * 20_000 + 86_400 - 100)
    pot = Credits(clock, Settings(credits=4))
    assert pot.charge(3) == {"X-Rate-Limit-Request-Weight-v3": "3", "X-Rate-Limit-Remaining-v3": "1"}
    with pytest.raises(RefusedError) as refused:
        pot.charge(3)
    assert (refused.value.status, refused.value.error_code) == (429, "THRESHOLD_EXCEEDED")
    assert refused.value.headers["Retry-After"] == "101"
    assert pot.remaining == 1
    clock.advance(101)
    assert pot.charge(3)["X-Rate-Limit-Remaining-v3"] == "1"


@pytest.mark.parametrize(("offset", "weight"), [(0, 3), (2000, 3), (2001, 5), (4000, 10), (4999, 50)])
def test_deep_pages_cost_more(offset: int, weight: int) -> None:
    assert page_weight(offset) == weight
