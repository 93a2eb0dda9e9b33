"""What the emulated Zoho accepts."""

import dataclasses
from typing import Any

import pytest

from supportbot.emulators.zoho.answers import FieldError, RefusedError
from supportbot.emulators.zoho.queries import Page, Paging, check_names, parse_page, parse_range, parse_sort
from supportbot.emulators.zoho.settings import CustomField, Settings
from supportbot.emulators.zoho.validation import (
    check_comment,
    check_contact,
    check_file_name,
    check_tags,
    check_ticket,
)

GOOD = {
    "departmentId": "987654321",
    "contactId": "417000000000001002",
    "subject": "La 909 no puede recepcionar",
    "description": "x<br/>y",
    "priority": "High",
    "cf": {"cf_incident_id": "inc-1"},
}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    change: dict[str, Any]
    faults: tuple[tuple[str, str], ...]


TICKET_CASES = (
    Case("as it should be", {}, ()),
    Case("null priority", {"priority": None}, ()),
    Case("custom field on top", {"cf_incident_id": "x"}, (("/cf_incident_id", "invalid"),)),
    Case("tags", {"tags": ["x"]}, (("/tags", "invalid"),)),
    Case("a key with a slash", {"a/b": 1}, (("/a~1b", "invalid"),)),
    Case("no department", {"departmentId": None}, (("/departmentId", "missing"),)),
    Case("no contact", {"contactId": ""}, (("/contactId", "invalid"), ("/contactId", "missing"))),
    Case("id as a number", {"departmentId": 987654321}, (("/departmentId", "invalid"),)),
    Case("longest subject", {"subject": "x" * 1000}, ()),
    Case("subject too long", {"subject": "x" * 1001}, (("/subject", "invalid"),)),
    Case("longest description", {"description": "x" * 65_535}, ()),
    Case("description too long", {"description": "x" * 65_536}, (("/description", "invalid"),)),
    Case("not in the picklist", {"priority": "Urgent"}, (("/priority", "invalid"),)),
    Case("picklist in other case", {"status": "open"}, (("/status", "invalid"),)),
    Case("unknown custom field", {"cf": {"cf_other": "x"}}, (("/cf/cf_other", "invalid"),)),
    Case("custom field too long", {"cf": {"cf_incident_id": "x" * 256}}, (("/cf/cf_incident_id", "invalid"),)),
    Case("custom field emptied", {"cf": {"cf_incident_id": None}}, ()),
    Case("custom fields as a list", {"cf": []}, (("/cf", "invalid"),)),
    Case("upload id as a number", {"uploads": [1]}, (("/uploads", "invalid"),)),
    Case("due date without zone", {"dueDate": "2026-11-24T10:00:00"}, (("/dueDate", "invalid"),)),
    Case("embedded contact without e-mail", {"contact": {"lastName": "Ramos"}}, (("/contact/email", "missing"),)),
)


def shown(errors: list[FieldError]) -> tuple[tuple[str, str], ...]:
    return tuple((error.field_name, error.error_type) for error in errors)


@pytest.mark.parametrize("case", TICKET_CASES, ids=lambda case: case.name)
def test_new_tickets(case: Case) -> None:
    assert shown(check_ticket(GOOD | case.change, Settings(), creating=True)) == case.faults


def test_a_change_needs_no_mandatory_fields() -> None:
    assert check_ticket({"status": "Closed"}, Settings(mandatory=("category",)), creating=False) == []


def test_the_portals_own_mandatory_fields_are_asked_for() -> None:
    settings = Settings(mandatory=("category",))
    assert shown(check_ticket(GOOD, settings, creating=True)) == (("/category", "missing"),)


CONTACT_CASES = (
    Case("a phone is enough besides the name", {"mobile": "+529980000001"}, ()),
    Case("no last name", {"lastName": ""}, (("/lastName", "missing"),)),
    Case("parentheses", {"phone": "(998) 000 0001"}, (("/phone", "invalid"),)),
    Case("phone too long", {"phone": "1" * 51}, (("/phone", "invalid"),)),
    Case("not an e-mail", {"email": "ana"}, (("/email", "invalid"),)),
    Case("unknown key", {"nickname": "x"}, (("/nickname", "invalid"),)),
)


@pytest.mark.parametrize("case", CONTACT_CASES, ids=lambda case: case.name)
def test_contacts(case: Case) -> None:
    assert shown(check_contact({"lastName": "Ramos"} | case.change, (), creating=True)) == case.faults


def test_custom_values_of_contacts_are_shorter() -> None:
    fields = (CustomField(apiName="cf_ref", displayLabel="Ref"),)
    body = {"lastName": "Ramos", "cf": {"cf_ref": "x" * 101}}
    assert shown(check_contact(body, fields, creating=True)) == (("/cf/cf_ref", "invalid"),)


COMMENT_CASES = (
    Case("plain text", {"contentType": "plainText", "isPublic": True}, ()),
    Case("longest", {"content": "x" * 32_000}, ()),
    Case("too long", {"content": "x" * 32_001}, (("/content", "invalid"),)),
    Case("nothing said", {"content": ""}, (("/content", "missing"),)),
    Case("boolean as text", {"isPublic": "true"}, (("/isPublic", "invalid"),)),
    Case("content type as an object", {"contentType": {}}, (("/contentType", "invalid"),)),
    Case("a thread's content type", {"contentType": "text/plain"}, (("/contentType", "invalid"),)),
)


@pytest.mark.parametrize("case", COMMENT_CASES, ids=lambda case: case.name)
def test_comments(case: Case) -> None:
    assert shown(check_comment({"content": "hola"} | case.change)) == case.faults


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"tags": ["whatsapp"]}, ()),
        ({}, (("/tags", "missing"),)),
        ({"tags": []}, (("/tags", "invalid"),)),
        ({"tags": ["ab", "abc", "x" * 101]}, (("/tags/0", "invalid"), ("/tags/2", "invalid"))),
    ],
)
def test_tags(body: dict[str, Any], faults: tuple[tuple[str, str], ...]) -> None:
    assert shown(check_tags(body)) == faults


@pytest.mark.parametrize(
    ("name", "fine"), [("a.png", True), ("x" * 96 + ".png", True), ("x" * 97 + ".png", False), ("VIRUS.EXE", False)]
)
def test_file_names(name: str, fine: bool) -> None:
    assert (check_file_name(name, Settings()) == []) is fine


PLAIN = Paging(25, 100)


@pytest.mark.parametrize(
    ("query", "base", "page"),
    [
        ({}, 0, Page(0, 25)),
        ({}, 1, Page(0, 25)),
        ({"from": "1"}, 1, Page(0, 25)),
        ({"from": "50", "limit": "100"}, 0, Page(50, 100)),
    ],
)
def test_pages(query: dict[str, str], base: int, page: Page) -> None:
    assert parse_page(query, PLAIN, base) == page


@pytest.mark.parametrize(
    "query", [{"limit": "101"}, {"limit": "0"}, {"limit": "x"}, {"from": "-1"}, {"from": "5000"}, {"limit": "9" * 5000}]
)
def test_pages_out_of_range(query: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="exceeds the range") as refused:
        parse_page(query, PLAIN, 0)
    assert (refused.value.status, refused.value.error_code) == (422, "UNPROCESSABLE_ENTITY")


def test_a_search_starts_at_0_even_where_lists_start_at_1() -> None:
    assert parse_page({"from": "0"}, Paging(10, 100, search=True), 1) == Page(0, 10)


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(RefusedError, match="Extra query parameter 'x' is present in the input"):
        check_names({"limit": "1", "x": ""}, {"limit"})


def test_sorting() -> None:
    assert parse_sort({"sortBy": "-recentThread"}, ("createdTime", "recentThread")) == ("recentThread", True)
    with pytest.raises(RefusedError):
        parse_sort({"sortBy": "modifiedTime"}, ("createdTime", "recentThread"))


@pytest.mark.parametrize("text", ["", "2026-11-24T10:00:00Z", "a,b", "2026-11-24T10:00:00,2026-11-24T11:00:00"])
def test_time_ranges_need_two_times_with_a_zone(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_range({"createdTimeRange": text}, "createdTimeRange")


@pytest.mark.parametrize(
    "patch", [{"nonsense": 1}, {"credits": -1}, {"custom_fields": [{"apiName": "x", "displayLabel": "x"}]}]
)
def test_a_bad_settings_patch_changes_nothing(patch: dict[str, Any]) -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="validation error"):
        settings.apply({"index_lag_s": 60} | patch)
    assert settings == Settings()


def test_a_patched_picklist_leaves_the_others() -> None:
    settings = Settings()
    settings.apply({"picklists": {"priority": [{"value": "Urgent"}]}})
    assert [pick.value for pick in settings.picklists["priority"]] == ["Urgent"]
    assert settings.status_type("Escalated") == "Open"
