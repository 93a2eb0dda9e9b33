import pytest

from supportbot.errors import UnavailableError
from supportbot.ticket.answers import Answer, find_failure
from supportbot.ticket.oauth import TokenError, TokenUnreachableError, read_token_answer
from supportbot.ticket.zoho_health import choose_reason


def token_error(status: int, body: object) -> TokenError:
    with pytest.raises(TokenError) as caught:
        read_token_answer(status, body, accounts_url="https://accounts.example")
    return caught.value


def failure(status: int, code: str) -> Exception:
    found = find_failure("read the user", Answer(status=status, body={"errorCode": code}), write=False)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (token_error(200, {"error": "invalid_code"}), "InvalidGrant"),
        (token_error(400, {"error": "invalid_client"}), "InvalidGrant"),
        (token_error(400, {"error": "Access Denied"}), "RateLimited"),
        (token_error(502, None), "Unreachable"),
        (TokenUnreachableError("the accounts server cannot be reached"), "Unreachable"),
        (failure(401, "INVALID_OAUTH"), "Forbidden"),
        (failure(403, "SCOPE_MISMATCH"), "Forbidden"),
        (failure(429, "THRESHOLD_EXCEEDED"), "RateLimited"),
        (failure(429, "TOO_MANY_REQUESTS"), "RateLimited"),
        (failure(422, "INVALID_DATA"), "Refused"),
        (failure(503, ""), "Unreachable"),
        (UnavailableError("Zoho Desk cannot be reached", dependency="zoho"), "Unreachable"),
    ],
)
def test_what_a_failure_of_the_portal_is_called(error: Exception, reason: str) -> None:
    assert choose_reason(error) == reason
