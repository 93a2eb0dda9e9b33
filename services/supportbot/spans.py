"""What stands between the spans and the collector; the only module besides `telemetry` that imports the SDK."""

import logging
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from supportbot.metrics import EXPORT_FAILURES, SPANS_DROPPED

_SDK_LOGGER = "opentelemetry.sdk._shared_internal"


class ScrubURLs(SpanProcessor):
    """Takes the query out of addresses, where tokens and e-mail addresses stand. Works for server and client spans."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Runs after the instrumentation has set its first attributes, which are the ones with addresses."""
        del parent_context
        attributes = span.attributes or {}
        if "url.query" in attributes:
            span.set_attribute("url.query", "")
        for name in ("url.full", "http.url", "http.target"):
            value = attributes.get(name)
            if isinstance(value, str) and "?" in value:
                span.set_attribute(name, value.partition("?")[0])


class CountingExporter(SpanExporter):
    """Counts what the batch processor ignores: exports that fail, and the spans that they lose."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand the batch on; a failure is counted whether it is returned or raised."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                EXPORT_FAILURES.labels("traces").inc()
                SPANS_DROPPED.labels("traces").inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Stop the exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)


def count_full_queue() -> None:
    """Count spans lost to a full queue: the SDK says so in its log only.

    The filter stands before the SDK's own, which lets one such line through in 20 s.
    """
    filters = logging.getLogger(_SDK_LOGGER).filters
    if _count_dropped not in filters:
        filters.insert(0, _count_dropped)


def _count_dropped(record: logging.LogRecord) -> bool:
    if str(record.msg).startswith("Queue full"):
        SPANS_DROPPED.labels("traces").inc()
    return True
