"""How often one caller may ask: requests in a moving minute."""

import time
from collections.abc import Collection, Mapping

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supportbot.auth import CALLER
from supportbot.metrics import RATE_LIMITED
from supportbot.routes import route_of


class RateLimitMiddleware:
    """Answers 429 with `Retry-After`. Counts per process: it protects a process, it sells no quota.

    It runs behind the check of credentials, so its memory is bounded by the configured keys: an open service is
    called from one machine only.

    Args:
        app: The application.
        rate: `600/minute`, for all requests of a caller.
        rates: Further limits of single paths, such as `{"/api/send-message": "30/minute"}`.
        open_paths: Not limited.
    """

    def __init__(
        self, app: ASGIApp, *, rate: str, rates: Mapping[str, str] | None = None, open_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._rate = parse(rate)
        self._rates = {path: parse(text) for path, text in (rates or {}).items()}
        self._open_paths = frozenset(open_paths)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, with its limits in the answer's headers, or answer it."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        caller = scope.get(CALLER) or (scope.get("client") or ("local",))[0]
        narrow = self._rates.get(scope["path"])
        if narrow is not None and not self._limiter.hit(narrow, scope["path"], caller):
            await self._refuse(scope, receive, send, narrow, (scope["path"], caller))
        elif not self._limiter.hit(self._rate, caller):
            await self._refuse(scope, receive, send, self._rate, (caller,))
        else:
            item, names = (self._rate, (caller,)) if narrow is None else (narrow, (scope["path"], caller))
            await self._app(scope, receive, _with_headers(send, self._headers(item, names)))

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, item: RateLimitItem, names: tuple[str, ...]
    ) -> None:
        RATE_LIMITED.labels(route_of(scope), "caller" if len(names) == 1 else "path").inc()
        headers = self._headers(item, names)
        headers["retry-after"] = headers["ratelimit-reset"]
        detail = f"too many requests: {item.amount} are allowed in {item.get_expiry()} s"
        await JSONResponse({"detail": detail}, 429, headers)(scope, receive, send)

    def _headers(self, item: RateLimitItem, names: tuple[str, ...]) -> dict[str, str]:
        window = self._limiter.get_window_stats(item, *names)
        return {
            "ratelimit-limit": str(item.amount),
            "ratelimit-remaining": str(window.remaining),
            "ratelimit-reset": str(max(1, round(window.reset_time - time.time()))),
        }


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *raw]
        await send(message)

    return send_with_headers
