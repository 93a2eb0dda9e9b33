"""What people post and what the client sends, as protocol buffers and as envelopes."""

from typing import get_args

import pytest
from tests.emulators.whatsapp import contents
from tests.emulators.whatsapp.contents import Attachment, Content, Edit, Reference, Text, render
from tests.emulators.whatsapp.media import MediaFault, MediaStore
from tests.emulators.whatsapp.observations import SentMessage
from tests.emulators.whatsapp.people import Directory, Person
from tests.emulators.whatsapp.protocol.binary_xml import Jid, Node
from tests.emulators.whatsapp.protocol.protobuf import decode, encode
from tests.emulators.whatsapp.protocol.signal import PreKeyBundle, SenderKey, UndecryptableError, pad
from tests.emulators.whatsapp.reading import read
from tests.emulators.whatsapp.schemas import MESSAGE

CHAT, SENDER = "120363400000000009@g.us", "184400000000007@lid"
EARLIER = Reference(id="3EB0EARLIER", sender="184400000000008@lid", text="antes")


@pytest.fixture
def people() -> Directory:
    return Directory()


@pytest.fixture
def ana(people: Directory) -> Person:
    return people.add_person("Ana")


def envelope(plaintext: bytes, *recipients: Person, edit: str = "", key: SenderKey | None = None) -> Node:
    """A group message as the library writes it, with the sender's key for each recipient."""
    told = SenderKey()
    distribution = {"groupID": CHAT, "axolotlSenderKeyDistributionMessage": told.distribution}
    words = pad(encode(MESSAGE, {"senderKeyDistributionMessage": distribution}))
    wrapped = [
        Node("to", {"jid": person.lid_jid}, [Node("enc", {"type": "pkmsg"}, seal(person, words))])
        for person in recipients
    ]
    sealed = Node("enc", {"type": "skmsg"}, (key or told).encrypt(pad(plaintext)))
    return Node(
        "message",
        {"id": "3EB0SENT", "to": Jid.parse(CHAT), "edit": edit},
        [Node("participants", content=wrapped), sealed],
    )


def seal(person: Person, plaintext: bytes) -> bytes:
    keys = person.keys()
    recipient = PreKeyBundle(keys.registration_id, keys.identity.public, 1, keys.signed_pre_key.public)
    return Directory().add_person("Bot").keys().encrypt(recipient, plaintext)


def read_as(content: Content, people: Directory, ana: Person) -> SentMessage:
    rendered = render(content, chat=CHAT, sender=SENDER, media=MediaStore())
    return read(envelope(rendered.plaintext, ana, edit=rendered.edit), people)


def test_a_text_with_its_context(people: Directory, ana: Person) -> None:
    seen = read_as(Text(text="ya", quoted=EARLIER, mentions=(ana.lid,), ephemeral_s=60), people, ana)

    assert (seen.id, seen.chat, seen.kind, seen.text) == ("3EB0SENT", CHAT, "extendedTextMessage", "ya")
    assert (seen.quoted_id, seen.quoted_participant, seen.mentions) == (EARLIER.id, EARLIER.sender, (ana.lid,))
    assert (seen.recipients, len(seen.secret)) == ((ana.lid,), 32)


def test_an_edit(people: Directory, ana: Person) -> None:
    seen = read_as(Edit(target=Reference(id="A", sender=SENDER), text="mejor así"), people, ana)

    assert (seen.kind, seen.edit, seen.text, seen.target_id) == ("protocolMessage", "1", "mejor así", "A")


def test_a_message_for_nobody_that_is_known(ana: Person) -> None:
    with pytest.raises(UndecryptableError, match="for nobody that is known"):
        read(envelope(b"", ana), Directory())


def test_a_message_under_a_key_that_was_not_told(people: Directory, ana: Person) -> None:
    with pytest.raises(UndecryptableError, match="was not distributed"):
        read(envelope(b"", ana, key=SenderKey()), people)


@pytest.mark.parametrize(
    ("sender", "edit", "key"),
    [(SENDER, "7", {"fromMe": True}), (EARLIER.sender, "8", {"fromMe": False, "participant": EARLIER.sender})],
    ids=["own", "by an admin"],
)
def test_a_deletion_says_whose_message_it_takes_away(sender: str, edit: str, key: dict[str, object]) -> None:
    deletion = contents.Deletion(target=Reference(id="A", sender=sender))

    rendered = render(deletion, chat=CHAT, sender=SENDER, media=MediaStore())

    assert rendered.edit == edit
    assert decode(MESSAGE, rendered.plaintext)["protocolMessage"]["key"] == {"remoteJID": CHAT, "ID": "A", **key}


def test_a_file_can_be_claimed_larger_than_it_is() -> None:
    claim = Attachment(data=b"ab", claimed_bytes=10**9)

    message = decode(MESSAGE, render(claim, chat=CHAT, sender=SENDER, media=MediaStore()).plaintext)

    assert message["imageMessage"]["fileLength"] == 10**9


def test_every_kind_of_content_has_a_name_of_its_own() -> None:
    kinds = [model.model_fields["kind"].default for model in get_args(get_args(Content)[0])]

    assert len(set(kinds)) == len(kinds) == 11


def test_a_file_is_what_its_message_says() -> None:
    store = MediaStore()
    stored = store.add(b"jpeg", "image")

    assert store.open(stored.direct_path, stored.key, "image") == b"jpeg"
    with pytest.raises(ValueError, match="MAC"):
        store.open(stored.direct_path, stored.key, "video")


def test_a_fault_lasts_as_long_as_it_was_told_to() -> None:
    store = MediaStore()
    path = store.add(b"jpeg", "image").direct_path
    store.set_fault(path, MediaFault(status=404, times=2))

    assert [store.get(path)[1].status for _ in range(3)] == [404, 404, 200]


def test_people_get_numbers_that_nobody_has() -> None:
    people, others = Directory(), Directory()
    owner = others.add_person("Bot")
    people.restore(owner)

    assert people.add_person("Ana").lid != owner.lid
    assert [person.name for person in people] == ["Bot", "Ana"]
