"""Who may call: API keys, checked before routing, so that nothing behind an unknown caller is even parsed.

Only hashes of keys are configured. Without any key the service is open to this machine alone, and then only to
requests that a foreign web page cannot have made.
"""

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from supportbot.errors import UserError
from supportbot.metrics import AUTH_FAILURES
from supportbot.routes import route_of
from supportbot.settings import Settings, is_loopback, variable

OPEN_PATHS = frozenset({"/livez", "/readyz", "/health", "/metrics"})
"""Never guarded: probes and metrics hold nothing personal."""

CALLER = "supportbot.caller"
"""Key of the ASGI scope: the name of the caller's API key; absent when the service is open."""

_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Right(StrEnum):
    """What a key may do."""

    READ = "read"
    """GET and HEAD, but for paths that begin a change."""
    WRITE = "write"
    """Everything."""


@dataclass(frozen=True)
class APIKey:
    """One configured key."""

    name: str
    digest: bytes
    """SHA-256 of the key."""
    right: Right = Right.WRITE


@dataclass(frozen=True)
class APIKeys:
    """All configured keys; none means that the service is open."""

    keys: tuple[APIKey, ...] = ()

    @property
    def is_open(self) -> bool:
        """No key is configured."""
        return not self.keys

    def match(self, token: str) -> APIKey | None:
        """The key that a bearer token is, found in constant time."""
        digest = hashlib.sha256(token.encode()).digest()
        found = None
        for key in self.keys:
            if hmac.compare_digest(digest, key.digest):
                found = key
        return found


def read_api_keys(settings: Settings) -> APIKeys:
    """The keys of `SUPPORTBOT_API_KEYS_FILE`.

    Raises:
        UserError: A line is wrong, or there is no key although others than this machine can reach the port.
    """
    setting = variable("api_keys_file")
    keys = APIKeys()
    if settings.api_keys_file is not None:
        keys = parse_api_keys(settings.api_keys_file.read_text(encoding="utf-8"), where=setting)
    if keys.is_open and not settings.is_loopback:
        raise UserError(
            f"{variable('host')}={settings.host} is reachable from outside, but {setting} names no API key; "
            "configure a key, or listen on 127.0.0.1"
        )
    return keys


def parse_api_keys(text: str, *, where: str) -> APIKeys:
    """The keys of lines `<name> <SHA-256 in hex> [read|write]`; empty lines and `#` comments are skipped.

    Raises:
        UserError: All wrong lines at once; hashes are not repeated.
    """
    keys, faults = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        name, digest, right = [*fields, "", Right.WRITE][0], "".join(fields[1:2]), "".join(fields[2:3]) or Right.WRITE
        if len(fields) > 3 or not _DIGEST.match(digest) or right not in set(Right):
            faults.append(f"{where}: line {number} is not `<name> <SHA-256 of the key in hex> [read|write]`")
        else:
            keys.append(APIKey(name, bytes.fromhex(digest), Right(right)))
    if faults:
        raise UserError("\n".join(faults))
    return APIKeys(tuple(keys))


class AuthMiddleware:
    """Answers 401 or 403 itself, before anything of the request is routed or parsed."""

    def __init__(
        self, app: ASGIApp, *, keys: APIKeys, open_paths: Collection[str] = (), write_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._keys = keys
        self._open_paths = OPEN_PATHS | set(open_paths)
        self._write_paths = frozenset(write_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, with the caller's name in the scope, or answer it."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        refusal = self._refuse_foreign(scope) if self._keys.is_open else self._refuse_unknown(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, reason, detail = refusal
        AUTH_FAILURES.labels(route_of(scope), reason).inc()
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        await JSONResponse({"detail": detail}, status, headers)(scope, receive, send)

    def _refuse_unknown(self, scope: Scope) -> tuple[int, str, str] | None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return 401, "missing", "an API key is needed: Authorization: Bearer <key>"
        key = self._keys.match(token.strip())
        if key is None:
            return 401, "unknown_key", "the API key is not known"
        changes = scope.get("method", "GET") not in _SAFE_METHODS or scope["path"] in self._write_paths
        if key.right == Right.READ and changes:
            return 403, "read_only", "this API key may only read"
        scope[CALLER] = key.name
        return None

    def _refuse_foreign(self, scope: Scope) -> tuple[int, str, str] | None:
        """Refuse what a web page of another site had the browser send: a rebound name, or a foreign origin."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not is_loopback(_host_of(f"//{headers.get('host', '')}")):
            return 403, "foreign_host", "without an API key only 127.0.0.1 and localhost are served"
        if origin is not None and not is_loopback(_host_of(origin)):
            return 403, "foreign_origin", "without an API key no requests of other sites are served"
        return None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
