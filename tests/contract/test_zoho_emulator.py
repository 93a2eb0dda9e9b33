"""The Zoho Desk emulator over HTTP: what a client may rely on, and the faults it must survive."""

import asyncio
import dataclasses
import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from supportbot.emulators.zoho.app import build_app
from supportbot.emulators.zoho.clock import Clock, parse_iso
from supportbot.emulators.zoho.portal import Portal
from supportbot.emulators.zoho.server import build_server, listen, url_of
from supportbot.emulators.zoho.settings import Settings

START = parse_iso("2026-11-24T10:00:00Z")
CLIENT = {"client_id": "demo-client", "client_secret": "demo-secret"}
REFRESH = {"grant_type": "refresh_token", "refresh_token": "demo-refresh"} | CLIENT
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class _Switch:
    """One server for the module, a fresh portal for each test."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, _Switch]]:
    switch = _Switch()
    listener = listen("127.0.0.1", 0)
    server = build_server(switch)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield url_of(listener), switch
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()
    assert not thread.is_alive()


class Desk:
    """A client with a good token, and the emulator behind it."""

    def __init__(self, url: str, portal: Portal) -> None:
        self.portal = portal
        self.http = httpx.Client(base_url=url, timeout=10)
        answer = self.http.post("/oauth/v2/token", data=REFRESH).json()
        headers = {"Authorization": f"Zoho-oauthtoken {answer['access_token']}", "orgId": "123456789"}
        self.http.headers.update(headers)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", **more)

    def contact(self, **fields: Any) -> dict[str, Any]:
        return self._made("/contacts", {"lastName": "Ramos"} | fields)

    def ticket(self, **fields: Any) -> dict[str, Any]:
        if "contactId" not in fields:
            fields["contactId"] = self.contact()["id"]
        return self._made("/tickets", {"departmentId": "987654321", "subject": "La 909"} | fields)

    def upload(self, data: bytes = PNG) -> str:
        answer = self.call("POST", "/uploads", files={"file": ("photo.png", data, "image/png")})
        return str(answer.json()["id"])

    def fault(self, **fault: Any) -> None:
        self.http.post("/_emulator/faults", json=fault).raise_for_status()

    def set(self, **settings: Any) -> None:
        self.http.patch("/_emulator/settings", json=settings).raise_for_status()

    def agent(self, ticket: dict[str, Any], action: str, **more: Any) -> None:
        body = {"action": action, "ticket": ticket["ticketNumber"]} | more
        self.http.post("/_emulator/agent", json=body).raise_for_status()

    def state(self) -> dict[str, Any]:
        return dict(self.http.get("/_emulator/state").json())

    def log(self) -> list[dict[str, Any]]:
        return list(self.http.get("/_emulator/log").json())

    def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def desk(served: tuple[str, _Switch]) -> Iterator[Desk]:
    url, switch = served
    portal = Portal(Settings(), clock=Clock(lambda: START))
    switch.app = build_app(portal)
    client = Desk(url, portal)
    yield client
    client.http.close()


# The token endpoint


def test_token_failures_come_with_status_200(desk: Desk) -> None:
    answer = desk.http.post("/oauth/v2/token", data=REFRESH | {"refresh_token": "x"})
    assert (answer.status_code, answer.json()) == (200, {"error": "invalid_code"})


def test_credentials_in_the_query_are_not_read(desk: Desk) -> None:
    assert desk.http.post("/oauth/v2/token", params=REFRESH).json() == {"error": "invalid_client"}


def test_authorising_redirects_with_a_code_that_can_be_exchanged(desk: Desk) -> None:
    redirect_uri = "http://127.0.0.1:9/auth/callback"
    query = {"response_type": "code", "client_id": "demo-client", "scope": "Desk.tickets.READ", "state": "s"}
    answer = desk.http.get(
        "/oauth/v2/auth", params=query | {"redirect_uri": redirect_uri, "access_type": "offline", "prompt": "consent"}
    )
    back = httpx.URL(answer.headers["location"])
    assert (answer.status_code, back.params["accounts-server"]) == (302, str(desk.http.base_url).rstrip("/"))
    form = {"grant_type": "authorization_code", "code": back.params["code"], "redirect_uri": redirect_uri} | CLIENT
    assert "refresh_token" in desk.http.post("/oauth/v2/token", data=form).json()


def test_revoke(desk: Desk) -> None:
    answer = desk.http.post("/oauth/v2/token/revoke", data={"token": "demo-refresh"})
    assert answer.json() == {"status": "success"}
    assert desk.call("GET", "/myinfo").status_code == 401


# Who may call


@pytest.mark.parametrize("authorization", ["Zoho-oauthtoken x", ""])
def test_without_a_good_token_401_and_no_rate_headers(desk: Desk, authorization: str) -> None:
    answer = desk.call("GET", "/myinfo", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("x-rate")]


def test_a_token_ends_with_its_life(desk: Desk) -> None:
    desk.http.post("/_emulator/clock", json={"advance_s": 3600})
    answer = desk.call("GET", "/myinfo")
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "INVALID_OAUTH")


def test_tokens_can_be_ended_in_flight(desk: Desk) -> None:
    assert desk.http.delete("/_emulator/tokens").json() == {"ended": 1}
    assert desk.call("GET", "/myinfo").status_code == 401


def test_another_organization_is_refused(desk: Desk) -> None:
    answer = desk.call("GET", "/myinfo", headers={"orgId": "1"})
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "OAUTH_ORG_MISMATCH")


@pytest.mark.parametrize(("path", "status"), [("/myinfo", 403), ("/accessibleOrganizations", 200)])
def test_the_organization_may_be_absent_only_where_it_is_asked_for(desk: Desk, path: str, status: int) -> None:
    del desk.http.headers["orgId"]
    assert desk.call("GET", path).status_code == status


def test_searching_needs_the_search_scope(desk: Desk) -> None:
    desk.http.post("/_emulator/codes", json={"code": "few", "scope": "Desk.tickets.READ"})
    form = {"grant_type": "authorization_code", "code": "few"} | CLIENT
    token = desk.http.post("/oauth/v2/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    assert desk.call("GET", "/tickets", headers=headers).status_code == 204
    answer = desk.call("GET", "/tickets/search", headers=headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "SCOPE_MISMATCH")


# The portal


def test_the_first_organization_is_not_ours(desk: Desk) -> None:
    rows = desk.call("GET", "/accessibleOrganizations").json()["data"]
    assert [row["id"] == "123456789" for row in rows] == [False, True]


def test_departments(desk: Desk) -> None:
    rows = desk.call("GET", "/departments", params={"isEnabled": "true"}).json()["data"]
    assert rows[0] == {"id": "987654321", "name": "Soporte", "isEnabled": True, "isDefault": True}
    assert len(rows) == 2


@pytest.mark.parametrize(("path", "key"), [("/fields", "pickListValues"), ("/organizationFields", "allowedValues")])
def test_fields_carry_the_picklists_under_either_name(desk: Desk, path: str, key: str) -> None:
    rows = {row["apiName"]: row for row in desk.call("GET", path, params={"module": "tickets"}).json()["data"]}
    assert rows["status"][key][-1] == {"value": "Closed", "statusType": "Closed"}
    assert rows["cf_incident_id"]["isCustomField"]


def test_a_portal_may_lack_the_newer_fields_call(desk: Desk) -> None:
    desk.set(serve_fields=False)
    assert desk.call("GET", "/fields", params={"module": "tickets"}).status_code == 404


# Contacts


def test_a_contact_is_found_only_when_the_index_has_seen_it(desk: Desk) -> None:
    desk.set(index_lag_s=60)
    made = desk.contact(mobile="+529980000001")
    query = {"mobile": "*80000001"}
    assert desk.call("GET", "/contacts/search", params=query).status_code == 204
    assert desk.call("GET", f"/contacts/{made['id']}").json() == made
    desk.portal.clock.advance(60)
    assert desk.call("GET", "/contacts/search", params=query).json() == {"data": [made]}


def test_phones_are_not_unique_but_addresses_are(desk: Desk) -> None:
    first = desk.contact(mobile="+529980000001", email="ana@tienda.example")
    assert desk.contact(mobile="+529980000001")["id"] != first["id"]
    answer = desk.call("POST", "/contacts", json={"lastName": "Soto", "email": "ANA@tienda.example"})
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"fieldName": "/email", "errorType": "duplicate"}])


def test_a_contact_can_be_changed(desk: Desk) -> None:
    made = desk.contact()
    changed = desk.call("PATCH", f"/contacts/{made['id']}", json={"mobile": "+529980000002"}).json()
    assert changed == made | {"mobile": "+529980000002"}


# Tickets


def test_a_ticket_comes_back_whole_with_strings_for_numbers(desk: Desk) -> None:
    made = desk.ticket(cf={"cf_incident_id": "inc-1"}, priority="High")
    assert (made["ticketNumber"], made["status"], made["statusType"], made["priority"]) == (
        "101",
        "Open",
        "Open",
        "High",
    )
    assert (made["commentCount"], made["createdTime"]) == ("0", "2026-11-24T10:00:00.000Z")
    assert made["cf"] == {"cf_incident_id": "inc-1"}
    assert desk.call("GET", f"/tickets/{made['id']}").json() == made


def test_the_same_body_twice_is_two_tickets(desk: Desk) -> None:
    contact = desk.contact()["id"]
    assert desk.ticket(contactId=contact)["id"] != desk.ticket(contactId=contact)["id"]


def test_a_create_may_answer_201(desk: Desk) -> None:
    desk.set(create_status=201)
    assert desk.call("POST", "/contacts", json={"lastName": "Ramos"}).status_code == 201


def test_list_rows_have_no_cf_and_no_modified_time_unless_asked(desk: Desk) -> None:
    made = desk.ticket(cf={"cf_incident_id": "inc-1"})
    [row] = desk.call("GET", "/tickets").json()["data"]
    assert {"cf", "modifiedTime", "description"}.isdisjoint(row)
    fields = {"fields": "ticketNumber,modifiedTime,cf_incident_id"}
    [row] = desk.call("GET", "/tickets", params=fields).json()["data"]
    assert row == {
        "id": made["id"],
        "ticketNumber": "101",
        "modifiedTime": made["modifiedTime"],
        "cf": {"cf_incident_id": "inc-1"},
    }


def test_the_list_is_never_behind_and_pages(desk: Desk) -> None:
    desk.set(index_lag_s=600)
    numbers = [desk.ticket()["ticketNumber"] for _ in range(3)]
    query = {"departmentId": "987654321", "sortBy": "-createdTime", "limit": "2"}
    first = desk.call("GET", "/tickets", params=query).json()["data"]
    second = desk.call("GET", "/tickets", params=query | {"from": "2"}).json()["data"]
    assert [row["ticketNumber"] for row in first + second] == numbers[::-1]
    assert desk.call("GET", "/tickets", params=query | {"from": "4"}).status_code == 204
    assert desk.call("GET", "/tickets", params={"departmentId": "987654322"}).status_code == 204


def test_lists_may_start_at_1(desk: Desk) -> None:
    desk.set(list_from_base=1)
    desk.ticket()
    assert len(desk.call("GET", "/tickets", params={"from": "1"}).json()["data"]) == 1
    assert desk.call("GET", "/tickets", params={"from": "0"}).status_code == 422


def test_the_search_shows_an_old_status_until_the_index_follows(desk: Desk) -> None:
    made = desk.ticket(cf={"cf_incident_id": "inc-1"})
    desk.set(index_lag_s=60)
    desk.portal.clock.advance(60)
    desk.call("PATCH", f"/tickets/{made['id']}", json={"status": "Closed"})
    query = {"customField1": "cf_incident_id:inc-1"}
    stale = desk.call("GET", "/tickets/search", params=query).json()
    desk.portal.clock.advance(60)
    fresh = desk.call("GET", "/tickets/search", params=query).json()
    assert [(one["count"], one["data"][0]["status"]) for one in (stale, fresh)] == [("1", "Open"), ("1", "Closed")]


def test_closing(desk: Desk) -> None:
    desk.set(mandatory_on_close=["resolution"])
    path = f"/tickets/{desk.ticket()['id']}"
    refused = desk.call("PATCH", path, json={"status": "Closed"})
    assert refused.json()["errors"] == [{"fieldName": "/resolution", "errorType": "missing"}]
    closed = desk.call("PATCH", path, json={"status": "Closed", "resolution": "listo"}).json()
    assert (closed["statusType"], closed["closedTime"]) == ("Closed", "2026-11-24T10:00:00.000Z")


def test_include_adds_the_contact(desk: Desk) -> None:
    made = desk.ticket()
    answer = desk.call("GET", f"/tickets/{made['id']}", params={"include": "contacts,departments"}).json()
    assert (answer["contact"]["lastName"], answer["department"]["name"]) == ("Ramos", "Soporte")


def test_tags_are_kept_beside_the_ticket(desk: Desk) -> None:
    made = desk.ticket()
    desk.call("POST", f"/tickets/{made['id']}/associateTag", json={"tags": ["whatsapp"]}).raise_for_status()
    assert "tags" not in desk.call("GET", f"/tickets/{made['id']}").json()
    assert desk.state()["tickets"][0]["tags"] == ["whatsapp"]


def test_merged_tickets_are_gone(desk: Desk) -> None:
    kept, other = desk.ticket(), desk.ticket()
    desk.call("POST", f"/tickets/{kept['id']}/merge", json={"ids": [other["id"]]}).raise_for_status()
    assert desk.call("GET", f"/tickets/{other['id']}").status_code == 404
    assert [row["id"] for row in desk.call("GET", "/tickets").json()["data"]] == [kept["id"]]


@dataclasses.dataclass(frozen=True)
class Refusal:
    name: str
    method: str
    path: str
    more: dict[str, Any]
    status: int
    error_code: str


TEXT = {"content-type": "application/json"}
REFUSALS = (
    Refusal("unknown path", "GET", "/nonsense", {}, 404, "URL_NOT_FOUND"),
    Refusal("unknown ticket", "GET", "/tickets/1", {}, 404, "URL_NOT_FOUND"),
    Refusal("unknown contact", "GET", "/contacts/1", {}, 404, "URL_NOT_FOUND"),
    Refusal("put", "PUT", "/tickets/1", {"json": {"status": "Open"}}, 405, "METHOD_NOT_ALLOWED"),
    Refusal("not JSON", "POST", "/tickets", {"content": "{", "headers": TEXT}, 400, "BAD_REQUEST"),
    Refusal("NaN", "POST", "/tickets", {"content": '{"a":NaN}', "headers": TEXT}, 400, "BAD_REQUEST"),
    Refusal("half a pair", "POST", "/tickets", {"content": '{"a":"\\ud800"}', "headers": TEXT}, 400, "BAD_REQUEST"),
    Refusal("deep", "POST", "/tickets", {"content": "[" * 99_999, "headers": TEXT}, 400, "BAD_REQUEST"),
    Refusal("not an object", "POST", "/tickets", {"json": [1]}, 422, "INVALID_DATA"),
    Refusal("nothing", "POST", "/tickets", {"headers": TEXT}, 422, "EMPTY_PAYLOAD"),
    Refusal("empty object", "POST", "/tickets", {"json": {}}, 422, "EMPTY_PAYLOAD"),
    Refusal("form", "POST", "/tickets", {"data": {"subject": "x"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    Refusal("JSON upload", "POST", "/uploads", {"json": {"file": "x"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    Refusal("other part", "POST", "/uploads", {"files": {"data": ("a.png", PNG)}}, 422, "INVALID_DATA"),
    Refusal("blocked type", "POST", "/uploads", {"files": {"file": ("a.exe", PNG)}}, 422, "INVALID_DATA"),
    Refusal("no department", "POST", "/tickets", {"json": {"contactId": "1"}}, 422, "INVALID_DATA"),
    Refusal("200 rows", "GET", "/tickets", {"params": {"limit": "200"}}, 422, "UNPROCESSABLE_ENTITY"),
    Refusal("unknown parameter", "GET", "/tickets", {"params": {"x": "1"}}, 422, "UNPROCESSABLE_ENTITY"),
    Refusal("unknown field", "GET", "/tickets", {"params": {"fields": "x"}}, 422, "UNPROCESSABLE_ENTITY"),
    Refusal(
        "unknown cf", "GET", "/tickets/search", {"params": {"customField1": "cf_x:1"}}, 422, "UNPROCESSABLE_ENTITY"
    ),
    Refusal("short text", "GET", "/tickets/search", {"params": {"_all": "ab"}}, 422, "UNPROCESSABLE_ENTITY"),
    Refusal("no module", "GET", "/fields", {}, 422, "UNPROCESSABLE_ENTITY"),
)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refusals(desk: Desk, case: Refusal) -> None:
    answer = desk.call(case.method, case.path, **case.more)
    assert (answer.status_code, answer.json()["errorCode"]) == (case.status, case.error_code)
    assert ("errors" in answer.json()) is (case.error_code == "INVALID_DATA")
    assert desk.state()["revision"] == 0


def test_a_refusal_reaches_a_client_that_sends_much(desk: Desk) -> None:
    files = {"file": ("a.png", bytes(8 * 1024 * 1024))}
    for method, path, status in (("POST", "/nonsense", 404), ("PUT", "/tickets", 405), ("POST", "/uploads?x=1", 422)):
        assert desk.call(method, path, files=files).status_code == status


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"contactId": "417000000000009999"}, "/contactId"),
        ({"departmentId": "5"}, "/departmentId"),
        ({"uploads": ["417000000000009999"]}, "/uploads/0"),
    ],
)
def test_ids_that_lead_nowhere(desk: Desk, change: dict[str, Any], pointer: str) -> None:
    body = {"departmentId": "987654321", "contactId": desk.contact()["id"], "subject": "x"} | change
    answer = desk.call("POST", "/tickets", json=body)
    assert answer.json()["errors"] == [{"fieldName": pointer, "errorType": "invalid"}]


def test_a_disabled_department_is_forbidden(desk: Desk) -> None:
    desk.set(departments=[{"id": "987654321", "name": "Soporte", "isEnabled": False}])
    body = {"departmentId": "987654321", "contactId": desk.contact()["id"]}
    assert desk.call("POST", "/tickets", json=body).status_code == 403


# Comments, threads, files


def test_comments_carry_author_and_files(desk: Desk) -> None:
    path = f"/tickets/{desk.ticket()['id']}"
    assert desk.call("GET", f"{path}/comments").status_code == 204
    body = {"content": "sigue igual", "isPublic": True, "contentType": "plainText", "attachmentIds": [desk.upload()]}
    made = desk.call("POST", f"{path}/comments", json=body).json()
    me = desk.call("GET", "/myinfo").json()
    assert (made["commenterId"], made["commenter"]["type"], made["isPublic"]) == (me["id"], "AGENT", True)
    assert made["attachments"][0]["size"] == str(len(PNG))
    assert desk.call("GET", f"{path}/comments").json() == {"data": [made]}
    assert desk.call("GET", path).json()["commentCount"] == "1"
    assert desk.http.get(made["attachments"][0]["href"]).content == PNG


def test_an_agents_words_and_status_are_seen(desk: Desk) -> None:
    made = desk.ticket()
    desk.agent(made, "comment", content="revisando")
    desk.agent(made, "comment", content="es el switch", is_public=False)
    desk.agent(made, "update", fields={"status": "Closed"})
    path = f"/tickets/{made['id']}"
    rows = desk.call("GET", f"{path}/comments", params={"sortBy": "-commentedTime"}).json()["data"]
    assert [(row["content"], row["isPublic"]) for row in rows] == [("es el switch", False), ("revisando", True)]
    assert rows[0]["commenterId"] != desk.call("GET", "/myinfo").json()["id"]
    assert desk.call("GET", path).json()["statusType"] == "Closed"


def test_an_agents_reply_is_a_thread_cut_in_lists(desk: Desk) -> None:
    made = desk.ticket()
    desk.agent(made, "reply", content="x" * 300)
    path = f"/tickets/{made['id']}"
    [row] = desk.call("GET", f"{path}/threads").json()["data"]
    assert (row["direction"], row["visibility"], row["isContentTruncated"], len(row["summary"])) == (
        "out",
        "public",
        True,
        200,
    )
    whole = desk.call("GET", f"{path}/threads/{row['id']}", params={"include": "plainText"}).json()
    assert whole["plainText"] == "x" * 300
    assert desk.call("GET", f"{path}/latestThread", params={"needPublic": "true"}).json()["id"] == row["id"]
    [listed] = desk.call("GET", "/tickets", params={"sortBy": "-recentThread"}).json()["data"]
    assert (listed["threadCount"], listed["lastThread"]["direction"]) == ("1", "out")


def test_conversations_mix_both(desk: Desk) -> None:
    made = desk.ticket()
    desk.agent(made, "comment", content="uno")
    desk.portal.clock.advance(1)
    desk.agent(made, "reply", content="dos")
    rows = desk.call("GET", f"/tickets/{made['id']}/conversations").json()["data"]
    assert [row["type"] for row in rows] == ["thread", "comment"]


def test_a_trashed_ticket_is_not_found(desk: Desk) -> None:
    made = desk.ticket()
    desk.agent(made, "trash")
    assert desk.call("GET", f"/tickets/{made['id']}").status_code == 404


def test_attachments_of_both_ways(desk: Desk) -> None:
    made = desk.ticket(uploads=[desk.upload()])
    path = f"/tickets/{made['id']}/attachments"
    other = desk.call("POST", path, files={"file": ("b.bin", b"other")}, params={"isPublic": "true"}).json()
    assert (made["attachmentCount"], other["name"], other["size"]) == ("1", "b.bin", "5")
    rows = desk.call("GET", path).json()["data"]
    assert [row["name"] for row in rows] == ["photo.png", "b.bin"]
    assert desk.call("GET", f"{path}/{other['id']}/content").content == b"other"
    digests = [hashlib.sha256(data).hexdigest() for data in (PNG, b"other")]
    assert [one["sha256"] for one in desk.state()["attachments"]] == digests


def test_an_upload_that_expired_is_refused(desk: Desk) -> None:
    upload, contact = desk.upload(), desk.contact()["id"]
    desk.set(token_life_s=10**6)
    desk.portal.clock.advance(24 * 3600)
    answer = desk.http.post("/oauth/v2/token", data=REFRESH).json()
    desk.http.headers["Authorization"] = f"Zoho-oauthtoken {answer['access_token']}"
    body = {"departmentId": "987654321", "contactId": contact, "uploads": [upload]}
    assert desk.call("POST", "/tickets", json=body).status_code == 422


def test_too_large(desk: Desk) -> None:
    desk.set(max_attachment_bytes=len(PNG))
    assert desk.upload()
    answer = desk.call("POST", "/uploads", files={"file": ("a.png", PNG + b"x")})
    assert (answer.status_code, answer.json()["errorCode"]) == (413, "RESOURCE_SIZE_EXCEEDED")


# Limits


def test_calls_have_weights_and_the_day_ends(desk: Desk) -> None:
    desk.set(credits=4)
    answers = [desk.call("GET", path) for path in ("/tickets", "/myinfo", "/myinfo")]
    headers = [
        (one.headers["X-Rate-Limit-Request-Weight-v3"], one.headers["X-Rate-Limit-Remaining-v3"]) for one in answers
    ]
    assert headers == [("3", "1"), ("1", "0"), ("1", "0")]
    assert [one.status_code for one in answers] == [204, 200, 429]
    assert answers[2].json()["errorCode"] == "THRESHOLD_EXCEEDED"
    assert answers[2].headers["Retry-After"] == str(14 * 3600 + 1)


def test_one_call_too_many_at_the_same_time(desk: Desk) -> None:
    desk.set(max_concurrent=1, latency_s=0.3)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: desk.call("GET", path), ["/myinfo", "/myinfo"]))
    assert sorted(one.status_code for one in answers) == [200, 429]
    [refused] = [one for one in answers if one.status_code == 429]
    assert refused.json()["errorCode"] == "TOO_MANY_REQUESTS"
    assert "Retry-After" not in refused.headers


# Faults

WRITES = ("/tickets", "/contacts", "/tickets/{}/comments", "/tickets/{}/attachments", "/uploads")


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(("kind", "applied"), [("drop_before", False), ("drop_after", True)])
def test_a_lost_answer_may_or_may_not_have_taken_effect(desk: Desk, path: str, kind: str, applied: bool) -> None:
    made = desk.ticket()
    bodies: dict[str, dict[str, Any]] = {
        "/tickets": {"json": {"departmentId": "987654321", "contactId": made["contactId"]}},
        "/contacts": {"json": {"lastName": "Soto"}},
        "/tickets/{}/comments": {"json": {"content": "x"}},
    }
    before = desk.state()["revision"]
    desk.fault(kind=kind, method="POST")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        desk.call("POST", path.format(made["id"]), **bodies.get(path, {"files": {"file": ("a.png", PNG * 2000)}}))
    assert desk.state()["revision"] - before == int(applied)
    entry = desk.log()[-1]
    assert (entry["status"], entry["applied"], entry["fault"]) == (None, applied, kind)
    assert desk.call("GET", "/myinfo").status_code == 200


@pytest.mark.parametrize("applied", [True, False])
def test_a_502_may_hide_an_effect(desk: Desk, applied: bool) -> None:
    desk.fault(kind="html", status=502, method="POST", path="/contacts$", applied=applied)
    answer = desk.call("POST", "/contacts", json={"lastName": "Soto"})
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert len(desk.state()["contacts"]) == int(applied)


def test_an_answer_after_the_clients_patience_was_still_applied(desk: Desk) -> None:
    desk.fault(kind="delay", delay_s=0.5, applied=True, method="POST")
    with pytest.raises(httpx.ReadTimeout):
        desk.call("POST", "/contacts", json={"lastName": "Soto"}, timeout=0.2)
    assert len(desk.state()["contacts"]) == 1


def test_spoilt_answers(desk: Desk) -> None:
    desk.fault(kind="truncated")
    with pytest.raises(json.JSONDecodeError):
        desk.call("GET", "/myinfo").json()
    desk.fault(kind="cut")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        desk.call("GET", "/myinfo")
    desk.fault(kind="omit", omit=["emailId"])
    assert "emailId" not in desk.call("GET", "/myinfo").json()
    desk.fault(kind="body", body={"errorCode": "INTERNAL_SERVER_ERROR"})
    answer = desk.call("GET", "/myinfo")
    assert (answer.status_code, answer.json()) == (200, {"errorCode": "INTERNAL_SERVER_ERROR"})
    desk.fault(kind="slow_body", delay_s=0.1)
    started = time.monotonic()
    assert "emailId" in desk.call("GET", "/myinfo").json()
    assert time.monotonic() - started >= 0.1


def test_a_made_answer_has_status_code_and_headers(desk: Desk) -> None:
    desk.fault(kind="status", status=429, error_code="THRESHOLD_EXCEEDED", headers={"Retry-After": "7"}, times=2)
    for _ in range(2):
        answer = desk.call("GET", "/myinfo")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json()["errorCode"] == "THRESHOLD_EXCEEDED"
    assert desk.call("GET", "/myinfo").status_code == 200


def test_faults_of_the_token_endpoint(desk: Desk) -> None:
    desk.fault(kind="status", status=200, body={"error": "invalid_code"}, path="^/oauth/v2/token$")
    assert desk.http.post("/oauth/v2/token", data=REFRESH).json() == {"error": "invalid_code"}
    desk.fault(kind="omit", omit=["expires_in"], path="^/oauth/v2/token$")
    assert "expires_in" not in desk.http.post("/oauth/v2/token", data=REFRESH).json()


def test_down_until_cleared(desk: Desk) -> None:
    desk.fault(kind="down")
    for _ in range(3):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
            desk.call("GET", "/myinfo")
    desk.http.delete("/_emulator/faults")
    desk.fault(kind="down", status=503)
    assert desk.call("GET", "/myinfo").status_code == 503
    desk.http.delete("/_emulator/faults")
    assert desk.call("GET", "/myinfo").status_code == 200


# What a checker and a human read


def test_state_and_log_tell_all(desk: Desk) -> None:
    made = desk.ticket(cf={"cf_incident_id": "inc-1"})
    state = desk.state()
    assert [one["cf"]["cf_incident_id"] for one in state["tickets"]] == ["inc-1"]
    assert [one["id"] for one in state["contacts"]] == [made["contactId"]]
    calls = [(one["seq"], one["method"], one["path"], one["status"], one["applied"]) for one in desk.log()]
    assert calls == [
        (1, "POST", "/oauth/v2/token", 200, True),
        (2, "POST", "/api/v1/contacts", 200, True),
        (3, "POST", "/api/v1/tickets", 200, True),
    ]
    assert len(desk.http.get("/_emulator/log", params={"after": 2}).json()) == 1


def test_the_page_escapes_what_people_write(desk: Desk) -> None:
    nasty = "<script>alert(1)</script>"
    contact = desk.contact(lastName=nasty)
    made = desk.ticket(contactId=contact["id"], subject=nasty, description=f"hola<br/>&lt;b&gt;{nasty}")
    desk.call("POST", f"/tickets/{made['id']}/comments", json={"content": nasty, "contentType": "plainText"})
    desk.call("POST", f"/tickets/{made['id']}/attachments", files={"file": (f"{nasty}.png", PNG, "image/png")})
    for path in ("/", httpx.URL(made["webUrl"]).path):
        page = desk.http.get(path).text
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "hola\n&lt;b&gt;" in page


def test_a_file_that_could_run_is_only_downloaded(desk: Desk) -> None:
    made = desk.ticket()
    path = f"/tickets/{made['id']}/attachments"
    desk.call("POST", path, files={"file": ("x.html", b"<script>", "text/html")})
    [file] = desk.state()["attachments"]
    answer = desk.http.get(f"/_emulator/attachments/{file['id']}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_bad_control_call_says_why(desk: Desk) -> None:
    assert desk.http.patch("/_emulator/settings", json={"nonsense": 1}).status_code == 422
    assert desk.http.post("/_emulator/faults", json={"kind": "nonsense"}).status_code == 422
    body = {"action": "comment", "ticket": "999", "content": "x"}
    assert desk.http.post("/_emulator/agent", json=body).status_code == 404


# The process


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "supportbot.emulators.zoho", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_process_says_where_it_listens_and_ends_at_sigterm() -> None:
    with start("--department", "5=Ventas", "--org", "77", "--set", "credits=9") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx.Client(base_url=ready["desk"]) as client:
            settings = client.get("/_emulator/settings").json()
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
    assert ready["ready"] is True
    assert (settings["organization_id"], settings["credits"], settings["departments"][0]["name"]) == ("77", 9, "Ventas")
    assert (process.returncode, errors) == (0, "")


def test_a_call_under_way_does_not_hold_the_end_up() -> None:
    with start() as process, ThreadPoolExecutor(1) as pool:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx.Client(base_url=ready["desk"], timeout=20) as client:
            client.post("/_emulator/faults", json={"kind": "delay", "delay_s": 60})
            pending = pool.submit(client.get, "/api/v1/myinfo")
            while client.get("/_emulator/faults").json()[0]["hits"] == 0:
                pass
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
            assert isinstance(pending.exception(), httpx.TransportError)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("arguments", [("--host", "0.0.0.0"), ("--set", "nonsense=1"), ("--scopes", "Desk.x.READ")])
def test_the_process_refuses_what_it_cannot_do(arguments: tuple[str, ...]) -> None:
    with start(*arguments) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith("the Zoho emulator cannot start")
