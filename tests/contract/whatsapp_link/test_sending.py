"""What the real library sends, as the emulated group sees it, and what is known of it afterwards."""

import asyncio
import os
import signal

import pytest
from tests.events import until
from tests.linked import LinkedBot

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import MessageKey, Quote, SendUnknownError


async def test_an_answer_quotes_and_mentions_by_lids(bot: LinkedBot) -> None:
    key = MessageKey(chat=bot.group.jid, sender=bot.ana.lid, message_id="3EB0A1")
    async with bot.connected() as gateway:
        await bot.whatsapp.post(bot.group, bot.ana, "la 909 no cobra")  # The session learns Ana's numbers by it.
        await bot.journalled(1)
        sent = await gateway.send(
            bot.group.jid,
            f"listo @{bot.ana.phone_user}",
            key="k",
            quoted=Quote(key=key, text="la 909"),
            mentions=(bot.ana.phone,),
        )

    seen = bot.whatsapp.seen.sent[sent]
    assert (seen.text, seen.mentions) == (f"listo @{bot.ana.lid_user}", (bot.ana.lid,))
    assert (seen.quoted_id, seen.quoted_participant) == ("3EB0A1", bot.ana.lid)
    assert not seen.has_bot_tag


async def test_a_reaction_to_a_person_and_one_to_itself(bot: LinkedBot) -> None:
    own = bot.whatsapp.account.owner.lid
    async with bot.connected() as gateway:
        for sender, key in ((bot.ana.lid, "k1"), (own, "k2")):
            await gateway.react(MessageKey(chat=bot.group.jid, sender=sender, message_id="3EB0A1"), "✅", key=key)

    first, second = bot.whatsapp.seen.sent.values()
    assert (first.target_id, first.target_participant, first.text) == ("3EB0A1", bot.ana.lid, "✅")
    assert second.target_participant in (None, "")


async def test_nothing_is_sent_to_a_chat_that_is_not_configured(bot: LinkedBot) -> None:
    other = bot.whatsapp.add_group("Otros", [bot.ana])
    async with bot.connected() as gateway:
        for chat in (other.jid, bot.ana.lid, bot.ana.phone):
            with pytest.raises(PermanentError) as caught:
                await gateway.send(chat, "hola", key="k", quoted=None, mentions=())
            assert caught.value.reason == "not_a_group"

    assert bot.whatsapp.seen.sent == {}


@pytest.mark.parametrize("code", [420, 429, 463, 479])
async def test_a_refused_message_is_not_sent(bot: LinkedBot, code: int) -> None:
    bot.whatsapp.faults.next_sends = [code]
    async with bot.connected() as gateway:
        with pytest.raises(PermanentError) as caught:
            await gateway.send(bot.group.jid, "hola", key="k", quoted=None, mentions=())
        assert await gateway.find_sent("k") is None
        again = await gateway.send(bot.group.jid, "hola", key="k", quoted=None, mentions=())
        assert await gateway.find_sent("k") == again

    assert caught.value.reason == "send_limited"


async def test_a_connection_lost_before_the_answer_is_bridged_by_the_library(bot: LinkedBot) -> None:
    bot.whatsapp.faults.next_sends = ["drop"]
    async with bot.connected() as gateway:
        sent = await gateway.send(bot.group.jid, "hola", key="k", quoted=None, mentions=())

    assert bot.whatsapp.seen.sent[sent].copies == 2
    assert len(bot.whatsapp.seen.sent) == 1


async def test_a_process_that_dies_while_sending_leaves_the_id(bot: LinkedBot) -> None:
    bot.whatsapp.faults.next_sends = ["silent"]
    async with bot.connected() as gateway:
        process = gateway._supervisor.process
        assert process is not None
        sending = asyncio.create_task(gateway.send(bot.group.jid, "hola", key="k", quoted=None, mentions=()))
        await bot.whatsapp.until(lambda: bool(bot.whatsapp.seen.sent))
        os.kill(process._process.pid, signal.SIGKILL)
        with pytest.raises(SendUnknownError):
            await sending
        assert await gateway.find_sent("k") == next(iter(bot.whatsapp.seen.sent))
        await until(lambda: gateway.state().connected)


async def test_typing_is_shown(bot: LinkedBot) -> None:
    async with bot.connected() as gateway:
        await gateway.show_typing(bot.group.jid, on=True)
        await gateway.show_typing(bot.group.jid, on=False)
        await bot.whatsapp.until(lambda: len(bot.whatsapp.seen.states) == 2)

    assert [(seen.chat, seen.state) for seen in bot.whatsapp.seen.states] == [
        (bot.group.jid, "composing"),
        (bot.group.jid, "paused"),
    ]


async def test_nothing_is_sent_without_a_link(bot: LinkedBot) -> None:
    with bot.make_gateway() as gateway, pytest.raises(UnavailableError):
        await gateway.send(bot.group.jid, "hola", key="k", quoted=None, mentions=())
