"""What a status, a header or an exception of the network means."""

import ssl
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from supportbot.classifier.models.failures import MAX_RETRY_AFTER_S, of_exception, of_status, retry_after_s
from supportbot.classifier.models.outcomes import OutcomeKind

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def at(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "1e300"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "9" * 400}, MAX_RETRY_AFTER_S),
        ({"retry-after": "later"}, None),
        ({"retry-after": at(NOW + timedelta(seconds=30))}, 30.0),
        ({"retry-after": at(NOW - timedelta(days=30))}, 0.0),
        ({"retry-after": at(NOW + timedelta(days=30))}, MAX_RETRY_AFTER_S),
        ({"retry-after": "Wed, 25 Nov 2026 12:00:20"}, 20.0),
        ({"retry-after": "Wed, 99 Nov 2026 12:00:00 GMT"}, None),
        ({"retry-after": "Wed, 25 Nov 99999999 12:00:00 GMT"}, None),
        # The server's clock counts, not ours.
        ({"retry-after": at(NOW + timedelta(hours=5)), "date": at(NOW + timedelta(hours=5, seconds=-9))}, 9.0),
        ({"retry-after": "5", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "5", "retry-after-ms": "soon"}, 5.0),
    ],
)
def test_the_wait_that_headers_ask_for(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, NOW) == expected


@pytest.mark.parametrize(
    ("status", "outcome", "message"),
    [
        (204, OutcomeKind.BAD_OUTPUT, "x m: HTTP 204 (code)"),
        (302, OutcomeKind.RETRYABLE, "x m: HTTP 302 (code)"),
        (308, OutcomeKind.MISCONFIGURED, "x m: HTTP 308 (code) - the address has moved: correct baseURL"),
        (401, OutcomeKind.MISCONFIGURED, "x m: HTTP 401 (code) - check the API key"),
        (404, OutcomeKind.MISCONFIGURED, "x m: HTTP 404 (code) - check the model's name and baseURL"),
        (410, OutcomeKind.MISCONFIGURED, "x m: HTTP 410 (code) - check the model's name"),
        (418, OutcomeKind.REJECTED, "x m: HTTP 418 (code)"),
        (425, OutcomeKind.RETRYABLE, "x m: HTTP 425 (code)"),
        (599, OutcomeKind.RETRYABLE, "x m: HTTP 599 (code)"),
    ],
)
def test_what_a_status_means(status: int, outcome: OutcomeKind, message: str) -> None:
    error = of_status("x m", status, {}, code="code")
    assert (error.outcome, error.status, str(error)) == (outcome, status, message)


@pytest.mark.parametrize("code", ["sk-abc123", "la 909", "x" * 65, "", "café!", "a\nb"])
def test_only_a_word_is_repeated_of_what_a_vendor_calls_its_error(code: str) -> None:
    assert str(of_status("x m", 500, {}, code=code)) == "x m: HTTP 500"


def test_only_who_may_be_asked_again_has_a_wait() -> None:
    headers = {"retry-after": "5"}
    assert of_status("x m", 503, headers).retry_after_s == 5.0
    assert of_status("x m", 401, headers).retry_after_s is None
    assert of_status("x m", 429, headers, outcome=OutcomeKind.MISCONFIGURED).retry_after_s is None


def caused(error: Exception, *causes: Exception) -> Exception:
    step = error
    for cause in causes:
        step.__cause__ = cause
        step = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer in time"),
        (httpx2.ConnectTimeout("secret"), "no connection in time"),
        (httpx2.ReadTimeout("secret"), "no answer in time"),
        (httpx2.ConnectError("secret"), "no connection"),
        (httpx2.ProxyError("secret"), "the proxy did not connect"),
        (httpx2.ReadError("secret"), "the connection broke"),
        (httpx2.RemoteProtocolError("secret"), "the connection broke"),
        (ssl.SSLError("secret"), "no TLS connection"),
        (caused(RuntimeError("a"), httpx2.ConnectError("b"), ssl.SSLCertVerificationError("c")), "is not trusted"),
        (RuntimeError("secret"), "the connection failed (RuntimeError)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_broken_connection_is_called(error: Exception, words: str) -> None:
    failure = of_exception("x m", error)
    assert failure.outcome is OutcomeKind.RETRYABLE
    assert str(failure).endswith(words)
    assert "secret" not in str(failure)


def test_causes_that_run_in_a_circle_end() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert of_exception("x m", first).outcome is OutcomeKind.RETRYABLE
