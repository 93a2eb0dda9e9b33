"""What members do arrives as the library reports it, and the server knows that it has."""

import sqlite3
from contextlib import closing

import pytest
from tests.contract.whatsapp_protocol.conftest import Offline, Rig, StartLibrary

pytestmark = pytest.mark.xdist_group("whatsapp")


async def test_a_text_with_all_that_surrounds_it(rig: Rig) -> None:
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "la 909 no cobra", sent_at=1_796_000_000)

    await rig.library.until(lambda: bool(rig.library.messages))
    info = rig.library.messages[0].body["Info"]
    source = info["MessageSource"]
    assert (info["ID"], info["Pushname"], info["Timestamp"]) == (message_id, "Ana", "1796000000000")
    assert (source["Sender"]["User"], source["Sender"]["Server"]) == (rig.ana.lid_user, "lid")
    assert source["SenderAlt"]["User"] == rig.ana.phone_user
    assert source["Chat"]["User"] == rig.group.jid.partition("@")[0]
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)
    assert [seen.type for seen in rig.whatsapp.seen.receipts_of(message_id)] == ["inactive"]


async def test_a_sender_whose_number_is_hidden(rig: Rig) -> None:
    await rig.whatsapp.post(rig.group, rig.ana, "hola", shows_phone=False)

    await rig.library.until(lambda: bool(rig.library.messages))
    source = rig.library.messages[0].body["Info"]["MessageSource"]
    assert source["SenderAlt"]["User"] == ""


async def test_a_group_that_names_its_people_by_phone_numbers(rig: Rig) -> None:
    group = rig.whatsapp.add_group("Vieja", [rig.ana, rig.beto], addressing="pn")
    await rig.whatsapp.post(group, rig.ana, "hola")
    await rig.library.until(lambda: bool(rig.library.messages))

    source = rig.library.messages[0].body["Info"]["MessageSource"]
    assert (source["Sender"]["User"], source["Sender"]["Server"]) == (rig.ana.phone_user, "s.whatsapp.net")
    assert (source["SenderAlt"]["User"], source["SenderAlt"]["Server"]) == (rig.ana.lid_user, "lid")
    await rig.library.call("send", chat=group.jid, message={"conversation": "recibido"})
    (sent,) = rig.whatsapp.seen.sent.values()
    assert (sent.text, set(sent.recipients) >= {rig.ana.phone, rig.beto.phone}) == ("recibido", True)


async def test_somebody_writes_to_the_bot_alone(rig: Rig) -> None:
    message_id = await rig.whatsapp.write_to_bot(rig.ana, "¿me ayudas?")

    await rig.library.until(lambda: bool(rig.library.messages))
    info = rig.library.messages[0].body["Info"]
    assert (info["ID"], info["MessageSource"]["Chat"]["User"]) == (message_id, rig.ana.lid_user)
    assert info["MessageSource"].get("IsGroup", False) is False
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)


async def test_a_members_first_message_is_reported_twice(rig: Rig) -> None:
    """First with the sender's key alone: whoever stores messages by their id must not take that for the message."""
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola")

    await rig.library.until(lambda: bool(rig.library.messages))
    assert [(event.id, next(iter(event.body["Message"]))) for event in rig.library.of("Message")] == [
        (message_id, "senderKeyDistributionMessage"),
        (message_id, "conversation"),
    ]


async def test_what_waited_comes_in_order_between_its_marks(offline: Offline, start_library: StartLibrary) -> None:
    ids = [
        await offline.whatsapp.post(offline.group, sender, f"mensaje {number}", sent_at=1_796_000_000 + number)
        for number in range(20)
        for sender in (offline.ana, offline.beto)
    ]

    library = await start_library(offline.whatsapp, offline.session)

    assert (await library.event("OfflineSyncCompleted")).body["Count"] == 40
    assert library.of("OfflineSyncPreview")[0].body["Message"] == 40
    await library.until(lambda: len(library.messages) == 40)
    assert [event.id for event in library.messages] == ids
    await offline.whatsapp.until(lambda: offline.whatsapp.waiting() == 0)


async def test_no_receipt_is_missing_after_a_kill_in_the_middle(rig: Rig, start_library: StartLibrary) -> None:
    ids = [await rig.whatsapp.post(rig.group, rig.ana, f"{number}") for number in range(400)]
    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.receipts) > 50)
    await rig.library.kill()
    assert rig.whatsapp.waiting() > 0, "the kill came too late to be one in the middle"

    await start_library(rig.whatsapp, rig.session)

    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)
    assert {seen.id for seen in rig.whatsapp.seen.receipts} == set(ids)


async def test_the_same_ciphertext_twice_is_one_message(rig: Rig) -> None:
    """As after a receipt that was lost: the library knows the counter, sends another receipt and reports nothing."""
    rig.whatsapp.faults.ignores_receipts = True
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola")
    await rig.whatsapp.until(lambda: bool(rig.whatsapp.seen.receipts_of(message_id)))
    rig.whatsapp.faults.ignores_receipts = False

    rig.whatsapp.drop()

    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.receipts_of(message_id)) == 2)
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)
    assert [event.id for event in rig.library.messages] == [message_id]


async def test_the_same_message_encrypted_twice_is_reported_twice(rig: Rig) -> None:
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola")
    await rig.library.until(lambda: len(rig.library.messages) == 1)

    await rig.whatsapp.repeat(message_id)

    await rig.library.until(lambda: len(rig.library.messages) == 2)
    assert [event.id for event in rig.library.messages] == [message_id, message_id]


async def test_a_message_that_can_be_read_only_when_it_is_sent_again(rig: Rig) -> None:
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola", readable="on_retry")

    undecryptable = await rig.library.event("UndecryptableMessage")
    await rig.library.until(lambda: bool(rig.library.messages))
    assert (undecryptable.id, rig.library.messages[0].id) == (message_id, message_id)
    assert rig.library.messages[0].body["Message"]["conversation"] == "hola"
    assert len(rig.whatsapp.seen.receipts_of(message_id, "retry")) == 1


async def test_a_message_that_stays_unreadable_until_its_sender_comes_back(rig: Rig) -> None:
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola", readable="never")
    await rig.library.event("UndecryptableMessage")
    await rig.whatsapp.until(lambda: bool(rig.whatsapp.seen.receipts_of(message_id, "retry")))
    other = await rig.whatsapp.post(rig.group, rig.beto, "otra cosa")
    await rig.library.until(lambda: bool(rig.library.messages))

    await rig.whatsapp.resend(message_id)

    await rig.library.until(lambda: len(rig.library.messages) == 2)
    assert [event.id for event in rig.library.messages] == [other, message_id]


async def test_a_client_that_has_lost_its_keys_is_told_them_again(rig: Rig, start_library: StartLibrary) -> None:
    await rig.whatsapp.post(rig.group, rig.ana, "antes")
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)
    await rig.library.kill()
    with closing(sqlite3.connect(rig.session)) as session:
        session.execute("DELETE FROM whatsmeow_sender_keys")
        session.commit()
    library = await start_library(rig.whatsapp, rig.session)
    await library.event("Connected")

    message_id = await rig.whatsapp.post(rig.group, rig.ana, "después")

    await library.event("UndecryptableMessage")
    await library.until(lambda: [event.id for event in library.messages] == [message_id])


async def test_a_message_written_earlier_comes_later(rig: Rig) -> None:
    await rig.whatsapp.post(rig.group, rig.ana, "dos", sent_at=1_796_000_002)
    await rig.whatsapp.post(rig.group, rig.beto, "uno", sent_at=1_796_000_001)

    await rig.library.until(lambda: len(rig.library.messages) == 2)
    assert [event.body["Info"]["Timestamp"] for event in rig.library.messages] == ["1796000002000", "1796000001000"]


async def test_the_bots_own_phone_writes(rig: Rig) -> None:
    await rig.whatsapp.post(rig.group, rig.whatsapp.account.owner, "desde el teléfono")

    await rig.library.until(lambda: bool(rig.library.messages))
    assert rig.library.messages[0].body["Info"]["MessageSource"]["IsFromMe"] is True


async def test_what_happens_to_the_group(rig: Rig) -> None:
    carla = rig.whatsapp.add_person("Carla")

    await rig.whatsapp.join(rig.group, carla)
    await rig.whatsapp.leave(rig.group, rig.beto)
    await rig.whatsapp.rename(rig.group, rig.ana, "Tiendas del sur")

    await rig.library.until(lambda: len(rig.library.of("GroupInfoEvent")) == 3)
    joined, left, renamed = (event.body for event in rig.library.of("GroupInfoEvent"))
    assert [jid["User"] for jid in joined["Join"]] == [carla.lid_user]
    assert [jid["User"] for jid in left["Leave"]] == [rig.beto.lid_user]
    assert renamed["Name"]["Name"] == "Tiendas del sur"
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)
    info = await rig.library.call("group", jid=rig.group.jid)
    names = {member["LID"]["User"] for member in info["Participants"]}
    assert names == {rig.ana.lid_user, carla.lid_user, rig.whatsapp.account.owner.lid_user}


async def test_the_server_gives_the_same_out_twice(rig: Rig) -> None:
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola")
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)

    await rig.whatsapp.redeliver(message_id)

    await rig.whatsapp.until(lambda: len(rig.whatsapp.seen.receipts_of(message_id)) == 2)
    assert [event.id for event in rig.library.messages] == [message_id]


async def test_what_is_held_comes_when_it_is_released(rig: Rig) -> None:
    rig.whatsapp.hold()
    ids = [await rig.whatsapp.post(rig.group, rig.ana, f"{number}") for number in range(3)]
    assert await rig.library.call("groups")
    assert (rig.library.messages, rig.whatsapp.waiting()) == ([], 3)

    rig.whatsapp.release()

    await rig.library.until(lambda: [event.id for event in rig.library.messages] == ids)


async def test_what_was_not_given_out_waits_for_the_next_connection(rig: Rig) -> None:
    rig.whatsapp.hold()
    message_id = await rig.whatsapp.post(rig.group, rig.ana, "hola")
    rig.whatsapp.drop()
    await rig.library.event("Disconnected")
    rig.whatsapp.release()

    await rig.library.event("OfflineSyncPreview")
    await rig.library.until(lambda: [event.id for event in rig.library.messages] == [message_id])


async def test_the_account_is_put_into_a_group(rig: Rig) -> None:
    group = rig.whatsapp.add_group("Clínicas", [rig.beto])

    await rig.whatsapp.invite_bot(group)
    await rig.whatsapp.promote(group, rig.beto, rig.beto)

    joined = (await rig.library.event("JoinedGroup")).body["GroupInfo"]
    assert (f"{joined['JID']['User']}@g.us", joined["GroupName"]["Name"]) == (group.jid, "Clínicas")
    promoted = (await rig.library.event("GroupInfoEvent")).body["Promote"]
    assert [jid["User"] for jid in promoted] == [rig.beto.lid_user]


async def test_the_phone_tells_what_was_said_before(rig: Rig) -> None:
    earlier = [
        await rig.whatsapp.remember(rig.group, rig.ana, f"antes {number}", sent_at=1_795_000_000 + number)
        for number in range(3)
    ]

    await rig.whatsapp.tell_history(rig.group)

    (conversation,) = (await rig.library.event("HistorySync")).body["Data"]["conversations"]
    rows = [row["message"] for row in conversation["messages"]]
    assert [row["key"]["ID"] for row in rows] == earlier[::-1]
    assert rows[0]["message"]["conversation"] == "antes 2"
    assert rows[0]["participant"] == rig.ana.lid
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)


async def test_the_groups_of_the_account(rig: Rig) -> None:
    assert await rig.library.call("groups") == [rig.group.jid.partition("@")[0]]
    assert rig.whatsapp.seen.unknown_queries == []
