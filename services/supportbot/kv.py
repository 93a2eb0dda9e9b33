"""A key-value bucket with our errors: an absent key is None, a lost race a ConflictError, a broker away Unavailable."""

from dataclasses import dataclass

from supportbot.errors import TemporaryError


class ConflictError(TemporaryError):
    """Somebody else wrote the key first: read it again."""


@dataclass(frozen=True)
class Entry:
    """A stored value and the revision that `update` compares."""

    value: bytes
    revision: int


class KeyValue:
    """One bucket. Every method raises UnavailableError (dependency `nats`) while the broker is away."""

    async def get(self, key: str) -> Entry | None:
        """The value of a key, None when there is none."""
        raise NotImplementedError

    async def create(self, key: str, value: bytes, *, ttl_s: float | None = None) -> int:
        """Write a key that must not exist yet; its revision. Raises ConflictError. A ttl counts in whole seconds."""
        raise NotImplementedError

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        """Write a key that must still have `revision`; the new one. Raises ConflictError."""
        raise NotImplementedError

    async def put(self, key: str, value: bytes) -> int:
        """Write a key whatever it holds; its revision."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Forget a key."""
        raise NotImplementedError

    async def keys(self) -> list[str]:
        """All keys that have a value."""
        raise NotImplementedError
