"""What the ticket service remembers beside the effects ledger, as JSON in a bucket, and locks between replicas."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from supportbot.errors import UnavailableError
from supportbot.kv import ConflictError, KeyValue

_LOCK_POLL_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Record:
    """A stored object and the revision that the next `update` must name."""

    value: Mapping[str, Any]
    revision: int


class Records:
    """JSON objects in a bucket.

    Args:
        kv: The bucket.
        now: Seconds since the epoch; replicas may differ by some seconds.
        sleep: Waits for a lock.
    """

    def __init__(
        self,
        kv: KeyValue,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._kv = kv
        self._now = now
        self._sleep = sleep

    async def get(self, key: str) -> Record | None:
        """The object under a key; None when there is none."""
        entry = await self._kv.get(key)
        return None if entry is None else Record(value=json.loads(entry.value), revision=entry.revision)

    async def create(self, key: str, value: Mapping[str, Any]) -> Record:
        """Store an object under a key that is free.

        Raises:
            ConflictError: It is not.
        """
        return Record(value=value, revision=await self._kv.create(key, _dump(value)))

    async def update(self, key: str, value: Mapping[str, Any], *, revision: int) -> Record:
        """Replace an object that still has `revision`.

        Raises:
            ConflictError: Somebody else wrote it.
        """
        return Record(value=value, revision=await self._kv.update(key, _dump(value), revision=revision))

    async def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Store an object, whatever is there."""
        await self._kv.put(key, _dump(value))

    async def delete(self, key: str) -> None:
        """Forget a key."""
        await self._kv.delete(key)

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix` (whole dotted tokens), sorted."""
        return sorted(await self._kv.keys(prefix))

    @asynccontextmanager
    async def lock(self, key: str, *, ttl_s: float) -> AsyncIterator[None]:
        """Hold a lock among all replicas. One whose holder died is taken over after `ttl_s`.

        The end is in the value and not a TTL of the key: an expired key refuses `create` until its marker is gone.

        Raises:
            UnavailableError: Others held it for all of `ttl_s`.
        """
        owner = secrets.token_hex(8)
        deadline = self._now() + ttl_s
        while (held := await self._take(key, owner, ttl_s)) is None:
            if self._now() >= deadline:
                raise UnavailableError(f"the lock {key!r} stays taken", dependency="nats", delay_s=1)
            await self._sleep(_LOCK_POLL_S)
        try:
            yield
        finally:
            await self._release(key, held)

    async def _take(self, key: str, owner: str, ttl_s: float) -> Record | None:
        value = {"owner": owner, "until": self._now() + ttl_s}
        try:
            present = await self.get(key)
            if present is None:
                return await self.create(key, value)
            if present.value["until"] > self._now():
                return None
            return await self.update(key, value, revision=present.revision)
        except ConflictError:
            return None

    async def _release(self, key: str, held: Record) -> None:
        try:
            await self.update(key, {"owner": "", "until": 0.0}, revision=held.revision)
        except ConflictError:
            return  # It took longer than ttl_s and has another holder by now.


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
