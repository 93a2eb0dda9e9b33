"""From committed state to the group: stage `whatsapp` of the pipeline. Each answer is sent once.

What goes out is named in the effects ledger before it goes. A redelivery asks the gateway whether it went.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from supportbot.contracts import (
    ConfirmationAsked,
    ConfirmationWithdrawn,
    Event,
    Outcome,
    ReplyEvent,
    TicketDelayed,
    TicketOpened,
    TicketUpdated,
)
from supportbot.delivery import Context
from supportbot.effects import Effect, EffectsLedger, perform_once
from supportbot.ids import make_group_ref
from supportbot.spec import Language, Mode, ReplyMode, Spec
from supportbot.whatsapp.gateway import MessageKey, Quote
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.replies import DONE, UNSURE, render_delayed, render_opened
from supportbot.whatsapp.speaker import Speaker


@dataclass(frozen=True)
class Room:
    """A configured group."""

    jid: str
    language: Language


def rooms_of(spec: Spec, install_key: bytes) -> Mapping[str, Room]:
    """The configured groups by their references."""
    return {
        make_group_ref(install_key, group.jid): Room(group.jid, group.language or spec.language)
        for group in spec.whatsapp.groups
    }


def silence(spec: Spec, event: Event) -> str | None:
    """Why the group is told nothing about `event`, or None when it may be told."""
    if spec.mode is Mode.SHADOW:
        return "not sent: Shadow mode"
    if spec.paused:
        return "not sent: paused"
    if spec.replies.mode is ReplyMode.NONE:
        return "not sent: replies are switched off"
    if isinstance(event, ConfirmationAsked) and not spec.replies.ask_when_unsure:
        return "not sent: questions are switched off"
    return None


class ReplyHandler:
    """Handles what the ticket service says.

    Args:
        spec: The bot's.
        rooms: The configured groups by reference.
        speaker: Sends, when it may.
        journal: Knows the messages behind references, and remembers the bot's own.
        ledger: Knows what has been sent.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        rooms: Mapping[str, Room],
        speaker: Speaker,
        journal: Journal,
        ledger: EffectsLedger,
    ) -> None:
        self._spec = spec
        self._rooms = rooms
        self._speaker = speaker
        self._journal = journal
        self._ledger = ledger

    async def __call__(self, event: Event, ctx: Context) -> None:
        """Tell the group; the trail says what was done, or why nothing.

        Raises:
            SendUnknownError: No answer came; the next try looks first.
            UnavailableError: WhatsApp is not connected, or the limits let nothing through now.
        """
        incident_id = event.incident_id if isinstance(event, ReplyEvent) else None
        room = self._rooms.get(event.group_ref)
        if (reason := silence(self._spec, event)) is None:
            reason = await self._tell(event, room) if room else "not sent: the group is no longer configured"
        ctx.record(Outcome.REPLIED, reasons=(reason,), incident_id=incident_id)

    async def _tell(self, event: Event, room: Room) -> str:
        if isinstance(event, TicketOpened):
            told = event.folio is not None and await self._is_done(_reply_key(event.incident_id, TicketDelayed.stage))
            text = render_opened(event, room.language, self._spec.replies.templates, folio_told=told)
            said = await self._say(event, room, text)
            await self._withdraw_question(event.opening_ref)
            return said
        if isinstance(event, TicketDelayed):
            # In a backlog the ticket may exist by now; then its number is on the way, and a folio would confuse.
            if await self._is_done(f"ticket.{event.incident_id}"):
                return "not sent: the ticket has been opened meanwhile"
            return await self._say(event, room, render_delayed(event, room.language, self._spec.replies.templates))
        if isinstance(event, ConfirmationWithdrawn):
            return await self._withdraw_question(event.target_ref)
        if isinstance(event, TicketUpdated) and event.what == "resolution_withdrawn":
            made = _reply_key(event.incident_id, TicketUpdated.stage)
            key = _reply_key(event.message_ref, ConfirmationWithdrawn.stage)
            return await self._take_back(await self._target_of(event), made=made, key=key)
        return await self._react(event, UNSURE if isinstance(event, ConfirmationAsked) else DONE)

    async def _say(self, event: ReplyEvent, room: Room, text: str) -> str:
        key = _reply_key(event.incident_id, event.stage)
        quoted = await self._journal.find(event.opening_ref)

        async def send() -> str:
            return await self._speaker.send(room.jid, text, key=key, quoted=quoted)

        await self._once(key, send, chat=room.jid, incident_id=event.incident_id)
        return "sent" if quoted else "sent without a quote: the message is no longer known"

    async def _react(self, event: Event, emoji: str) -> str:
        target = await self._target_of(event)
        if target is None:
            return "not sent: the message is no longer known"
        # A solution is marked once per incident, however many people say that it works; a question once per message.
        about = event.incident_id if isinstance(event, ReplyEvent) else event.message_ref
        key, chat = _reply_key(about, event.stage), target.key.chat

        async def react(target_key: MessageKey = target.key) -> str:
            return await self._speaker.react(target_key, emoji, key=key)

        await self._once(key, react, chat=chat, incident_id=None)
        return "reacted"

    async def _target_of(self, event: Event) -> Quote | None:
        """The message to react to; a reaction to the bot's own message is answered at the report."""
        if isinstance(event, TicketUpdated) and event.target_ref is not None:
            return await self._journal.find(event.target_ref) or await self._journal.find(event.opening_ref)
        return await self._journal.find(event.message_ref)

    async def _withdraw_question(self, message_ref: str) -> str:
        return await self._take_back(
            await self._journal.find(message_ref),
            made=_reply_key(message_ref, ConfirmationAsked.stage),
            key=_reply_key(message_ref, ConfirmationWithdrawn.stage),
        )

    async def _take_back(self, target: Quote | None, *, made: str, key: str) -> str:
        """Take the bot's own reaction back, if the effect `made` has made one."""
        if not await self._is_done(made):
            return "not sent: there is no reaction to take back"
        if target is None:
            return "not sent: the message is no longer known"

        async def react(target_key: MessageKey = target.key) -> str:
            return await self._speaker.react(target_key, "", key=key)

        await self._once(key, react, chat=target.key.chat, incident_id=None)
        return "took its reaction back"

    async def _once(self, key: str, send: Callable[[], Awaitable[str]], *, chat: str, incident_id: str | None) -> None:
        async def remember(message_id: str) -> Mapping[str, Any]:
            # Before the ledger says done: afterwards nobody would come by here again.
            await self._journal.put_own(chat, message_id, incident_id=incident_id, sent_at=datetime.now(UTC))
            return {"message_id": message_id}

        async def do() -> Mapping[str, Any]:
            return await remember(await send())

        async def find(_: Effect) -> Mapping[str, Any] | None:
            message_id = await self._speaker.find_sent(key)
            return await remember(message_id) if message_id else None

        await perform_once(self._ledger, key, do=do, find=find)

    async def _is_done(self, key: str) -> bool:
        effect = await self._ledger.get(key)
        return effect is not None and effect.state == "done"


def _reply_key(about: str, stage: str) -> str:
    return f"reply.{about}.{stage}"
