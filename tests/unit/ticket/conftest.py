"""A bucket in memory and a clock that is moved by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from supportbot.effects import EffectsLedger
from supportbot.kv import ConflictError, Entry, KeyValue
from supportbot.ticket.records import Records


class MemoryKeyValue(KeyValue):
    """A bucket with the rules of the real one: revisions, and writes that name the wrong one fail."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision = 0

    async def get(self, key: str) -> Entry | None:
        return self.entries.get(key)

    async def create(self, key: str, value: bytes, *, ttl_s: float | None = None) -> int:
        assert ttl_s is None
        if key in self.entries:
            raise ConflictError(key)
        return await self.put(key, value)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        if key not in self.entries or self.entries[key].revision != revision:
            raise ConflictError(key)
        return await self.put(key, value)

    async def put(self, key: str, value: bytes) -> int:
        self.revision += 1
        self.entries[key] = Entry(value, self.revision)
        return self.revision

    async def keys(self, prefix: str = "") -> list[str]:
        return [key for key in self.entries if key.startswith(prefix)]


class FakeClock:
    """Time that stands still until `advance`; `sleep` advances it."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    def time(self) -> float:
        return self.at.timestamp()

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kv() -> MemoryKeyValue:
    return MemoryKeyValue()


@pytest.fixture
def records(kv: MemoryKeyValue, clock: FakeClock) -> Records:
    return Records(kv, now=clock.time, sleep=clock.sleep)


@pytest.fixture
def ledger(kv: MemoryKeyValue) -> EffectsLedger:
    async def bind(name: str) -> KeyValue:
        return kv

    return EffectsLedger(bind)
