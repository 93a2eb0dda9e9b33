"""Zoho Accounts: codes, refresh tokens, access tokens, and the throttle. No HTTP here.

Failures of the token endpoint are values (`{"error": ...}`), because Zoho sends them with HTTP 200.
"""

import re
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from .answers import Record, RefusedError, invalid_oauth
from .clock import Clock
from .settings import ALL_SCOPES, Settings

_WINDOW_S = 600.0
_MAX_REFRESH_TOKENS = 20
_CALLBACK_CODE_LIFE_S = 120.0
_SCOPE = re.compile(
    r"Desk\.(tickets|contacts|search|basic|settings|fields|events|webhooks)\.(READ|CREATE|UPDATE|WRITE|DELETE|ALL)"
)
# Not in Zoho's list of scopes, though some pages name it: one unknown scope fails the whole authorisation.
_UNKNOWN_SCOPES = frozenset({"Desk.contacts.ALL"})
_DENIED = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "status": "failure",
}


@dataclass(slots=True)
class _Code:
    scopes: frozenset[str]
    redirect_uri: str | None
    expires_at: float
    with_refresh: bool


@dataclass(slots=True)
class _Refresh:
    scopes: frozenset[str]
    minted: deque[float] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Access:
    """A live access token."""

    refresh_token: str | None
    scopes: frozenset[str]
    expires_at: float

    def allows(self, *needed: frozenset[str]) -> bool:
        """Whether each set of alternatives has a scope that was granted."""
        return all(self._has(alternatives) for alternatives in needed)

    def _has(self, alternatives: frozenset[str]) -> bool:
        return any(scope in self.scopes or _all_of(scope) in self.scopes for scope in alternatives)


def _all_of(scope: str) -> str:
    return scope.rpartition(".")[0] + ".ALL"


def parse_scopes(text: str) -> frozenset[str] | None:
    """Comma-separated scopes; `None` if one of them is unknown."""
    scopes = text.split(",")
    known = all(_SCOPE.fullmatch(scope) and scope not in _UNKNOWN_SCOPES for scope in scopes)
    return frozenset(scopes) if known else None


class Accounts:
    """One client application, one user, one data centre."""

    def __init__(self, clock: Clock, settings: Settings, *, client_id: str, client_secret: str) -> None:
        self._clock = clock
        self._settings = settings
        self._client = (client_id, client_secret)
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._access: dict[str, Access] = {}
        self._consented = False

    def add_refresh_token(self, token: str, scopes: str = ALL_SCOPES) -> None:
        """Register a refresh token; the 21st silently ends the first."""
        self._refresh[token] = _Refresh(parse_scopes(scopes) or frozenset())
        while len(self._refresh) > _MAX_REFRESH_TOKENS:
            self.revoke(next(iter(self._refresh)))

    def add_self_client_code(self, code: str, scopes: str = ALL_SCOPES, *, life_s: float = 600.0) -> None:
        """Register a code as the API console's "Generate Code" gives it: no redirect_uri, always a refresh token."""
        expires_at = self._clock.now() + life_s
        self._codes[code] = _Code(parse_scopes(scopes) or frozenset(), None, expires_at, with_refresh=True)

    def authorise(self, query: Mapping[str, str], accounts_url: str) -> str:
        """The address that the user's browser is sent back to after an immediate consent.

        Raises:
            RefusedError: The client or the redirect_uri is unusable, so there is nowhere to send the browser to.
        """
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self._client[0]:
            raise RefusedError(400, "invalid_client", "Invalid client id")
        if urlsplit(redirect_uri).scheme not in {"http", "https"} or not urlsplit(redirect_uri).netloc:
            raise RefusedError(400, "invalid_redirect_uri", "Invalid redirect uri")
        scopes = parse_scopes(query.get("scope", ""))
        if query.get("response_type") != "code" or scopes is None:
            error = "invalid_scope" if scopes is None else "invalid_response_type"
            return _with_query(redirect_uri, {"error": error} | _state(query))
        code = _token()
        first = not self._consented or query.get("prompt") == "consent"
        offline = query.get("access_type") == "offline" and first
        self._consented = True
        self._codes[code] = _Code(scopes, redirect_uri, self._clock.now() + _CALLBACK_CODE_LIFE_S, offline)
        server = self._settings.accounts_server or accounts_url
        return _with_query(redirect_uri, {"code": code, "location": "us", "accounts-server": server} | _state(query))

    def token(self, form: Mapping[str, str]) -> tuple[int, Record]:
        """`POST /oauth/v2/token`: the HTTP status and the answer."""
        if form.get("client_id") != self._client[0]:
            return 200, {"error": "invalid_client"}
        if not secrets.compare_digest(form.get("client_secret", "").encode(), self._client[1].encode()):
            return 200, {"error": "invalid_client_secret"}
        if form.get("grant_type") == "authorization_code":
            return 200, self._exchange(form)
        if form.get("grant_type") == "refresh_token":
            return self._renew(form.get("refresh_token", ""))
        return 200, {"error": "unsupported_grant_type"}

    def _exchange(self, form: Mapping[str, str]) -> Record:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.expires_at <= self._clock.now():
            return {"error": "invalid_code"}
        if form.get("redirect_uri") != code.redirect_uri:
            return {"error": "invalid_redirect_uri"}
        del self._codes[form["code"]]
        if not code.with_refresh:
            return self._mint(None, code.scopes)
        token = _token()
        self.add_refresh_token(token, ",".join(sorted(code.scopes)))
        self._refresh[token].minted.append(self._clock.now())
        return self._mint(token, code.scopes) | {"refresh_token": token}

    def _renew(self, token: str) -> tuple[int, Record]:
        grant = self._refresh.get(token)
        if grant is None:
            return 200, {"error": "invalid_code"}
        while grant.minted and grant.minted[0] <= self._clock.now() - _WINDOW_S:
            grant.minted.popleft()
        denied = len(grant.minted) >= self._settings.tokens_per_window
        # A refused request counts too, so that hammering keeps the door shut.
        grant.minted.append(self._clock.now())
        if denied:
            return self._settings.throttle_status, dict(_DENIED)
        return 200, self._mint(token, grant.scopes)

    def _mint(self, refresh_token: str | None, scopes: frozenset[str]) -> Record:
        token = _token()
        self._access[token] = Access(refresh_token, scopes, self._clock.now() + self._settings.token_life_s)
        siblings = [known for known, access in self._access.items() if access.refresh_token == refresh_token]
        for oldest in siblings[: -self._settings.max_live_tokens]:
            del self._access[oldest]
        return {
            "access_token": token,
            "scope": ",".join(sorted(scopes)),
            "api_domain": "https://www.zohoapis.invalid",
            "token_type": "Bearer",
            "expires_in": self._settings.token_life_s,
        }

    def revoke(self, token: str) -> Record:
        """`POST /oauth/v2/token/revoke`: end a refresh token and all its access tokens."""
        if self._refresh.pop(token, None) is None:
            return {"error": "invalid_token"}
        self._access = {key: access for key, access in self._access.items() if access.refresh_token != token}
        return {"status": "success"}

    def end_access_tokens(self) -> int:
        """End every access token, as Zoho does now and then; the refresh tokens stay. Returns how many there were."""
        ended = len(self._access)
        self._access.clear()
        return ended

    def check(self, authorization: str | None) -> Access:
        """The live token of an `Authorization` header.

        Raises:
            RefusedError: 401; no header, another scheme, or a token that is unknown, expired or revoked.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme not in {"Zoho-oauthtoken", "Bearer"}:
            raise RefusedError(401, "UNAUTHORIZED", "You are not authenticated to perform this operation.")
        access = self._access.get(token)
        if access is None or access.expires_at <= self._clock.now():
            raise invalid_oauth()
        return access


def _token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def _state(query: Mapping[str, str]) -> dict[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _with_query(url: str, values: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(values)}"
