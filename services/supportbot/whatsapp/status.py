"""What `GET /api/status` says: the link, the groups, the journal, and what may still be sent. Never a pairing code."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel

from supportbot.errors import TemporaryError
from supportbot.whatsapp.allowance import Allowance, Usage
from supportbot.whatsapp.gateway import LINK_REASONS, Gateway, Group, LinkState
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.link_words import describe_link

GROUPS_LAST_S = 30.0
"""WhatsApp is asked for the groups at most so often, however often somebody looks."""


class GroupStatus(BaseModel):
    """A group that the account is in, or that the spec names."""

    jid: str
    name: str = ""
    configured: bool
    """The bot listens to it."""
    joined: bool
    """The account is in it; false also while that cannot be asked."""


class Waiting(BaseModel):
    """Why nothing may be sent now."""

    reason: str
    message: str
    until: AwareDatetime


class Sends(BaseModel):
    """What was sent, and what may be."""

    last_24_hours: int
    limit: int | None
    """Of any 24 hours; null: none."""
    waiting: Waiting | None = None
    """Null while messages may go."""


class Status(BaseModel):
    """`GET /api/status`; the first three fields are those of the earlier generation."""

    connected: bool
    service: str
    timestamp: AwareDatetime
    state: LinkState
    reason: str
    message: str
    since: AwareDatetime | None
    until: AwareDatetime | None
    backlog: int
    phone: str | None
    """Masked."""
    pairing: bool
    """A code is offered now; `GET /pairing` shows it to who may write."""
    groups: tuple[GroupStatus, ...]
    journal_depth: int
    sends: Sends


class KnownGroups:
    """The account's groups, as they were when they could be asked for.

    Args:
        gateway: Is asked.
        configured: JIDs of the spec.
        clock: Monotonic seconds.
    """

    def __init__(
        self, gateway: Gateway, configured: Iterable[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._configured = tuple(configured)
        self._clock = clock
        self._joined: tuple[Group, ...] = ()
        self._asked_at: float | None = None
        self._turn = asyncio.Lock()

    async def list(self) -> tuple[GroupStatus, ...]:
        """The configured ones first, then the others by name."""
        async with self._turn:
            if self._gateway.state().connected and self._is_old:
                try:
                    self._joined = await self._gateway.groups()
                    self._asked_at = self._clock()
                except TemporaryError:
                    pass  # What was known before is better than nothing.
        names = {group.jid: group.name for group in self._joined}
        ours = [
            GroupStatus(jid=jid, name=names.get(jid, ""), configured=True, joined=jid in names)
            for jid in self._configured
        ]
        others = [
            GroupStatus(jid=group.jid, name=group.name, configured=False, joined=True)
            for group in sorted(self._joined, key=lambda group: group.name.casefold())
            if group.jid not in self._configured
        ]
        return (*ours, *others)

    @property
    def _is_old(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at > GROUPS_LAST_S


async def make_status(
    service: str, gateway: Gateway, *, groups: KnownGroups, journal: Journal, allowance: Allowance
) -> Status:
    """How everything stands now."""
    state = gateway.state()
    return Status(
        connected=state.connected,
        service=service,
        timestamp=datetime.now(UTC),
        state=state.link,
        reason=LINK_REASONS[state.link],
        message=state.message or describe_link(state.link),
        since=state.since,
        until=state.until,
        backlog=state.backlog,
        phone=mask_phone(state.phone) if state.phone else None,
        pairing=state.pairing is not None,
        groups=await groups.list(),
        journal_depth=await journal.depth(),
        sends=_describe(allowance.usage()),
    )


def mask_phone(phone: str) -> str:
    """A number that its owner recognises and nobody else learns: `+529980000001` as `+52••••••••01`."""
    return phone[:3] + "•" * (len(phone) - 5) + phone[-2:]


def _describe(usage: Usage) -> Sends:
    wait = usage.wait
    return Sends(
        last_24_hours=usage.last_24_hours,
        limit=usage.limit,
        waiting=Waiting(reason=wait.limit.value, message=wait.message, until=wait.until) if wait else None,
    )
