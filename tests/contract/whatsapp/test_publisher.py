"""From the journal onto a real bus: nothing that a stranger sends holds up what comes after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.events import until
from tests.simulated import CHAT, INSTALL_KEY, SENT_AT, Inbox, eventually, make_raw, simulated

from supportbot.bus import Bus
from supportbot.contracts import Event, Media, MessageReceived, Outcome, TrailEntry, parse_event
from supportbot.ids import make_message_ref
from supportbot.reader import read_stream
from supportbot.topology import Stage, stream_name, trail_stream
from supportbot.whatsapp.convert import Roster
from supportbot.whatsapp.gateway import RawEvent, RawKind, RawMedia, RawPerson
from supportbot.whatsapp.inbound import Attachments, Bell, JournalSink
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.publisher import Publisher
from supportbot.whatsapp.simulated_whatsapp import SimulatedWhatsApp
from supportbot.whatsapp.simulator import Faults, Simulator

pytestmark = pytest.mark.nats

ROSTER = Roster(INSTALL_KEY)
OTHER = "120363000000000002@g.us"
"""Another group of the bot."""


class Line:
    """Everything between the gateway and the bus."""

    def __init__(
        self, bus: Bus, folder: Path, journal: Journal, simulator: Simulator, server: SimulatedWhatsApp
    ) -> None:
        self.bus, self.journal, self.simulator, self.server = bus, journal, simulator, server
        self._arrived, self._ready = Bell(), Bell()
        self.folder = folder / "attachments"
        self._attachments = Attachments(
            self.folder,
            journal=journal,
            gateway=simulator,
            arrived=self._arrived,
            fetched=self._ready,
            delays_s=(0.01, 0.01),
            away_s=3.0,
        )
        bells = (self._arrived, self._ready)
        self._sink = JournalSink(journal, roster=ROSTER, groups=frozenset({CHAT, OTHER}), bells=bells)
        self._publisher = Publisher(
            bus, journal=journal, attachments=self._attachments, roster=ROSTER, bell=self._ready
        )

    async def receive(self, *events: RawEvent) -> None:
        for raw in events:
            await asyncio.to_thread(self._sink.put, raw)

    async def events(self) -> list[Event]:
        """What is on the bus, once the journal is empty."""
        await eventually(self._is_drained)
        return await self.on_bus()

    async def on_bus(self) -> list[Event]:
        """What is on the bus by now."""
        stored = await read_stream(self.bus.nc, stream_name(self.bus.bot, Stage.CLASSIFIER))
        return [parse_event(message.headers["ce-type"], message.data) for message in stored]

    async def has_published(self) -> bool:
        return bool(await self.on_bus())

    async def _is_drained(self) -> bool:
        return await self.journal.depth() == 0

    async def trail(self) -> list[tuple[str, Outcome, tuple[str, ...]]]:
        stored = await read_stream(self.bus.nc, trail_stream(self.bus.bot))
        entries = [TrailEntry.model_validate_json(message.data) for message in stored]
        return [(entry.message_ref, entry.outcome, entry.reasons) for entry in entries]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loops = (self.simulator.run(Inbox()), self._attachments.run(), self._publisher.run())
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task


@pytest.fixture
async def line(bus: Bus, tmp_path: Path) -> AsyncIterator[Line]:
    with simulated(tmp_path) as (simulator, server), Journal(tmp_path / "journal.db") as journal:
        yield Line(bus, tmp_path, journal, simulator, server)


def ref_of(message_id: str) -> str:
    key = make_raw(message_id).key
    return make_message_ref(INSTALL_KEY, chat=key.chat, sender=key.sender, message_id=key.message_id)


def texts_of(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, MessageReceived)]


async def test_publishes_once_what_was_received_twice(line: Line) -> None:
    async with line.running():
        await line.receive(make_raw("A1", "uno"), make_raw("A1", "uno"), make_raw("A2", "dos"))

        assert texts_of(await line.events()) == ["uno", "dos"]
        assert await line.trail() == [(ref_of("A1"), Outcome.RECEIVED, ()), (ref_of("A2"), Outcome.RECEIVED, ())]


async def test_other_groups_leave_no_trace(line: Line) -> None:
    async with line.running():
        await line.receive(make_raw("B1", "private", chat="120363000000000009@g.us"), make_raw("A1", "uno"))

        assert texts_of(await line.events()) == ["uno"]
        assert await line.journal.incident_of("120363000000000009@g.us", "B1") is None
        assert await line.journal.find(ref_of("B1")) is None


async def test_what_cannot_be_converted_is_unknown_and_blocks_nothing(line: Line) -> None:
    async with line.running():
        await line.receive(make_raw("A1", kind=RawKind.EDIT), make_raw("A2", "dos"))
        first, second = await line.events()

        assert isinstance(first, MessageReceived)
        assert (first.message_ref, first.note, first.sent_at) == (ref_of("A1"), "unknown", SENT_AT)
        assert texts_of([second]) == ["dos"]
        assert (await line.trail())[0] == (ref_of("A1"), Outcome.RECEIVED, ("could not be converted",))


async def test_what_is_too_large_for_the_bus_is_unknown_and_blocks_nothing(line: Line) -> None:
    crowd = tuple(RawPerson(jid=f"7700000{number:05}@lid", push_name="x" * 40) for number in range(20_000))
    async with line.running():
        await line.receive(make_raw("A1", "hola a todos", mentions=crowd), make_raw("A2", "dos"))
        first, second = await line.events()

        assert isinstance(first, MessageReceived)
        assert (first.message_ref, first.note) == (ref_of("A1"), "unknown")
        assert texts_of([second]) == ["dos"]


async def test_what_whatsapp_could_not_decrypt_is_accounted_for_and_may_come_later(line: Line) -> None:
    async with line.running():
        await line.receive(make_raw("A1", kind=RawKind.UNDECRYPTABLE))
        assert await line.events() == []
        await line.receive(make_raw("A1", "uno"))

        assert texts_of(await line.events()) == ["uno"]
        assert [outcome for _, outcome, _ in await line.trail()] == [Outcome.UNDECRYPTABLE, Outcome.RECEIVED]


@pytest.mark.parametrize(
    ("claimed_bytes", "missing"),
    [(4, "WhatsApp no longer has the attachment"), (10**9, "larger than the 20971520 bytes that are taken")],
)
async def test_a_message_goes_on_without_an_attachment_that_cannot_be_had(
    line: Line, claimed_bytes: int, missing: str
) -> None:
    media = RawMedia(handle="ab" * 32, kind="image", mime_type="image/jpeg", size_bytes=claimed_bytes)
    async with line.running():
        await line.receive(make_raw("A1", "miren", media=media), make_raw("A2", "dos"))
        first, _ = await line.events()

    assert isinstance(first, MessageReceived)
    assert first.media == Media(kind="image", mime_type="image/jpeg", size_bytes=claimed_bytes, missing=missing)


async def test_an_attachment_waits_for_a_link_that_comes_back(line: Line) -> None:
    handle = await line.server.put_media(b"jpeg")
    line.simulator.set_faults(Faults(disconnected=True))
    async with line.running():
        await line.receive(make_raw("A1", "miren", media=RawMedia(handle=handle, kind="image")))
        await asyncio.sleep(0.2)
        line.simulator.set_faults(Faults())
        (event,) = await line.events()

    assert isinstance(event, MessageReceived)
    assert event.media is not None
    assert event.media.missing is None


async def test_a_photo_that_is_still_to_come_holds_no_other_group(line: Line) -> None:
    handle = await line.server.put_media(b"jpeg")
    line.simulator.set_faults(Faults(disconnected=True))
    photo = make_raw("A1", "miren", media=RawMedia(handle=handle, kind="image"))
    async with line.running():
        await line.receive(photo, make_raw("A2", "dos"), make_raw("B1", "otra", chat=OTHER))
        await eventually(line.has_published)
        assert texts_of(await line.on_bus()) == ["otra"]
        line.simulator.set_faults(Faults())
        assert texts_of(await line.events()) == ["otra", "miren", "dos"]


async def test_an_attachment_that_cannot_be_reached_is_given_up_after_a_while(line: Line) -> None:
    handle = await line.server.put_media(b"jpeg")
    line.simulator.set_faults(Faults(disconnected=True))
    async with line.running():
        await line.receive(make_raw("A1", "miren", media=RawMedia(handle=handle, kind="image")))
        (event,) = await line.events()

    assert isinstance(event, MessageReceived)
    assert event.media is not None
    assert event.media.missing is not None
    assert "not connected" in event.media.missing


async def test_an_attachment_is_kept_until_the_bus_has_it(line: Line) -> None:
    handle = await line.server.put_media(b"jpeg")
    async with line.running():
        await line.receive(make_raw("A1", "miren", media=RawMedia(handle=handle, kind="image")))
        (event,) = await line.events()
        await until(lambda: not list(line.folder.iterdir()))

    assert isinstance(event, MessageReceived)
    assert event.media is not None
    assert event.media.sha256 is not None
    assert await line.bus.media.get(event.media.sha256) == b"jpeg"
