"""What is not well in a running bot, from the services' own `/health`, for the person at the terminal."""

import asyncio
from collections.abc import Mapping

import httpx

from supportbot.cli.supervisor import Say

PERIOD_S = 2.0
_WELL = "ok"

Trouble = Mapping[str, tuple[str, str]]
"""Of each check that is not well its state and its message."""


class Complaints:
    """Remembers what has been told, so that each trouble and its end are told once."""

    def __init__(self) -> None:
        self._last: dict[str, Trouble] = {}
        self._told: dict[str, dict[str, str]] = {}

    def note(self, service: str, trouble: Trouble) -> list[str]:
        """What to tell after a service answered. What was not there the time before may pass by itself, and waits."""
        told = self._told.setdefault(service, {})
        lines = []
        for check, (state, message) in trouble.items():
            if check in self._last.get(service, {}) and told.get(check) != state:
                told[check] = state
                lines.append(f"{check} is {state}{f': {message}' if message else ''}")
        for check in [check for check in told if check not in trouble]:
            del told[check]
            lines.append(f"{check} is well again")
        self._last[service] = trouble
        return lines


def read_trouble(body: object) -> Trouble:
    """The checks of a `/health` that are not well; none for an answer of another form, such as a refusal."""
    checks = body.get("checks") if isinstance(body, dict) else None
    return {
        name: (str(check["state"]), str(check.get("message", "")))
        for name, check in (checks or {}).items()
        if check["state"] != _WELL
    }


async def tell_complaints(addresses: Mapping[str, str], say: Say, period_s: float = PERIOD_S) -> None:
    """Ask each service for its health until cancelled, and say what changes.

    Args:
        addresses: Base URLs by service.
        say: Gets the service and the sentence.
        period_s: Seconds between two rounds.
    """
    complaints = Complaints()
    async with httpx.AsyncClient(timeout=2.0) as client:
        while True:
            for service, address in addresses.items():
                try:
                    body = (await client.get(f"{address}/health")).json()
                except (httpx.HTTPError, ValueError):
                    continue  # It is away: the supervisor says so.
                for line in complaints.note(service, read_trouble(body)):
                    say(service, line)
            await asyncio.sleep(period_s)
