"""How fast the bot may speak: WhatsApp bans accounts that talk like machines (neonize's facts in docs/limits).

A leaky bucket for the account and one for each group, then a pause as long as a person would type.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from aiolimiter import AsyncLimiter

from supportbot.errors import TemporaryError

BURST = 3
"""So many messages may follow each other before the rate holds; also in one group."""

THINK_S = (1.0, 3.0)
TYPE_S_PER_CHAR = 0.04
TYPE_MAX_S = 8.0
JITTER = 0.3


class ShowTyping(Protocol):
    """`Gateway.show_typing`."""

    async def __call__(self, chat: str, *, on: bool) -> None:
        """Show that the bot is typing, or has stopped."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The rates of an account."""

    total_per_minute: float = 20.0
    """Messages and reactions to all groups together."""
    group_per_minute: float = 12.0
    """Messages and reactions to one group."""
    human: bool = True
    """Pause before a text as if it were typed."""


SIMULATED = Pace(total_per_minute=60_000, group_per_minute=60_000, human=False)
"""Nobody bans the simulator."""


@dataclass
class Pacer:
    """Lets one message after the other through. Belongs to the event loop in which it is first used."""

    pace: Pace
    rng: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        self._total = _limiter(self.pace.total_per_minute)
        self._groups: dict[str, AsyncLimiter] = {}
        self._turn = asyncio.Lock()

    async def wait(self, chat: str, text: str = "", *, show_typing: ShowTyping | None = None) -> None:
        """Return when `text` may be sent to `chat`; a reaction has no text and needs no typing.

        Args:
            chat: The group.
            text: What is to be sent.
            show_typing: Called with `chat` before and after the pause for typing.
        """
        await self._groups.setdefault(chat, _limiter(self.pace.group_per_minute)).acquire()
        async with self._turn:
            await self._total.acquire()
            if self.pace.human and text:
                await self._type(chat, text, show_typing)

    async def _type(self, chat: str, text: str, show_typing: ShowTyping | None) -> None:
        with suppress(TemporaryError):  # It is good manners, no more.
            if show_typing:
                await show_typing(chat, on=True)
        await self.sleep(typing_s(text, self.rng))
        with suppress(TemporaryError):
            if show_typing:
                await show_typing(chat, on=False)


def typing_s(text: str, rng: random.Random) -> float:
    """How long a person would take: 1 to 3 s, and 40 ms a character up to 8 s, give or take 30 %."""
    typed = min(TYPE_S_PER_CHAR * len(text), TYPE_MAX_S)
    return (rng.uniform(*THINK_S) + typed) * rng.uniform(1 - JITTER, 1 + JITTER)


def _limiter(per_minute: float) -> AsyncLimiter:
    return AsyncLimiter(BURST, 60.0 * BURST / per_minute)
