"""Keeps the check `zoho`: whether the portal can be reached, and accepts the tickets that the bot makes."""

import asyncio
from collections.abc import Collection
from typing import Final

import structlog

from supportbot.breaker import Breaker, BreakerState
from supportbot.errors import PermanentError, TemporaryError
from supportbot.health import Health, State
from supportbot.ticket.answers import BreakerOpenError, MisconfiguredError, TooManyCallsError
from supportbot.ticket.oauth import TokenError
from supportbot.ticket.tickets import Portals
from supportbot.ticket.zoho import ZohoDesk

_INTERVAL_S: Final = 5.0

_log = structlog.get_logger(__name__)


class ZohoHealth:
    """Asks the portal until it answers, then watches the breaker: a healthy portal costs no credits.

    Args:
        health: Where the check is.
        desk: The portal.
        portals: What its fields allow.
        breaker: Opens when calls fail.
        departments: Those that the bot opens tickets in.
        custom_fields: Fields that every ticket gets.
    """

    def __init__(
        self,
        health: Health,
        desk: ZohoDesk,
        portals: Portals,
        breaker: Breaker,
        *,
        departments: Collection[str],
        custom_fields: Collection[str],
    ) -> None:
        self._health = health
        self._desk = desk
        self._portals = portals
        self._breaker = breaker
        self._departments = departments
        self._custom_fields = custom_fields

    async def watch(self) -> None:
        """Keep the check current until cancelled."""
        wait_s = _INTERVAL_S
        while True:
            if self._health["zoho"].state is State.OK and self._breaker.state is BreakerState.CLOSED:
                wait_s = _INTERVAL_S
            elif not await self.look():
                wait_s = min(2 * wait_s, 60.0)
            await asyncio.sleep(wait_s)

    async def look(self) -> bool:
        """Ask the portal once; whether all is well."""
        try:
            await self._desk.read_myself()
            missing = [name for one in self._departments for name in await self._find_unfillable(one)]
        except (TemporaryError, PermanentError) as exc:
            known = exc.__cause__ if isinstance(exc, BreakerOpenError) and exc.__cause__ else exc
            self._health.set("zoho", State.DOWN, str(known), choose_reason(known))
        else:
            if not missing:
                self._health.set("zoho", State.OK, reason="Connected")
                return True
            names = ", ".join(sorted(set(missing)))
            message = f"the portal demands ticket fields without a value: {names}; set them in customFields"
            self._health.set("zoho", State.DEGRADED, message, "FieldsMissing")
        _log.warning("zoho_not_well", state=self._health["zoho"].state)
        return False

    async def _find_unfillable(self, department_id: str) -> tuple[str, ...]:
        return (await self._portals.read(department_id)).unfillable(self._custom_fields)


def choose_reason(error: BaseException) -> str:
    """The word for why the portal cannot be used."""
    match error:
        case TokenError(permanent=True):
            return "InvalidGrant"
        case TooManyCallsError() | TokenError(limited=True):
            return "RateLimited"
        case MisconfiguredError():
            return "Forbidden"
        case PermanentError():
            return "Refused"
        case _:
            return "Unreachable"
