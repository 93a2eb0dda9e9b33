"""From events to the journal, with events as plain values: what is kept, held, insisted on."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supportbot.whatsapp.gateway import RawEvent, RawKind
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize import arrivals as module
from supportbot.whatsapp.neonize import link_events as codes
from supportbot.whatsapp.neonize.address_book import AddressBook
from supportbot.whatsapp.neonize.arrivals import Arrivals, StoreListener
from supportbot.whatsapp.neonize.wire import Noticed

GROUP = "120363000000000001"
CHAT = f"{GROUP}@g.us"
LID, PHONE = "77000000001@lid", "529980000001@s.whatsapp.net"


class Rig:
    def __init__(self, path: Path, journal: Journal) -> None:
        self.path, self.journal = path, journal
        self.noticed: list[Noticed] = []
        self.said: list[str] = []
        self.people = AddressBook({})
        self.arrivals = Arrivals(
            journal,
            install_key=bytes(32),
            groups=frozenset({CHAT}),
            people=self.people,
            listener=StoreListener(
                failed=lambda: self.said.append("failed"),
                works=lambda: self.said.append("works"),
                noticed=self.noticed.append,
            ),
        )

    def receive(self, message_id: str, *, second: int = 0, chat: str = GROUP) -> None:
        self.arrivals.take(codes.MESSAGE, message(message_id, second=second, chat=chat))

    def waiting(self) -> list[RawEvent]:
        return [RawEvent.model_validate_json(row.raw) for row in asyncio.run(self.journal.waiting())]

    @property
    def ids(self) -> list[str]:
        return [raw.key.message_id for raw in self.waiting()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Journal(tmp_path / "journal.db") as journal:
        yield Rig(tmp_path / "journal.db", journal)


def jid(text: str) -> Any:
    user, _, server = text.partition("@")
    return SimpleNamespace(User=user, Server=server)


def info(message_id: str, *, second: int = 0, chat: str = GROUP) -> Any:
    return SimpleNamespace(
        MessageSource=SimpleNamespace(Chat=jid(f"{chat}@g.us"), Sender=jid(LID), SenderAlt=jid(PHONE), IsFromMe=False),
        ID=message_id,
        Pushname="Ana",
        Timestamp=(1_772_463_600 + second) * 1000,
    )


def message(message_id: str, *, second: int = 0, chat: str = GROUP) -> Any:
    """A message event whose content could not be decoded: what is left of it needs no protobuf."""
    return SimpleNamespace(
        Info=info(message_id, second=second, chat=chat),
        IsViewOnce=True,
        IsViewOnceV2=False,
        IsViewOnceV2Extension=False,
        Message=SimpleNamespace(ListFields=list),
    )


def backlog(number: int) -> Any:
    return SimpleNamespace(Message=number)


def test_keeps_what_is_of_its_groups_and_counts_the_rest(rig: Rig) -> None:
    rig.receive("A1")
    rig.receive("A1")
    rig.receive("B1", chat="120363000000000009")

    assert rig.ids == ["A1"]
    assert rig.noticed == [Noticed(stored=1), Noticed(repeated=1), Noticed(ignored=1)]
    assert rig.people.directory.phone_of(LID) == PHONE


@pytest.mark.parametrize("end", [codes.BACKLOG_DONE, codes.DISCONNECTED])
def test_holds_a_backlog_until_its_end(rig: Rig, end: int) -> None:
    rig.arrivals.take(codes.BACKLOG, backlog(2))
    rig.receive("A2", second=2)
    rig.receive("A1", second=1)
    assert rig.ids == []

    rig.arrivals.take(end, SimpleNamespace())
    assert rig.ids == ["A1", "A2"]
    assert rig.noticed[-1] == Noticed()

    rig.receive("A3")
    assert rig.ids == ["A1", "A2", "A3"]


def test_an_empty_backlog_holds_nothing(rig: Rig) -> None:
    rig.arrivals.take(codes.BACKLOG, backlog(0))
    rig.receive("A1")

    assert rig.ids == ["A1"]


def test_what_cannot_be_decrypted_waits_for_its_readable_copy(rig: Rig) -> None:
    rig.arrivals.take(codes.UNDECRYPTABLE, SimpleNamespace(Info=info("A1")))
    assert rig.ids == []
    assert rig.noticed == [Noticed(stored=1, undecryptable=1)]

    rig.receive("A1")
    (raw,) = rig.waiting()
    assert raw.kind is RawKind.MESSAGE


def test_what_came_again_and_is_not_known_was_lost_unless_it_is_still_on_its_way(rig: Rig) -> None:
    rig.receive("A1")
    for message_id in ("A1", "A2", "A3"):
        rig.arrivals.take_spent(CHAT, "77000000001:3@lid", message_id)
    rig.arrivals.take_spent("120363000000000009@g.us", LID, "B1")
    rig.receive("A2")

    assert rig.ids == ["A1", "A2"]
    with closing(sqlite3.connect(rig.path)) as db:
        assert db.execute("SELECT message_id, sender FROM inbox WHERE kind = 'lost'").fetchall() == [("A3", LID)]


def test_insists_until_the_journal_can_be_written(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    with closing(sqlite3.connect(rig.path)) as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'full'); END")
        library = threading.Thread(target=rig.receive, args=("A1",))
        library.start()
        library.join(0.3)
        assert library.is_alive()
        db.execute("DROP TRIGGER full")
        library.join(10)

    assert rig.said == ["failed", "works"]
    assert rig.ids == ["A1"]


def test_gives_up_only_when_the_process_must_end(rig: Rig) -> None:
    with closing(sqlite3.connect(rig.path)) as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'full'); END")
    rig.arrivals.give_up()

    with pytest.raises(sqlite3.Error, match="full"):
        rig.receive("A1")
