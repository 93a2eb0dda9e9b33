"""The emulated portal's memory, without HTTP."""

import hashlib

import pytest

from supportbot.emulators.zoho.answers import Record
from supportbot.emulators.zoho.clock import Clock, parse_iso, to_iso
from supportbot.emulators.zoho.settings import Settings
from supportbot.emulators.zoho.store import Store

START = parse_iso("2026-11-24T10:00:00Z")
PNG = {"name": "photo.png", "contentType": "image/png", "isPublic": False}
COMMENT = {"content": "hola", "contentType": "plainText", "isPublic": True}


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: START)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def store(clock: Clock, settings: Settings) -> Store:
    return Store(clock, settings)


def ticket_fields(**more: object) -> Record:
    return {"status": "Open", "statusType": "Open", "subject": "x", "cf": {}, **more}


def test_ids_are_long_strings_and_numbers_count_up(store: Store) -> None:
    first, second = store.create_ticket(ticket_fields()), store.create_ticket(ticket_fields())
    assert (first["ticketNumber"], second["ticketNumber"]) == ("101", "102")
    assert first["id"].isdecimal()
    assert 15 <= len(first["id"]) <= 20
    assert first["id"] != second["id"]


def test_the_index_shows_a_change_only_after_the_lag(store: Store, clock: Clock) -> None:
    ticket = store.create_ticket(ticket_fields())
    assert list(store.tickets.indexed(60)) == []
    clock.advance(60)
    assert [one["status"] for one in store.tickets.indexed(60)] == ["Open"]
    store.update_ticket(ticket, {"status": "Closed", "statusType": "Closed"})
    assert [one["status"] for one in store.tickets.indexed(60)] == ["Open"]
    assert [one["status"] for one in store.tickets.indexed(0)] == ["Closed"]
    clock.advance(60)
    assert [one["status"] for one in store.tickets.indexed(60)] == ["Closed"]


def test_closing_and_opening_again_moves_the_closed_time(store: Store, clock: Clock) -> None:
    ticket = store.create_ticket(ticket_fields())
    clock.advance(10)
    closed = store.update_ticket(ticket, {"status": "Closed", "statusType": "Closed"})
    clock.advance(10)
    still = store.update_ticket(closed, {"subject": "y"})
    opened = store.update_ticket(still, {"status": "Open", "statusType": "Open"})
    times = [one["closedTime"] for one in (ticket, closed, still, opened)]
    assert times == [None, to_iso(START + 10), to_iso(START + 10), None]


def test_custom_fields_are_merged_not_replaced(store: Store) -> None:
    ticket = store.create_ticket(ticket_fields(cf={"cf_a": "1", "cf_b": "2"}))
    assert store.update_ticket(ticket, {"cf": {"cf_b": None}})["cf"] == {"cf_a": "1", "cf_b": None}


def test_uploads_become_attachments_of_the_ticket(store: Store) -> None:
    upload = store.add_upload(PNG, b"picture")
    ticket = store.create_ticket(ticket_fields(), [upload["id"]])
    [attachment] = store.attachments_of(ticket["id"])
    assert ticket["attachmentCount"] == 1
    assert attachment["sha256"] == hashlib.sha256(b"picture").hexdigest()
    assert (attachment["name"], attachment["size"], attachment["commentId"]) == ("photo.png", 7, None)
    assert store.content(attachment) == b"picture"


def test_files_of_a_comment_are_not_the_tickets_own(store: Store) -> None:
    ticket = store.create_ticket(ticket_fields())
    upload = store.add_upload(PNG, b"picture")
    comment = store.add_comment(ticket, COMMENT, store.me, [upload["id"]])
    assert store.attachments_of(ticket["id"]) == []
    assert [one["name"] for one in store.attachments_of(ticket["id"], comment["id"])] == ["photo.png"]


def test_an_upload_expires(store: Store, clock: Clock, settings: Settings) -> None:
    upload = store.add_upload(PNG, b"picture")
    clock.advance(settings.upload_life_s - 1)
    assert store.upload_is_usable(upload["id"])
    clock.advance(1)
    assert not store.upload_is_usable(upload["id"])


@pytest.mark.parametrize(("touches", "modified_s"), [(True, 30.0), (False, 0.0)])
def test_a_comment_counts_and_touches_the_ticket_as_set(
    store: Store, clock: Clock, settings: Settings, touches: bool, modified_s: float
) -> None:
    settings.apply({"activity_touches_ticket": touches})
    ticket = store.create_ticket(ticket_fields())
    clock.advance(30)
    store.add_comment(ticket, COMMENT, store.me)
    after = store.tickets.get(ticket["id"])
    assert after is not None
    assert (after["commentCount"], after["modifiedTime"]) == (1, to_iso(START + modified_s))


def test_every_change_raises_the_revision_and_reading_does_not(store: Store) -> None:
    ticket = store.create_ticket(ticket_fields())
    store.create_contact({"lastName": "Ramos"})
    store.add_comment(ticket, COMMENT, store.me)
    list(store.tickets)
    store.comments.of(ticket["id"])
    assert store.revision == 3
