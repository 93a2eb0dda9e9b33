"""The emulated Zoho Accounts: codes, tokens, throttle."""

from urllib.parse import parse_qs, urlsplit

import pytest

from supportbot.emulators.zoho.answers import Record, RefusedError
from supportbot.emulators.zoho.clock import Clock
from supportbot.emulators.zoho.oauth import Accounts, parse_scopes
from supportbot.emulators.zoho.settings import ALL_SCOPES, Settings

CLIENT = {"client_id": "demo-client", "client_secret": "demo-secret"}
REFRESH = {"grant_type": "refresh_token", "refresh_token": "demo-refresh"} | CLIENT
CALLBACK = "http://127.0.0.1:9/callback"


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: 1_800_000_000.0)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def accounts(clock: Clock, settings: Settings) -> Accounts:
    made = Accounts(clock, settings, **CLIENT)
    made.add_refresh_token("demo-refresh")
    made.add_self_client_code("demo-code", life_s=600)
    return made


def exchange(accounts: Accounts, code: str, **more: str) -> Record:
    return accounts.token({"grant_type": "authorization_code", "code": code} | CLIENT | more)[1]


def bearer(answer: Record) -> str:
    return f"Zoho-oauthtoken {answer['access_token']}"


def is_live(accounts: Accounts, answer: Record) -> bool:
    try:
        accounts.check(bearer(answer))
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client_secret"),
        ({"refresh_token": "x"}, "invalid_code"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_failure_is_an_answer_with_status_200(accounts: Accounts, change: dict[str, str], error: str) -> None:
    assert accounts.token(REFRESH | change) == (200, {"error": error})


def test_a_refresh_gives_a_token_for_an_hour_and_no_refresh_token(accounts: Accounts, clock: Clock) -> None:
    status, answer = accounts.token(REFRESH)
    assert (status, answer["expires_in"], "refresh_token" in answer) == (200, 3600, False)
    clock.advance(3599)
    assert is_live(accounts, answer)
    clock.advance(1)
    assert not is_live(accounts, answer)


@pytest.mark.parametrize("header", [None, "", "Basic x", "Zoho-oauthtoken", "Zoho-oauthtoken x"])
def test_other_headers_get_401(accounts: Accounts, header: str | None) -> None:
    with pytest.raises(RefusedError) as refused:
        accounts.check(header)
    assert refused.value.status == 401


def test_bearer_works_too(accounts: Accounts) -> None:
    accounts.check(f"Bearer {accounts.token(REFRESH)[1]['access_token']}")


def test_the_eleventh_token_in_ten_minutes_is_denied(accounts: Accounts, clock: Clock) -> None:
    for _ in range(10):
        assert "access_token" in accounts.token(REFRESH)[1]
        clock.advance(1)
    assert accounts.token(REFRESH)[1]["error"] == "Access Denied"
    clock.advance(590)
    # Ten minutes after the first token, nine and the refused request still count.
    assert "access_token" not in accounts.token(REFRESH)[1]
    clock.advance(600)
    assert "access_token" in accounts.token(REFRESH)[1]


def test_the_throttle_may_answer_400(accounts: Accounts, settings: Settings) -> None:
    settings.apply({"tokens_per_window": 1, "throttle_status": 400})
    accounts.token(REFRESH)
    assert accounts.token(REFRESH)[0] == 400


def test_one_token_too_many_ends_the_oldest(accounts: Accounts, settings: Settings) -> None:
    settings.apply({"max_live_tokens": 2})
    answers = [accounts.token(REFRESH)[1] for _ in range(3)]
    assert [is_live(accounts, answer) for answer in answers] == [False, True, True]


def test_the_21st_refresh_token_ends_the_first(accounts: Accounts) -> None:
    for number in range(20):
        accounts.add_refresh_token(f"further-{number}")
    assert accounts.token(REFRESH)[1] == {"error": "invalid_code"}


def test_a_self_client_code_works_once_and_without_redirect_uri(accounts: Accounts) -> None:
    assert exchange(accounts, "demo-code", redirect_uri=CALLBACK) == {"error": "invalid_redirect_uri"}
    answer = exchange(accounts, "demo-code")
    assert is_live(accounts, answer)
    assert "access_token" in accounts.token(REFRESH | {"refresh_token": answer["refresh_token"]})[1]
    assert exchange(accounts, "demo-code") == {"error": "invalid_code"}


def test_a_code_expires(accounts: Accounts, clock: Clock) -> None:
    clock.advance(600)
    assert exchange(accounts, "demo-code") == {"error": "invalid_code"}


def authorise(accounts: Accounts, **change: str) -> dict[str, list[str]]:
    query = {"response_type": "code", "client_id": "demo-client", "scope": ALL_SCOPES, "redirect_uri": CALLBACK}
    location = accounts.authorise(query | {"state": "s 1"} | change, "http://accounts")
    assert location.startswith(f"{CALLBACK}?")
    return parse_qs(urlsplit(location).query)


def test_authorising_sends_code_location_server_and_state_back(accounts: Accounts) -> None:
    back = authorise(accounts)
    assert back | {"code": []} == {
        "code": [],
        "location": ["us"],
        "accounts-server": ["http://accounts"],
        "state": ["s 1"],
    }


@pytest.mark.parametrize(
    ("change", "has_refresh"),
    [
        ({"access_type": "offline", "prompt": "consent"}, True),
        ({"access_type": "offline"}, False),
        ({"prompt": "consent"}, False),
    ],
)
def test_a_later_grant_has_a_refresh_token_only_with_consent(
    accounts: Accounts, change: dict[str, str], has_refresh: bool
) -> None:
    authorise(accounts)
    [code] = authorise(accounts, **change)["code"]
    assert ("refresh_token" in exchange(accounts, code, redirect_uri=CALLBACK)) is has_refresh


def test_another_redirect_uri_is_refused(accounts: Accounts) -> None:
    [code] = authorise(accounts)["code"]
    assert exchange(accounts, code) == {"error": "invalid_redirect_uri"}


def test_one_unknown_scope_fails_the_whole_authorisation(accounts: Accounts) -> None:
    assert authorise(accounts, scope="Desk.tickets.READ,Desk.nonsense.READ")["error"] == ["invalid_scope"]
    assert parse_scopes("Desk.contacts.ALL") is None


def test_an_unknown_client_is_not_sent_back(accounts: Accounts) -> None:
    with pytest.raises(RefusedError):
        authorise(accounts, client_id="x")


def test_revoking_ends_the_refresh_token_and_its_access_tokens(accounts: Accounts) -> None:
    answer = accounts.token(REFRESH)[1]
    assert accounts.revoke("demo-refresh") == {"status": "success"}
    assert not is_live(accounts, answer)
    assert accounts.token(REFRESH)[1] == {"error": "invalid_code"}


@pytest.mark.parametrize(
    ("granted", "needed", "allowed"),
    [
        ("Desk.tickets.READ,Desk.search.READ", ("Desk.tickets.READ", "Desk.search.READ"), True),
        ("Desk.tickets.READ", ("Desk.tickets.READ", "Desk.search.READ"), False),
        ("Desk.tickets.ALL", ("Desk.tickets.UPDATE",), True),
        ("Desk.tickets.READ", ("Desk.tickets.UPDATE",), False),
    ],
)
def test_scopes(accounts: Accounts, granted: str, needed: tuple[str, ...], allowed: bool) -> None:
    accounts.add_refresh_token("other", granted)
    access = accounts.check(bearer(accounts.token(REFRESH | {"refresh_token": "other"})[1]))
    assert access.allows(*(frozenset({scope}) for scope in needed)) is allowed
