"""The bus of a service: one NATS connection, publishing with PubAck, and consuming in lanes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.js import JetStreamContext

from supportbot.contracts import Event, TrailEntry
from supportbot.delivery import Context, Handler
from supportbot.effects import EffectsLedger
from supportbot.kv import KeyValue
from supportbot.media import MediaStore
from supportbot.topology import Stage

__all__ = ["Bus", "Context", "Handler"]


class Bus:
    """A bot's connection to its streams."""

    bot: str
    nc: Client
    js: JetStreamContext
    effects: EffectsLedger
    media: MediaStore

    @property
    def is_ready(self) -> bool:
        """Connected, and every lane has heard from the broker lately."""
        raise NotImplementedError

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, *, bot: str, service: str) -> AsyncIterator["Bus"]:
        """Connect, waiting at most 10 s for the broker; closes at the end.

        Raises:
            UnavailableError: No broker answers there.
        """
        raise NotImplementedError
        yield

    async def publish(self, event: Event) -> bool:
        """Publish until the PubAck comes, for ever, with the same id. False: it was there already."""
        raise NotImplementedError

    async def record(self, entry: TrailEntry) -> None:
        """Append to the trail, outside a handler."""
        raise NotImplementedError

    async def consume(
        self, stage: Stage, handler: Handler, *, lanes: int, ready: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Hand the stage's messages to `handler` until cancelled."""
        raise NotImplementedError

    async def bucket(self, name: str) -> KeyValue:
        """Bind a bucket by its short name (`memory`)."""
        raise NotImplementedError
