"""Losses of spans are counted, addresses lose their queries, metrics are born at 0."""

import logging
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from supportbot.metrics import count, observe, render, start_counters
from supportbot.spans import CountingExporter, ScrubURLs, count_full_queue
from supportbot.telemetry import make_provider


class DeadCollector(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        del spans
        return SpanExportResult.FAILURE


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_the_query_of_an_address_does_not_reach_the_collector() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ScrubURLs())
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    attributes = {"url.query": "email=ana@example.com", "url.full": "https://desk.example/search?phone=1", "kept": "?"}
    provider.get_tracer("test").start_span("GET", attributes=attributes).end()

    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == {"url.query": "", "url.full": "https://desk.example/search", "kept": "?"}


def test_spans_that_the_collector_refuses_are_counted() -> None:
    before = sample("supportbot_telemetry_spans_dropped_total", signal="traces")
    provider = make_provider("ticket", instance="a", exporter=DeadCollector())
    for _ in range(3):
        provider.get_tracer("test").start_span("lost").end()
    provider.shutdown()

    assert sample("supportbot_telemetry_spans_dropped_total", signal="traces") - before == 3


def test_an_exporter_that_raises_counts_as_a_failure() -> None:
    class Broken(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            raise OSError(len(spans))

    before = sample("supportbot_telemetry_export_failures_total", signal="traces")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(CountingExporter(Broken())))
    logging.getLogger("opentelemetry.sdk.trace.export").disabled = True
    try:
        provider.get_tracer("test").start_span("lost").end()
    finally:
        logging.getLogger("opentelemetry.sdk.trace.export").disabled = False

    assert sample("supportbot_telemetry_export_failures_total", signal="traces") - before == 1


def test_every_span_that_a_full_queue_drops_is_counted_though_the_sdk_logs_one() -> None:
    count_full_queue()
    before = sample("supportbot_telemetry_spans_dropped_total", signal="traces")
    for _ in range(5):
        logging.getLogger("opentelemetry.sdk._shared_internal").warning("Queue full, dropping %s.", "Span")

    assert sample("supportbot_telemetry_spans_dropped_total", signal="traces") - before == 5


def test_a_provider_says_who_it_is() -> None:
    provider = make_provider("ticket", instance="ticket-0", exporter=InMemorySpanExporter())

    attributes = provider.resource.attributes
    provider.shutdown()
    assert {name: attributes[name] for name in ("service.name", "service.namespace", "service.instance.id")} == {
        "service.name": "supportbot-ticket",
        "service.namespace": "supportbot",
        "service.instance.id": "ticket-0",
    }


def test_counters_that_alerts_watch_exist_before_anything_happens() -> None:
    start_counters("ticket")

    assert (
        REGISTRY.get_sample_value("supportbot_dead_letters_total", {"stage": "ticket", "reason": "rejected"})
        is not None
    )
    labels = {"stage": "ticketed", "outcome": "dead_letter"}
    assert REGISTRY.get_sample_value("supportbot_messages_total", labels) is not None


def test_an_observation_inside_a_sampled_span_carries_its_trace() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("took_seconds", "Test.", registry=registry)
    counter = Counter("done", "Test.", registry=registry)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")

    observe(histogram, 0.2)
    with tracer.start_as_current_span("work") as span:
        observe(histogram, 0.3)
        count(counter)

    text = render("application/openmetrics-text; version=1.0.0", registry)[0].decode()
    assert text.count(f'trace_id="{span.get_span_context().trace_id:032x}"') == 2
