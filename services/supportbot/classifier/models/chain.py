"""Asks the models of the spec one after the other, within one deadline, until one gives an opinion that holds.

Whoever's breaker is open is passed over at once, and every failure goes on to the next model. Nothing here waits for
the bus: breakers and budget are shared in the background.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from supportbot import metrics
from supportbot.breaker import BreakerState
from supportbot.classifier.models.attempt import Attempt, Check, attempt_call, bear_counters
from supportbot.classifier.models.budget import Budget, BudgetState
from supportbot.classifier.models.links import Link
from supportbot.classifier.models.outcomes import ProviderError
from supportbot.classifier.models.request import Opinion, Request

DEADLINE_S: Final = 8.0
"""Of one turn, whatever happens."""
SHARES_S: Final = (3.5, 2.5)
"""How long the first and each further model is waited for while another comes after it: when one of them hangs, a turn
is decided within 6 s, and a third still has 2 s."""
LAST_S: Final = 6.0
"""How long a model is waited for that none comes after."""
LEAST_S: Final = 0.3
"""Less time than this is not worth a question."""

LOCAL: Final = "local"
"""What comes after the last model."""
BUDGET_SPENT: Final = "budget_spent"
ALL_AWAY: Final = "all_away"
"""No model was asked: all are left alone for now."""


@dataclass(frozen=True)
class Asked:
    """What came of asking."""

    opinion: Opinion | None
    """None: the local tiers have to decide."""
    model: str = LOCAL
    """The name of the link that answered."""
    attempts: int = 0
    reason: str = ""
    """Why there is no opinion: `budget_spent`, `all_away`, or the outcome of the last attempt."""


class Chain:
    """The models of a bot.

    Args:
        links: In the order in which they are asked.
        budget: Of the bot; None where the spec sets none.
    """

    def __init__(self, links: Sequence[Link], budget: Budget | None = None) -> None:
        self.budget = budget
        self.links = tuple(link for link in links if budget is None or budget.counts_tokens or link.price is not None)
        self.left_out = tuple(link for link in links if link not in self.links)
        """Those whose price is not known, where the budget is in USD alone: they cannot be counted."""
        self.troubles: dict[str, ProviderError] = {}
        """What each link failed of last, by its name, until it answers."""
        self.has_answered = False
        for link in self.links:
            bear_counters(link)

    async def ask(self, request: Request, check: Check) -> Asked:
        """The first opinion that holds, in at most 8 s.

        Args:
            request: The question.
            check: Raises BadOutput for an opinion that does not hold.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + DEADLINE_S
        attempts: list[Attempt] = []
        reason = ALL_AWAY
        for index, link in enumerate(self.links):
            left_s = end - loop.time()
            if left_s < LEAST_S:
                break
            if self.is_spent:
                reason = BUDGET_SPENT
                break
            if not link.breaker.acquire():
                continue
            _count_step(attempts, link.name)
            share_s = min(left_s, self._share_s(index, len(attempts)), link.spec.timeout_s)
            attempts.append(await attempt_call(link, request, check, share_s))
            self._note(attempts[-1])
            if attempts[-1].opinion is not None:
                return Asked(attempts[-1].opinion, link.name, len(attempts))
            reason = attempts[-1].outcome
        _count_step(attempts, LOCAL)
        return Asked(None, attempts=len(attempts), reason=reason)

    @property
    def is_spent(self) -> bool:
        """Whether the budget lets nobody be asked now."""
        return self.budget is not None and self.budget.state is not BudgetState.OPEN

    @property
    def available(self) -> tuple[Link, ...]:
        """Those who would be asked now, in their order."""
        closed = (link for link in self.links if link.breaker.state is BreakerState.CLOSED)
        return () if self.is_spent else tuple(closed)

    async def close(self) -> None:
        """Close all providers."""
        for link in (*self.links, *self.left_out):
            await link.provider.close()

    def _share_s(self, index: int, attempts: int) -> float:
        """How long the link at `index` is waited for, after so many attempts."""
        if all(later.breaker.state is BreakerState.OPEN for later in self.links[index + 1 :]):
            return LAST_S
        return SHARES_S[min(attempts, len(SHARES_S) - 1)]

    def _note(self, attempt: Attempt) -> None:
        """Charge the budget, and keep what went wrong for who asks how the models are."""
        if self.budget is not None and attempt.usage is not None:
            self.budget.charge(attempt.usage.input_tokens + attempt.usage.output_tokens, attempt.cost_usd)
        if attempt.error is not None:
            self.troubles[attempt.link.name] = attempt.error
        else:
            self.has_answered = True
            self.troubles.pop(attempt.link.name, None)


def _count_step(attempts: Sequence[Attempt], after: str) -> None:
    """Count that a turn goes on from the model that failed."""
    if attempts:
        metrics.LLM_FALLBACKS.labels(attempts[-1].link.name, after, attempts[-1].outcome).inc()
