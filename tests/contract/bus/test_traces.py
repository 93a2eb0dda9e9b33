"""One message is one trace, over processes; what comes back after long or by hand only links to it."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.contract.bus.support import consuming
from tests.events import classify, make_message, until

from supportbot.bus import Bus, Context
from supportbot.contracts import Event, MessageReceived
from supportbot.deadletters import list_dead_letters, replay_dead_letter
from supportbot.errors import PermanentError

pytestmark = pytest.mark.nats


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans of the bus. The global provider can be set only once, so the modules' tracers are replaced."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for module in ("bus", "delivery", "deadletters"):
        monkeypatch.setattr(f"supportbot.{module}.tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


async def test_a_message_is_one_trace_whose_spans_hang_together(bus: Bus, spans: InMemorySpanExporter) -> None:
    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        return classify(event)

    async with consuming(bus, handle):
        await bus.publish(make_message(1))
        await until(lambda: len(named(spans, "process supportbot.inbound")) == 1)
    [published] = named(spans, "publish supportbot.inbound")
    [processed] = named(spans, "process supportbot.inbound")
    [handed_on] = named(spans, "publish supportbot.classified")
    for child, parent in ((processed, published), (handed_on, processed)):
        assert child.parent is not None
        assert child.parent.span_id == parent.context.span_id
        assert child.context.trace_id == published.context.trace_id
    assert [link.context.span_id for link in processed.links] == [published.context.span_id]
    attributes = processed.attributes or {}
    assert attributes["messaging.message.id"] == make_message(1).event_id
    assert attributes["messaging.nats.delivery_count"] == 1
    assert attributes["supportbot.settlement"] == "ack"
    assert all(bus.bot not in span.name for span in spans.get_finished_spans())


async def test_a_replay_starts_a_trace_of_its_own_with_a_link(bus: Bus, spans: InMemorySpanExporter) -> None:
    async def handle(event: Event, ctx: Context) -> None:
        raise PermanentError("the field is gone", reason="invalid_data")

    async with consuming(bus, handle):
        await bus.publish(make_message(1))
        await until(lambda: len(named(spans, "dead-letter classifier")) == 1)
        [letter] = await list_dead_letters(bus)
        await replay_dead_letter(bus, letter.seq)
        await until(lambda: len(named(spans, "dead-letter classifier")) == 2)
    first, again = named(spans, "process supportbot.inbound")
    [published] = named(spans, "publish supportbot.inbound")
    assert first.context.trace_id == published.context.trace_id
    assert again.context.trace_id != published.context.trace_id
    assert [link.context.span_id for link in again.links] == [published.context.span_id]
    assert (first.attributes or {})["error.type"] == "PermanentError"
    assert first.status.description == "the handler failed"
