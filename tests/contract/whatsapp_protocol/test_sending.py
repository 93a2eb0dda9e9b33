"""What the client sends arrives at the phones of the group, decrypted; and what a server may answer."""

from typing import Literal

import pytest
from tests.contract.whatsapp_protocol.conftest import Rig
from tests.contract.whatsapp_protocol.library_process import LibraryError
from tests.emulators.whatsapp.observations import SentMessage

pytestmark = pytest.mark.xdist_group("whatsapp")


async def sent(rig: Rig, message_id: str) -> SentMessage:
    await rig.whatsapp.until(lambda: message_id in rig.whatsapp.seen.sent)
    return rig.whatsapp.seen.sent[message_id]


async def test_a_text_with_a_quote_a_mention_and_a_secret(rig: Rig) -> None:
    secret = "c2VjcmV0" * 5 + "c2Vj"
    message = {
        "extendedTextMessage": {
            "text": f"@{rig.ana.lid_user} registrado",
            "contextInfo": {
                "stanzaID": "3EB0EARLIER",
                "participant": rig.ana.lid,
                "quotedMessage": {"conversation": "la 909 no cobra"},
                "mentionedJID": [rig.ana.lid],
            },
        },
        "messageContextInfo": {"messageSecret": secret},
    }

    message_id = await rig.library.call("send", chat=rig.group.jid, message=message)

    seen = await sent(rig, message_id)
    assert (seen.chat, seen.kind, seen.text) == (
        rig.group.jid,
        "extendedTextMessage",
        f"@{rig.ana.lid_user} registrado",
    )
    assert (seen.quoted_id, seen.quoted_participant, seen.mentions) == ("3EB0EARLIER", rig.ana.lid, (rig.ana.lid,))
    assert set(seen.recipients) == {rig.ana.lid, rig.beto.lid, rig.whatsapp.account.owner.lid}
    assert len(seen.secret) == 33
    assert (seen.copies, seen.refused, seen.has_bot_tag) == (1, None, False)
    assert rig.whatsapp.seen.faults == []


async def test_one_message_after_another(rig: Rig) -> None:
    """The chain of the sender's key goes on, and each can be read."""
    for number in range(5):
        await rig.library.call("send", chat=rig.group.jid, message={"conversation": f"{number}"})

    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.sent) == 5)
    assert [seen.text for seen in rig.whatsapp.seen.sent.values()] == ["0", "1", "2", "3", "4"]


async def test_a_reaction(rig: Rig) -> None:
    message_id = await rig.library.call(
        "react", chat=rig.group.jid, sender=rig.ana.lid, message_id="3EB0EARLIER", emoji="✅"
    )

    seen = await sent(rig, message_id)
    assert (seen.kind, seen.text, seen.target_id, seen.target_participant) == (
        "reactionMessage",
        "✅",
        "3EB0EARLIER",
        rig.ana.lid,
    )


async def test_an_edit_and_a_deletion(rig: Rig) -> None:
    first = await rig.library.call("send", chat=rig.group.jid, message={"conversation": "ticket 1"})
    edit = await rig.library.call("edit", chat=rig.group.jid, message_id=first, text="ticket 2")
    revoke = {"protocolMessage": {"type": "REVOKE", "key": {"remoteJID": rig.group.jid, "fromMe": True, "ID": first}}}
    deletion = await rig.library.call("send", chat=rig.group.jid, message=revoke)

    edited, deleted = await sent(rig, edit), await sent(rig, deletion)
    assert (edited.edit, edited.text, edited.target_id) == ("1", "ticket 2", first)
    assert (deleted.edit, deleted.kind, deleted.target_id) == ("7", "protocolMessage", first)


async def test_it_types_and_reads(rig: Rig) -> None:
    await rig.library.call("typing", chat=rig.group.jid)
    await rig.library.call("mark_read", chat=rig.group.jid, sender=rig.ana.lid, ids=["A1", "A2"])

    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.receipts) == 2)
    assert [(seen.chat, seen.state) for seen in rig.whatsapp.seen.states if seen.chat] == [(rig.group.jid, "composing")]
    assert [(seen.id, seen.type, seen.participant) for seen in rig.whatsapp.seen.receipts] == [
        ("A1", "read", rig.ana.lid),
        ("A2", "read", rig.ana.lid),
    ]


@pytest.mark.parametrize("error", [420, 429, 463, 479])
async def test_a_message_is_refused(rig: Rig, error: int) -> None:
    rig.whatsapp.faults.next_sends = [error]

    with pytest.raises(LibraryError, match=f"server returned error {error}"):
        await rig.library.call("send", chat=rig.group.jid, message={"conversation": "hola"})

    assert [seen.refused for seen in rig.whatsapp.seen.sent.values()] == [error]
    assert await rig.library.call("send", chat=rig.group.jid, message={"conversation": "hola"})


@pytest.mark.parametrize(("fault", "copies"), [("drop", 2), ("lost", 1)])
async def test_the_connection_breaks_before_the_answer(rig: Rig, fault: Literal["drop", "lost"], copies: int) -> None:
    """The library sends the same frame again over the next connection; the group has one message."""
    rig.whatsapp.faults.next_sends = [fault]

    message_id = await rig.library.call("send", chat=rig.group.jid, message={"conversation": "hola"})

    seen = await sent(rig, message_id)
    assert (seen.copies, list(rig.whatsapp.seen.sent)) == (copies, [message_id])


async def test_a_message_that_is_never_answered(rig: Rig) -> None:
    rig.whatsapp.faults.next_sends = ["silent"]

    task = rig.library.begin("send", chat=rig.group.jid, message={"conversation": "hola"})

    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.sent) == 1)
    assert not task.done()
    assert [seen.text for seen in rig.whatsapp.seen.sent.values()] == ["hola"]
    task.cancel()
