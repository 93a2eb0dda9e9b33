"""What an answer of Zoho Desk means for the work that asked: pure, the table of all failures.

Sources: Zoho Desk API, "Errors" and "Rate limits"; HTML bodies and missing codes as integrators report them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from supportbot.errors import PermanentError, TemporaryError, UnavailableError

_CONFIGURATION_DELAY_S: Final = 60.0
_CREDITS_DELAY_S: Final = 900.0
_MAX_CREDITS_DELAY_S: Final = 86_400.0
_BUSY_DELAY_S: Final = 2.0
_AUTHORIZATION: Final = frozenset({"INVALID_OAUTH", "UNAUTHORIZED"})
_CONFIGURATION: Final = frozenset({"FORBIDDEN", "SCOPE_MISMATCH", "LICENSE_ACCESS_LIMITED", "OAUTH_ORG_MISMATCH"})
_STATUS_OF: Final[Mapping[str, int]] = {
    **dict.fromkeys(_AUTHORIZATION, 401),
    **dict.fromkeys(_CONFIGURATION, 403),
    "URL_NOT_FOUND": 404,
    "THRESHOLD_EXCEEDED": 429,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL_SERVER_ERROR": 500,
}


class OutcomeUnknownError(TemporaryError):
    """A write may or may not have been applied: look before it is done again."""


class NotFoundError(PermanentError):
    """The ticket or contact does not exist, or no longer."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="not_found")


class RejectedError(PermanentError):
    """Zoho Desk refuses the request for good.

    Args:
        status: The HTTP status.
        code: Zoho's `errorCode`.
        fields: Field and kind of fault, such as `/contactId: invalid`; never values.
    """

    def __init__(self, operation: str, *, status: int, code: str, fields: tuple[str, ...]) -> None:
        detail = f" ({', '.join(fields)})" if fields else ""
        super().__init__(f"Zoho Desk refuses to {operation}: {status} {code}{detail}", reason=code.lower())
        self.status = status
        self.code = code
        self.fields = fields


class MisconfiguredError(UnavailableError):
    """Zoho Desk refuses all work until a person changes scopes, edition, profile or organization."""


class TooManyCallsError(UnavailableError):
    """Zoho Desk takes no more calls for now."""


class CreditsExhaustedError(TooManyCallsError):
    """The day's API credits are gone: no call is made before `delay_s`."""


class BreakerOpenError(UnavailableError):
    """No call is made for a while; the cause is what the last one failed with, if this replica made it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer without its library."""

    status: int
    body: Any = None
    """Parsed JSON; None where there is none."""
    readable: bool = True
    """False when a body was there but was no JSON."""
    retry_after_s: float | None = None


def find_failure(operation: str, answer: Answer, *, write: bool) -> Exception | None:
    """The error that an answer stands for; None for a success.

    `operation` completes "refuses to …"; `write` says that the call may have changed something.
    """
    code = _code(answer)
    status = answer.status
    if status < 400 and code:
        status = _STATUS_OF.get(code, 422)
    if status < 300 and answer.readable:
        return None
    if status < 400 or status == 408 or status >= 500:
        return _sick(operation, status, write=write)
    if status == 429:
        return _limited(code, answer.retry_after_s)
    if status in {401, 403}:
        return MisconfiguredError(
            f"Zoho Desk refuses to {operation}: {status} {code}; check the scopes of the refresh token, organizationID "
            "and dataCenter",
            dependency="zoho",
            delay_s=_CONFIGURATION_DELAY_S,
        )
    if status == 404:
        return NotFoundError(f"Zoho Desk has nothing to {operation}: 404 {code}")
    return RejectedError(operation, status=status, code=code or f"HTTP_{status}", fields=_fields(answer.body))


def is_unauthorized(answer: Answer) -> bool:
    """Whether a fresh access token may help: a 401 of the token, or one that is an HTML page."""
    return answer.status == 401 and _code(answer) in _AUTHORIZATION | {""}


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header; None for a date or nonsense."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _MAX_CREDITS_DELAY_S else None


def _sick(operation: str, status: int, *, write: bool) -> Exception:
    if write:
        return OutcomeUnknownError(f"Zoho Desk answered {status} when asked to {operation}; it may have done so")
    return UnavailableError(f"Zoho Desk cannot {operation}: HTTP {status}", dependency="zoho")


def _limited(code: str, retry_after_s: float | None) -> UnavailableError:
    if code == "THRESHOLD_EXCEEDED":
        delay_s = _CREDITS_DELAY_S if retry_after_s is None else retry_after_s
        message = "the day's API credits of Zoho Desk are used up"
        return CreditsExhaustedError(message, dependency="zoho", delay_s=delay_s)
    delay_s = _BUSY_DELAY_S if retry_after_s is None else retry_after_s
    return TooManyCallsError("too many calls to Zoho Desk at once", dependency="zoho", delay_s=delay_s)


def _code(answer: Answer) -> str:
    code = answer.body.get("errorCode") if isinstance(answer.body, dict) else None
    return code if isinstance(code, str) else ""


def _fields(body: Any) -> tuple[str, ...]:
    errors = body.get("errors") if isinstance(body, dict) else None
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    return tuple(f"{row.get('fieldName', '?')}: {row.get('errorType', '?')}" for row in rows[:10])
