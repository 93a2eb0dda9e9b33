"""The gateway to the simulated group: for the demo, for trying a bot out without a phone, and for the tests.

It keeps nothing itself: everything is in `SimulatedWhatsApp`, which stands for WhatsApp's servers. Faults are scripted.
"""

import asyncio
from datetime import UTC, datetime

from pydantic import Field

from supportbot.contracts import Contract
from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import (
    GatewayState,
    Group,
    InboundSink,
    LinkState,
    MediaGoneError,
    MessageKey,
    PairingMethod,
    Quote,
    RawEvent,
    RawKind,
    RawMedia,
    RawPerson,
    SendUnknownError,
)
from supportbot.whatsapp.simulated_pairing import SimulatedPairing
from supportbot.whatsapp.simulated_whatsapp import SimulatedWhatsApp, make_message_id

BOT_JID = "10000000000@s.whatsapp.net"
"""The bot's own account in the simulated group; no such number exists."""
BOT = RawPerson(jid=BOT_JID, phone="+10000000000", push_name="supportbot")

SEND_TIMEOUT_S = 75.0
"""After so long the real library gives up waiting for the server's answer."""


class Faults(Contract):
    """What the simulated link does wrong. Counters count down; `POST /simulator/faults` replaces all of them."""

    disconnected: bool = False
    """No link: nothing arrives and nothing can be sent; posts wait at the server."""
    unpaired: bool = False
    """No device is linked: a person must pair it; `POST /simulator/phone` is the phone that does."""
    ambiguous_sends: int = Field(0, ge=0)
    """So many sends reach the group, but end with an error."""
    unanswered_sends: int = Field(0, ge=0)
    """So many sends reach the group, but the answer comes only after the library's 75 s."""
    duplicate_deliveries: int = Field(0, ge=0)
    """So many posts are delivered twice."""
    reorder: int = Field(0, ge=0, le=100)
    """So many posts are awaited and then delivered in reverse order, once."""


class Simulator:
    """The bot's phone in the simulated group.

    Args:
        server: WhatsApp's side.
        groups: The groups that the bot is in.
        pairing: How the bot is paired once a fault has unlinked it.
    """

    own_jids = frozenset({BOT_JID})

    def __init__(
        self, server: SimulatedWhatsApp, *, groups: tuple[Group, ...], pairing: SimulatedPairing | None = None
    ) -> None:
        self._server = server
        self._groups = groups
        self._pairing = pairing or SimulatedPairing()
        self._faults = Faults()
        self._running = False
        self._changed = asyncio.Event()

    @property
    def faults(self) -> Faults:
        """The faults that are still to come."""
        return self._faults

    def set_faults(self, faults: Faults) -> None:
        """Replace all faults."""
        self._faults = faults
        self._changed.set()

    def posted(self) -> None:
        """Say that the server has something new."""
        self._changed.set()

    def state(self) -> GatewayState:
        """Connected unless it does not run or a fault says otherwise."""
        if not self._running:
            return GatewayState(link=LinkState.STOPPED, message="the simulated link does not run")
        if self._faults.unpaired and (offer := self._pairing.offer()) is not None:
            return GatewayState(link=LinkState.PAIRING, pairing=offer)
        if self._faults.unpaired:
            return GatewayState(link=LinkState.UNPAIRED)
        if self._faults.disconnected:
            return GatewayState(link=LinkState.RECONNECTING, message="disconnected by POST /simulator/faults")
        return GatewayState(link=LinkState.CONNECTED, phone=BOT.phone)

    async def run(self, sink: InboundSink) -> None:
        """Deliver what waits, and then what comes."""
        self._running = True
        try:
            while True:
                self._changed.clear()
                if not await self._deliver(sink):
                    await self._changed.wait()
        finally:
            self._running = False

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        """As the port says."""
        return await self._transmit(
            RawEvent(
                key=MessageKey(chat=chat, sender=BOT_JID, message_id=make_message_id("bot")),
                sender=BOT,
                sent_at=datetime.now(UTC),
                text=text,
                quoted=quoted.key if quoted else None,
                mentions=tuple(RawPerson(jid=jid) for jid in mentions),
            ),
            key=key,
        )

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        """As the port says."""
        return await self._transmit(
            RawEvent(
                kind=RawKind.REACTION,
                key=MessageKey(chat=target.chat, sender=BOT_JID, message_id=make_message_id("bot")),
                sender=BOT,
                sent_at=datetime.now(UTC),
                target=target,
                emoji=emoji,
            ),
            key=key,
        )

    async def show_typing(self, chat: str, *, on: bool) -> None:
        """Nobody in the simulated group looks."""

    async def find_sent(self, key: str) -> str | None:
        """As the port says."""
        return await self._server.find_sent(key)

    async def download(self, media: RawMedia, *, max_bytes: int) -> bytes:
        """As the port says."""
        self._require_link()
        if media.size_bytes > max_bytes:
            raise MediaGoneError(f"larger than the {max_bytes} bytes that are taken")
        data = await self._server.get_media(media.handle)
        if data is None:
            raise MediaGoneError("WhatsApp no longer has the attachment")
        if len(data) > max_bytes:
            raise MediaGoneError(f"larger than the {max_bytes} bytes that are taken")
        return data

    async def groups(self) -> tuple[Group, ...]:
        """As the port says."""
        return self._groups

    async def begin_pairing(self, method: PairingMethod, *, phone: str | None = None) -> None:
        """As the port says."""
        del phone
        if not self._faults.unpaired:
            raise PermanentError("the device is linked already", reason="already_paired")
        self._pairing.begin(method)

    async def end_pairing(self) -> None:
        """As the port says."""
        self._pairing.end()

    async def unpair(self) -> None:
        """As the port says; what people post waits at the server."""
        self._require_link()
        await self.forget_session()

    async def forget_session(self) -> None:
        """As the port says."""
        self._pairing.end()
        self.set_faults(self._faults.model_copy(update={"unpaired": True}))

    def link_by_phone(self, shown: str) -> bool:
        """What the phone does with a code that it was shown; False when the code is not offered now."""
        if not (self._faults.unpaired and self._pairing.accepts(shown)):
            return False
        self._pairing.end()
        self.set_faults(self._faults.model_copy(update={"unpaired": False}))
        return True

    @property
    def _is_cut(self) -> bool:
        return self._faults.disconnected or self._faults.unpaired

    async def _deliver(self, sink: InboundSink) -> bool:
        """Deliver everything that waits, unless a fault forbids it. False when there was nothing to do."""
        posts = await self._server.undelivered()
        if not posts or self._is_cut or len(posts) < self._faults.reorder:
            return False
        if self._faults.reorder:
            posts = posts[: self._faults.reorder][::-1]
            self._faults = self._faults.model_copy(update={"reorder": 0})
        for cursor, raw in posts:
            copies = 2 if self._take("duplicate_deliveries") else 1
            for _ in range(copies):
                await asyncio.to_thread(sink.put, raw)
            await self._server.mark_delivered(cursor)
            if self._is_cut:
                break
        return True

    async def _transmit(self, raw: RawEvent, *, key: str) -> str:
        self._require_link()
        await self._server.log_sent(raw, key=key)
        if self._take("ambiguous_sends"):
            raise SendUnknownError("the connection was lost before WhatsApp answered", delay_s=1)
        if self._take("unanswered_sends"):
            await asyncio.sleep(SEND_TIMEOUT_S)
            raise SendUnknownError(f"WhatsApp did not answer within {SEND_TIMEOUT_S:.0f} s", delay_s=1)
        return raw.key.message_id

    def _take(self, fault: str) -> bool:
        """Whether a counted fault is due; one less is left."""
        left: int = getattr(self._faults, fault)
        if left:
            self._faults = self._faults.model_copy(update={fault: left - 1})
        return left > 0

    def _require_link(self) -> None:
        state = self.state()
        if not state.connected:
            raise UnavailableError(f"WhatsApp is not connected: {state.message}", dependency="whatsapp", delay_s=1)
