"""Publishing with PubAck. Half the cost of the library's own: one inbox for all answers, one sweeper for all timeouts.

A publish whose answer is lost is repeated with the same `Nats-Msg-Id`; the broker drops the second copy.
"""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from supportbot.envelope import Headers
from supportbot.errors import PermanentError

log = structlog.get_logger(__name__)

ANSWER_TIMEOUT_S = 5.0
MAX_RETRY_PAUSE_S = 2.0
HEADROOM_BYTES = 4096
"""Room that an event leaves under the broker's `max_payload`, so that it still fits as a dead letter."""


class BusClosedError(Exception):
    """The connection is closed for good; the process must end and start again."""


class PublishRefusedError(Exception):
    """The broker answered with an error instead of a PubAck."""


@dataclass(frozen=True)
class PubAck:
    """Where the broker stored a message; duplicate: it was there already."""

    stream: str
    seq: int
    duplicate: bool = False


class Publisher:
    """Call `start` once, and `stop` before the connection closes."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._waiting: dict[str, tuple[asyncio.Future[dict[str, Any]], float]] = {}
        self._count = 0
        self._prefix = ""
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen for answers."""
        self._prefix = self._nc.new_inbox() + "."
        await self._nc.subscribe(self._prefix + "*", cb=self._answer, pending_msgs_limit=0, pending_bytes_limit=0)
        self._sweeper = asyncio.create_task(self._sweep(), name="publish timeouts")

    async def stop(self) -> None:
        """End the sweeper."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    async def publish(
        self, subject: str, body: bytes, headers: Headers, *, headroom_bytes: int = HEADROOM_BYTES
    ) -> PubAck:
        """Publish until the PubAck comes, however long the broker is away or full.

        Raises:
            BusClosedError: The connection is closed for good.
            PermanentError: It is too large for the broker (`too_large`).
        """
        size, limit = len(body) + _size(headers), self._nc.max_payload - headroom_bytes
        if size > limit:  # Checked here: the library forgets the headers, and the broker then ends the connection.
            raise PermanentError(f"the message has {size} bytes, the broker takes {limit}", reason="too_large")
        tries = 0
        while True:
            if self._nc.is_closed:
                raise BusClosedError("the connection to NATS is closed")
            try:
                return await self._publish_once(subject, body, headers)
            except (nats.errors.Error, OSError, TimeoutError, PublishRefusedError) as exc:
                tries += 1
                if tries in {1, 10, 100} or tries % 1000 == 0:
                    log.warning("publish_retried", subject=subject.split(".")[0], tries=tries, error=repr(exc))
            await asyncio.sleep(min(0.05 * 2 ** min(tries, 10), MAX_RETRY_PAUSE_S))

    async def _publish_once(self, subject: str, body: bytes, headers: Headers) -> PubAck:
        self._count += 1
        token = str(self._count)
        done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[token] = done, time.monotonic() + ANSWER_TIMEOUT_S
        try:
            await self._nc.publish(subject, body, reply=self._prefix + token, headers=dict(headers))
            answer = await done
        finally:
            del self._waiting[token]
        return PubAck(answer["stream"], answer["seq"], answer.get("duplicate", False))

    async def _answer(self, msg: Msg) -> None:
        done, _ = self._waiting.get(msg.subject[len(self._prefix) :], (None, 0.0))
        if done is None or done.done():  # The late answer of a try that timed out.
            return
        if (msg.headers or {}).get("Status") == "503":
            done.set_exception(PublishRefusedError("no stream takes the subject"))
            return
        answer = json.loads(msg.data)
        if "error" in answer:
            done.set_exception(PublishRefusedError(answer["error"].get("description", "refused")))
        else:
            done.set_result(answer)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now, connected = time.monotonic(), self._nc.is_connected
            for done, deadline in list(self._waiting.values()):
                # Across a reconnect no answer comes any more.
                if (deadline < now or not connected) and not done.done():
                    with suppress(asyncio.InvalidStateError):
                        done.set_exception(TimeoutError("no PubAck"))


def _size(headers: Headers) -> int:
    return 16 + sum(len(key) + len(value) + 4 for key, value in headers.items())
