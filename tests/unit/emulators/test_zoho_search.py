"""The emulated searches."""

import pytest

from supportbot.emulators.zoho.answers import Record
from supportbot.emulators.zoho.search import matcher, search_contacts, search_tickets, words_matcher


@pytest.mark.parametrize(
    ("value", "wanted", "front", "hit"),
    [
        ("+529980000001", "*80000001", True, True),
        ("+529980000001", "*80000001", False, False),
        ("(998) 000-0001", "*80000001", True, False),
        ("(998) 000-0001", "*0001", True, True),
        ("+529980000001", "+5299*", True, True),
        ("+529980000001", "*9800*", True, True),
        ("Ramos", "ramos", False, True),
        ("Ramos", "ram", False, False),
        ("Ramos", "ram*", False, True),
        ("Ramos", "Soto,Ramos", False, True),
        ("a.b", "a*b", False, False),
        ("axb", "a.b", False, False),
        (None, "None", False, False),
        ("", "*", True, False),
    ],
)
def test_values(value: object, wanted: str, front: bool, hit: bool) -> None:
    assert matcher(wanted, front=front)(value) is hit


@pytest.mark.parametrize(
    ("text", "wanted", "hit"),
    [
        ("[WA-7K2Q9X] La 909 no puede", "WA-7K2Q9X", True),
        ("[WA-7K2Q9X] La 909 no puede", "7K2Q9", False),
        ("[WA-7K2Q9X] La 909 no puede", "7K2Q9*", True),
        ("[WA-7K2Q9X] La 909 no puede", "puede 909", True),
        (None, "x", False),
    ],
)
def test_words(text: object, wanted: str, hit: bool) -> None:
    assert words_matcher(wanted)(text) is hit


def contact(contact_id: str, **fields: object) -> Record:
    blank = dict.fromkeys(("firstName", "lastName", "email", "phone", "mobile"))
    return {"id": contact_id, "cf": {}, **blank, **fields}


CONTACTS = (
    contact("1", lastName="Ramos", firstName="Ana", mobile="+529980000001"),
    contact("2", lastName="Soto", phone="+529980000001"),
    contact("3", lastName="Ramos", mobile="+529980000001"),
)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"mobile": "*80000001"}, ["3", "1"]),
        ({"phone": "*80000001"}, ["2"]),
        ({"mobile": "*80000001", "lastName": "Soto"}, []),
        ({"fullName": "ana ramos"}, ["1"]),
        ({"_all": "Ramos"}, ["3", "1"]),
        ({}, ["3", "2", "1"]),
    ],
)
def test_contacts(query: dict[str, str], ids: list[str]) -> None:
    assert [one["id"] for one in search_contacts(CONTACTS, query, [])] == ids


def ticket(ticket_id: str, status: str, status_type: str, modified: str, **fields: object) -> Record:
    blank = dict.fromkeys(("email", "phone", "contactId", "departmentId", "priority", "channel", "description"))
    times = {"createdTime": "2026-11-24T09:00:00.000Z", "modifiedTime": modified}
    own = {"id": ticket_id, "ticketNumber": f"10{ticket_id}", "status": status, "statusType": status_type}
    return {**blank, **own, **times, "isTrashed": False, "tags": (), "cf": {}, "subject": "", **fields}


TICKETS = (
    ticket("1", "Open", "Open", "2026-11-24T10:00:00.000Z", cf={"cf_incident_id": "inc-1"}),
    ticket("2", "Escalated", "Open", "2026-11-24T11:00:00.000Z", tags=("whatsapp",)),
    ticket("3", "Closed", "Closed", "2026-11-24T12:00:00.000Z"),
    ticket("4", "Open", "Open", "2026-11-24T12:00:00.000Z", isTrashed=True),
)


@pytest.mark.parametrize(
    ("query", "custom", "ids"),
    [
        ({"status": "${OPEN}"}, [], ["1", "2"]),
        ({"status": "Open,Closed"}, [], ["1", "3"]),
        ({"tag": "whatsapp"}, [], ["2"]),
        ({"ticketNumber": "103"}, [], ["3"]),
        ({"modifiedTimeRange": "2026-11-24T05:00:00-06:00,2026-11-24T12:00:00Z"}, [], ["2", "3"]),
        ({}, [("cf_incident_id", "inc-1")], ["1"]),
        ({}, [("cf_incident_id", "inc-2")], []),
        ({"_all": "inc-1"}, [], ["1"]),
    ],
)
def test_tickets(query: dict[str, str], custom: list[tuple[str, str]], ids: list[str]) -> None:
    assert [one["id"] for one in search_tickets(TICKETS, query, custom)] == ids
