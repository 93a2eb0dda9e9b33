import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from supportbot.errors import UnavailableError
from supportbot.health import Health, State

START = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Bucket:
    """A bucket whose broker can be away; `written` wakes who waits for the next state."""

    away: bool = False
    states: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    tried: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def put(self, key: str, value: bytes) -> int:
        self.tried.release()
        if self.away:
            raise UnavailableError("away", dependency="nats")
        self.keys.add(key)
        self.states.append(json.loads(value))
        return len(self.states)


@pytest.mark.parametrize(
    ("bus", "zoho", "ready", "status"),
    [
        (State.OK, State.OK, True, "healthy"),
        (State.DEGRADED, State.OK, True, "degraded"),
        (State.OK, State.DOWN, True, "degraded"),
        (State.OK, State.UNKNOWN, True, "healthy"),
        (State.DOWN, State.OK, False, "degraded"),
        (State.UNKNOWN, State.OK, False, "healthy"),
    ],
)
def test_readiness_and_status_follow_from_the_checks(bus: State, zoho: State, ready: bool, status: str) -> None:
    health = Health("ticket")
    health.declare("bus", gates=True)
    health.set("process", State.OK)
    health.set("bus", bus)
    health.set("zoho", zoho)

    assert (health.is_ready, health.status, health.is_live) == (ready, status, True)


def test_a_state_keeps_its_beginning_while_its_message_changes() -> None:
    clock = Clock()
    health = Health("ticket", clock=clock)

    health.set("zoho", State.DOWN, "no answer")
    clock.pass_s(5)
    health.set("zoho", State.DOWN, "still no answer")
    assert (health["zoho"].since, health["zoho"].message) == (START, "still no answer")
    health.set("zoho", State.DOWN, "still no answer", "Unreachable")
    assert (health["zoho"].since, health["zoho"].reason) == (START, "Unreachable")
    health.set("zoho", State.OK)
    assert (health["zoho"].since, health["zoho"].message) == (START + timedelta(seconds=5), "")


def test_the_report_names_everything_and_nobody() -> None:
    health = Health("ticket", instance="ticket-5d9f-x2", clock=Clock())
    health.set("process", State.OK)
    health.set("zoho", State.DEGRADED, "refused for ana@example.com", "Forbidden")
    health.tell("contact", "ana@example.com")
    at = "2025-03-04T05:06:07+00:00"

    assert health.to_json() == {
        "service": "ticket",
        "instance": "ticket-5d9f-x2",
        "version": "0.1.0",
        "at": at,
        "ready": True,
        "status": "degraded",
        "checks": {
            "process": {"state": "ok", "since": at, "message": "", "reason": ""},
            "zoho": {"state": "degraded", "since": at, "message": "refused for [redacted]", "reason": "Forbidden"},
        },
        "facts": {"contact": "[redacted]"},
    }


async def test_the_state_is_reported_at_once_when_it_changes() -> None:
    bucket, health = Bucket(), Health("ticket", instance="a")
    reporting = asyncio.create_task(health.report(bucket, interval_s=3600))
    await bucket.tried.acquire()
    health.set("zoho", State.DOWN)
    await bucket.tried.acquire()
    health.tell("model", "m")
    await bucket.tried.acquire()
    health.tell("model", "m")
    reporting.cancel()

    assert bucket.keys == {"ticket.a"}
    assert [sorted(state["checks"]) for state in bucket.states] == [
        ["process"],
        ["process", "zoho"],
        ["process", "zoho"],
    ]
    assert [state["facts"] for state in bucket.states] == [{}, {}, {"model": "m"}]


async def test_the_state_is_reported_again_and_again() -> None:
    bucket = Bucket()
    reporting = asyncio.create_task(Health("ticket").report(bucket, interval_s=0.001))
    for _ in range(3):
        await bucket.tried.acquire()
    reporting.cancel()

    assert len(bucket.states) >= 2


async def test_a_broker_that_is_away_does_not_end_the_reporting() -> None:
    bucket = Bucket(away=True)
    reporting = asyncio.create_task(Health("ticket").report(bucket, interval_s=0.001))
    await bucket.tried.acquire()
    bucket.away = False
    while not bucket.states:
        await bucket.tried.acquire()
    reporting.cancel()

    assert bucket.states
