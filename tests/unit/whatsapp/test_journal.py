"""The journal keeps what it has promised."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from supportbot.whatsapp.gateway import MessageKey, Quote, RawEvent, RawKind, RawMedia, RawPerson
from supportbot.whatsapp.journal import KEEP_OWN, KEEP_RAW, KEEP_ROWS, Journal, Row

WRITER = Path(__file__).with_name("journal_writer.py")
CHAT = "120363000000000001@g.us"
ANA = RawPerson(jid="77000000001@lid", push_name="Ana")
SENT_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
RECEIVED_AT = SENT_AT + timedelta(seconds=2)
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
LATER = RECEIVED_AT + timedelta(seconds=5)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "new" / "journal.db") as opened:
        yield opened


def raw(message_id: str, **fields: Any) -> RawEvent:
    key = MessageKey(chat=CHAT, sender=ANA.jid, message_id=message_id)
    return RawEvent(key=key, sender=ANA, sent_at=SENT_AT, **fields)


def put(journal: Journal, event: RawEvent) -> bool:
    return journal.put(event, message_ref=f"ref-{event.key.message_id}", received_at=RECEIVED_AT)


async def test_rows_wait_in_the_order_of_their_arrival(journal: Journal) -> None:
    events = [raw("B"), raw("A", text="hola"), raw("C")]
    assert [put(journal, event) for event in events] == [True, True, True]

    waiting = await journal.waiting()

    assert waiting == [
        Row(
            seq=seq,
            message_ref=f"ref-{event.key.message_id}",
            key=event.key,
            raw=event.model_dump_json(exclude_defaults=True),
            sent_at=SENT_AT,
            received_at=RECEIVED_AT,
        )
        for seq, event in enumerate(events, start=1)
    ]
    assert RawEvent.model_validate_json(waiting[1].raw) == events[1]


async def test_a_repeat_is_one_row_but_an_edit_is_another(journal: Journal) -> None:
    assert put(journal, raw("A"))
    assert not put(journal, raw("A", text="again"))
    assert put(journal, raw("A", kind=RawKind.EDIT))

    assert await journal.depth() == 2


async def test_what_could_not_be_decrypted_may_come_but_not_the_other_way_round(journal: Journal) -> None:
    """A message that was read, and that WhatsApp delivers again because its receipt was lost, has no key any more."""
    assert put(journal, raw("A", kind=RawKind.UNDECRYPTABLE))
    assert put(journal, raw("A"))
    assert put(journal, raw("B"))
    assert not put(journal, raw("B", kind=RawKind.UNDECRYPTABLE))

    assert await journal.depth() == 3


def test_a_closed_journal_refuses_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as closed:
        put(closed, raw("A"))
    with ThreadPoolExecutor() as threads:
        late = threads.submit(put, closed, raw("B"))
        with pytest.raises(sqlite3.ProgrammingError):
            late.result(timeout=5)


async def test_an_unreadable_row_is_quoted_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        put(journal, raw("A", text="hola"))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute('UPDATE inbox SET raw = \'{"of": "another version"}\'')

    with Journal(path) as journal:
        found = await journal.find("ref-A")

    assert found == Quote(key=MessageKey(chat=CHAT, sender=ANA.jid, message_id="A"), text="")


async def test_published_rows_wait_no_longer(journal: Journal) -> None:
    put(journal, raw("A"))
    put(journal, raw("B"))

    await journal.mark_published(1, LATER)

    assert [row.key.message_id for row in await journal.waiting()] == ["B"]
    assert not put(journal, raw("A"))


async def test_rows_with_an_attachment_are_fetched_first(journal: Journal) -> None:
    media = RawMedia(handle="h", kind="image")
    for event in (raw("A", media=media), raw("B"), raw("C", media=media)):
        put(journal, event)
    assert [row.seq for row in await journal.unfetched()] == [1, 3]

    await journal.mark_fetched(1)
    await journal.mark_fetched(3, missing="gone")

    assert await journal.unfetched() == []
    assert [(row.fetched, row.media_missing) for row in await journal.waiting()] == [
        (True, None),
        (True, None),
        (True, "gone"),
    ]


async def test_an_attachment_holds_its_own_group_and_no_other(journal: Journal) -> None:
    media = RawMedia(handle="h", kind="image")
    elsewhere = MessageKey(chat="120363000000000002@g.us", sender=ANA.jid, message_id="D")
    for event in (raw("A"), raw("B", media=media), raw("C"), raw("D").model_copy(update={"key": elsewhere})):
        put(journal, event)

    assert [row.key.message_id for row in await journal.waiting()] == ["A", "D"]
    await journal.mark_fetched(2)
    assert [row.key.message_id for row in await journal.waiting()] == ["A", "B", "C", "D"]


async def test_a_backlog_is_held_and_then_in_the_order_of_its_own_times(journal: Journal) -> None:
    times = {"C": 5, "A": 2, "B": 2, "D": 1}
    put(journal, raw("before"))
    for message_id, second in times.items():
        event = raw(message_id).model_copy(update={"sent_at": SENT_AT + timedelta(seconds=second)})
        journal.put(event, message_ref=message_id, received_at=RECEIVED_AT, held_until=NEVER)
    assert [row.key.message_id for row in await journal.waiting()] == ["before"]

    assert journal.release() == 4
    put(journal, raw("after"))

    assert [row.key.message_id for row in await journal.waiting()] == ["before", "D", "A", "B", "C", "after"]


async def test_a_backlog_that_nobody_releases_goes_on_after_its_time(journal: Journal) -> None:
    journal.put(raw("A"), message_ref="ref-A", received_at=RECEIVED_AT, held_until=datetime.now(UTC))

    assert [row.key.message_id for row in await journal.waiting()] == ["A"]


async def test_a_readable_message_takes_the_place_of_its_undecryptable_copy(journal: Journal) -> None:
    undecryptable = raw("A", kind=RawKind.UNDECRYPTABLE)
    journal.put(undecryptable, message_ref="ref-A", received_at=RECEIVED_AT, held_until=NEVER)
    assert await journal.waiting() == []
    assert journal.release() == 0

    put(journal, raw("A", text="hola"))

    assert [RawEvent.model_validate_json(row.raw).text for row in await journal.waiting()] == ["hola"]
    assert await journal.depth() == 1


async def test_what_was_stored_is_never_lost_afterwards(journal: Journal) -> None:
    put(journal, raw("A"))
    assert not put(journal, raw("A", kind=RawKind.LOST))
    assert put(journal, raw("B", kind=RawKind.LOST))

    await journal.put_own(CHAT, "3EB0", incident_id=None, sent_at=SENT_AT)
    assert [journal.knows(CHAT, message_id) for message_id in ("A", "B", "3EB0", "C")] == [True, True, True, False]
    assert journal.last_sent_at(CHAT) == SENT_AT
    assert journal.last_sent_at("120363000000000009@g.us") is None


async def test_a_file_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        put(journal, raw("A"))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP INDEX inbox_order")
        db.execute("ALTER TABLE inbox DROP COLUMN place")
        db.execute("ALTER TABLE inbox DROP COLUMN held_until")

    with Journal(path) as journal:
        put(journal, raw("B"))
        assert [row.key.message_id for row in await journal.waiting()] == ["A", "B"]


async def test_two_processes_may_write(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        writer = await asyncio.create_subprocess_exec(
            sys.executable, str(WRITER), str(path), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        marked = 0
        while marked < 100:
            await writer.stdout.readline()
            for row in await journal.waiting(limit=1):
                await journal.mark_published(row.seq, LATER)
                marked += 1
        writer.kill()
        await writer.communicate()

    with closing(sqlite3.connect(path)) as db:
        rows, published = db.execute("SELECT count(*), count(published_at) FROM inbox").fetchone()
    assert (published, rows >= 100) == (100, True)


async def test_finds_the_message_behind_a_reference(journal: Journal) -> None:
    put(journal, raw("A", kind=RawKind.UNDECRYPTABLE))
    put(journal, raw("A", text="la 909 no imprime"))

    assert await journal.find("ref-A") == Quote(key=raw("A").key, text="la 909 no imprime")
    assert await journal.find("ref-B") is None


async def test_knows_the_incidents_of_the_bots_own_messages(journal: Journal) -> None:
    await journal.put_own(CHAT, "3EB0", incident_id="i_1", sent_at=SENT_AT)
    await journal.put_own(CHAT, "3EB0", incident_id="i_2", sent_at=SENT_AT)
    await journal.put_own(CHAT, "3EB1", incident_id=None, sent_at=SENT_AT)

    found = [await journal.incident_of(CHAT, message_id) for message_id in ("3EB0", "3EB1", "A")]

    assert found == ["i_1", None, None]


async def test_an_idempotency_key_stands_for_its_first_message(journal: Journal) -> None:
    answers = [await journal.claim("k", digest, asked_at=SENT_AT) for digest in ("one", "two", "one")]

    assert answers == ["one", "one", "one"]


async def test_keeps_to_its_retention(journal: Journal) -> None:
    put(journal, raw("A", text="hola"))
    put(journal, raw("B", text="sin publicar"))
    await journal.mark_published(1, LATER)
    await journal.put_own(CHAT, "3EB0", incident_id="i_1", sent_at=LATER)

    await journal.prune(LATER + KEEP_RAW)
    assert await journal.find("ref-A") == Quote(key=raw("A").key, text="hola")

    await journal.prune(LATER + KEEP_RAW + timedelta(seconds=1))
    assert await journal.find("ref-A") == Quote(key=raw("A").key)

    await journal.prune(LATER + KEEP_ROWS + timedelta(seconds=1))
    assert await journal.find("ref-A") is None
    assert await journal.incident_of(CHAT, "3EB0") == "i_1"

    await journal.prune(LATER + KEEP_OWN + timedelta(seconds=1))
    assert await journal.incident_of(CHAT, "3EB0") is None
    assert await journal.find("ref-B") == Quote(key=raw("B").key, text="sin publicar")


async def test_many_threads_may_put_at_once(journal: Journal) -> None:
    with ThreadPoolExecutor(16) as pool:
        stored = list(pool.map(lambda number: put(journal, raw(f"M{number % 100}")), range(400)))

    assert (sum(stored), await journal.depth()) == (100, 100)


def test_what_was_put_is_there_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        put(journal, raw("A"))

    with Journal(path) as journal:
        assert not put(journal, raw("A"))
    assert path.stat().st_mode & 0o077 == 0


def test_a_journal_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 100)

    with pytest.raises(sqlite3.DatabaseError), Journal(tmp_path / "journal.db"):
        pass


async def test_nobody_is_told_that_a_row_is_safe_when_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        with sqlite3.connect(path) as other:
            other.execute("DROP TABLE inbox")
        other.close()

        with pytest.raises(sqlite3.OperationalError):
            put(journal, raw("A"))


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with subprocess.Popen([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(200):
            writer.stdout.readline()
        writer.kill()
        # A last line may be cut by the kill; what is complete was acknowledged.
        acknowledged = [line for line in writer.stdout.readlines() if line.endswith("\n")]
    last = int(acknowledged[-1]) if acknowledged else 199

    with sqlite3.connect(path) as db:
        rows = [ref for (ref,) in db.execute("SELECT message_ref FROM inbox ORDER BY seq")]
    db.close()
    assert rows[: last + 1] == [f"m_{number}" for number in range(last + 1)]
    assert len(rows) <= last + 2
