"""The port to WhatsApp by the library: what the service calls. The link itself is in a process of its own."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.whatsapp.gateway import (
    GatewayState,
    Group,
    InboundSink,
    LinkState,
    MediaGoneError,
    MessageKey,
    PairingMethod,
    Quote,
    RawMedia,
    SendUnknownError,
)
from supportbot.whatsapp.neonize.memory import LinkMemory
from supportbot.whatsapp.neonize.process import COMMAND, LinkEndedError, LinkProcess, raise_failure
from supportbot.whatsapp.neonize.session_file import read_device, remove_session, sent_ids
from supportbot.whatsapp.neonize.supervision import Supervisor
from supportbot.whatsapp.neonize.wire import (
    Answer,
    Command,
    Download,
    ListGroups,
    Pairing,
    React,
    Send,
    ShowTyping,
    Start,
    Unpair,
)

DOWNLOAD_TIMEOUT_S = 120.0
ASK_TIMEOUT_S = 30.0
GROUPS_MAX_AGE_S = 300.0
MAX_LINKS_A_DAY = 3
"""Accounts that link again and again are removed."""
MAX_OFFERS_A_DAY = 30

_log = structlog.get_logger(__name__)


class NeonizeGateway:
    """One account's link by the library; a context manager, whose files it opens.

    Args:
        start: What the process of the link is told.
        memory: The file beside the session.
        command: Starts the process.
    """

    def __init__(self, start: Start, memory: Path, *, command: tuple[str, ...] = COMMAND) -> None:
        self._session = start.session
        self._memory = LinkMemory(memory)
        self._supervisor = Supervisor(start, self._memory, command=command)
        self._groups: tuple[Group, ...] = ()
        self._groups_at = float("-inf")
        self._asking = asyncio.Lock()

    def __enter__(self) -> Self:
        self._memory.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._memory.__exit__(kind, exc, tb)

    @property
    def own_jids(self) -> frozenset[str]:
        """As the port says; known as soon as a device is linked."""
        return self._supervisor.shown.own_jids

    def state(self) -> GatewayState:
        """As the port says."""
        shown = self._supervisor.shown
        return GatewayState(
            link=shown.link.state,
            message=shown.link.message,
            since=shown.since,
            until=shown.link.until,
            backlog=shown.link.backlog,
            phone=shown.phone,
            pairing=shown.offer,
        )

    async def run(self, sink: InboundSink) -> None:
        """As the port says."""
        await self._supervisor.run(sink)

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        """As the port says."""
        return await self._transmit(Send(chat=chat, text=text, key=key, quoted=quoted, mentions=mentions))

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        """As the port says."""
        return await self._transmit(React(target=target, emoji=emoji, key=key))

    async def show_typing(self, chat: str, *, on: bool) -> None:
        """As the port says."""
        if self.state().connected:
            await self._ask(ShowTyping(chat=chat, on=on), timeout_s=ASK_TIMEOUT_S)

    async def find_sent(self, key: str) -> str | None:
        """As the port says. What was about to be sent when the process died counts as sent."""
        noted = await asyncio.to_thread(sent_ids, self._session, key)
        sent = await self._memory.without_not_sent(noted)
        return sent[-1] if sent else None

    async def download(self, media: RawMedia, *, max_bytes: int) -> bytes:
        """As the port says."""
        if media.size_bytes > max_bytes:
            raise MediaGoneError(f"larger than the {max_bytes} bytes that are taken")
        command = Download(media=media, max_bytes=max_bytes)
        try:
            answer, data = await self._require_link().call(command, timeout_s=DOWNLOAD_TIMEOUT_S)
        except LinkEndedError as exc:
            # Not a link that is away: a file that is larger than it claims may be what has ended it, by its memory.
            raise TemporaryError("the link ended while the attachment was downloaded") from exc
        except TimeoutError as exc:
            raise TemporaryError(f"the attachment did not arrive within {DOWNLOAD_TIMEOUT_S:.0f} s") from exc
        raise_failure(answer)
        return data

    async def groups(self) -> tuple[Group, ...]:
        """As the port says; what was known last while WhatsApp cannot be asked."""
        async with self._asking:
            is_old = time.monotonic() - self._groups_at > GROUPS_MAX_AGE_S
            if is_old and self.state().connected:
                try:
                    answer, _ = await self._ask(ListGroups(), timeout_s=ASK_TIMEOUT_S)
                except TemporaryError as exc:
                    _log.warning("groups_unknown", error_type=type(exc).__name__)
                else:
                    self._groups, self._groups_at = answer.groups, time.monotonic()
        return self._groups

    async def begin_pairing(self, method: PairingMethod, *, phone: str | None = None) -> None:
        """As the port says."""
        supervisor, now = self._supervisor, datetime.now(UTC)
        if not supervisor.is_running:
            raise UnavailableError("the link to WhatsApp does not run", dependency="whatsapp", delay_s=1)
        if supervisor.pairing is not None:
            return
        if await asyncio.to_thread(read_device, self._session) is not None:
            raise PermanentError("a phone is linked already: unpair it first", reason="already_paired")
        if method is PairingMethod.CODE and not phone:
            raise PermanentError("pairing by code needs the bot's own number", reason="phone_required")
        if supervisor.shown.link.state is LinkState.BANNED:
            raise PermanentError(f"not now: {supervisor.shown.link.message}", reason="banned")
        await self._count_pairing(now)
        digits = "".join(filter(str.isdigit, phone)) if phone else None
        supervisor.pair(Pairing(method=method, phone=digits))

    async def end_pairing(self) -> None:
        """As the port says."""
        if self._supervisor.pairing is not None:
            self._supervisor.pair(None)

    async def unpair(self) -> None:
        """As the port says."""
        await self._ask(Unpair(), timeout_s=ASK_TIMEOUT_S)
        await self._supervisor.forget()

    async def forget_session(self) -> None:
        """As the port says."""
        process = self._supervisor.process
        if process is not None:
            process.drain()
            await process.ended.wait()
        await asyncio.to_thread(remove_session, self._session)
        await self._supervisor.forget()

    async def _count_pairing(self, now: datetime) -> None:
        for what, limit in (("linked", MAX_LINKS_A_DAY), ("offered", MAX_OFFERS_A_DAY)):
            if await self._memory.count_pairings(what, now) >= limit:
                raise PermanentError(
                    f"{limit} times in 24 hours is enough: WhatsApp removes accounts that link too often; try tomorrow",
                    reason="too_many_attempts",
                )
        await self._memory.put_pairing("offered", now)

    async def _transmit(self, command: Send | React) -> str:
        process = self._require_link()
        try:
            answer, _ = await process.call(command)
        except (LinkEndedError, TimeoutError) as exc:
            raise SendUnknownError("the link ended before WhatsApp answered", delay_s=1) from exc
        if answer.failure is not None and answer.failure.is_not_sent:
            # The session has noted the id all the same, before it tried.
            noted = await asyncio.to_thread(sent_ids, self._session, command.key)
            await self._memory.put_not_sent(noted, datetime.now(UTC))
        raise_failure(answer)
        assert answer.message_id is not None
        return answer.message_id

    async def _ask(self, command: Command, *, timeout_s: float) -> tuple[Answer, bytes]:
        try:
            answer, body = await self._require_link().call(command, timeout_s=timeout_s)
        except LinkEndedError as exc:
            raise UnavailableError("the link to WhatsApp has ended", dependency="whatsapp", delay_s=1) from exc
        except TimeoutError as exc:
            raise TemporaryError(f"WhatsApp did not answer within {timeout_s:.0f} s") from exc
        raise_failure(answer)
        return answer, body

    def _require_link(self) -> LinkProcess:
        process, state = self._supervisor.process, self.state()
        if process is None or not state.connected:
            raise UnavailableError(f"WhatsApp is not connected: {state.message}", dependency="whatsapp", delay_s=1)
        return process
