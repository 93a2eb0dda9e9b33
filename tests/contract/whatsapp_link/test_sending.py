"""What the real library sends, as the emulated group sees it, and what is known of it afterwards."""

import asyncio
import os
import signal

import pytest
from tests.events import until
from tests.linked import LinkedBot

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import MessageKey, Quote, SendUnknownError


async def test_an_answer_quotes_and_mentions_by_lids(linked: LinkedBot) -> None:
    key = MessageKey(chat=linked.group.jid, sender=linked.ana.lid, message_id="3EB0A1")
    async with linked.connected() as gateway:
        await linked.whatsapp.post(
            linked.group, linked.ana, "la 909 no cobra"
        )  # The session learns Ana's numbers by it.
        await linked.journalled(1)
        sent = await gateway.send(
            linked.group.jid,
            f"listo @{linked.ana.phone_user}",
            key="k",
            quoted=Quote(key=key, text="la 909"),
            mentions=(linked.ana.phone,),
        )

    seen = linked.whatsapp.seen.sent[sent]
    assert (seen.text, seen.mentions) == (f"listo @{linked.ana.lid_user}", (linked.ana.lid,))
    assert (seen.quoted_id, seen.quoted_participant) == ("3EB0A1", linked.ana.lid)
    assert not seen.has_bot_tag


async def test_a_reaction_to_a_person_and_one_to_itself(linked: LinkedBot) -> None:
    own = linked.whatsapp.account.owner.lid
    async with linked.connected() as gateway:
        for sender, key in ((linked.ana.lid, "k1"), (own, "k2")):
            await gateway.react(MessageKey(chat=linked.group.jid, sender=sender, message_id="3EB0A1"), "✅", key=key)

    first, second = linked.whatsapp.seen.sent.values()
    assert (first.target_id, first.target_participant, first.text) == ("3EB0A1", linked.ana.lid, "✅")
    assert second.target_participant in (None, "")


async def test_nothing_is_sent_to_a_chat_that_is_not_configured(linked: LinkedBot) -> None:
    other = linked.whatsapp.add_group("Otros", [linked.ana])
    async with linked.connected() as gateway:
        for chat in (other.jid, linked.ana.lid, linked.ana.phone):
            with pytest.raises(PermanentError) as caught:
                await gateway.send(chat, "hola", key="k", quoted=None, mentions=())
            assert caught.value.reason == "not_a_group"

    assert linked.whatsapp.seen.sent == {}


@pytest.mark.parametrize("code", [420, 429, 463, 479])
async def test_a_refused_message_is_not_sent(linked: LinkedBot, code: int) -> None:
    linked.whatsapp.faults.next_sends = [code]
    async with linked.connected() as gateway:
        with pytest.raises(PermanentError) as caught:
            await gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=())
        assert await gateway.find_sent("k") is None
        again = await gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=())
        assert await gateway.find_sent("k") == again

    assert caught.value.reason == "send_limited"


async def test_a_connection_lost_before_the_answer_is_bridged_by_the_library(linked: LinkedBot) -> None:
    linked.whatsapp.faults.next_sends = ["drop"]
    async with linked.connected() as gateway:
        sent = await gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=())

    assert linked.whatsapp.seen.sent[sent].copies == 2
    assert len(linked.whatsapp.seen.sent) == 1


async def test_a_process_that_dies_while_sending_leaves_the_id(linked: LinkedBot) -> None:
    linked.whatsapp.faults.next_sends = ["silent"]
    async with linked.connected() as gateway:
        process = gateway._supervisor.process
        assert process is not None
        sending = asyncio.create_task(gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=()))
        await linked.whatsapp.until(lambda: bool(linked.whatsapp.seen.sent))
        os.kill(process._process.pid, signal.SIGKILL)
        with pytest.raises(SendUnknownError):
            await sending
        assert await gateway.find_sent("k") == next(iter(linked.whatsapp.seen.sent))
        await until(lambda: gateway.state().connected)


async def test_typing_is_shown(linked: LinkedBot) -> None:
    async with linked.connected() as gateway:
        await gateway.show_typing(linked.group.jid, on=True)
        await gateway.show_typing(linked.group.jid, on=False)
        await linked.whatsapp.until(lambda: len(linked.whatsapp.seen.states) == 2)

    assert [(seen.chat, seen.state) for seen in linked.whatsapp.seen.states] == [
        (linked.group.jid, "composing"),
        (linked.group.jid, "paused"),
    ]


async def test_nothing_is_sent_without_a_link(linked: LinkedBot) -> None:
    with linked.make_gateway() as gateway, pytest.raises(UnavailableError):
        await gateway.send(linked.group.jid, "hola", key="k", quoted=None, mentions=())


async def test_an_old_group_is_spoken_to_by_phones(linked: LinkedBot) -> None:
    ana = linked.ana
    group = linked.whatsapp.add_group("Tiendas", [ana], jid=linked.group.jid, addressing="pn")
    async with linked.connected() as gateway:
        await linked.whatsapp.post(group, ana, "la 909 no cobra")
        (raw,) = await linked.journalled(1)
        quoted = Quote(key=raw.key, text=raw.text)
        sent = await gateway.send(group.jid, f"listo @{ana.lid_user}", key="k", quoted=quoted, mentions=(ana.lid,))

    assert (raw.key.sender, raw.sender.jid, raw.sender.phone) == (ana.phone, ana.lid, f"+{ana.phone_user}")
    seen = linked.whatsapp.seen.sent[sent]
    assert (seen.text, seen.mentions) == (f"listo @{ana.phone_user}", (ana.phone,))
    assert seen.quoted_participant == ana.phone
