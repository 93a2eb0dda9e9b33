"""The link to WhatsApp under load, on the emulated WhatsApp: `python -m tests.benchmarks.whatsapp_link`.

The real service with the real library, without a bus: what is received stays in the journal. The emulator says what it
was told to have arrived; the journal says what did. Prints figures, and fails when something was lost by SIGTERM, or
came twice.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.events import until
from tests.linked import LinkedBot, linked_bot, pair
from tests.simulated import INSTALL_KEY, spec_document

from supportbot.cli.ports import free_port


@dataclass
class Service:
    """`python -m supportbot.whatsapp` on the bot's files, and the process of the link that it starts."""

    bot: LinkedBot
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        bot = self.bot
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "supportbot.whatsapp"),
            env={**bot.whatsapp.redirection.environment(), **self._settings()},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    def _settings(self) -> dict[str, str]:
        folder = self.bot.folder
        spec = spec_document()
        spec["spec"]["whatsapp"]["gateway"] = "Neonize"
        (folder / "bot.yaml").write_text(json.dumps(spec))
        (folder / "secrets").mkdir(exist_ok=True)
        (folder / "key").write_text(INSTALL_KEY.hex())
        return {
            "SUPPORTBOT_SPEC": str(folder / "bot.yaml"),
            "SUPPORTBOT_SECRETS": str(folder / "secrets"),
            "SUPPORTBOT_DATA": str(folder),
            "SUPPORTBOT_INSTALL_KEY_FILE": str(folder / "key"),
            "SUPPORTBOT_NATS_URL": f"nats://127.0.0.1:{free_port()}",
            "SUPPORTBOT_PORT": str(free_port()),
            "SUPPORTBOT_METRICS_PORT": "0",
        }

    @property
    def pids(self) -> list[int]:
        """The service and its children."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    async def terminate(self) -> None:
        assert self.process is not None
        self.process.terminate()
        await asyncio.wait_for(self.process.wait(), 60)

    async def kill(self) -> None:
        """SIGKILL of both at once."""
        assert self.process is not None
        for pid in reversed(self.pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.process.wait()

    def memory_mib(self) -> list[float]:
        """Resident memory of service and link, and what both take together: pages that they share count once (Pss)."""
        rss = [_memory(pid, "status", "VmRSS") for pid in self.pids]
        return [*rss, sum(_memory(pid, "smaps_rollup", "Pss") for pid in self.pids)]


@dataclass
class Load:
    """Posts at a steady rate, and remembers what was posted."""

    bot: LinkedBot
    per_second: float
    posted: list[str] = field(default_factory=list)

    async def run(self) -> None:
        began = time.monotonic()
        while True:
            while len(self.posted) < (time.monotonic() - began) * self.per_second:
                number = len(self.posted)
                self.posted.append(await self.bot.whatsapp.post(self.bot.group, self.bot.ana, f"mensaje {number}"))
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        task = asyncio.create_task(self.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the messages that were posted."""

    posted: int
    acknowledged: int
    stored: int
    lost: int
    """Acknowledged to WhatsApp, and neither in the journal nor reported."""
    reported: int
    """Acknowledged to WhatsApp, not in the journal, but reported by their keys."""
    twice: int


def judge(bot: LinkedBot, load: Load) -> Verdict:
    """Compare what WhatsApp was told with what the journal has."""
    with closing(sqlite3.connect(bot.folder / "journal.db")) as db:
        rows = db.execute("SELECT message_id, kind FROM inbox").fetchall()
    kinds: dict[str, list[str]] = {}
    for message_id, kind in rows:
        kinds.setdefault(message_id, []).append(kind)
    acknowledged = {seen.id for seen in bot.whatsapp.seen.receipts if seen.type != "retry"} & set(load.posted)
    stored = {message_id for message_id, its in kinds.items() if "message" in its}
    reported = {message_id for message_id, its in kinds.items() if its == ["lost"]}
    return Verdict(
        posted=len(load.posted),
        acknowledged=len(acknowledged),
        stored=len(stored),
        lost=len(acknowledged - stored - reported),
        reported=len(reported),
        twice=sum(its.count("message") > 1 for its in kinds.values()),
    )


async def campaign(bot: LinkedBot, number: signal.Signals, rounds: int, per_second: float) -> Verdict:
    """Stop and start the service again and again while messages come."""
    rng = random.Random(7)
    service, load = Service(bot), Load(bot, per_second)
    async with load.running():
        for _ in range(rounds):
            await service.start()
            await bot.whatsapp.until(lambda: bot.whatsapp.is_ready, 60)
            await asyncio.sleep(rng.uniform(0.1, 1.0))
            await (service.terminate() if number is signal.SIGTERM else service.kill())
            await bot.whatsapp.until(lambda: not bot.whatsapp.is_ready, 60)
    await service.start()
    await until(lambda: bot.whatsapp.waiting() == 0, 120)
    await service.terminate()
    return judge(bot, load)


async def throughput(bot: LinkedBot, per_second: float, seconds: float) -> dict[str, float]:
    """A steady rate, and how far the journal is behind at its end; memory meanwhile."""
    service, load = Service(bot), Load(bot, per_second)
    await service.start()
    await bot.whatsapp.until(lambda: bot.whatsapp.is_ready, 60)
    await asyncio.sleep(1)
    idle = service.memory_mib()
    peak = idle
    began = time.monotonic()
    async with load.running():
        while time.monotonic() - began < seconds:
            await asyncio.sleep(0.5)
            peak = [max(two) for two in zip(peak, service.memory_mib(), strict=True)]
    behind = len(load.posted) - _stored(bot)
    await until(lambda: _stored(bot) == len(load.posted), 120)
    took = time.monotonic() - began
    await service.terminate()
    return {
        "posted_per_s": len(load.posted) / seconds,
        "stored_per_s": len(load.posted) / took,
        "behind_at_the_end": behind,
        "service_idle_mib": idle[0],
        "link_idle_mib": idle[1],
        "together_idle_mib": idle[2],
        "service_peak_mib": peak[0],
        "link_peak_mib": peak[1],
        "together_peak_mib": peak[2],
    }


async def reconnects(bot: LinkedBot, outages_s: tuple[float, ...]) -> dict[str, float]:
    """How long after the server's return the link is back, by the length of its absence."""
    service, found = Service(bot), {}
    await service.start()
    await bot.whatsapp.until(lambda: bot.whatsapp.is_ready, 60)
    for outage_s in outages_s:
        bot.whatsapp.set_reachable(is_reachable=False)
        bot.whatsapp.drop()
        await bot.whatsapp.until(lambda: not bot.whatsapp.is_ready)
        await asyncio.sleep(outage_s)
        bot.whatsapp.set_reachable(is_reachable=True)
        began = time.monotonic()
        await bot.whatsapp.until(lambda: bot.whatsapp.is_ready, 60)
        found[f"after_{outage_s:g}_s"] = time.monotonic() - began
    await service.terminate()
    return found


def _stored(bot: LinkedBot) -> int:
    with closing(sqlite3.connect(bot.folder / "journal.db")) as db:
        return int(db.execute("SELECT count(*) FROM inbox WHERE kind = 'message'").fetchone()[0])


def _memory(pid: int, file: str, name: str) -> float:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


async def main(args: argparse.Namespace) -> int:
    """Run what was asked for; 1 when a promise was broken."""
    with tempfile.TemporaryDirectory(prefix="whatsapp-link-") as name:
        root = Path(name)
        (root / "paired").mkdir()
        paired = await pair(root / "paired")

        @asynccontextmanager
        async def fresh(what: str) -> AsyncIterator[LinkedBot]:
            (root / what).mkdir()
            async with linked_bot(paired, root / what) as bot:
                yield bot

        async with fresh("throughput") as bot:
            print("throughput", json.dumps(_rounded(await throughput(bot, args.rate, args.seconds))), flush=True)
        async with fresh("reconnects") as bot:
            print("reconnects", json.dumps(_rounded(await reconnects(bot, (0.5, 5.0, 15.0, 40.0)))), flush=True)
        broken = 0
        for number in (signal.SIGTERM, signal.SIGKILL):
            async with fresh(number.name) as bot:
                verdict = await campaign(bot, number, args.rounds, args.load)
                print(f"{args.rounds} x {number.name}", verdict, flush=True)
                broken += verdict.twice + (verdict.lost + verdict.reported if number is signal.SIGTERM else 0)
    return 1 if broken else 0


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in figures.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--load", type=float, default=20.0)
    raise SystemExit(asyncio.run(main(parser.parse_args())))
