"""The bot's voice: whatever it says goes through here, at a person's pace and within its limits."""

from collections.abc import Awaitable

from supportbot.errors import PermanentError
from supportbot.metrics import WHATSAPP_SEND
from supportbot.whatsapp.allowance import Allowance
from supportbot.whatsapp.gateway import Gateway, MessageKey, Quote, SendUnknownError
from supportbot.whatsapp.pacing import Pacer


class Speaker:
    """Sends texts and reactions.

    Args:
        gateway: Sends.
        pacer: Says how fast.
        allowance: Says whether.
    """

    def __init__(self, gateway: Gateway, *, pacer: Pacer, allowance: Allowance) -> None:
        self._gateway = gateway
        self._pacer = pacer
        self._allowance = allowance

    async def send(
        self, chat: str, text: str, *, key: str, quoted: Quote | None = None, mentions: tuple[str, ...] = ()
    ) -> str:
        """Send a text to a group, as `Gateway.send` does.

        Raises:
            LimitedError: It may not go now; it has not been sent.
        """
        self._allowance.check(text)  # Before the pace: nobody waits as if typing for what may not go.
        await self._pacer.wait(chat, text, show_typing=self._gateway.show_typing)
        async with self._allowance.spend(text):
            return await _counted(self._gateway.send(chat, text, key=key, quoted=quoted, mentions=mentions))

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        """React to a message, as `Gateway.react` does.

        Raises:
            LimitedError: It may not go now; it has not been sent.
        """
        await self._pacer.wait(target.chat)
        async with self._allowance.spend():
            return await _counted(self._gateway.react(target, emoji, key=key))

    async def find_sent(self, key: str) -> str | None:
        """As `Gateway.find_sent`."""
        return await self._gateway.find_sent(key)


async def _counted(sending: Awaitable[str]) -> str:
    try:
        message_id = await sending
    except SendUnknownError:
        WHATSAPP_SEND.labels("unknown").inc()
        raise
    except PermanentError:
        WHATSAPP_SEND.labels("rejected").inc()
        raise
    WHATSAPP_SEND.labels("ok").inc()
    return message_id
