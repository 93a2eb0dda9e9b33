"""Every failure of Zoho Desk and what it means for the work."""

from dataclasses import dataclass
from typing import Any

import pytest

from supportbot.errors import PermanentError, UnavailableError
from supportbot.ticket.answers import (
    Answer,
    CreditsExhaustedError,
    MisconfiguredError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    TooManyCallsError,
    find_failure,
    is_unauthorized,
    parse_retry_after,
)


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"errorCode": code, "message": "text that must not be repeated", **more}


@dataclass(frozen=True)
class Case:
    name: str
    answer: Answer
    read: type[Exception] | None
    write: type[Exception] | None
    delay_s: float | None = None


CASES = (
    Case("200", Answer(status=200, body={"id": "1"}), None, None),
    Case("201", Answer(status=201, body={"id": "1"}), None, None),
    Case("204", Answer(status=204), None, None),
    Case("200 unreadable", Answer(status=200, readable=False), UnavailableError, OutcomeUnknownError),
    Case("200 with a 422", Answer(status=200, body=error("INVALID_DATA")), RejectedError, RejectedError),
    Case(
        "200 with a 500",
        Answer(status=200, body=error("INTERNAL_SERVER_ERROR")),
        UnavailableError,
        OutcomeUnknownError,
    ),
    Case("302", Answer(status=302), UnavailableError, OutcomeUnknownError),
    Case("400", Answer(status=400, body=error("BAD_REQUEST")), RejectedError, RejectedError),
    Case("401", Answer(status=401, body=error("INVALID_OAUTH")), MisconfiguredError, MisconfiguredError, 60),
    Case("401 HTML", Answer(status=401, readable=False), MisconfiguredError, MisconfiguredError, 60),
    Case("403 scope", Answer(status=403, body=error("SCOPE_MISMATCH")), MisconfiguredError, MisconfiguredError, 60),
    Case("403 org", Answer(status=403, body=error("OAUTH_ORG_MISMATCH")), MisconfiguredError, MisconfiguredError, 60),
    Case("404", Answer(status=404, body=error("URL_NOT_FOUND")), NotFoundError, NotFoundError),
    Case("408", Answer(status=408, readable=False), UnavailableError, OutcomeUnknownError),
    Case("413", Answer(status=413, body=error("RESOURCE_SIZE_EXCEEDED")), RejectedError, RejectedError),
    Case("415 HTML", Answer(status=415, readable=False), RejectedError, RejectedError),
    Case("422", Answer(status=422, body=error("UNPROCESSABLE_ENTITY")), RejectedError, RejectedError),
    Case("429 busy", Answer(status=429, body=error("TOO_MANY_REQUESTS")), TooManyCallsError, TooManyCallsError, 2),
    Case(
        "429 busy, told when",
        Answer(status=429, body=error("TOO_MANY_REQUESTS"), retry_after_s=7),
        TooManyCallsError,
        TooManyCallsError,
        7,
    ),
    Case(
        "429 credits",
        Answer(status=429, body=error("THRESHOLD_EXCEEDED"), retry_after_s=3600),
        CreditsExhaustedError,
        CreditsExhaustedError,
        3600,
    ),
    Case(
        "429 credits, not told when",
        Answer(status=429, body=error("THRESHOLD_EXCEEDED")),
        CreditsExhaustedError,
        CreditsExhaustedError,
        900,
    ),
    Case("500", Answer(status=500, body=error("INTERNAL_SERVER_ERROR")), UnavailableError, OutcomeUnknownError),
    Case("502 HTML", Answer(status=502, readable=False), UnavailableError, OutcomeUnknownError),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_meaning(case: Case) -> None:
    read = find_failure("read a ticket", case.answer, write=False)
    write = find_failure("create a ticket", case.answer, write=True)
    assert (type(read), type(write)) == (case.read or type(None), case.write or type(None))
    if case.delay_s is not None:
        assert isinstance(read, UnavailableError)
        assert read.delay_s == case.delay_s


def test_rejection_names_fields_and_no_text() -> None:
    rows = [{"fieldName": "/contactId", "errorType": "invalid", "errorMessage": "Ana's contact"}]
    failure = find_failure("create a ticket", Answer(status=422, body=error("INVALID_DATA", errors=rows)), write=True)
    assert isinstance(failure, PermanentError)
    assert failure.reason == "invalid_data"
    assert str(failure) == "Zoho Desk refuses to create a ticket: 422 INVALID_DATA (/contactId: invalid)"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(status=401, body=error("INVALID_OAUTH")), True),
        (Answer(status=401, body=error("UNAUTHORIZED")), True),
        (Answer(status=401, readable=False), True),
        (Answer(status=401, body=error("LICENSE_ACCESS_LIMITED")), False),
        (Answer(status=403, body=error("SCOPE_MISMATCH")), False),
    ],
)
def test_fresh_token_may_help(answer: Answer, expected: bool) -> None:
    assert is_unauthorized(answer) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("30", 30.0), ("0", 0.0), (None, None), ("soon", None), ("-1", None), ("inf", None), ("nan", None)],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value) == expected
