"""A key-value bucket with our errors: an absent key is None, a lost race a ConflictError, a broker away Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import nats.js.errors
from nats.aio.client import Client
from nats.js import kv

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.nats_errors import DEPENDENCY, broker_errors
from supportbot.reader import read_stream


class ConflictError(TemporaryError):
    """Somebody else wrote the key first: read it again."""

    def __init__(self, key: str) -> None:
        super().__init__(f"somebody else wrote {key!r} first", delay_s=0.1)


@contextmanager
def _writing() -> Iterator[None]:
    """A full broker is no fault of what is written: it waits until there is room."""
    try:
        with broker_errors():
            yield
    except PermanentError as exc:
        if exc.reason != "broker_full":
            raise
        raise UnavailableError(str(exc), dependency=DEPENDENCY) from exc


@dataclass(frozen=True)
class Entry:
    """A stored value and the revision that `update` compares."""

    value: bytes
    revision: int


class KeyValue:
    """One bucket. Every method raises UnavailableError (dependency `nats`) while the broker is away or has no room.

    A key holds letters, digits and `-/_=.`; a value at most 1 MB less some room for headers.
    """

    def __init__(self, nc: Client, bucket: kv.KeyValue, name: str) -> None:
        self._nc, self._bucket, self._name = nc, bucket, name

    async def get(self, key: str) -> Entry | None:
        """The value of a key, None when there is none."""
        with broker_errors():
            try:
                entry = await self._bucket.get(key)
            except nats.js.errors.KeyNotFoundError:
                return None
        return Entry(entry.value or b"", entry.revision or 0)

    async def create(self, key: str, value: bytes, *, ttl_s: float | None = None) -> int:
        """Write a key that must not exist yet; its revision. Raises ConflictError.

        After `UnavailableError` the key may be written all the same. A ttl counts in whole seconds, at least 1.
        """
        ttl = None if ttl_s is None else max(1, round(ttl_s))
        with _writing():
            try:
                return await self._bucket.create(key, value, msg_ttl=ttl)
            except nats.js.errors.KeyWrongLastSequenceError as exc:
                raise ConflictError(key) from exc

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        """Write a key that must still have `revision`; the new one. Raises ConflictError. It drops the key's ttl."""
        with _writing():
            try:
                return await self._bucket.update(key, value, last=revision)
            except nats.js.errors.KeyWrongLastSequenceError as exc:
                raise ConflictError(key) from exc

    async def put(self, key: str, value: bytes) -> int:
        """Write a key whatever it holds; its revision."""
        with _writing():
            return await self._bucket.put(key, value)

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        """Forget a key, only while it has `revision` when given. Raises ConflictError."""
        with _writing():
            try:
                await self._bucket.delete(key, last=revision)
            except nats.js.errors.BadRequestError as exc:
                raise ConflictError(key) from exc

    async def items(self, prefix: str = "") -> dict[str, Entry]:
        """All keys that begin with `prefix` (whole dotted tokens) and their values."""
        root = f"$KV.{self._name}."
        stored = await read_stream(self._nc, f"KV_{self._name}", subject=f"{root}{prefix}>")
        return {
            message.subject[len(root) :]: Entry(message.data, message.seq)
            for message in stored
            if not message.headers.keys() & {kv.KV_OP, kv.KV_MARKER_REASON}
        }

    async def keys(self, prefix: str = "") -> list[str]:
        """All keys that begin with `prefix` (whole dotted tokens, such as `lock.`)."""
        return list(await self.items(prefix))
