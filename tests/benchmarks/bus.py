"""Messages per second through the bus's three hops, and the latency of a single one, on this machine.

    python -m tests.benchmarks.bus --messages 3000 --lanes 16

One process publishes, classifies, makes tickets and replies with handlers that do nothing; the server is the embedded
one. Rates depend on the machine: compare CPU per message, and `always` with `default`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import structlog
from tests.events import make_message

from supportbot.bus import Bus, Context
from supportbot.contracts import (
    Decision,
    Event,
    Kind,
    MessageClassified,
    MessageReceived,
    Outcome,
    Priority,
    TicketOpened,
)
from supportbot.ids import make_incident_id
from supportbot.nats_server import EmbeddedServer
from supportbot.streams import ensure_topology
from supportbot.topology import REPLAY, Stage

GROUPS = 50
IN_FLIGHT = 256


class Pipeline:
    """The three stages, doing nothing but what the bus asks of them."""

    def __init__(self) -> None:
        self.replied: dict[str, float] = {}
        self.done = asyncio.Condition()

    async def classify(self, event: Event, ctx: Context) -> Event:
        """Hand a message on."""
        assert isinstance(event, MessageReceived)
        decision = Decision(kind=Kind.INCIDENT, reasons=("asks for help",))
        ctx.record(Outcome.CLASSIFIED, decision=decision)
        return MessageClassified(
            message_ref=event.message_ref, group_ref=event.group_ref, message=event, decision=decision
        )

    async def open_ticket(self, event: Event, ctx: Context) -> Event:
        """Claim to have opened a ticket."""
        incident_id = make_incident_id(event.message_ref)
        ctx.record(Outcome.TICKET, incident_id=incident_id)
        return TicketOpened(
            message_ref=event.message_ref,
            group_ref=event.group_ref,
            incident_id=incident_id,
            opening_ref=event.message_ref,
            ticket_id="1",
            ticket_number="101",
            subject="no imprime",
            category="technical",
            priority=Priority.HIGH,
        )

    async def reply(self, event: Event, ctx: Context) -> None:
        """Note when a message is through."""
        ctx.record(Outcome.REPLIED)
        async with self.done:
            self.replied[event.message_ref] = time.perf_counter()
            self.done.notify_all()

    async def wait_for(self, count: int) -> None:
        """Wait until so many messages are through."""
        async with self.done:
            await self.done.wait_for(lambda: len(self.replied) >= count)


async def measure(folder: Path, *, sync: str, lanes: int, messages: int, singles: int) -> dict[str, object]:
    """One run on a fresh server."""
    server = EmbeddedServer(folder, sync="always" if sync == "always" else "default")
    async with server, Bus.connect(server.url, bot="bench", service="bench") as bus:
        await ensure_topology(bus.js, "bench", lanes, REPLAY)
        pipeline = Pipeline()
        stages = {
            Stage.CLASSIFIER: pipeline.classify,
            Stage.TICKET: pipeline.open_ticket,
            Stage.WHATSAPP: pipeline.reply,
        }
        tasks = [asyncio.create_task(bus.consume(stage, handler, lanes=lanes)) for stage, handler in stages.items()]
        try:
            await publish(bus, 0, 100)
            await pipeline.wait_for(100)
            latencies = [await one_latency(bus, pipeline, 100 + number) for number in range(singles)]
            before, cpu, server_cpu = time.perf_counter(), time.process_time(), cpu_seconds(server.process.pid)
            await publish(bus, 100 + singles, messages)
            await pipeline.wait_for(100 + singles + messages)
            took = time.perf_counter() - before
            spent, server_spent = time.process_time() - cpu, cpu_seconds(server.process.pid) - server_cpu
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "sync": sync,
        "lanes": lanes,
        "messages": messages,
        "messages_per_s": round(messages / took),
        "client_cpu_us": round(spent / messages * 1e6),
        "server_cpu_us": round(server_spent / messages * 1e6),
        "single_ms_p50": round(statistics.median(latencies) * 1e3, 2),
        "single_ms_p99": round(statistics.quantiles(latencies, n=100)[98] * 1e3, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }


async def publish(bus: Bus, first: int, count: int) -> None:
    """Publish messages of fifty groups, those of a group in order, many at a time."""
    for start in range(first, first + count, IN_FLIGHT):
        numbers = range(start, min(start + IN_FLIGHT, first + count))
        texts = "buen día, la 909 no puede recepcionar, su apoyo"
        await asyncio.gather(*(bus.publish(make_message(n, f"group {n % GROUPS}", texts)) for n in numbers))


async def one_latency(bus: Bus, pipeline: Pipeline, number: int) -> float:
    """Seconds from publishing a message on an idle bus to its reply."""
    started, message = time.perf_counter(), make_message(number)
    await bus.publish(message)
    await pipeline.wait_for(number + 1)
    return pipeline.replied[message.message_ref] - started


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run both ways of flushing and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--singles", type=int, default=200)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--sync", choices=["always", "default"], action="append")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for sync in options.sync or ["default", "always"]:
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
            run = measure(
                Path(folder), sync=sync, lanes=options.lanes, messages=options.messages, singles=options.singles
            )
            print(json.dumps(asyncio.run(run)), flush=True)


if __name__ == "__main__":
    main()
