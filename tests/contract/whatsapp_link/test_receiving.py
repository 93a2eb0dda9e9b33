"""What is posted in the emulated group, by the real library, as rows of the journal."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.emulators.whatsapp.contents import Attachment, Deletion, Edit, Raw, Reaction, Reference, Text
from tests.emulators.whatsapp.media import MediaFault
from tests.events import until
from tests.linked import LinkedBot
from tests.simulated import CHAT

from supportbot.errors import TemporaryError, UnavailableError
from supportbot.whatsapp.gateway import LinkState, MediaGoneError, MessageKey, RawKind


async def test_a_text_is_in_the_journal_once_and_acknowledged(linked: LinkedBot) -> None:
    async with linked.connected():
        message_id = await linked.whatsapp.post(linked.group, linked.ana, "la 909 no cobra")
        (raw,) = await linked.journalled(1)
        await linked.whatsapp.until(lambda: bool(linked.whatsapp.seen.receipts_of(message_id)))

    assert (raw.key.chat, raw.key.sender, raw.key.message_id) == (CHAT, linked.ana.lid, message_id)
    assert (raw.text, raw.sender.phone, raw.sender.push_name) == ("la 909 no cobra", "+529980000001", "Ana")
    assert linked.counts.stored == 1


async def test_the_key_that_comes_with_the_first_message_of_a_member_does_not_take_its_place(linked: LinkedBot) -> None:
    """The library reports both under one id, the key first."""
    beto = linked.whatsapp.add_person("Beto")
    async with linked.connected():
        for member in (linked.ana, beto):
            await linked.whatsapp.post(linked.group, member, f"soy {member.name}")
        await linked.whatsapp.post(linked.group, beto, "otra vez")
        raws = await linked.journalled(3)
        await until(lambda: linked.counts.stored == 3)

    assert [raw.text for raw in raws] == ["soy Ana", "soy Beto", "otra vez"]
    assert (linked.counts.stored, linked.counts.repeated, linked.counts.ignored) == (3, 0, 2)


async def test_other_chats_leave_no_trace(linked: LinkedBot) -> None:
    other = linked.whatsapp.add_group("Otros", [linked.ana])
    async with linked.connected():
        await linked.whatsapp.post(other, linked.ana, "privado")
        await linked.whatsapp.post(linked.group, linked.ana, "la 909 no cobra")
        assert [raw.text for raw in await linked.journalled(1)] == ["la 909 no cobra"]

    files = [path.read_bytes() for path in linked.folder.glob("journal.db*")]
    assert not any(b"privado" in data or other.jid.encode() in data for data in files)
    assert linked.counts.ignored > 0


async def test_a_backlog_is_published_when_it_is_whole_and_in_the_order_of_its_own_times(linked: LinkedBot) -> None:
    times = [5, 3, 4, 1, 2]
    for second in times:
        await linked.whatsapp.post(linked.group, linked.ana, f"mensaje {second}", sent_at=1_772_463_600 + second)

    async with linked.connected():
        raws = await linked.journalled(5)

    assert [raw.text for raw in raws] == [f"mensaje {second}" for second in sorted(times)]
    assert [raw.sent_at.timestamp() for raw in raws] == [1_772_463_600 + second for second in sorted(times)]


async def test_a_repeated_delivery_is_one_row(linked: LinkedBot) -> None:
    linked.whatsapp.faults.ignores_receipts = True
    async with linked.connected():
        first = await linked.whatsapp.post(linked.group, linked.ana, "uno")
        await linked.journalled(1)
        linked.whatsapp.faults.ignores_receipts = False
        linked.whatsapp.drop()
        await linked.whatsapp.until(lambda: len(linked.whatsapp.seen.receipts_of(first)) > 1)
        await linked.whatsapp.post(linked.group, linked.ana, "dos")
        raws = await linked.journalled(2)

    assert [raw.text for raw in raws] == ["uno", "dos"]


async def test_what_is_readable_only_at_the_second_try_comes_once(linked: LinkedBot) -> None:
    async with linked.connected():
        await linked.whatsapp.post(linked.group, linked.ana, "la 909 no cobra", readable="on_retry")
        (raw,) = await linked.journalled(1)

    assert (raw.kind, raw.text) == (RawKind.MESSAGE, "la 909 no cobra")
    with closing(sqlite3.connect(linked.folder / "journal.db")) as db:
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (1,)


async def test_what_is_never_readable_is_kept_and_waits(linked: LinkedBot) -> None:
    async with linked.connected():
        message_id = await linked.whatsapp.post(linked.group, linked.ana, "la 909 no cobra", readable="never")
        await until(lambda: linked.counts.stored == 1)
        assert await linked.journalled(0) == []

    with closing(sqlite3.connect(linked.folder / "journal.db")) as db:
        row = db.execute("SELECT message_id, kind, held_until - received_at FROM inbox").fetchone()
    assert row == (message_id, "undecryptable", 300)


async def test_changes_have_keys_of_their_own_and_name_what_they_change(linked: LinkedBot) -> None:
    async with linked.connected():
        said = await linked.whatsapp.post(linked.group, linked.ana, "la 909 no cobra")
        target = Reference(id=said, sender=linked.ana.lid)
        for content in (
            Edit(target=target, text="la 910"),
            Reaction(target=target, emoji="🙏"),
            Deletion(target=target),
        ):
            await linked.whatsapp.post(linked.group, linked.ana, content)
        message, *changes = await linked.journalled(4)

    assert [(raw.kind, raw.text, raw.emoji) for raw in changes] == [
        (RawKind.EDIT, "la 910", ""),
        (RawKind.REACTION, "", "🙏"),
        (RawKind.DELETION, "", ""),
    ]
    assert {raw.target for raw in changes} == {message.key}
    assert len({raw.key for raw in (message, *changes)}) == 4


async def test_quotes_and_mentions(linked: LinkedBot) -> None:
    own = linked.whatsapp.account.owner
    async with linked.connected() as gateway:
        quoted = Reference(id="3EB0Q", sender=own.lid, text="Listo")
        text = Text(text=f"@{own.lid_user} gracias", quoted=quoted, mentions=(own.lid,), forwarded=True)
        await linked.whatsapp.post(linked.group, linked.ana, text)
        (raw,) = await linked.journalled(1)
        assert {person.jid for person in raw.mentions} <= gateway.own_jids

    assert raw.quoted == MessageKey(chat=CHAT, sender=own.lid, message_id="3EB0Q")
    assert raw.forwarded


async def test_a_message_that_protobuf_refuses_has_come_all_the_same(linked: LinkedBot) -> None:
    nested = b"\x0a\x04hola"
    for _ in range(120):
        nested = _field(40, _field(1, nested))  # ephemeralMessage.message
    async with linked.connected():
        await linked.whatsapp.post(linked.group, linked.ana, Raw(protobuf=nested))
        await linked.whatsapp.post(linked.group, linked.ana, "después")
        first, second = await linked.journalled(2)

    assert (first.note, second.text) == ("unknown", "después")


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


async def test_while_the_journal_cannot_be_written_the_link_is_cut_and_nothing_is_lost(linked: LinkedBot) -> None:
    with closing(sqlite3.connect(linked.folder / "journal.db")) as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
        async with linked.connected() as gateway:
            await linked.whatsapp.post(linked.group, linked.ana, "uno")
            await until(lambda: gateway.state().link is LinkState.STORE_FAILED)
            await linked.whatsapp.until(lambda: not linked.whatsapp.is_ready)
            await linked.whatsapp.post(linked.group, linked.ana, "dos")
            assert await linked.journalled(0) == []

            db.execute("DROP TRIGGER full")
            raws = await linked.journalled(2)
            await until(lambda: gateway.state().connected)

    assert [raw.text for raw in raws] == ["uno", "dos"]


async def test_an_orderly_end_stores_all_that_was_acknowledged(linked: LinkedBot) -> None:
    async with linked.connected():
        posted = [await linked.whatsapp.post(linked.group, linked.ana, f"mensaje {number}") for number in range(200)]

    acknowledged = {message_id for message_id in posted if linked.whatsapp.seen.receipts_of(message_id)}
    stored = {raw.key.message_id for raw in await linked.journalled(0)}
    assert acknowledged <= stored


async def test_the_process_drains_by_itself_when_the_service_is_killed(linked: LinkedBot) -> None:
    """SIGKILL takes the service alone; the process of the link notices that it is gone."""
    async with linked.connected() as gateway:
        process = gateway._supervisor.process
        assert process is not None
        posted = [await linked.whatsapp.post(linked.group, linked.ana, f"mensaje {number}") for number in range(100)]
        process._writer.close()
        await asyncio.wait_for(process.ended.wait(), 20)
        acknowledged = {message_id for message_id in posted if linked.whatsapp.seen.receipts_of(message_id)}
        stored = {raw.key.message_id for raw in await linked.journalled(0)}

    assert acknowledged <= stored


async def test_what_a_kill_took_is_noticed(linked: LinkedBot) -> None:
    """Between WhatsApp's acknowledgement and the journal a SIGKILL can lose a message: it is reported, by its key."""
    with closing(sqlite3.connect(linked.folder / "journal.db")) as db:
        async with linked.connected() as gateway:
            await linked.whatsapp.post(linked.group, linked.ana, "uno")
            await linked.journalled(1)
            # The row stands for a commit that never was.
            await linked.whatsapp.post(linked.group, linked.ana, "dos")
            (_, lost) = await linked.journalled(2)
            db.execute("DELETE FROM inbox WHERE message_id = ?", (lost.key.message_id,))
            db.commit()
            process = gateway._supervisor.process
            assert process is not None
            os.kill(process._process.pid, signal.SIGKILL)
            await process.ended.wait()
            _, found = await linked.journalled(2)

    assert (found.kind, found.key, found.sender.phone) == (RawKind.LOST, lost.key, "+529980000001")


JPEG = b"\xff\xd8\xff\xe0" + b"pixels" * 100


@pytest.mark.parametrize(
    ("media", "kind", "size"), [("image", "image", 604), ("document", "document", 604), ("voice", "audio", 604)]
)
async def test_an_attachment_can_be_downloaded(linked: LinkedBot, media: Any, kind: str, size: int) -> None:
    async with linked.connected() as gateway:
        content = Attachment(data=JPEG, media=media, caption="" if media == "voice" else "la pantalla")
        await linked.whatsapp.post(linked.group, linked.ana, content)
        raw = await linked.unfetched()
        assert raw.media is not None
        data = await gateway.download(raw.media, max_bytes=1000)

    assert (raw.media.kind, raw.media.size_bytes, data) == (kind, size, JPEG)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (MediaFault(status=404), MediaGoneError),
        (MediaFault(status=410), MediaGoneError),
        (MediaFault(is_corrupted=True), MediaGoneError),
    ],
)
async def test_an_attachment_that_cannot_be_had(linked: LinkedBot, fault: MediaFault, error: type[Exception]) -> None:
    linked.whatsapp.media.default_fault = fault
    async with linked.connected() as gateway:
        await linked.whatsapp.post(linked.group, linked.ana, Attachment(data=JPEG))
        media = (await linked.unfetched()).media
        assert media is not None
        with pytest.raises(error):
            await gateway.download(media, max_bytes=1000)


async def test_an_attachment_that_is_larger_than_it_claims(linked: LinkedBot) -> None:
    async with linked.connected() as gateway:
        await linked.whatsapp.post(linked.group, linked.ana, Attachment(data=JPEG, claimed_bytes=10))
        media = (await linked.unfetched()).media
        assert media is not None
        with pytest.raises(MediaGoneError):
            await gateway.download(media, max_bytes=100)


async def test_a_download_during_which_the_link_dies_counts_as_a_failed_one(linked: LinkedBot) -> None:
    """Otherwise a file whose size kills the process would be tried for ever."""
    linked.whatsapp.media.default_fault = MediaFault(delay_s=30)
    async with linked.connected() as gateway:
        await linked.whatsapp.post(linked.group, linked.ana, Attachment(data=JPEG))
        media = (await linked.unfetched()).media
        assert media is not None
        process = gateway._supervisor.process
        assert process is not None
        download = asyncio.create_task(gateway.download(media, max_bytes=1000))
        await until(lambda: bool(linked.whatsapp.media.downloads))
        process.kill()
        with pytest.raises(TemporaryError) as caught:
            await download

    assert not isinstance(caught.value, UnavailableError)


async def test_what_happens_to_the_group_is_noted(linked: LinkedBot) -> None:
    nora = linked.whatsapp.add_person("Nora")
    async with linked.connected() as gateway:
        await linked.whatsapp.join(linked.group, nora)
        await linked.whatsapp.leave(linked.group, nora)
        await linked.whatsapp.rename(linked.group, linked.ana, "Tiendas y cajas")
        raws = await linked.journalled(3)
        assert [group.name for group in await gateway.groups()] == ["Tiendas y cajas"]

    assert [raw.note for raw in raws] == ["group_joined", "group_left", "group_renamed"]
