"""The whole service on the emulated WhatsApp and a real NATS server: from the group to the bus, and back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.whatsapp.test_whatsapp_service import Process, inbox_has
from tests.emulators.whatsapp.contents import Attachment, Reaction, Reference, Text
from tests.emulators.whatsapp.media import MediaFault
from tests.events import until
from tests.linked import LinkedBot, Paired, linked_bot
from tests.simulated import CHAT, INSTALL_KEY

from supportbot.bus import Bus
from supportbot.contracts import MessageReceived, Priority, ReactionReceived, TicketOpened
from supportbot.ids import make_group_ref, make_incident_id, make_message_ref
from supportbot.nats_server import EmbeddedServer

pytestmark = pytest.mark.nats

JPEG = b"\xff\xd8\xff\xe0" + b"pixels" * 100


@asynccontextmanager
async def linked_service(
    paired: Paired, folder: Path, *, nats_url: str, bot: str
) -> AsyncIterator[tuple[Process, LinkedBot]]:
    process = Process(
        folder / "service",
        nats_url=nats_url,
        bot=bot,
        whatsapp={"gateway": "Neonize", "groups": [{"jid": CHAT}], "staff": ["+529980000001"]},
    )
    data = folder / "service" / "data"
    data.mkdir()
    async with linked_bot(paired, data) as linked:
        process._environ |= linked.whatsapp.redirection.environment()
        await process.start()
        await linked.whatsapp.until_ready()
        try:
            yield process, linked
        finally:
            await process.stop()
            await process.client.aclose()


async def test_a_report_reaches_the_bus_and_its_ticket_the_group(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path, perhaps_paired: Paired
) -> None:
    async with linked_service(perhaps_paired, tmp_path, nats_url=nats_server.url, bot=bus.bot) as (service, linked):
        whatsapp, ana, group = linked.whatsapp, linked.ana, linked.group
        own = whatsapp.account.owner
        photo = await whatsapp.post(group, ana, Attachment(data=JPEG, caption="miren"))
        mention = Text(
            text=f"@{own.lid_user} la 909 no imprime", mentions=(own.lid,), quoted=Reference(id=photo, sender=ana.lid)
        )
        report = await whatsapp.post(group, ana, mention)
        first, second = await inbox_has(bus, 2)
        assert isinstance(first, MessageReceived)
        assert isinstance(second, MessageReceived)
        assert first.media is not None
        assert first.media.sha256 is not None
        assert (first.media.mime_type, await bus.media.get(first.media.sha256)) == ("image/jpeg", JPEG)
        assert (second.quoted_ref, second.mentions_bot, second.sender.staff) == (first.message_ref, True, True)

        ref = make_message_ref(INSTALL_KEY, chat=CHAT, sender=ana.lid, message_id=report)
        await bus.publish(_opened(ref))
        await whatsapp.until(lambda: bool(whatsapp.seen.sent), 30)
        (answer,) = whatsapp.seen.sent.values()
        assert ("1024" in answer.text, answer.quoted_id, answer.quoted_participant) == (True, report, ana.lid)
        assert [seen.state for seen in whatsapp.seen.states] == ["composing", "paused"]

        await whatsapp.post(group, ana, Reaction(target=Reference(id=answer.id, sender=own.lid), emoji="👍"))
        *_, reaction = await inbox_has(bus, 3)
        assert isinstance(reaction, ReactionReceived)
        assert reaction.target_incident == make_incident_id(ref)
        assert await service.is_healthy()

    assert "Traceback" not in service.log.read_text()
    assert "529980000001" not in service.log.read_text()
    assert "no imprime" not in service.log.read_text()


async def test_a_slow_photo_holds_nobody_but_its_own_group(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path, perhaps_paired: Paired
) -> None:
    async with linked_service(perhaps_paired, tmp_path, nats_url=nats_server.url, bot=bus.bot) as (_, linked):
        linked.whatsapp.media.default_fault = MediaFault(delay_s=2)
        for number in range(4):
            await linked.whatsapp.post(linked.group, linked.ana, Attachment(data=JPEG + bytes([number])))
        await linked.whatsapp.post(linked.group, linked.ana, "miren")
        began = asyncio.get_running_loop().time()
        *photos, text = await inbox_has(bus, 5)
        took = asyncio.get_running_loop().time() - began

    assert isinstance(text, MessageReceived)
    assert text.text == "miren"
    assert len({photo.media.sha256 for photo in photos if isinstance(photo, MessageReceived) and photo.media}) == 4
    assert took < 6  # One after the other they would have taken eight seconds.


async def test_the_end_of_the_service_is_the_end_of_the_link(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path, perhaps_paired: Paired
) -> None:
    async with linked_service(perhaps_paired, tmp_path, nats_url=nats_server.url, bot=bus.bot) as (service, linked):
        link = _child_of(service.process.pid)
        await linked.whatsapp.post(linked.group, linked.ana, "uno")
        await service.kill()
        await until(lambda: not Path(f"/proc/{link}").exists() or _is_zombie(link))
        await service.start()
        (event,) = await inbox_has(bus, 1)

    assert isinstance(event, MessageReceived)
    assert event.text == "uno"


def _child_of(pid: int) -> int:
    (child,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return child


def _is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def _opened(ref: str) -> TicketOpened:
    return TicketOpened(
        message_ref=ref,
        group_ref=make_group_ref(INSTALL_KEY, CHAT),
        incident_id=make_incident_id(ref),
        opening_ref=ref,
        ticket_id="7001",
        ticket_number="1024",
        subject="la 909 no imprime",
        category="technical",
        priority=Priority.HIGH,
    )
