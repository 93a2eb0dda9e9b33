"""One emulated portal: its settings, time, data, tokens, limits, faults and the log of the calls."""

from dataclasses import dataclass, field
from typing import Any

from .answers import Record
from .clock import Clock
from .faults import FaultQueue
from .limits import Credits
from .oauth import Accounts
from .settings import ALL_SCOPES, Settings
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What the client application was given in the API console."""

    client_id: str = "demo-client"
    client_secret: str = "demo-secret"  # noqa: S105 - a made-up value of a loopback server
    refresh_token: str = "demo-refresh"  # noqa: S105 - a made-up value of a loopback server
    code: str = "demo-code"
    scopes: str = ALL_SCOPES


@dataclass(slots=True)
class Portal:
    """Everything that the routes share."""

    settings: Settings
    credential: Credential = field(default_factory=Credential)
    clock: Clock = field(default_factory=Clock)
    calls_under_way: int = 0
    log: list[Record] = field(default_factory=list)
    faults: FaultQueue = field(default_factory=FaultQueue)
    store: Store = field(init=False)
    accounts: Accounts = field(init=False)
    credits: Credits = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.clock, self.settings)
        self.credits = Credits(self.clock, self.settings)
        given = self.credential
        self.accounts = Accounts(
            self.clock, self.settings, client_id=given.client_id, client_secret=given.client_secret
        )
        self.accounts.add_refresh_token(given.refresh_token, given.scopes)
        self.accounts.add_self_client_code(given.code, given.scopes, life_s=24 * 3600.0)

    def state(self) -> dict[str, Any]:
        """All data in creation order, for an independent checker. Sizes and counts are numbers here."""
        store = self.store
        return {
            "now": self.clock.iso(),
            "revision": store.revision,
            "credits_remaining": self.credits.remaining,
            "me": store.me,
            "contacts": list(store.contacts),
            "tickets": [ticket | {"tags": list(ticket["tags"])} for ticket in store.tickets],
            "comments": list(store.comments),
            "threads": list(store.threads),
            "attachments": list(store.attachments),
            "uploads": list(store.uploads.values()),
        }
