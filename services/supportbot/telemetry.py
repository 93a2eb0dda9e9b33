"""Tracing: a module takes `tracer`; the main program sets up the SDK, if an OTLP endpoint is configured.

Without an endpoint nothing is exported, nothing warns and the service is healthy. The collector may be down at any
time: spans are then dropped and counted, and no message waits for them.
"""

import os
import threading
from typing import TYPE_CHECKING

from opentelemetry import propagate, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from supportbot import __version__
from supportbot.logs import configure_logging

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["configure_logging", "configure_tracing", "make_provider", "shutdown_tracing", "tracer"]

tracer = trace.get_tracer("supportbot", __version__)
"""Records nothing until `configure_tracing` has set up the SDK."""

SHUTDOWN_LIMIT_S = 3.0

_DEFAULTS = {
    "OTEL_BSP_SCHEDULE_DELAY": "500",  # A killed process loses half a second of spans, not five.
    "OTEL_BSP_MAX_QUEUE_SIZE": "8192",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512",
    "OTEL_BSP_EXPORT_TIMEOUT": "5000",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "512",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "64",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    "ANTHROPIC_OPEN_TELEMETRY": "false",
}
"""Standard variables, set unless the environment sets them; the SDK and the instrumented clients read them."""


def configure_tracing(service: str, *, instance: str = "local") -> None:
    """Set up the SDK for this process; does nothing without an endpoint or with `OTEL_SDK_DISABLED=true`.

    Only `traceparent` is propagated: baggage would leave with every request to a third party.
    """
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true":
        # The SDK is an optional dependency, so only a process that exports imports it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        trace.set_tracer_provider(make_provider(service, instance=instance, exporter=OTLPSpanExporter()))


def make_provider(service: str, *, instance: str, exporter: "SpanExporter") -> "TracerProvider":
    """A provider with batched export, counted losses and addresses without their queries.

    `OTEL_RESOURCE_ATTRIBUTES` and the sampler's variables are read by the SDK.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from supportbot.spans import CountingExporter, ScrubURLs, count_full_queue

    identity = {
        "service.name": f"supportbot-{service}",
        "service.namespace": "supportbot",
        "service.version": __version__,
        "service.instance.id": instance,
    }
    provider = TracerProvider(resource=Resource.create(identity), shutdown_on_exit=False)
    provider.add_span_processor(ScrubURLs())
    provider.add_span_processor(BatchSpanProcessor(CountingExporter(exporter)))
    count_full_queue()
    return provider


def shutdown_tracing(limit_s: float = SHUTDOWN_LIMIT_S) -> None:
    """Flush and stop, within `limit_s` whether or not the collector answers.

    The SDK's own time-outs do not hold (opentelemetry-python#4568), hence a daemon thread that may be left behind.
    """
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        worker = threading.Thread(target=shutdown, name="shutdown-tracing", daemon=True)
        worker.start()
        worker.join(limit_s)
