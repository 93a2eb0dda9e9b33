"""Invented events and small waits for the tests of the bus."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from supportbot.contracts import Decision, Kind, MessageClassified, MessageReceived, Person
from supportbot.ids import make_group_ref, make_message_ref, make_sender_ref

KEY = b"0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def make_message(number: int, group: str = "one", text: str | None = None) -> MessageReceived:
    """Message `number` of an invented group; its text is the number."""
    return MessageReceived(
        message_ref=make_message_ref(KEY, chat=group, sender="ana", message_id=str(number)),
        group_ref=make_group_ref(KEY, group),
        sender=Person(ref=make_sender_ref(KEY, "ana")),
        sent_at=NOON,
        received_at=NOON,
        text=str(number) if text is None else text,
    )


def classify(message: MessageReceived) -> MessageClassified:
    """What a classifier might make of it."""
    return MessageClassified(
        message_ref=message.message_ref,
        group_ref=message.group_ref,
        message=message,
        decision=Decision(kind=Kind.FOLLOW_UP),
    )


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for what real processes do."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def counting_turns() -> AsyncIterator[list[float]]:
    """When the event loop took up another task that had nothing to wait for."""
    turns: list[float] = []

    async def count() -> None:
        while True:
            turns.append(time.monotonic())
            await asyncio.sleep(0)

    task = asyncio.create_task(count())
    try:
        yield turns
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
