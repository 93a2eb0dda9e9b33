import pytest

from supportbot.whatsapp.gateway import RawPerson
from supportbot.whatsapp.neonize.identity import NOBODY, Directory, in_group, person_of, plain_jid
from supportbot.whatsapp.neonize.mentions import mention

ANA_LID, ANA_PHONE = "77000000001@lid", "529980000001@s.whatsapp.net"
KNOWN = Directory(lid_of={ANA_PHONE: ANA_LID}.get, phone_of={ANA_LID: ANA_PHONE}.get)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("77000000001:12@lid", ANA_LID),
        ("529980000001.0:3@s.whatsapp.net", ANA_PHONE),
        ("529980000001@c.us", ANA_PHONE),
        ("77000000001:99@hosted.lid", ANA_LID),
        ("529980000001-1600000000@g.us", "529980000001-1600000000@g.us"),
        ("@lid", ""),
        ("lid", ""),
        ("", ""),
    ],
)
def test_jids_without_devices(text: str, plain: str) -> None:
    assert plain_jid(text) == plain


@pytest.mark.parametrize(
    ("jid", "other", "directory", "person"),
    [
        (ANA_LID, ANA_PHONE, NOBODY, RawPerson(jid=ANA_LID, phone="+529980000001")),
        (ANA_PHONE, ANA_LID, NOBODY, RawPerson(jid=ANA_LID, phone="+529980000001")),
        (ANA_PHONE, "", KNOWN, RawPerson(jid=ANA_LID, phone="+529980000001")),
        (ANA_LID, "", KNOWN, RawPerson(jid=ANA_LID, phone="+529980000001")),
        (ANA_LID, "", NOBODY, RawPerson(jid=ANA_LID)),
        (ANA_PHONE, "", NOBODY, RawPerson(jid=ANA_PHONE, phone="+529980000001")),
        # Two LIDs: neither is a phone, whatever the field is called that it came in.
        (ANA_LID, "77000000002@lid", NOBODY, RawPerson(jid=ANA_LID)),
    ],
)
def test_a_person_is_their_lid_and_a_lid_is_never_a_phone(
    jid: str, other: str, directory: Directory, person: RawPerson
) -> None:
    assert person_of(jid, directory, other=other) == person


@pytest.mark.parametrize(
    ("jid", "lid_group", "shown"),
    [
        (ANA_PHONE, True, ANA_LID),
        (ANA_LID, True, ANA_LID),
        (ANA_LID, False, ANA_PHONE),
        ("1@s.whatsapp.net", True, "1@s.whatsapp.net"),
    ],
)
def test_a_group_names_its_people_in_one_way(jid: str, lid_group: bool, shown: str) -> None:
    assert in_group(jid, KNOWN, lid_group=lid_group) == shown


def test_mentions_are_shown_by_lids_in_the_list_and_in_the_text() -> None:
    text = "@529980000001 y @5299800000012 y @77000000005"

    mentions = (ANA_PHONE, "77000000005@lid", "520000000000@s.whatsapp.net")
    mentioned = mention(text, mentions, KNOWN, lid_group=True)

    assert mentioned == (
        "@77000000001 y @5299800000012 y @77000000005",
        (ANA_LID, "77000000005@lid", "520000000000@s.whatsapp.net"),
    )


def test_an_old_group_is_shown_phones() -> None:
    shown = mention("@77000000001 listo", (ANA_LID,), KNOWN, lid_group=False)

    assert shown == ("@529980000001 listo", (ANA_PHONE,))
