"""Access tokens: one renewal at a time, counted, with cool-downs. The clock is moved by hand."""

import asyncio
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from tests.unit.ticket.conftest import FakeClock

from supportbot.ticket.oauth import AccessToken, Grant, TokenError, Tokens, TokenUnreachableError, read_token_answer
from supportbot.ticket.records import Records

GRANT = Grant(client_id="client", client_secret=SecretStr("secret"), refresh_token=SecretStr("refresh"))
URL = "https://accounts.zoho.example"


class Accounts:
    """Gives `t1`, `t2`…, or the queued errors first."""

    def __init__(self, *errors: TokenError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def fetch(self, _: Grant) -> AccessToken:
        self.calls += 1
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return AccessToken(value=f"t{self.calls}", life_s=3600)


def make(accounts: Accounts, records: Records, clock: FakeClock, grant: Grant = GRANT) -> Tokens:
    return Tokens(lambda: grant, accounts.fetch, records, now=clock.time)


async def test_replicas_share_one_token(records: Records, clock: FakeClock) -> None:
    accounts = Accounts()
    replicas = [make(accounts, records, clock) for _ in range(3)]
    tokens = await asyncio.gather(*(one.current() for one in replicas for _ in range(4)))
    assert set(tokens) == {"t1"}
    assert accounts.calls == 1


async def test_parallel_refusals_renew_once(records: Records, clock: FakeClock) -> None:
    accounts = Accounts()
    tokens = make(accounts, records, clock)
    stale = await tokens.current()
    fresh = await asyncio.gather(*(tokens.refresh(stale=stale) for _ in range(5)))
    assert set(fresh) == {"t2"}
    assert accounts.calls == 2


async def test_token_is_renewed_five_minutes_early(records: Records, clock: FakeClock) -> None:
    tokens = make(Accounts(), records, clock)
    assert await tokens.current() == "t1"
    clock.advance(3600 - 301)
    assert await tokens.current() == "t1"
    clock.advance(2)
    assert await tokens.current() == "t2"


async def test_five_renewals_in_ten_minutes(records: Records, clock: FakeClock) -> None:
    """The limit counts over all replicas, and ends with the window."""
    accounts = Accounts()
    replicas = [make(accounts, records, clock) for _ in range(2)]
    token = ""
    for number in range(5):
        token = await replicas[number % 2].refresh(stale=token)
    with pytest.raises(TokenError):
        await replicas[0].refresh(stale=token)
    assert accounts.calls == 5
    clock.advance(601)
    assert await replicas[1].refresh(stale=token) == "t6"


async def test_cool_down_grows_from_one_to_ten_minutes(records: Records, clock: FakeClock) -> None:
    accounts = Accounts(*[TokenError("throttled")] * 9)
    tokens = make(accounts, records, clock)
    waits = []
    for _ in range(6):
        with pytest.raises(TokenError):
            await tokens.refresh(stale="")
        calls, waited = accounts.calls, 0
        while accounts.calls == calls:
            clock.advance(10)
            waited += 10
            with pytest.raises(TokenError):
                await tokens.refresh(stale="")
            if waited > 1200:
                break
        waits.append(waited)
    assert waits[:4] == [60, 120, 240, 480]
    assert max(waits) == 600


async def test_unreachable_server_is_neither_counted_nor_cooled_down(records: Records, clock: FakeClock) -> None:
    accounts = Accounts(*[TokenUnreachableError("refused")] * 7)
    tokens = make(accounts, records, clock)
    for _ in range(7):
        with pytest.raises(TokenUnreachableError):
            await tokens.current()
    assert await tokens.current() == "t8"


async def test_new_grant_ends_the_cool_down_of_the_old_one(records: Records, clock: FakeClock) -> None:
    accounts = Accounts(TokenError("invalid_code", permanent=True))
    with pytest.raises(TokenError):
        await make(accounts, records, clock).current()
    other = Grant(client_id="client", client_secret=SecretStr("secret"), refresh_token=SecretStr("newer"))
    assert await make(accounts, records, clock, other).current() == "t2"


async def test_pause_of_a_caller_is_short(records: Records, clock: FakeClock) -> None:
    """However long Zoho is left alone, a caller asks again soon: a new grant may be in force."""
    tokens = make(Accounts(TokenError("throttled")), records, clock)
    for _ in range(2):
        with pytest.raises(TokenError) as error:
            await tokens.current()
    assert error.value.delay_s == 30


@dataclass(frozen=True)
class Case:
    name: str
    status: int
    answer: object
    expected: str
    """`token`, `permanent` or `transient`."""


CASES = (
    Case("success", 200, {"access_token": "a", "expires_in": 3600}, "token"),
    Case("no expires_in", 200, {"access_token": "a"}, "token"),
    Case("bad code with 200", 200, {"error": "invalid_code"}, "permanent"),
    Case("bad client with 200", 200, {"error": "invalid_client"}, "permanent"),
    Case("throttled with 200", 200, {"error": "Access Denied", "error_description": "too many"}, "transient"),
    Case("throttled with 400", 400, {"error": "Access Denied"}, "transient"),
    Case("no access_token", 200, {"expires_in": 3600}, "transient"),
    Case("HTML 500", 500, None, "transient"),
    Case("HTML 200", 200, None, "transient"),
    Case("error with 500", 500, {"error": "server_error"}, "transient"),
    Case("token is no text", 200, {"access_token": 7}, "transient"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_token_answers(case: Case) -> None:
    assert read(case.status, case.answer) == case.expected


def read(status: int, answer: object) -> str:
    try:
        token = read_token_answer(status, answer, accounts_url=URL)
    except TokenError as exc:
        return "permanent" if exc.permanent else "transient"
    return "token" if token == AccessToken(value="a", life_s=3600) else str(token)
