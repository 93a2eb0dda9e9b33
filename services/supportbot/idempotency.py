"""`Idempotency-Key`: a request that is sent again gets the first answer instead of a second effect.

The memory is this process's: it covers clients that retry after a lost answer. What must hold across a crash goes
through the effects ledger.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from supportbot.auth import CALLER

MAX_KEY_CHARS = 255
TTL_S = 24 * 3600.0
CAPACITY = 10_000


@dataclass(frozen=True)
class Answer:
    """What a request was answered; kept whatever the status, once the work has begun."""

    status: int
    body: dict[str, Any]


@dataclass
class _Kept:
    fingerprint: bytes
    until: float
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class IdempotencyKeys:
    """The keys of one application's requests, per caller and route.

    Args:
        ttl_s: How long an answer is kept.
        capacity: How many are kept; the oldest finished one goes first.
        clock: Monotonic seconds.
    """

    def __init__(
        self, *, ttl_s: float = TTL_S, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ttl_s = ttl_s
        self._capacity = capacity
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()

    async def once(self, request: Request, body: BaseModel, work: Callable[[], Awaitable[Answer]]) -> JSONResponse:
        """The answer of `work`, or the earlier one of the same key, marked `Idempotency-Replayed: true`.

        Without the header the work is simply done. A repeat while the first request still runs waits for it. A work
        that raises is forgotten, so that it can be tried again.

        Raises:
            HTTPException: 400 for a malformed key, 422 for a key that was used with another body.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return _response(await work())
        if not 0 < len(key) <= MAX_KEY_CHARS or not key.isprintable():
            raise HTTPException(400, f"Idempotency-Key must have 1 to {MAX_KEY_CHARS} printable characters")
        place = (request.method, request.url.path, str(request.scope.get(CALLER, "")), key)
        fingerprint = hashlib.sha256(body.model_dump_json().encode()).digest()
        self._forget_old()
        kept = self._kept.get(place)
        if kept is None:
            return _response(await self._first(place, fingerprint, work))
        if kept.fingerprint != fingerprint:
            raise HTTPException(422, "this Idempotency-Key was used with another body; use a new key")
        return _response(await asyncio.shield(kept.answer), replayed=True)

    async def _first(self, place: tuple[str, ...], fingerprint: bytes, work: Callable[[], Awaitable[Answer]]) -> Answer:
        kept = self._kept[place] = _Kept(fingerprint, self._clock() + self._ttl_s)
        try:
            answer = await work()
        except BaseException as exc:
            self._kept.pop(place, None)
            # Those who wait for it fail alike; a cancelled first request is theirs to send again.
            kept.answer.set_exception(
                HTTPException(503, "the first request with this Idempotency-Key did not end; send it again")
                if isinstance(exc, asyncio.CancelledError)
                else exc
            )
            kept.answer.exception()  # Seen, so that asyncio does not warn when nobody waits.
            raise
        kept.answer.set_result(answer)
        return answer

    def _forget_old(self) -> None:
        """Drop what is too old or too much. The oldest stand first, since all live equally long."""
        now = self._clock()
        for place, kept in list(self._kept.items()):
            if kept.until > now and len(self._kept) <= self._capacity:
                return
            if kept.answer.done():
                del self._kept[place]


def _response(answer: Answer, *, replayed: bool = False) -> JSONResponse:
    return JSONResponse(answer.body, answer.status, {"idempotency-replayed": "true"} if replayed else None)
