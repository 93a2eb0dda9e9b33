"""The ledger of what cannot be undone: a ticket, a comment, a sent message.

`started`, do it, `done` with the outcome. Who finds `started` by an earlier try must first look whether it happened.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.errors import PermanentError, UnavailableError
from supportbot.kv import ConflictError, KeyValue
from supportbot.topology import Bucket

TRIES = 3


class Effect(BaseModel):
    """One entry of the ledger."""

    model_config = ConfigDict(frozen=True)

    key: str
    state: Literal["started", "done", "failed"]
    started_at: AwareDatetime
    outcome: Mapping[str, Any] = {}
    """Of a `started` effect the notes, of a finished one what it came to."""
    nonce: str = ""
    """Tells our own write from somebody else's when its answer was lost."""
    fresh: bool = False
    """True: this call of `begin` created it, so nobody can have done the work yet."""
    revision: int = 0


class EffectsLedger:
    """The bucket `<bot>_effects`; keys are `<effect>.<ref>`, such as `ticket.i_…` or `reply.i_….opened`.

    Every method raises UnavailableError while the broker is away.
    """

    def __init__(self, bind: Callable[[str], Awaitable[KeyValue]]) -> None:
        self._bind = bind

    async def begin(self, key: str) -> Effect:
        """Create `started`, or return what is there (fresh=False). One of many racers gets fresh=True.

        An effect that `failed` starts afresh: it is known not to have happened.
        """
        bucket = await self._bind(Bucket.EFFECTS)
        mine = Effect(key=key, state="started", started_at=datetime.now(UTC), nonce=uuid4().hex, fresh=True)
        for tries in range(TRIES):
            try:
                return mine.model_copy(update={"revision": await bucket.create(key, _dump(mine))})
            except ConflictError:
                found = await self.get(key)
            except UnavailableError:
                if tries == TRIES - 1:
                    raise
                continue
            if found is not None:
                return await self._take(bucket, found, mine)
        raise ConflictError(key)

    async def finish(self, effect: Effect, outcome: Mapping[str, Any], *, failed: bool = False) -> Effect:
        """Set `done` (or `failed`) with the outcome. Whoever finished it first is right: the result may be theirs."""
        return await self._write(effect, {"state": "failed" if failed else "done", "outcome": dict(outcome)})

    async def note(self, effect: Effect, outcome: Mapping[str, Any]) -> Effect:
        """Keep notes, such as a count of look-ups, while the effect stays `started`; the outcome if it is done by now.

        Raises:
            ConflictError: Somebody else has noted something since `effect` was read. Of two who are about to repeat
                the same work one gets through.
        """
        after = effect.model_copy(update={"outcome": dict(outcome), "fresh": False})
        bucket = await self._bind(Bucket.EFFECTS)
        try:
            revision = await bucket.update(effect.key, _dump(after), revision=effect.revision)
        except ConflictError:
            found = await self.get(effect.key)
            if found is None or found.state != "done":
                raise
            return found
        return after.model_copy(update={"revision": revision})

    async def get(self, key: str) -> Effect | None:
        """The entry of a key."""
        entry = await (await self._bind(Bucket.EFFECTS)).get(key)
        if entry is None:
            return None
        return Effect.model_validate_json(entry.value).model_copy(update={"revision": entry.revision})

    async def _take(self, bucket: KeyValue, found: Effect, mine: Effect) -> Effect:
        if found.nonce == mine.nonce:
            return found.model_copy(update={"fresh": True})
        if found.state != "failed":
            return found
        revision = await bucket.update(mine.key, _dump(mine), revision=found.revision)
        return mine.model_copy(update={"revision": revision})

    async def _write(self, effect: Effect, change: Mapping[str, Any]) -> Effect:
        bucket = await self._bind(Bucket.EFFECTS)
        for _ in range(TRIES):
            after = effect.model_copy(update={**change, "fresh": False})
            try:
                revision = await bucket.update(effect.key, _dump(after), revision=effect.revision)
                return after.model_copy(update={"revision": revision})
            except ConflictError:
                found = await self.get(effect.key)
                if found is None:
                    raise
                if found.state == "done" or _dump(found) == _dump(after):
                    return found
                effect = found
        raise ConflictError(effect.key)


async def perform_once(
    ledger: EffectsLedger,
    key: str,
    *,
    do: Callable[[], Awaitable[Mapping[str, Any]]],
    find: Callable[[Effect], Awaitable[Mapping[str, Any] | None]],
) -> Mapping[str, Any]:
    """The outcome of an effect that happens once, whoever asks and however often.

    Args:
        ledger: Where it is noted.
        key: `<effect>.<ref>`.
        do: Does it. After a PermanentError it counts as not done, after any other error as perhaps done.
        find: Looks whether an earlier try did it: the outcome, or None when it certainly did not. It raises
            TemporaryError while that is not known yet.

    Raises:
        Exception: Whatever `do` and `find` raise.
    """
    effect = await ledger.begin(key)
    if effect.state == "done":
        return effect.outcome
    if not effect.fresh and (found := await find(effect)) is not None:
        return (await ledger.finish(effect, found)).outcome
    try:
        outcome = await do()
    except PermanentError as exc:
        await ledger.finish(effect, {"error": str(exc), "reason": exc.reason}, failed=True)
        raise
    return (await ledger.finish(effect, outcome)).outcome


def _dump(effect: Effect) -> bytes:
    return effect.model_dump_json(exclude={"fresh", "revision"}).encode()
