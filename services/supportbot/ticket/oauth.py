"""Access tokens of Zoho: one for all replicas, renewed by one of them at a time. No HTTP here.

Zoho gives ten access tokens per refresh token in ten minutes, then none, and retrying prolongs that; so every renewal
is counted in the shared record before it is asked for. Source: Zoho's OAuth page "Token validity" and the reports of
lock-outs by integrations whose workers renewed on their own.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr

from supportbot.errors import UnavailableError
from supportbot.ticket.records import Records

_EARLY_S: Final = 300.0
_WINDOW_S: Final = 600.0
_MAX_REFRESHES: Final = 5
COOL_DOWN_S: Final = 60.0
"""After a refusal; Zoho prolongs a lock-out that is not respected."""
BROKEN_COOL_DOWN_S: Final = 15.0
"""After a connection that broke: the token may have been counted, but nobody was refused."""
_MAX_COOL_DOWN_S: Final = 600.0
_MAX_PAUSE_S: Final = 30.0
"""How long a caller pauses before it asks here again: a new grant is in force at once."""
_DEFAULT_LIFE_S: Final = 3600.0
_LOCK_TTL_S: Final = 30.0
_KEY: Final = "zoho"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a client needs for access tokens."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr

    @property
    def fingerprint(self) -> str:
        """Names the grant in the shared record; a token of another grant is never used."""
        text = f"{self.client_id}\0{self.refresh_token.get_secret_value()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """An answer of the token endpoint."""

    value: str
    life_s: float
    refresh_token: str | None = None
    """Only in the answer to an authorisation code."""


class TokenError(UnavailableError):
    """There is no access token now; the work waits.

    Args:
        message: One sentence.
        delay_s: When to ask again.
        permanent: Only a person can change it.
        limited: Too many tokens were asked for.
        cool_down_s: How long the accounts server is left alone at least; each further failure doubles it.
    """

    def __init__(
        self,
        message: str,
        *,
        delay_s: float | None = None,
        permanent: bool = False,
        limited: bool = False,
        cool_down_s: float = COOL_DOWN_S,
    ) -> None:
        super().__init__(message, dependency="zoho", delay_s=delay_s)
        self.permanent = permanent
        self.limited = limited
        self.cool_down_s = cool_down_s


class TokenUnreachableError(TokenError):
    """The accounts server could not be reached, so nothing was counted there and no cool-down is due."""


class _TokenRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    grant: str
    access_token: str = ""
    expires_at: float = 0.0
    refreshes: tuple[float, ...] = ()
    blocked_until: float = 0.0
    cool_down_s: float = 0.0
    problem: str = ""
    permanent: bool = False
    limited: bool = False


class Tokens:
    """Gives out the shared access token.

    Args:
        read_grant: Reads the grant; called for every renewal, so that a new refresh token takes effect.
        fetch: Asks the token endpoint; raises TokenError.
        store: Shared by all replicas: the bucket `tokens`.
        now: Seconds since the epoch, the same clock in all replicas but for some seconds.
    """

    def __init__(
        self,
        read_grant: Callable[[], Grant],
        fetch: Callable[[Grant], Awaitable[AccessToken]],
        store: Records,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._read_grant = read_grant
        self._fetch = fetch
        self._store = store
        self._now = now
        self._lock = asyncio.Lock()
        self._record: _TokenRecord | None = None

    @property
    def expires_at(self) -> float:
        """When the present token ends, in seconds since the epoch; 0 when there is none."""
        return self._record.expires_at if self._record else 0.0

    async def current(self) -> str:
        """A token with some minutes left.

        Raises:
            TokenError: There is none, and may not be one for `delay_s`.
        """
        record = self._record
        if record is not None and self._usable(record, record.grant, stale=""):
            return record.access_token
        return await self.refresh(stale="")

    async def refresh(self, *, stale: str) -> str:
        """A token other than the `stale` one; of many callers at once, one renews it and all get it.

        Raises:
            TokenError: There is none, and may not be one for `delay_s`.
        """
        async with self._lock:
            grant = self._read_grant()
            record = await self._load(grant)
            if not self._usable(record, grant.fingerprint, stale=stale):
                async with self._store.lock(f"{_KEY}.lock", ttl_s=_LOCK_TTL_S):
                    record = await self._load(grant)
                    if not self._usable(record, grant.fingerprint, stale=stale):
                        record = await self._renew(grant, record)
            self._record = record
            return record.access_token

    def _usable(self, record: _TokenRecord, fingerprint: str, *, stale: str) -> bool:
        token = record.access_token
        return (
            bool(token)
            and token != stale
            and record.grant == fingerprint
            and self._now() < record.expires_at - _EARLY_S
        )

    async def _load(self, grant: Grant) -> _TokenRecord:
        entry = await self._store.get(_KEY)
        record = _TokenRecord.model_validate(entry.value) if entry else _TokenRecord(grant=grant.fingerprint)
        return record if record.grant == grant.fingerprint else _TokenRecord(grant=grant.fingerprint)

    async def _renew(self, grant: Grant, record: _TokenRecord) -> _TokenRecord:
        now = self._now()
        self._check_allowed(record, now)
        recent = tuple(at for at in record.refreshes if at > now - _WINDOW_S)
        counted = record.model_copy(update={"refreshes": (*recent, now)})
        await self._save(counted)
        try:
            token = await self._fetch(grant)
        except TokenUnreachableError:
            await self._save(record)
            raise
        except TokenError as exc:
            await self._save(_cool_down(counted, exc, now))
            raise
        fresh = _TokenRecord(
            grant=record.grant,
            access_token=token.value,
            expires_at=self._now() + token.life_s,
            refreshes=counted.refreshes,
        )
        await self._save(fresh)
        return fresh

    def _check_allowed(self, record: _TokenRecord, now: float) -> None:
        if now < record.blocked_until:
            delay_s = min(record.blocked_until - now, _MAX_PAUSE_S)
            raise TokenError(record.problem, delay_s=delay_s, permanent=record.permanent, limited=record.limited)
        recent = [at for at in record.refreshes if at > now - _WINDOW_S]
        if len(recent) >= _MAX_REFRESHES:
            message = f"{_MAX_REFRESHES} access tokens were asked for in 10 minutes; Zoho locks out at 10"
            raise TokenError(message, delay_s=min(recent[0] + _WINDOW_S - now, _MAX_PAUSE_S), limited=True)

    async def _save(self, record: _TokenRecord) -> None:
        await self._store.put(_KEY, record.model_dump(mode="json"))


def _cool_down(record: _TokenRecord, error: TokenError, now: float) -> _TokenRecord:
    wait_s = min(max(error.cool_down_s, 2 * record.cool_down_s), _MAX_COOL_DOWN_S)
    changes = {
        "blocked_until": now + wait_s,
        "cool_down_s": wait_s,
        "problem": str(error),
        "permanent": error.permanent,
        "limited": error.limited,
    }
    return record.model_copy(update=changes)


def read_token_answer(status: int, answer: object, *, accounts_url: str) -> AccessToken:
    """The token in an answer of the token endpoint, by its body: failures come with status 200 too.

    `answer` is the parsed body, or None where it was no JSON.

    Raises:
        TokenError: The answer holds no token; `permanent` if the credentials are wrong.
    """
    body = answer if isinstance(answer, dict) else {}
    error = body.get("error")
    if isinstance(error, str) and error.casefold() == "access denied":
        raise TokenError("Zoho refuses access tokens for now: too many requests were made", limited=True)
    if isinstance(error, str) and error and status < 500:
        raise TokenError(
            f"{accounts_url} answers {error[:60]!r}: check client-id, client-secret and refresh-token of the Zoho "
            "secret, and that dataCenter is the one of the account",
            permanent=True,
        )
    value = body.get("access_token")
    if status >= 400 or not isinstance(value, str) or not value:
        raise TokenError(f"{accounts_url} gave no access token (HTTP {status})")
    refresh = body.get("refresh_token")
    return AccessToken(
        value=value,
        life_s=_seconds(body.get("expires_in")),
        refresh_token=refresh if isinstance(refresh, str) else None,
    )


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        seconds = 0.0
    return seconds if 0 < seconds <= _DEFAULT_LIFE_S else _DEFAULT_LIFE_S
