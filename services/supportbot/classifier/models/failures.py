"""From what a vendor's server or the network did to a `ProviderError`: the part that is the same for all vendors.

Only the adapters import it, because httpx2 comes with the SDKs. Messages hold a status, a code of plain letters and
nothing else of what was sent or received.
"""

import json
import math
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio
import httpx2
import pydantic

from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind, ProviderError
from supportbot.classifier.models.transport import TooLongError

MAX_RETRY_AFTER_S = 600.0
"""A longer wait is not believed: one question every ten minutes costs nothing and finds out."""

COMMON = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    json.JSONDecodeError,
    pydantic.ValidationError,
    # Of a broken TLS connection, which httpx2 does not translate (pydantic/httpx2#854).
    anyio.EndOfStream,
    ssl.SSLError,
    TimeoutError,
)
"""What all SDKs let through beside their own errors."""

_BY_STATUS: Mapping[int, OutcomeKind] = {
    301: OutcomeKind.MISCONFIGURED,
    308: OutcomeKind.MISCONFIGURED,
    401: OutcomeKind.MISCONFIGURED,
    402: OutcomeKind.MISCONFIGURED,
    403: OutcomeKind.MISCONFIGURED,
    404: OutcomeKind.MISCONFIGURED,
    405: OutcomeKind.MISCONFIGURED,
    407: OutcomeKind.MISCONFIGURED,
    408: OutcomeKind.RETRYABLE,
    409: OutcomeKind.RETRYABLE,
    410: OutcomeKind.MISCONFIGURED,
    425: OutcomeKind.RETRYABLE,
    429: OutcomeKind.RATE_LIMITED,
}

_NEXT_STEP: Mapping[int, str] = {
    301: "the address has moved: correct baseURL",
    308: "the address has moved: correct baseURL",
    401: "check the API key",
    402: "check the account's billing",
    403: "check the API key's permissions",
    404: "check the model's name and baseURL",
    405: "check baseURL",
    407: "check the proxy",
    410: "check the model's name",
}

_CODE = re.compile(r"[A-Za-z_]{1,64}")
"""What is repeated of a vendor's code: keys and numbers of people do not look like this."""


def of_status(
    who: str,
    status: int,
    headers: Mapping[str, str],
    *,
    code: str | None = None,
    outcome: OutcomeKind | None = None,
    wait_s: float | None = None,
) -> ProviderError:
    """The failure that a refusing answer means.

    Args:
        who: Provider and model, for the message.
        status: Of HTTP, not 200.
        headers: Of the answer.
        code: The vendor's name of the error.
        outcome: What the vendor's code means, where that says more than the status.
        wait_s: The wait that the body asks for; the headers' otherwise.
    """
    kind = outcome or _outcome_of(status)
    words = [f"{who}: HTTP {status}"]
    if code and _CODE.fullmatch(code):
        words.append(f"({code})")
    if kind is OutcomeKind.MISCONFIGURED and status in _NEXT_STEP:
        words.append(f"- {_NEXT_STEP[status]}")
    waits = kind in {OutcomeKind.RATE_LIMITED, OutcomeKind.RETRYABLE}
    asked = _capped(wait_s) if wait_s is not None else retry_after_s(headers, datetime.now(UTC))
    return ProviderError(" ".join(words), kind, retry_after_s=asked if waits else None, status=status)


def _outcome_of(status: int) -> OutcomeKind:
    if status < 300:
        return OutcomeKind.BAD_OUTPUT
    if status >= 500 or status < 400:
        return _BY_STATUS.get(status, OutcomeKind.RETRYABLE)
    return _BY_STATUS.get(status, OutcomeKind.REJECTED)


def of_exception(who: str, error: BaseException) -> ProviderError:
    """The failure that an exception of the network or of reading the answer means.

    Args:
        who: Provider and model, for the message.
        error: One of `COMMON`, or an SDK's error whose causes lead to one.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, TooLongError):
            return BadOutput(f"{who}: {cause}", status=200)
        if isinstance(cause, httpx2.DecodingError):
            return BadOutput(f"{who}: the answer could not be unpacked", status=200)
        if isinstance(cause, json.JSONDecodeError | pydantic.ValidationError):
            return BadOutput(f"{who}: the answer has not the vendor's shape", status=200)
    return ProviderError(f"{who}: {_describe(causes)}", OutcomeKind.RETRYABLE)


def _describe(causes: list[BaseException]) -> str:
    for kind, words in _WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return f"the connection failed ({type(causes[-1]).__name__})"


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx2.ConnectTimeout, "no connection in time"),
    (TimeoutError, "no answer in time"),
    (httpx2.TimeoutException, "no answer in time"),
    (httpx2.ProxyError, "the proxy did not connect"),
    (ssl.SSLCertVerificationError, "the server's certificate is not trusted"),
    (ssl.SSLError, "no TLS connection"),
    (httpx2.ConnectError, "no connection"),
    (httpx2.NetworkError, "the connection broke"),
    (httpx2.RemoteProtocolError, "the connection broke"),
)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.append(step)
        step = step.__cause__ or step.__context__
    return found


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The wait that an answer's headers ask for, in seconds, from 0 to `MAX_RETRY_AFTER_S`.

    `Retry-After` holds seconds or an HTTP date (RFC 9110, 10.2.3); OpenAI also sends `retry-after-ms`.

    Args:
        headers: Of the answer, found by lower-case names.
        now: For a date; the server's own time counts where it tells it, because clocks differ.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _capped(milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return _capped(seconds)
    until = _date(text)
    return _capped((until - (_date(headers.get("date")) or now)).total_seconds()) if until else None


def _capped(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)
