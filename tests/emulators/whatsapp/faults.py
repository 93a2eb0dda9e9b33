"""What is to go wrong, set by a test before it happens."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Refusal(BaseModel):
    """A `<failure>` in answer to a login: 401 logged out, 402 banned, 403, 405 outdated, 503…"""

    model_config = ConfigDict(frozen=True)

    reason: int
    code: int | None = None
    """Of a ban: 101 to 106."""
    expire_s: int | None = None
    """Of a ban."""


SendFault = int | Literal["silent", "drop", "lost"]
"""What becomes of a message of the client.

A number: refused with that error. `silent`: taken, but never answered. `drop`: taken, and the connection breaks before
the answer. `lost`: the connection breaks before it is taken.
"""


class Faults(BaseModel):
    """Lasting ones are switches, single ones are lists from which each use takes one."""

    model_config = ConfigDict(validate_assignment=True)

    refusals: list[Refusal] = []
    """Of the next logins, one each."""
    refuse_all: Refusal | None = None
    """Of every login, until it is None."""
    login_delay_s: float = 0
    """Before `<success>`; a large number hangs."""
    next_sends: list[SendFault] = []
    """Of the client's next messages, one each; what follows is answered well."""
    send_delay_s: float = 0
    """Before the answer to each message."""
    unanswered: set[str] = set()
    """Namespaces of queries that are never answered; `w:p` are the pings."""
    ignores_receipts: bool = False
    """Whether the client's receipts are lost on their way."""
