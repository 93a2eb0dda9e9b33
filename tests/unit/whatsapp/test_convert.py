"""Raw WhatsApp events as the pipeline's events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportbot.contracts import (
    MAX_TEXT_CHARS,
    InboxEvent,
    Media,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Person,
    ReactionReceived,
    dump_event,
    parse_event,
)
from supportbot.ids import make_group_ref, make_incident_id, make_message_ref, make_sender_ref
from supportbot.whatsapp.convert import (
    Context,
    Roster,
    clean_filename,
    clean_text,
    is_staff,
    to_e164,
    to_inbox_event,
    to_media,
    to_unknown_event,
)
from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind, RawMedia, RawPerson

INSTALL_KEY = bytes(32)
CHAT = "120363000000000001@g.us"
BOT_JID = "10000000000@s.whatsapp.net"
ANA = RawPerson(jid="529980000001@s.whatsapp.net", phone="+529980000001", push_name="Ana\u202e\nPalma ")
BETO = RawPerson(jid="77000000002@lid", phone="5219980000002", push_name=None)
BOT = RawPerson(jid=BOT_JID)
ROSTER = Roster(INSTALL_KEY, staff=frozenset({"+529980000002"}), own_jids=frozenset({BOT_JID}))
SENT_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
RECEIVED_AT = SENT_AT + timedelta(seconds=2)


def key(message_id: str, sender: RawPerson = ANA) -> MessageKey:
    return MessageKey(chat=CHAT, sender=sender.jid, message_id=message_id)


def ref(message_id: str, sender: RawPerson = ANA) -> str:
    return make_message_ref(INSTALL_KEY, chat=CHAT, sender=sender.jid, message_id=message_id)


def raw(message_id: str = "A1", sender: RawPerson = ANA, **fields: Any) -> RawEvent:
    return RawEvent(key=key(message_id, sender), sender=sender, sent_at=SENT_AT, **fields)


ANA_OUT = Person(ref=make_sender_ref(INSTALL_KEY, ANA.jid), phone="+529980000001", push_name="Ana Palma")
BETO_OUT = Person(ref=make_sender_ref(INSTALL_KEY, BETO.jid), phone="+529980000002", staff=True)
INCIDENT = make_incident_id(ref("A0"))
PHOTO = Media(kind="image", mime_type="image/jpeg", size_bytes=3, sha256="ab" * 32)

COMMON: dict[str, Any] = {
    "message_ref": ref("A1"),
    "group_ref": make_group_ref(INSTALL_KEY, CHAT),
    "sender": ANA_OUT,
    "sent_at": SENT_AT,
    "received_at": RECEIVED_AT,
}

CASES: dict[str, tuple[RawEvent, Context, InboxEvent]] = {
    "a text": (
        raw(text="la 909 no imprime"),
        Context(received_at=RECEIVED_AT),
        MessageReceived(**COMMON, text="la 909 no imprime"),
    ),
    "a text by staff, known by the old Mexican form of the number": (
        raw("B1", BETO, text="ya quedó"),
        Context(received_at=RECEIVED_AT),
        MessageReceived(**{**COMMON, "message_ref": ref("B1", BETO), "sender": BETO_OUT}, text="ya quedó"),
    ),
    "a photo with a caption": (
        raw(text="miren", media=RawMedia(handle="h", kind="image")),
        Context(received_at=RECEIVED_AT, media=PHOTO),
        MessageReceived(**COMMON, text="miren", media=PHOTO),
    ),
    "a quote of somebody": (
        raw(text="¿folio?", quoted=key("B1", BETO)),
        Context(received_at=RECEIVED_AT),
        MessageReceived(**COMMON, text="¿folio?", quoted_ref=ref("B1", BETO)),
    ),
    "a quote of the bot": (
        raw(text="sigue igual", quoted=key("3EB0", BOT)),
        Context(received_at=RECEIVED_AT, incident_id=INCIDENT),
        MessageReceived(**COMMON, text="sigue igual", quoted_ref=ref("3EB0", BOT), quoted_incident=INCIDENT),
    ),
    "mentions of a person and of the bot": (
        raw(text="@1 @2", mentions=(BETO, BOT)),
        Context(received_at=RECEIVED_AT),
        MessageReceived(**COMMON, text="@1 @2", mentions=(BETO_OUT,), mentions_bot=True),
    ),
    "a forwarded location": (
        raw(forwarded=True, note="location"),
        Context(received_at=RECEIVED_AT),
        MessageReceived(**COMMON, forwarded=True, note="location"),
    ),
    "an edit": (
        raw(kind=RawKind.EDIT, target=key("A0"), text="la 908"),
        Context(received_at=RECEIVED_AT),
        MessageEdited(**COMMON, target_ref=ref("A0"), text="la 908"),
    ),
    "a deletion by somebody else": (
        raw(kind=RawKind.DELETION, target=key("B1", BETO)),
        Context(received_at=RECEIVED_AT),
        MessageDeleted(**COMMON, target_ref=ref("B1", BETO)),
    ),
    "a reaction to the bot": (
        raw(kind=RawKind.REACTION, target=key("3EB0", BOT), emoji="👍"),
        Context(received_at=RECEIVED_AT, incident_id=INCIDENT),
        ReactionReceived(**COMMON, target_ref=ref("3EB0", BOT), target_incident=INCIDENT, emoji="👍"),
    ),
    "a reaction taken back": (
        raw(kind=RawKind.REACTION, target=key("A0"), emoji=""),
        Context(received_at=RECEIVED_AT),
        ReactionReceived(**COMMON, target_ref=ref("A0"), emoji=""),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_converts(name: str) -> None:
    given_raw, context, wanted = CASES[name]

    assert to_inbox_event(given_raw, ROSTER, context) == wanted


@pytest.mark.parametrize("kind", [RawKind.EDIT, RawKind.DELETION, RawKind.REACTION, RawKind.UNDECRYPTABLE])
def test_refuses_a_change_without_a_target(kind: RawKind) -> None:
    with pytest.raises(ValueError, match="without a target"):
        to_inbox_event(raw(kind=kind), ROSTER, Context(received_at=RECEIVED_AT))


def test_an_event_that_cannot_be_converted_is_published_as_unknown() -> None:
    event = to_unknown_event(key("A1"), ROSTER, sent_at=SENT_AT, received_at=RECEIVED_AT)

    sender = Person(ref=ANA_OUT.ref)
    assert event == MessageReceived(**{**COMMON, "sender": sender}, note="unknown")


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("línea uno\nlínea dos\t✓", "línea uno\nlínea dos\t✓"),
        ("a\x00b\x07c\r\n", "abc\n"),
        ("\u202egpj.exe\u2069", "gpj.exe"),
        ("👩\u200d🔧", "👩\u200d🔧"),
        ("roto\ud83d", "roto"),
        ("x" * (MAX_TEXT_CHARS + 9), "x" * MAX_TEXT_CHARS),
    ],
)
def test_cleans_text(given_text: str, wanted: str) -> None:
    assert clean_text(given_text) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("factura.pdf", "factura.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\foto.jpg", "foto.jpg"),
        ("..", None),
        ("", None),
        (None, None),
        ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
    ],
)
def test_cleans_file_names(name: str | None, wanted: str | None) -> None:
    assert clean_filename(name) == wanted


@pytest.mark.parametrize(
    ("phone", "wanted"),
    [
        ("529980000001", "+529980000001"),
        ("+52 1 998 000 0001", "+529980000001"),
        ("5511980000001", "+5511980000001"),
        ("12", None),
        ("0044123", None),
        (None, None),
    ],
)
def test_reads_phone_numbers(phone: str | None, wanted: str | None) -> None:
    assert to_e164(phone) == wanted


@pytest.mark.parametrize(
    ("phone", "listed", "wanted"),
    [
        ("+529980000001", "+5219980000001", True),
        ("+551180000001", "+5511980000001", True),
        ("+529980000001", "+529980000009", False),
        (None, "+529980000009", False),
    ],
)
def test_recognises_staff(phone: str | None, listed: str, wanted: bool) -> None:
    assert is_staff(phone, frozenset({listed})) is wanted


def test_a_kind_of_attachment_that_nobody_knows_is_unknown() -> None:
    media = to_media(RawMedia(handle="h", kind="hologram", size_bytes=9), sha256=None, missing="gone")

    assert media == Media(kind="unknown", size_bytes=9, missing="gone")


@given(
    text=st.text(alphabet=st.characters(), max_size=200),
    push_name=st.text(alphabet=st.characters(), max_size=200),
    phone=st.text(max_size=20),
    emoji=st.text(alphabet=st.characters(), max_size=60),
    note=st.none() | st.text(max_size=10),
)
def test_whatever_people_send_becomes_an_event_that_survives_the_bus(
    text: str, push_name: str, phone: str, emoji: str, note: str | None
) -> None:
    sender = RawPerson(jid="1@lid", phone=phone, push_name=push_name)
    for event in (
        raw("A1", sender, text=text, note=note),
        raw("A2", sender, kind=RawKind.REACTION, target=key("A1"), emoji=emoji),
    ):
        converted = to_inbox_event(event, ROSTER, Context(received_at=RECEIVED_AT))

        assert parse_event(converted.type, dump_event(converted)) == converted


def test_a_time_in_the_future_is_brought_back() -> None:
    sent_at = RECEIVED_AT + timedelta(days=300)
    event = to_unknown_event(key("A1"), ROSTER, sent_at=sent_at, received_at=RECEIVED_AT)
    assert event.sent_at == RECEIVED_AT + timedelta(minutes=5)
