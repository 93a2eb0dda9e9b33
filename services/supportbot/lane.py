"""One lane: a standing pull on a durable with `max_ack_pending=1`, whose messages are handled one at a time.

nats-py's `fetch` costs three times as much and stays silent for its whole timeout after the broker restarted
(nats.py#504, #544). Status frames come on the inbox, messages on their own subjects.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

log = structlog.get_logger(__name__)

BATCH = 8
"""Pulls kept waiting. The durable hands out one message at a time, so this only saves requests."""
EXPIRES_S = 30.0
HEARTBEAT_S = 5.0
WATCH_S = 1.0
SILENCE_S = 15.0
"""Connected but no frame for so long: the connection is half dead, or the lane is not served."""


class Lane:
    """Pulls from one durable. `handle` settles its message and raises only what must end the process."""

    def __init__(self, nc: Client, stream: str, durable: str, handle: Callable[[Msg], Awaitable[None]]) -> None:
        self._nc, self._handle = nc, handle
        self.stream, self.durable = stream, durable
        self.asks = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._options = {"expires": int(EXPIRES_S * 1e9), "idle_heartbeat": int(HEARTBEAT_S * 1e9)}
        self._queue: asyncio.Queue[Msg] = asyncio.Queue()
        self._owed = 0
        self._generation = 0
        self._asked = self._heard = time.monotonic()
        self._status = ""
        self._inbox = ""
        self._sub: Subscription | None = None

    @property
    def is_served(self) -> bool:
        """Whether the broker was heard lately and has the consumer."""
        return time.monotonic() - self._heard < SILENCE_S and self._status != "503"

    async def run(self) -> None:
        """Pull and handle until cancelled."""
        self._inbox = self._nc.new_inbox()
        self._sub = await self._nc.subscribe(
            f"{self._inbox}.*", cb=self._frame, pending_msgs_limit=0, pending_bytes_limit=0
        )
        watch = asyncio.create_task(self._watch(), name=f"watch {self.durable}")
        try:
            await self._ask()
            while True:
                await self._handle(await self._queue.get())
                if self._owed < BATCH // 2:
                    await self._ask()
        finally:
            watch.cancel()
            await self.quiet()

    async def quiet(self) -> None:
        """Ask for nothing more, and give back at once what is not handled yet."""
        sub, self._sub = self._sub, None
        if sub is None:
            return
        with suppress(nats.errors.Error, OSError):
            await sub.unsubscribe()
            while not self._queue.empty():
                await self._nc.publish(self._queue.get_nowait().reply, b"-NAK")

    async def rearm(self) -> None:
        """Ask anew: what was asked before the connection broke is forgotten."""
        self._owed = 0
        self._generation += 1
        await self._ask()

    async def _ask(self) -> None:
        want = BATCH - self._owed - self._queue.qsize()
        if self._sub is None or want <= 0:
            return
        self._asked = time.monotonic()
        self._owed += want
        request = json.dumps({"batch": want, **self._options}).encode()
        with suppress(nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError):
            await self._nc.publish(self.asks, request, f"{self._inbox}.{self._generation}")

    async def _frame(self, msg: Msg) -> None:
        """Take a frame; it never waits for the handler, or heartbeats would be late."""
        self._heard = time.monotonic()
        headers = msg.headers or {}
        status = headers.get("Status")
        if status is None:
            self._owed = max(0, self._owed - 1)
            self._status = ""
            if self._sub is None:
                await self._nc.publish(msg.reply, b"-NAK")
            else:
                self._queue.put_nowait(msg)
        elif status == "100":
            self._status = status
        elif msg.subject == f"{self._inbox}.{self._generation}":  # An old generation just dies out.
            self._owed = max(0, self._owed - int(headers.get("Nats-Pending-Messages", self._owed)))
            await self._refused(status, headers.get("Description", ""))

    async def _refused(self, status: str, description: str) -> None:
        if status in {"404", "408"}:
            await self._ask()
        else:  # 400, 409, 503: asking again at once would spin; the watch asks after a heartbeat.
            if status != self._status:
                log.warning("pull_refused", consumer=self.durable, status=status, description=description)
            self._owed = 0
        self._status = status

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            if not self._nc.is_connected:
                continue
            now = time.monotonic()
            if now - self._heard > SILENCE_S and now - self._asked > HEARTBEAT_S * 2:
                log.warning("connection_silent", consumer=self.durable, silence_s=round(now - self._heard))
                self._heard = now
                await self._nc.force_reconnect()
            elif self._owed == 0 or now - max(self._heard, self._asked) > HEARTBEAT_S * 2:
                await self.rearm()
