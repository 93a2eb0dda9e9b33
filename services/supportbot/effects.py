"""The ledger of what cannot be undone: a ticket, a comment, a sent message. `started`, do it, `done` with the outcome."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Effect:
    """One entry of the ledger."""

    key: str
    state: Literal["started", "done", "failed"]
    started_at: datetime
    outcome: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    """True: this call of `begin` created it, so nobody can have done the work yet."""
    revision: int = 0


class EffectsLedger:
    """The bucket `<bot>_effects`."""

    async def begin(self, key: str) -> Effect:
        """Create `started`, or return what is there (fresh=False)."""
        raise NotImplementedError

    async def finish(self, effect: Effect, outcome: Mapping[str, Any], *, failed: bool = False) -> Effect:
        """Set `done` (or `failed`) with the outcome."""
        raise NotImplementedError

    async def note(self, effect: Effect, outcome: Mapping[str, Any]) -> Effect:
        """Keep notes, such as a count of look-ups, while the effect stays `started`."""
        raise NotImplementedError

    async def get(self, key: str) -> Effect | None:
        """The entry of a key."""
        raise NotImplementedError


async def perform_once(
    ledger: EffectsLedger,
    key: str,
    *,
    do: Callable[[], Awaitable[Mapping[str, Any]]],
    find: Callable[[Effect], Awaitable[Mapping[str, Any] | None]],
) -> Mapping[str, Any]:
    """The outcome of an effect that happens once."""
    raise NotImplementedError
