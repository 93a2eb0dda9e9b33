"""The operator with many bots, on a real API server and a real NATS, on this machine.

    python -m tests.benchmarks.operator --bots 100 --rest 300

Pods do not run: a stand-in says that they do, and writes what their services would report.
"""

import argparse
import asyncio
import os
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from nats.aio.client import Client
from tests.cluster.api.account import account
from tests.cluster.api.bots import CHILDREN, is_ready, make_bot, make_secret, report
from tests.cluster.api.conftest import serve
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube
from tests.cluster.api.platform import Operator, Platform, installed
from tests.cluster.api.rollouts import rollouts
from tests.cluster.api.services import SERVICES
from tests.crd_judge import CRD_FILE

from supportbot.topology import Bucket, bucket_name
from supportbot_operator.keys import bot_key
from supportbot_operator.kube import connect

BOTS, PLATFORM = "bots", "platform"
REPORT_EVERY_S = 5.0
APPLIES = 300


@dataclass
class Figures:
    """What was measured."""

    bots: int
    rest_s: float
    ready_s: float = 0.0
    apply_ms: tuple[float, float] = (0.0, 0.0)
    """Median and 90th percentile."""
    writes_at_rest: int = 0
    applies_at_rest: float = 0.0
    operator_cpu_share: float = 0.0
    rss_mb: float = 0.0
    peak_rss_mb: float = 0.0

    def print(self) -> None:
        """As a table."""
        for name, value in {
            f"{self.bots} bots applied → all Ready": f"{self.ready_s:.1f} s",
            "no-op apply, median / p90": f"{self.apply_ms[0]:.1f} / {self.apply_ms[1]:.1f} ms",
            f"objects written in {self.rest_s:g} s at rest": str(self.writes_at_rest),
            "requests to apply meanwhile": f"{self.applies_at_rest:.0f}",
            "CPU of the operator meanwhile": f"{100 * self.operator_cpu_share:.1f} %",
            "RSS of the operator, now / peak": f"{self.rss_mb:.0f} / {self.peak_rss_mb:.0f} MB",
        }.items():
            print(f"{name:<42} {value}")


async def measure(bots: int, rest_s: float) -> Figures:
    """Run everything once."""
    figures = Figures(bots=bots, rest_s=rest_s)
    with tempfile.TemporaryDirectory(prefix="supportbot-bench-") as name, ControlPlane(_folder(name, "plane")) as plane:
        async with Kube(plane.url, plane.tls, plane.admin_token) as admin:
            definition = yaml.safe_load(CRD_FILE.read_text())
            await admin.apply(definition)
            await serve(admin, definition)
            for namespace in (BOTS, PLATFORM):
                await admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            async with installed(plane, admin, PLATFORM, _folder(name, "platform"), {}) as platform:
                operator = await platform.start_operator()
                await platform.start_nats()
                await operator.until_ready()
                async with account(platform) as nc, rollouts(admin, BOTS):
                    await _measure(figures, platform, operator, nc)
    return figures


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


async def _measure(figures: Figures, platform: Platform, operator: Operator, nc: Client) -> None:
    admin, names = platform.admin, [f"bot-{number:03}" for number in range(figures.bots)]
    await admin.apply(make_secret(BOTS))
    async with _reports(nc, names):
        begun = time.monotonic()
        for name in names:
            await admin.apply(make_bot(BOTS, name))
        await admin.until_all(
            "SupportBot", BOTS, lambda found: sum(map(is_ready, found.values())) == len(names), timeout_s=600
        )
        figures.ready_s = time.monotonic() - begun
        await _settled(admin)
        figures.apply_ms = await _time_applies(platform, names[0])
        before, cpu, applies = await _versions(admin), _cpu_s(operator), await _applies(operator)
        await asyncio.sleep(figures.rest_s)
        after = await _versions(admin)
        figures.writes_at_rest = sum(after[name] != before.get(name) for name in after)
        figures.applies_at_rest = await _applies(operator) - applies
        figures.operator_cpu_share = (_cpu_s(operator) - cpu) / figures.rest_s
        figures.rss_mb, figures.peak_rss_mb = _memory_mb(operator)


@asynccontextmanager
async def _reports(nc: Client, names: list[str]) -> AsyncIterator[None]:
    """Write what all services of all bots would report, every ten seconds."""

    async def write() -> None:
        while True:
            for name in names:
                bucket = bucket_name(bot_key(BOTS, name), Bucket.STATE)
                for service in SERVICES:
                    await nc.publish(f"$KV.{bucket}.{service}.{service}-0", report(service))
            await asyncio.sleep(REPORT_EVERY_S)

    async with AsyncExitStack() as stack:
        task = asyncio.create_task(write())
        stack.callback(task.cancel)
        yield


async def _time_applies(platform: Platform, bot: str) -> tuple[float, float]:
    """Applies that change nothing, one after the other, with the operator's own client and token.

    Of a copy of a bot's Deployment that is nobody's, or the operator would undo what differs.
    """
    stored = await platform.admin.get("Deployment", f"{bot}-ticket", BOTS)
    spec = {key: stored["spec"][key] for key in ("replicas", "selector", "template", "strategy")}
    meta = {"name": "applied-again", "namespace": PLATFORM}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    times = []
    async with connect(str(platform.kubeconfig)) as cluster:
        first = await cluster.apply(deployment)
        for _ in range(APPLIES):
            begun = time.perf_counter()
            last = await cluster.apply(deployment)
            times.append(1000 * (time.perf_counter() - begun))
    assert last["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    return statistics.median(times), statistics.quantiles(times, n=10)[-1]


async def _settled(admin: Kube) -> None:
    """Return once nothing was written for ten seconds."""
    before: dict[str, str] = {}
    while (now := await _versions(admin)) != before:
        before = now
        await asyncio.sleep(10)


async def _versions(admin: Kube) -> dict[str, str]:
    """The resourceVersion of every bot and child."""
    found = {}
    for kind in ("SupportBot", *CHILDREN):
        for obj in await admin.list_all(kind, BOTS):
            found[f"{kind}/{obj['metadata']['name']}"] = obj["metadata"]["resourceVersion"]
    return found


async def _applies(operator: Operator) -> float:
    return await operator.metric("supportbot_operator_applies_total")


def _cpu_s(operator: Operator) -> float:
    fields = Path(f"/proc/{operator.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(operator: Operator) -> tuple[float, float]:
    text = Path(f"/proc/{operator.process.pid}/status").read_text()
    now, peak = (int(match[1]) for name in ("VmRSS", "VmHWM") if (match := re.search(rf"{name}:\s+(\d+)", text)))
    return now / 1024, peak / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bots", type=int, default=100)
    parser.add_argument("--rest", type=float, default=300.0, help="seconds at rest (default: %(default)g)")
    options = parser.parse_args()
    asyncio.run(measure(options.bots, options.rest)).print()
