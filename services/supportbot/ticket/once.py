"""Doing a write to Zoho Desk once, whatever is lost on the way: the ledger, and looks before a repeat.

Zoho has no idempotency key. A write whose answer was lost is looked for by plain lists before it is made again, and
only after the last of several delays counts as not made. Cf. NangoHQ/integration-templates#646 for a blind retry.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.effects import Effect, EffectsLedger
from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.ticket.answers import OutcomeUnknownError

_MAX_DOUBTFUL_WRITES: Final = 3
_FIRST_LOOK_S: Final = 1.0

Write = Callable[[], Awaitable[Mapping[str, Any]]]
Look = Callable[[datetime], Awaitable[Mapping[str, Any] | None]]
"""Looks for what a write since that time has made; None when it is not there."""


class _Trial(BaseModel):
    """The notes of an effect that is not done."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    """When the write was begun."""
    writes: int = 1
    """How many writes were begun; all but the last were in doubt and not found."""


class Once:
    """Performs writes once.

    Args:
        ledger: The effects of the bot.
        look_delays_s: When to look for a write without an answer, in seconds after it, ascending. It is made again
            after a look that came later than the last of them.
        now: Aware UTC now.
    """

    def __init__(
        self,
        ledger: EffectsLedger,
        *,
        look_delays_s: Sequence[float] = (30, 60, 120),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._delays_s = tuple(sorted(look_delays_s))
        self._now = now

    async def perform(self, key: str, *, write: Write, look: Look) -> Mapping[str, Any]:
        """The outcome of the write, now or from an earlier call.

        Raises:
            UnavailableError: Zoho is away, or the write is in doubt; call again after `delay_s`.
            TemporaryError: The write stayed in doubt several times over, or another replica repeats it just now.
            PermanentError: Zoho refuses the write. A later call tries it again.
        """
        effect = await self._ledger.begin(key)
        if effect.state == "done":
            return effect.outcome
        if effect.fresh:
            return await self._write(effect, _Trial(at=effect.started_at), write)
        trial = _Trial.model_validate({"at": effect.started_at, **effect.outcome})
        found = await look(trial.at)
        if found is not None:
            return (await self._ledger.finish(effect, found)).outcome
        self._wait_for_next_look(trial)
        again = _Trial(at=self._now(), writes=trial.writes + 1)
        effect = await self._ledger.note(effect, again.model_dump(mode="json"))
        return effect.outcome if effect.state == "done" else await self._write(effect, again, write)

    async def _write(self, effect: Effect, trial: _Trial, write: Write) -> Mapping[str, Any]:
        try:
            outcome = await write()
        except OutcomeUnknownError as exc:
            if trial.writes >= _MAX_DOUBTFUL_WRITES:
                raise
            delay_s = min((_FIRST_LOOK_S, *self._delays_s))
            raise UnavailableError(str(exc), dependency="zoho", delay_s=delay_s) from exc
        except (TemporaryError, PermanentError) as exc:
            # Surely not applied, so the next call may write at once.
            await self._ledger.finish(effect, {"error": str(exc)}, failed=True)
            raise
        return (await self._ledger.finish(effect, outcome)).outcome

    def _wait_for_next_look(self, trial: _Trial) -> None:
        """Raise UnavailableError until the last delay is over."""
        due = (trial.at + timedelta(seconds=delay_s) for delay_s in self._delays_s)
        ahead = [(at - self._now()).total_seconds() for at in due if at > self._now()]
        if ahead:
            message = "Zoho Desk may have done what it did not confirm; it is looked for before it is asked again"
            raise UnavailableError(message, dependency="zoho", delay_s=ahead[0])
