"""Attachments in the bot's object store, named by their SHA-256."""

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime
from uuid import uuid4

import nats.js.errors
from nats.aio.client import Client
from nats.js import api
from nats.js.object_store import ObjectStore

from supportbot.errors import PermanentError
from supportbot.nats_errors import broker_errors
from supportbot.reader import read_stream

CHUNK_BYTES = 128 * 1024


class MediaStore:
    """The object store `<bot>_media`; it forgets after 30 days."""

    def __init__(self, nc: Client, bucket: str) -> None:
        self._nc, self._name = nc, bucket
        self._store: ObjectStore | None = None

    async def put(self, data: bytes) -> str:
        """Store bytes; their SHA-256 in hex, which is the object's name. Storing them again does nothing.

        Raises:
            PermanentError: The store is full (`broker_full`).
            UnavailableError: The broker is away.
        """
        sha256 = await _hash(data)
        with broker_errors():
            store = await self._bind()
            try:
                await store.get_info(sha256)
            except nats.js.errors.NotFoundError:
                await self._store_new(sha256, data)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """The bytes of a hash, verified.

        Raises:
            PermanentError: They are not there (any more) (`media_missing`), or damaged (`media_damaged`).
            UnavailableError: The broker is away.
        """
        with broker_errors():
            store = await self._bind()
            try:
                info = await store.get_info(sha256)
            except nats.js.errors.NotFoundError as exc:
                raise PermanentError(f"no media {sha256!r}; they are kept for 30 days", reason="media_missing") from exc
        chunks = await read_stream(self._nc, f"OBJ_{self._name}", subject=f"$O.{self._name}.C.{info.nuid}")
        data = b"".join(chunk.data for chunk in chunks)
        if await _hash(data) != sha256:
            raise PermanentError(f"media {sha256!r} is damaged: {len(data)} bytes", reason="media_damaged")
        return data

    async def _store_new(self, sha256: str, data: bytes) -> None:
        """Store an object. The library's own way needs the right to purge, by which a service could empty the store."""
        js, nuid = self._nc.jetstream(), uuid4().hex
        starts = range(0, len(data), CHUNK_BYTES)
        for start in starts:
            await js.publish(f"$O.{self._name}.C.{nuid}", data[start : start + CHUNK_BYTES])
        info = api.ObjectInfo(
            name=sha256,
            bucket=self._name,
            nuid=nuid,
            size=len(data),
            chunks=len(starts),
            digest="SHA-256=" + base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode(),
            mtime=datetime.now(UTC).isoformat(),
            options=api.ObjectMetaOptions(max_chunk_size=CHUNK_BYTES),
        )
        name = base64.urlsafe_b64encode(sha256.encode()).decode()
        await js.publish(f"$O.{self._name}.M.{name}", json.dumps(info.as_dict()).encode())

    async def _bind(self) -> ObjectStore:
        if self._store is None:
            self._store = await self._nc.jetstream().object_store(self._name)
        return self._store


async def _hash(data: bytes) -> str:
    return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
