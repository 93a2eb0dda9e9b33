"""Each answer goes out once: the reply handler on the simulator and a real effects ledger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.simulated import CHAT, INSTALL_KEY, SENT_AT, Inbox, make_bot, make_raw, simulated, speaking

from supportbot.bus import Bus, Context
from supportbot.contracts import (
    ConfirmationAsked,
    ConfirmationWithdrawn,
    Event,
    Outcome,
    Priority,
    TicketDelayed,
    TicketOpened,
    TicketUpdated,
)
from supportbot.errors import UnavailableError
from supportbot.ids import make_group_ref, make_incident_id, make_message_ref
from supportbot.settle import Hold, decide
from supportbot.topology import Stage
from supportbot.whatsapp.allowance import LONGEST_HOLD_S, LimitedError
from supportbot.whatsapp.gateway import RawKind, SendUnknownError
from supportbot.whatsapp.handler import ReplyHandler, rooms_of
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.limits import Policy
from supportbot.whatsapp.simulated_whatsapp import Entry, SimulatedWhatsApp
from supportbot.whatsapp.simulator import Faults, Simulator
from supportbot.whatsapp.speaker import Speaker

pytestmark = pytest.mark.nats

OPENING = make_raw("A1", "la 909 no imprime")
ANSWER = make_raw("A2", "ya quedó")


def ref_of(message_id: str, chat: str = CHAT) -> str:
    return make_message_ref(INSTALL_KEY, chat=chat, sender=OPENING.key.sender, message_id=message_id)


INCIDENT = make_incident_id(ref_of("A1"))
COMMON: dict[str, Any] = {
    "message_ref": ref_of("A1"),
    "group_ref": make_group_ref(INSTALL_KEY, CHAT),
    "incident_id": INCIDENT,
    "opening_ref": ref_of("A1"),
}
OPENED = TicketOpened(
    **COMMON,
    ticket_id="7001",
    ticket_number="1024",
    subject="la 909 no imprime",
    category="technical",
    priority=Priority.HIGH,
)
PROMOTED = OPENED.model_copy(update={"folio": "F-AAAAAA"})
DELAYED = TicketDelayed(**COMMON, folio="F-AAAAAA", subject="la 909 no imprime")
NOTED = TicketUpdated(**{**COMMON, "message_ref": ref_of("A2")}, ticket_number="1024", what="resolution_noted")
ASKED = ConfirmationAsked(message_ref=ref_of("A1"), group_ref=COMMON["group_ref"])


class Desk:
    """A handler with its gateway and journal."""

    def __init__(
        self, bus: Bus, journal: Journal, simulator: Simulator, server: SimulatedWhatsApp, speaker: Speaker
    ) -> None:
        self.bus, self.journal, self.simulator, self.server = bus, journal, simulator, server
        self.speaker = speaker

    async def handle(self, event: Event, **spec: Any) -> str:
        """Handle one delivery; what the trail says of it."""
        bot = make_bot(**spec)
        handler = ReplyHandler(
            bot.spec,
            rooms=rooms_of(bot.spec, INSTALL_KEY),
            speaker=self.speaker,
            journal=self.journal,
            ledger=self.bus.effects,
        )
        context = Context(event, stage=Stage.WHATSAPP, publish=self.bus.publish)
        await handler(event, context)
        (entry,) = context.entries
        assert entry.outcome is Outcome.REPLIED
        assert not entry.outcome.terminal
        (reason,) = entry.reasons
        return reason

    async def said(self) -> list[Entry]:
        return await self.server.life()


@pytest.fixture
async def desk(bus: Bus, tmp_path: Path) -> AsyncIterator[Desk]:
    """The opening and the answer are in the journal."""
    with (
        simulated(tmp_path) as (simulator, server),
        Journal(tmp_path / "journal.db") as journal,
        speaking(tmp_path, simulator) as (speaker, _),
    ):
        for raw in (OPENING, ANSWER):
            journal.put(raw, message_ref=ref_of(raw.key.message_id), received_at=SENT_AT)
        running = asyncio.create_task(simulator.run(Inbox()))
        await asyncio.sleep(0)
        yield Desk(bus, journal, simulator, server, speaker)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_ticket_is_told_once_as_an_answer_to_its_opening(desk: Desk) -> None:
    reasons = [await desk.handle(OPENED) for _ in range(3)]

    (entry,) = await desk.said()
    assert (entry.kind, entry.group, entry.quoted, entry.key) == (
        RawKind.MESSAGE,
        CHAT,
        "A1",
        f"reply.{INCIDENT}.opened",
    )
    assert "*Ticket #1024*: la 909 no imprime" in entry.text
    assert reasons == ["sent"] * 3
    assert await desk.journal.incident_of(CHAT, entry.id) == INCIDENT


async def test_a_lost_answer_of_whatsapp_sends_nothing_twice(desk: Desk) -> None:
    desk.simulator.set_faults(Faults(ambiguous_sends=1))
    with pytest.raises(SendUnknownError):
        await desk.handle(OPENED)

    await desk.handle(OPENED)

    (entry,) = await desk.said()
    assert await desk.journal.incident_of(CHAT, entry.id) == INCIDENT


async def test_what_never_went_out_is_sent_later(desk: Desk) -> None:
    desk.simulator.set_faults(Faults(disconnected=True))
    with pytest.raises(UnavailableError):
        await desk.handle(OPENED)
    desk.simulator.set_faults(Faults())

    await desk.handle(OPENED)

    assert len(await desk.said()) == 1


async def test_what_a_limit_holds_back_is_sent_once_it_may(desk: Desk, tmp_path: Path) -> None:
    """The day is full, then it is not: the message is held in its lane, and burns no attempt."""
    limits = Policy(per_day=1)
    with speaking(tmp_path / "limited", desk.simulator, policy=limits) as (desk.speaker, _):
        await desk.handle(ASKED)
        with pytest.raises(LimitedError) as held:
            await desk.handle(OPENED)
    with speaking(tmp_path / "free", desk.simulator) as (desk.speaker, _):
        await desk.handle(OPENED)

    settlement = decide(held.value, failures=5, held=0, jitter=0)
    assert settlement == Hold(LONGEST_HOLD_S, "whatsapp_limits")
    # The ❓ goes with the ticket's number.
    assert [entry.kind for entry in await desk.said()] == [RawKind.REACTION, RawKind.MESSAGE, RawKind.REACTION]


async def test_a_folio_and_then_the_number(desk: Desk) -> None:
    await desk.handle(DELAYED)
    await desk.handle(PROMOTED)

    texts = [entry.text for entry in await desk.said()]
    assert ["*F-AAAAAA*" in texts[0], "folio F-AAAAAA es ahora el *ticket #1024*" in texts[1]] == [True, True]


async def test_a_folio_is_not_told_once_the_ticket_exists(desk: Desk) -> None:
    """In a backlog both wait: the group hears the number only, and nothing of a folio that it was never given."""
    effect = await desk.bus.effects.begin(f"ticket.{INCIDENT}")
    await desk.bus.effects.finish(effect, {"ticket_id": "7001"})

    reasons = [await desk.handle(DELAYED), await desk.handle(PROMOTED)]

    (entry,) = await desk.said()
    assert reasons == ["not sent: the ticket has been opened meanwhile", "sent"]
    assert "1024" in entry.text
    assert "F-AAAAAA" not in entry.text


@pytest.mark.parametrize(("event", "target", "emoji"), [(NOTED, "A2", "✅"), (ASKED, "A1", "❓")])
async def test_reacts_once(desk: Desk, event: Event, target: str, emoji: str) -> None:
    reasons = [await desk.handle(event) for _ in range(2)]

    (entry,) = await desk.said()
    assert (entry.kind, entry.target, entry.emoji) == (RawKind.REACTION, target, emoji)
    assert reasons == ["reacted"] * 2


REFUSED = ConfirmationWithdrawn(message_ref=ref_of("R1"), group_ref=COMMON["group_ref"], target_ref=ASKED.message_ref)
REOPENED = NOTED.model_copy(
    update={"message_ref": ref_of("R2"), "what": "resolution_withdrawn", "target_ref": NOTED.message_ref}
)


@pytest.mark.parametrize(("made", "event", "target"), [(ASKED, REFUSED, "A1"), (NOTED, REOPENED, "A2")])
async def test_takes_a_reaction_back_once(desk: Desk, made: Event, event: Event, target: str) -> None:
    assert await desk.handle(event) == "not sent: there is no reaction to take back"
    await desk.handle(made)

    reasons = [await desk.handle(event) for _ in range(2)]

    entries = await desk.said()
    assert [(entry.target, entry.emoji) for entry in entries][1:] == [(target, "")]
    assert reasons == ["took its reaction back"] * 2


async def test_the_question_is_gone_once_the_ticket_is_told(desk: Desk) -> None:
    await desk.handle(ASKED)
    for _ in range(2):
        await desk.handle(OPENED)

    entries = await desk.said()
    assert [(entry.kind, entry.emoji) for entry in entries] == [
        (RawKind.REACTION, "❓"),
        (RawKind.MESSAGE, ""),
        (RawKind.REACTION, ""),
    ]


@pytest.mark.parametrize(("target", "reacted_to"), [("A2", "A2"), ("the bot's own", "A1")])
async def test_a_solution_told_by_a_reaction_is_noted_where_it_was_told(
    desk: Desk, target: str, reacted_to: str
) -> None:
    update = {"message_ref": ref_of("R3"), "target_ref": ref_of(target)}
    await desk.handle(NOTED.model_copy(update=update))

    (entry,) = await desk.said()
    assert (entry.target, entry.emoji) == (reacted_to, "✅")


@pytest.mark.parametrize(
    ("event", "spec", "reason"),
    [
        (OPENED, {"mode": "Shadow"}, "not sent: Shadow mode"),
        (ASKED, {"mode": "Shadow"}, "not sent: Shadow mode"),
        (OPENED, {"paused": True}, "not sent: paused"),
        (DELAYED, {"replies": {"mode": "None"}}, "not sent: replies are switched off"),
        (ASKED, {"replies": {"askWhenUnsure": False}}, "not sent: questions are switched off"),
        (
            OPENED.model_copy(update={"group_ref": "00" * 8}),
            {},
            "not sent: the group is no longer configured",
        ),
        (
            NOTED.model_copy(update={"message_ref": ref_of("unknown")}),
            {},
            "not sent: the message is no longer known",
        ),
    ],
)
async def test_keeps_silent(desk: Desk, event: Event, spec: dict[str, Any], reason: str) -> None:
    assert await desk.handle(event, **spec) == reason
    assert await desk.said() == []


async def test_an_opening_that_the_journal_has_forgotten_is_not_quoted(desk: Desk) -> None:
    event = OPENED.model_copy(update={"opening_ref": ref_of("unknown")})

    assert await desk.handle(event) == "sent without a quote: the message is no longer known"
    assert [entry.quoted for entry in await desk.said()] == [None]


async def test_a_group_is_spoken_to_in_its_own_language(desk: Desk) -> None:
    groups = {"gateway": "Simulator", "groups": [{"jid": CHAT, "language": "pt"}]}

    await desk.handle(OPENED, whatsapp=groups)

    (entry,) = await desk.said()
    assert entry.text.startswith("Pronto, sua solicitação")
