"""Consuming in the background, and reading what came out."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.conftest import LANES

from supportbot.bus import Bus, Handler
from supportbot.contracts import MessageClassified
from supportbot.reader import read_stream
from supportbot.topology import Stage, stream_name


@asynccontextmanager
async def consuming(
    bus: Bus, handler: Handler, *, stage: Stage = Stage.CLASSIFIER, ready: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Consume while the block runs; an error of the consumer fails the test."""
    task = asyncio.create_task(bus.consume(stage, handler, lanes=LANES, ready=ready))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def read_texts(bus: Bus) -> dict[str, list[int]]:
    """Per group the texts (numbers) of what the classifier handed on, in the order of the stream."""
    texts: dict[str, list[int]] = defaultdict(list)
    for stored in await read_stream(bus.nc, stream_name(bus.bot, Stage.TICKET)):
        event = MessageClassified.model_validate_json(stored.data)
        texts[event.group_ref].append(int(event.message.text))
    return dict(texts)


async def count_texts(bus: Bus) -> int:
    """How many messages the classifier handed on."""
    return (await bus.js.stream_info(stream_name(bus.bot, Stage.TICKET))).state.messages
