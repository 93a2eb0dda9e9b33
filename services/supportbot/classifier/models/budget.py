"""What the models may use a day, counted over all replicas in the bucket `<b>_usage`.

The decision whether a model may be asked looks at numbers in this process only; a task in the background adds what was
used here to the shared count and reads what the others used. A bucket that hangs therefore delays nobody. Whoever has
had no contact with it for a while may use a tenth of the budget more and then stops: a lost count is no budget without
an end, for however many replicas or restarts.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

import structlog

from supportbot import metrics
from supportbot.errors import PermanentError, TemporaryError
from supportbot.kv import ConflictError, KeyValue
from supportbot.spec import DailyBudget

SHARE_S: Final = 2.0
LOOK_S: Final = 10.0
"""How old the count of the others may be while nothing is used here."""
CONTACT_LASTS_S: Final = 60.0
BLIND_SHARE: Final = 0.1
"""Of the budget, for a process that does not know the shared count."""
_TRIES: Final = 5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Used:
    """Tokens and money."""

    tokens: int = 0
    usd: float = 0.0
    """Of calls whose price is known."""

    def __add__(self, other: "Used") -> "Used":
        return Used(self.tokens + other.tokens, round(self.usd + other.usd, 12))

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.tokens - other.tokens, round(self.usd - other.usd, 12))

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """A stored count."""
        stored = json.loads(value)
        return cls(int(stored["tokens"]), float(stored["usd"]))

    def dump(self) -> bytes:
        """The count to store."""
        return json.dumps({"tokens": self.tokens, "usd": self.usd}).encode()


class BudgetState(StrEnum):
    """Whether models may be asked."""

    OPEN = "open"
    SPENT = "spent"
    """Until midnight UTC."""
    BLIND = "blind"
    """The shared count cannot be had, and what may be used without it is used."""


class Budget:
    """A bot's daily budget. A day is one of UTC.

    Args:
        limit: Of the spec.
        bucket: `<b>_usage`, one key per day; it may be set later.
        clock: Unix time in seconds.
    """

    def __init__(
        self, limit: DailyBudget, *, bucket: KeyValue | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.bucket = bucket
        self._tokens, self._usd = limit.tokens, limit.usd_value
        self._clock = clock
        self._day = self._today()
        self._shared = Used()
        """Of all replicas, as of the last contact."""
        self._pending = Used()
        """Of this process, not shared yet."""
        self._contact_at: float | None = None
        self._told = BudgetState.OPEN
        metrics.LLM_BUDGET_REMAINING.set(1)

    @property
    def counts_tokens(self) -> bool:
        """Whether a model without a known price is bounded as well."""
        return self._tokens is not None

    @property
    def state(self) -> BudgetState:
        """Whether a model may be asked now."""
        self._begin_day()
        if self._share(self._shared + self._pending) >= 1:
            return BudgetState.SPENT
        is_blind = self._contact_at is None or self._clock() - self._contact_at > CONTACT_LASTS_S
        return BudgetState.BLIND if is_blind and self._share(self._pending) >= BLIND_SHARE else BudgetState.OPEN

    @property
    def used(self) -> Used:
        """What is known to be used today."""
        self._begin_day()
        return self._shared + self._pending

    @property
    def renews_at(self) -> datetime:
        """The next midnight, UTC."""
        return datetime.combine(self._today() + timedelta(days=1), datetime.min.time(), UTC)

    def charge(self, tokens: int, usd: float | None) -> None:
        """Count a call; without a price its tokens alone."""
        self._begin_day()
        self._pending += Used(tokens, usd or 0.0)
        self._tell()

    async def sync(self) -> None:
        """Add what was used here to the shared count, and learn the others'; never an error.

        When the broker dies during a write, a call may be counted twice, and none is lost.
        """
        self._begin_day()
        age = None if self._contact_at is None else self._clock() - self._contact_at
        if self.bucket is None or (self._pending == Used() and age is not None and age < LOOK_S):
            return
        try:
            await self._exchange(self.bucket)
        except (TemporaryError, PermanentError, ValueError, KeyError) as exc:
            _log.debug("llm_budget_not_shared", error_type=type(exc).__name__)
        self._tell()

    async def share(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Keep in step with the other replicas, until cancelled."""
        while True:
            await self.sync()
            await sleep(SHARE_S)

    async def _exchange(self, bucket: KeyValue) -> None:
        day, mine = self._day, self._pending
        for _ in range(_TRIES):
            entry = await bucket.get(day.isoformat())
            total = (Used.parse(entry.value) if entry else Used()) + mine
            try:
                if entry is None and mine != Used():
                    await bucket.create(day.isoformat(), total.dump())
                elif entry is not None and mine != Used():
                    await bucket.update(day.isoformat(), total.dump(), revision=entry.revision)
            except ConflictError:
                continue
            if day == self._day:
                self._shared, self._pending = total, self._pending - mine
                self._contact_at = self._clock()
            return

    def _begin_day(self) -> None:
        """At midnight all counts begin anew; what was not shared yet of the day before bounds nothing any more."""
        if self._today() != self._day:
            self._day = self._today()
            self._shared = self._pending = Used()
            self._tell()

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()

    def _share(self, used: Used) -> float:
        """How much of the budget that is; the limit that is nearer counts."""
        by_tokens = used.tokens / self._tokens if self._tokens else 0.0
        return max(by_tokens, used.usd / self._usd if self._usd else 0.0)

    def _tell(self) -> None:
        metrics.LLM_BUDGET_REMAINING.set(max(0.0, 1 - self._share(self._shared + self._pending)))
        state = self.state
        if state is self._told:
            return
        self._told = state
        used = self._shared + self._pending
        if state is BudgetState.OPEN:
            _log.info("llm_budget_open", tokens=used.tokens, usd=round(used.usd, 4))
        else:
            renews_at = self.renews_at.isoformat()
            _log.warning(
                "llm_budget_spent", state=state.value, tokens=used.tokens, usd=round(used.usd, 4), renews_at=renews_at
            )
