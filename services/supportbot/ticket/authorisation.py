"""Granting the bot access to Zoho Desk in a browser: the address to open, and what its callback brings."""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from supportbot.errors import UserError
from supportbot.kv import ConflictError
from supportbot.ticket.data_centers import ACCOUNTS_SERVERS
from supportbot.ticket.grants import Grants
from supportbot.ticket.oauth import TokenError
from supportbot.ticket.records import Records
from supportbot.ticket.zoho import AccountsServer

SCOPES: Final = (
    "Desk.tickets.READ",
    "Desk.tickets.CREATE",
    "Desk.tickets.UPDATE",
    "Desk.contacts.READ",
    "Desk.contacts.CREATE",
    "Desk.contacts.UPDATE",
    "Desk.search.READ",
    "Desk.basic.READ",
    "Desk.basic.CREATE",
    "Desk.settings.READ",
)
"""One unknown scope would fail the whole authorisation."""

_STATE_LIFE_S: Final = 600.0


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a person grants the access, and the secret that comes back with the answer."""

    url: str
    state: str


class Authorisation:
    """The authorisation code grant of a server-based Zoho client.

    Args:
        accounts: The accounts server.
        grants: Takes the new refresh token.
        records: The bucket `tokens`, where states wait for their callback.
        now: Seconds since the epoch.
    """

    def __init__(
        self, accounts: AccountsServer, grants: Grants, records: Records, *, now: Callable[[], float] = time.time
    ) -> None:
        self._accounts = accounts
        self._grants = grants
        self._records = records
        self._now = now

    async def start(self, redirect_uri: str) -> Address:
        """A new address; it is good for ten minutes and one answer."""
        state = secrets.token_urlsafe(24)
        value = {"redirect_uri": redirect_uri, "until": self._now() + _STATE_LIFE_S, "used": False}
        await self._records.create(_key(state), value)
        query = {
            "response_type": "code",
            "client_id": self._grants.read().client_id,
            "scope": ",".join(SCOPES),
            "redirect_uri": redirect_uri,
            "access_type": "offline",
            "prompt": "consent",
            "state": state,
        }
        return Address(url=f"{self._accounts.url}/oauth/v2/auth?{urlencode(query)}", state=state)

    async def finish(self, *, code: str, state: str, accounts_server: str | None) -> Path:
        """Exchange the code and keep the refresh token; the file it went to.

        Raises:
            UserError: The state is unknown, old or used, the server is none of Zoho's, or Zoho refuses the code.
            TokenError: The accounts server is away. The address has to be opened again.
        """
        server = choose_server(accounts_server, self._accounts.url)
        redirect_uri = await self._use(state)
        try:
            token = await self._accounts.exchange(self._grants.read(), code=code, redirect_uri=redirect_uri, url=server)
        except TokenError as exc:
            if exc.permanent:
                raise UserError(f"{exc}; open /auth/url again for a new code") from exc
            raise
        if token.refresh_token is None:
            raise UserError("Zoho gave no refresh token; open /auth/url again and accept the consent page")
        return self._grants.store(token.refresh_token)

    async def _use(self, state: str) -> str:
        """The redirect address of a state, which is used up by this."""
        record = await self._records.get(_key(state))
        if record is None or record.value["used"] or record.value["until"] < self._now():
            raise UserError("the state is unknown, older than ten minutes or used; open /auth/url again")
        try:
            await self._records.update(_key(state), {**record.value, "used": True}, revision=record.revision)
        except ConflictError as exc:
            raise UserError("the state is used; open /auth/url again") from exc
        return str(record.value["redirect_uri"])


def choose_server(named: str | None, configured: str, known: Collection[str] = ACCOUNTS_SERVERS) -> str:
    """Where to exchange a code: the server that the callback names, if it is Zoho's.

    Raises:
        UserError: It is not; the client's secret goes nowhere else.
    """
    server = (named or configured).rstrip("/")
    if server != configured and server not in known:
        raise UserError("accounts-server is none of Zoho's servers; the code is not exchanged")
    return server


def _key(state: str) -> str:
    return f"authorisation.{hashlib.sha256(state.encode()).hexdigest()[:32]}"
