"""The gateway of a bot whose spec names one that this version does not have: it says so, and keeps the process up."""

import asyncio
from typing import NoReturn

from supportbot.errors import UnavailableError
from supportbot.whatsapp.gateway import (
    GatewayState,
    Group,
    InboundSink,
    LinkState,
    MessageKey,
    Quote,
    RawMedia,
)


class NotAvailable:
    """A gateway that never connects.

    Args:
        name: The value of `spec.whatsapp.gateway`.
    """

    own_jids: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        self._message = (
            f"spec.whatsapp.gateway '{name}' is not available in this version of supportbot; set it to 'Simulator'"
        )

    def state(self) -> GatewayState:
        """Stopped, and what to do about it."""
        return GatewayState(link=LinkState.STOPPED, message=self._message)

    async def run(self, sink: InboundSink) -> None:
        """Nothing ever arrives."""
        del sink
        await asyncio.Event().wait()

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        """Raises UnavailableError."""
        del chat, text, key, quoted, mentions
        self._refuse()

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        """Raises UnavailableError."""
        del target, emoji, key
        self._refuse()

    async def find_sent(self, key: str) -> str | None:
        """Raises UnavailableError."""
        del key
        self._refuse()

    async def download(self, media: RawMedia, *, max_bytes: int) -> bytes:
        """Raises UnavailableError."""
        del media, max_bytes
        self._refuse()

    async def groups(self) -> tuple[Group, ...]:
        """None are known."""
        return ()

    def _refuse(self) -> NoReturn:
        raise UnavailableError(self._message, dependency="whatsapp", delay_s=30)
