"""Log lines: structlog on top of the standard library, JSON or for people, on standard output.

A line has a fixed snake_case `event` and fields. Modules take `structlog.get_logger(__name__)`; the bus binds
`message_ref`, `group_ref`, `stage` and `attempt` as context variables. Redaction is the last step, for every line.
"""

import hashlib
import logging
import sys
import traceback
from types import TracebackType
from typing import Any, Protocol

import structlog
from opentelemetry import trace
from structlog.types import EventDict, Processor, WrappedLogger

from supportbot import __version__
from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.redaction import redact

_OWN_FIELDS = frozenset(
    {"ts", "level", "event", "logger", "service", "version", "instance", "trace_id", "span_id", "message_ref"}
)
"""Written by this module or built as harmless ids; their names or values would trip the redaction for nothing."""

_TELLING_ERRORS = (TemporaryError, PermanentError, UserError, OSError)
"""Their messages are written for the log; another error's message may quote what it was given."""

_QUIET = (
    *("uvicorn", "nats", "asyncio", "opentelemetry", "concurrent", "httpx", "httpcore"),
    # Below a warning they write whole prompts, or a line for every call.
    *("httpx2", "httpcore2", "openai", "anthropic", "google_genai"),
)

MAX_FRAMES = 20


class LogSettings(Protocol):
    """What of a process's settings the log needs."""

    @property
    def log_level(self) -> str:
        """The least severe level that is written."""

    @property
    def log_format(self) -> str:
        """`auto`, `json` or `console`."""

    @property
    def instance(self) -> str:
        """The replica among those of its service."""


def configure_logging(service: str, settings: LogSettings) -> None:
    """Set up the process's logging, libraries included; called once, in the main program.

    Args:
        service: The value of every line's `service`.
        settings: For level, format and instance.
    """
    identity = {"service": service, "version": __version__, "instance": settings.instance}
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        add_trace_ids,
        lambda _logger, _method, event: {**event, **identity},
        add_error,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[name_library_event, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                _renderer(settings),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING, root.level))


def _renderer(settings: LogSettings) -> Processor:
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stdout.isatty())
    if console:
        return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), timestamp_key="ts", pad_event_to=28)
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def add_trace_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """`trace_id`, `span_id` and `trace_flags` of the current span, in lower-case hex."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
        event["trace_flags"] = f"{span.trace_flags:02x}"
    return event


def name_library_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's free text becomes the field `message` of a fixed event."""
    event["message"] = event.pop("event", "")
    event["event"] = "library_message"
    return event


def add_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """`exc_info` becomes the fields of `describe_error`."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    exc = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(exc, BaseException):
        event.update(describe_error(exc))
    return event


def describe_error(exc: BaseException) -> dict[str, Any]:
    """`error.type`, `error.fingerprint`, `error.stack` and, where it was written to be read, `error.message`.

    The fingerprint is the same for the same error at the same place.
    """
    frames = _own_frames(exc.__traceback__)
    kind = type(exc).__qualname__
    places = "|".join([kind, *(frame.rpartition(":")[0] for frame in frames)])
    fields: dict[str, Any] = {
        "error.type": kind,
        "error.fingerprint": hashlib.sha256(places.encode()).hexdigest()[:12],
        "error.stack": frames,
    }
    if isinstance(exc, _TELLING_ERRORS):
        fields["error.message"] = str(exc)
    return fields


def _own_frames(tb: TracebackType | None) -> list[str]:
    """`module.py:function:line` of the product's own frames, or of all when none is, innermost last."""
    frames = traceback.extract_tb(tb)
    own = [frame for frame in frames if "supportbot" in frame.filename and "site-packages" not in frame.filename]
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.name}:{frame.lineno}"
        for frame in (own or list(frames))[-MAX_FRAMES:]
    ]


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last step before the line is rendered."""
    return redact(event, keep=_OWN_FIELDS)
