"""The emulator in a process of its own does what it does here."""

from pathlib import Path

import pytest
from tests.contract.whatsapp_protocol.conftest import LinkedSession, StartLibrary
from tests.contract.whatsapp_protocol.library_process import LibraryError
from tests.emulators.whatsapp.contents import Attachment
from tests.emulators.whatsapp.remote import RemoteCallError, RemoteWhatsApp

pytestmark = pytest.mark.xdist_group("whatsapp")


async def test_a_group_lives_in_another_process(
    linked_session: LinkedSession, start_library: StartLibrary, tmp_path: Path
) -> None:
    session, account = linked_session.copy_to(tmp_path)
    async with await RemoteWhatsApp.start(account) as whatsapp:
        ana = await whatsapp.add_person("Ana")
        group = await whatsapp.add_group("Tiendas", [ana])
        await whatsapp.post(group, ana, "antes", sent_at=1_796_000_000)
        library = await start_library(whatsapp, session)
        await whatsapp.call("until_ready")

        message_id = await whatsapp.post(group, ana, Attachment(data=b"\xff\xd8"))
        await whatsapp.set_faults(next_sends=[463])

        await library.until(lambda: len(library.messages) == 2)
        assert library.messages[1].id == message_id
        seen = await whatsapp.until(lambda seen: len(seen.receipts) == 2)
        assert seen.receipts_of(message_id)
        refused = library.begin("send", chat=group.jid, message={"conversation": "hola"})
        seen = await whatsapp.until(lambda seen: len(seen.sent) == 1)
        assert [(sent.text, sent.refused) for sent in seen.sent.values()] == [("hola", 463)]
        with pytest.raises(LibraryError, match="463"):
            await refused
        assert await whatsapp.call("waiting") == 0


async def test_what_cannot_be_done_is_refused() -> None:
    async with await RemoteWhatsApp.start() as whatsapp:
        ana = await whatsapp.add_person("Ana")
        group = await whatsapp.add_group("Tiendas", [ana])

        with pytest.raises(RemoteCallError, match=r"409: .*NotLinkedError"):
            await whatsapp.post(group, ana, "hola")
        with pytest.raises(RemoteCallError, match="422"):
            await whatsapp.call("post", group=group)
        with pytest.raises(RemoteCallError, match="404"):
            await whatsapp.call("stop")
        with pytest.raises(RemoteCallError, match="422"):
            await whatsapp.set_faults(next_sends=["whatever"])
