"""One delivery of a message to a handler: what the handler sees, and what the bus does about its outcome."""

from collections.abc import Awaitable, Callable

from supportbot.contracts import Decision, Event, Outcome, TrailEntry
from supportbot.topology import Stage


class Context:
    """One call of a handler. Tests may build one with any `publish`."""

    def __init__(
        self, event: Event, *, stage: Stage, publish: Callable[[Event], Awaitable[object]], attempt: int = 1
    ) -> None:
        self.event_id = event.event_id
        self.message_ref = event.message_ref
        self.group_ref = event.group_ref
        self.stage = stage
        self.attempt = attempt
        self.entries: list[TrailEntry] = []
        self._publish = publish

    def record(
        self,
        outcome: Outcome,
        *,
        reasons: tuple[str, ...] = (),
        incident_id: str | None = None,
        decision: Decision | None = None,
        message_ref: str | None = None,
    ) -> None:
        """Add a trail entry about this message, or about `message_ref`; published before the ack."""
        raise NotImplementedError

    async def publish(self, event: Event) -> None:
        """Publish an event beside the returned one; returns after the PubAck."""
        await self._publish(event)


Handler = Callable[[Event, Context], Awaitable[Event | None]]
