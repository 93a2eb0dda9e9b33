"""What is read of a session, on tables as the library makes them."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind, RawPerson
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.address_book import AddressBook
from supportbot.whatsapp.neonize.gaps import find_lost
from supportbot.whatsapp.neonize.identity import NOBODY
from supportbot.whatsapp.neonize.session_file import (
    Device,
    last_rowid,
    message_secret,
    read_device,
    read_people,
    remove_session,
    secrets_after,
    sent_ids,
    session_name,
)

CHAT = "120363000000000001@g.us"
OWN_LID, ANA_LID = "77000000099@lid", "77000000001@lid"
OWN = frozenset({OWN_LID, "529980000099@s.whatsapp.net"})
SENT_AT = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "session.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE whatsmeow_device (jid TEXT PRIMARY KEY, lid TEXT)")
        db.execute(
            "CREATE TABLE whatsmeow_message_secrets (our_jid, chat_jid, sender_jid, message_id, key,"
            " PRIMARY KEY (our_jid, chat_jid, sender_jid, message_id))"
        )
        db.execute("CREATE TABLE whatsmeow_lid_map (lid TEXT PRIMARY KEY, pn TEXT)")
        db.execute("INSERT INTO whatsmeow_device VALUES ('529980000099:7@s.whatsapp.net', '77000000099:7@lid')")
        db.execute("INSERT INTO whatsmeow_lid_map VALUES ('77000000001', '529980000001')")
        for chat, sender, message_id, key in (
            (CHAT, ANA_LID, "A1", b"1"),
            (CHAT, OWN_LID, "3EB0", message_secret("k")),
            (CHAT, OWN_LID, "3EB1", message_secret("k")),
            ("120363000000000009@g.us", ANA_LID, "B1", b"2"),
            (CHAT, ANA_LID, "A2", b"3"),
            (CHAT, ANA_LID, "A3", b"4"),
        ):
            db.execute(
                "INSERT INTO whatsmeow_message_secrets VALUES ('x', ?, ?, ?, ?)", (chat, sender, message_id, key)
            )
    return path


def test_reads_who_is_linked_and_who_is_who(session: Path) -> None:
    device = read_device(session)

    assert device == Device(jid="529980000099@s.whatsapp.net", lid=OWN_LID)
    assert (device.own_jids, device.phone) == (OWN, "+529980000099")
    assert read_people(session) == {ANA_LID: "529980000001@s.whatsapp.net"}


def test_finds_what_was_sent_by_its_secret(session: Path) -> None:
    assert sent_ids(session, "k") == ("3EB0", "3EB1")
    assert sent_ids(session, "other") == ()


def test_a_session_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.db", tmp_path / "empty.db"
    sqlite3.connect(empty).close()

    for path in (missing, empty):
        assert (read_device(path), sent_ids(path, "k"), last_rowid(path), read_people(path)) == (None, (), 0, {})
    assert not missing.exists()


def test_removes_all_that_belongs_to_a_session(session: Path) -> None:
    for suffix in ("-wal", "-shm"):
        session.with_name(session.name + suffix).touch()
    other = session.with_name("journal.db")
    other.touch()

    remove_session(session)

    assert list(session.parent.iterdir()) == [other]


def test_the_library_is_told_to_wait_for_a_lock() -> None:
    name = session_name(Path("/data/session.db"))

    assert name.startswith("/data/session.db?")
    assert "_busy_timeout=20000" in name
    assert "_journal_mode=WAL" in name
    assert name.endswith("&_tail=")


def test_messages_whose_secret_is_there_but_which_are_not_were_lost(session: Path, tmp_path: Path) -> None:
    assert [secret.message_id for secret in secrets_after(session, 0, chats=[CHAT], own=OWN)] == ["A1", "A2", "A3"]
    with Journal(tmp_path / "journal.db") as journal:
        key = MessageKey(chat=CHAT, sender=ANA_LID, message_id="A2")
        known = RawEvent(key=key, sender=RawPerson(jid=ANA_LID), sent_at=SENT_AT)
        journal.put(known, message_ref="m", received_at=SENT_AT)

        people = AddressBook(read_people(session)).directory
        lost = find_lost(session, journal, groups=frozenset({CHAT}), seen_rowid=1, directory=people)
        later = find_lost(session, journal, groups=frozenset({CHAT}), seen_rowid=last_rowid(session), directory=NOBODY)

    assert lost == [
        RawEvent(
            kind=RawKind.LOST,
            key=key.model_copy(update={"message_id": "A3"}),
            sender=RawPerson(jid=ANA_LID, phone="+529980000001"),
            sent_at=SENT_AT,
        )
    ]
    assert later == []


def test_an_address_book_learns_pairs_only() -> None:
    book = AddressBook({})
    book.learn("529980000002@s.whatsapp.net", "77000000002@lid")
    book.learn("77000000003@lid", "77000000004@lid")
    book.learn("77000000005@lid", "")

    directory = book.directory
    assert directory.lid_of("529980000002@s.whatsapp.net") == "77000000002@lid"
    assert directory.phone_of("77000000002@lid") == "529980000002@s.whatsapp.net"
    assert [directory.phone_of(f"7700000000{n}@lid") for n in (3, 4, 5)] == [None] * 3


def test_an_address_book_learns_how_a_group_names_its_people() -> None:
    book = AddressBook({})
    assert book.names_lids(CHAT)
    book.learn_group(CHAT, "529980000001@s.whatsapp.net")
    assert not book.names_lids(CHAT)
    book.learn_group(CHAT, ANA_LID)  # WhatsApp has moved it.
    assert book.names_lids(CHAT)
