"""What ends up on standard output, line by line."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from supportbot.errors import PermanentError
from supportbot.logs import configure_logging
from supportbot.settings import Settings

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def restored() -> Iterator[None]:
    """The test process's own logging, put back afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, restored: None) -> Lines:
    """Logging as a service has it; calling the fixture gives the lines so far."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    configure_logging("ticket", make_settings(instance="ticket-0"))
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_says_what_who_and_where(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(message_ref="m_abcdefghij2345672345", stage="ticket", attempt=2):
        structlog.get_logger("supportbot.ticket.handler").info("ticket_opened", ticket_id="892000000012345678")

    (line,) = lines()
    assert line.pop("ts").endswith("Z")
    assert line == {
        "event": "ticket_opened",
        "level": "info",
        "logger": "supportbot.ticket.handler",
        "service": "ticket",
        "version": "0.1.0",
        "instance": "ticket-0",
        "message_ref": "m_abcdefghij2345672345",
        "stage": "ticket",
        "attempt": 2,
        "ticket_id": "892000000012345678",
    }


def test_a_line_inside_a_span_has_its_ids(lines: Lines) -> None:
    context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(3))
    with trace.use_span(NonRecordingSpan(context)):
        structlog.get_logger("x").info("inside")

    (line,) = lines()
    assert (line["trace_id"], line["span_id"], line["trace_flags"]) == (f"{0xABC:032x}", f"{0xDEF:016x}", "03")


def test_less_severe_lines_are_not_written(lines: Lines) -> None:
    structlog.get_logger("x").debug("too_much")

    assert lines() == []


def test_a_library_s_words_become_one_event(lines: Lines) -> None:
    logging.getLogger("nats.aio.client").warning("no answer for %s", "+529981234567")
    logging.getLogger("uvicorn.error").info("Started server process")

    (line,) = lines()
    assert (line["event"], line["message"], line["logger"]) == (
        "library_message",
        "no answer for [redacted]",
        "nats.aio.client",
    )


def test_redaction_covers_fields_context_and_libraries(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(group="120363025246125486@g.us"):
        structlog.get_logger("x").warning("seen", text="canary", who={"phone": 1, "at": ["ana@example.com"]})
    logging.getLogger("nats").error("failed", exc_info=ValueError("canary +529981234567"))

    written = json.dumps(lines())
    assert len(lines()) == 2
    for private in ("canary", "120363025246125486", "ana@example.com", "529981234567"):
        assert private not in written


def fail(message: str) -> None:
    raise ZeroDivisionError(message)


def caught(message: str) -> ZeroDivisionError:
    try:
        fail(message)
    except ZeroDivisionError as exc:
        return exc
    raise AssertionError


def test_an_error_is_told_by_type_place_and_fingerprint_not_by_its_message(lines: Lines) -> None:
    for message in ("canary one", "canary two"):
        structlog.get_logger("x").error("failed", exc_info=caught(message))

    first, second = lines()
    assert (first["error.type"], "error.message" in first) == ("ZeroDivisionError", False)
    assert first["error.stack"][-1].startswith("test_logs.py:fail:")
    assert first["error.fingerprint"] == second["error.fingerprint"]
    assert "canary" not in json.dumps([first, second])


def test_our_own_errors_are_told_with_their_message(lines: Lines) -> None:
    structlog.get_logger("x").error("failed", exc_info=PermanentError("the department does not exist"))

    assert lines()[0]["error.message"] == "the department does not exist"


def test_people_get_lines_without_braces(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, restored: None
) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    configure_logging("ticket", make_settings(log_format="console"))

    structlog.get_logger("x").info("ticket_opened", phone="+529981234567", ticket_number="101")

    assert "ticket_opened" in out.getvalue()
    assert "ticket_number=101" in out.getvalue()
    assert "{" not in out.getvalue()
    assert "529981234567" not in out.getvalue()
