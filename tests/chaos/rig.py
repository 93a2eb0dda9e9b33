"""The whole bot with real processes, an emulated Zoho Desk and simulated groups; people who post; and a killer."""

import asyncio
import base64
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.chaos.generator import Conversations, Post

from supportbot.cli.data_folder import DataFolder
from supportbot.cli.demo.desk import run_desk
from supportbot.cli.demo.follow import Follower
from supportbot.cli.local import LANES, SERVICES, LocalBot, RunningBot, run_bot
from supportbot.cli.ports import free_port
from supportbot.errors import UnavailableError
from supportbot.spec import parse_bot_file
from supportbot.topology import Stage, consumer_name, stream_name
from supportbot.trail import Ledger

VICTIMS = ("nats", *SERVICES)
RETRY_S = 0.1

_SPEC = """\
apiVersion: supportbot.dev/v1alpha1
kind: SupportBot
metadata: {{name: {name}}}
spec:
  language: es
  whatsapp:
    gateway: Simulator
    groups: [{groups}]
    staff: [{staff}]
  zoho:
    organizationID: "123456789"
    departmentID: "987654321"
    credentialsSecretRef: {{name: zoho}}
---
apiVersion: v1
kind: Secret
metadata: {{name: zoho}}
stringData: {{client-id: demo-client, client-secret: demo-secret, refresh-token: demo-refresh}}
"""


def make_bot_file(groups: Sequence[str], staff: Sequence[str] = (), *, name: str = "chaos") -> str:
    """A bot.yaml for groups (JIDs) and staff (E.164)."""
    jids = ", ".join(f"{{jid: {jid}}}" for jid in groups)
    return _SPEC.format(name=name, groups=jids, staff=", ".join(f'"{phone}"' for phone in staff))


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A bot that runs."""

    running: RunningBot
    desk_url: str
    events: list[str] = field(default_factory=list)
    """What was said about its processes."""

    @property
    def whatsapp_url(self) -> str:
        """The whatsapp service."""
        return self.running.bot.address("whatsapp")

    async def ask_desk(self, method: str, path: str, body: Any = None) -> None:
        """Call the control plane of the emulated Zoho Desk."""
        async with httpx.AsyncClient() as client:
            (await client.request(method, f"{self.desk_url}/_emulator/{path}", json=body)).raise_for_status()

    async def read_desk(self, path: str) -> Any:
        """Read from the control plane of the emulated Zoho Desk."""
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.desk_url}/_emulator/{path}")).raise_for_status().json()

    async def ask_groups(self, path: str, body: Any) -> None:
        """Call the simulator."""
        async with httpx.AsyncClient() as client:
            (await client.post(f"{self.whatsapp_url}/simulator/{path}", json=body)).raise_for_status()

    def pid(self, victim: str) -> int | None:
        """The process of a service or of `nats`; None while it waits for its restart."""
        if victim != "nats":
            return self.running.supervisor.pid(victim)
        process = self.running.server.process
        return process.pid if process.returncode is None else None


@asynccontextmanager
async def run_rig(folder: Path, talk: Conversations, env: Mapping[str, str] | None = None) -> AsyncIterator[Rig]:
    """Start everything for these conversations."""
    file = parse_bot_file(make_bot_file(talk.groups, [one.phone for one in talk.staff]), source="test")
    data = DataFolder(folder)
    events: list[str] = []

    def say(name: str, what: str) -> None:
        events.append(f"{name}: {what}")

    with data.lock():
        async with run_desk(free_port()) as desk_url:
            bot = LocalBot(
                name=file.bot.metadata.name,
                folder=data.write_bot(file.bot, file.secrets),
                data=data,
                ports={service: (free_port(), free_port()) for service in SERVICES},
                env={
                    "SUPPORTBOT_ZOHO_ACCOUNTS_URL": desk_url,
                    "SUPPORTBOT_ZOHO_DESK_URL": desk_url,
                    "SUPPORTBOT_REQUESTS_PER_MINUTE": "1000000",
                    **(env or {}),
                },
                log_to_files=True,
                backoff_s=(0.2,),
            )
            async with run_bot(bot, say) as running:
                yield Rig(running=running, desk_url=desk_url, events=events)


async def post_all(rig: Rig, talk: Conversations, *, per_second: float) -> int:
    """Post everything at a steady rate, in order within each group, each until it is taken.

    Returns:
        How many had to be posted again.
    """
    due = {post.id: time.monotonic() + number / per_second for number, post in enumerate(talk.posts)}
    async with httpx.AsyncClient(base_url=rig.whatsapp_url, timeout=10.0) as client, asyncio.TaskGroup() as tasks:
        groups = [tasks.create_task(_post_group(client, group, talk.posts, due)) for group in talk.groups]
    return sum(task.result() for task in groups)


async def _post_group(client: httpx.AsyncClient, group: str, posts: Sequence[Post], due: Mapping[str, float]) -> int:
    repeated = 0
    for post in posts:
        if post.group != group:
            continue
        await asyncio.sleep(max(0.0, due[post.id] - time.monotonic()))
        tries = 1
        while not await _post_once(client, post):
            tries += 1
            await asyncio.sleep(RETRY_S)
        repeated += tries > 1
    return repeated


async def _post_once(client: httpx.AsyncClient, post: Post) -> bool:
    """Whether the gateway took it."""
    body: dict[str, Any] = {
        "id": post.id,
        "group": post.group,
        "sent_at": post.sent_at.isoformat(),
        "sender": {"phone": post.sender.phone, "name": post.sender.name},
        "text": post.text,
        "quoted": post.quoted,
    }
    if post.photo is not None:
        body["media"] = {"filename": f"{post.id}.png", "base64": base64.b64encode(post.photo).decode()}
    try:
        response = await client.post("/simulator/messages", json=body)
    except httpx.TransportError:
        return False
    if response.status_code not in {200, 500, 503}:
        raise AssertionError(f"the gateway refuses {post.id}: {response.status_code} {response.text}")
    return response.status_code == httpx.codes.OK


async def kill_at_random(rig: Rig, seed: int, *, every_s: float, kills: Counter[str]) -> None:
    """SIGKILL one of the processes that run, about `every_s`, until cancelled; counts in `kills`.

    It takes one of those that it has killed the least, so that a short run meets all of them too.
    """
    rng = random.Random(seed)
    while True:
        await asyncio.sleep(every_s * rng.uniform(0.5, 1.5))
        running = [victim for victim in VICTIMS if rig.pid(victim) is not None]
        victim = min(running, key=lambda one: (kills[one], rng.random()))
        pid = rig.pid(victim)
        assert pid is not None
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            kills[victim] += 1


async def drain(rig: Rig, expected: int, *, timeout_s: float) -> Ledger:
    """Wait until `expected` messages have a terminal outcome and nothing is left to do; the ledger."""
    await all_ready(rig)
    follower = Follower(rig.running.bus)

    async def drained() -> bool:
        try:
            return await follower.drained(expected, timeout_s=5.0)
        except UnavailableError:  # Our own connection comes back after the services' own.
            return False

    with suppress(TimeoutError):  # The ledger then says what is missing.
        await until(drained, timeout_s)
    await _idle(rig)
    await follower.catch_up()
    return follower.ledger


async def all_ready(rig: Rig, timeout_s: float = 60.0) -> None:
    """Wait until every service says that it is ready."""
    async with httpx.AsyncClient(timeout=2.0) as client:

        async def ready() -> bool:
            try:
                answers = [await client.get(f"{rig.running.bot.address(service)}/readyz") for service in SERVICES]
            except httpx.TransportError:
                return False
            return all(answer.status_code == httpx.codes.OK for answer in answers)

        await until(ready, timeout_s)


async def _idle(rig: Rig, *, timeout_s: float = 90.0) -> None:
    """Wait until every lane of every stage has settled everything: answers are no fate of a message."""
    bus = rig.running.bus

    async def idle() -> bool:
        for stage in Stage:
            for lane in range(LANES):
                info = await bus.js.consumer_info(stream_name(bus.bot, stage), consumer_name(stage, lane))
                if info.num_pending or info.num_ack_pending:
                    return False
        return True

    await until(idle, timeout_s)


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float, *, every_s: float = 0.1) -> None:
    """Wait for what real processes do.

    Raises:
        TimeoutError: It did not happen in time.
    """
    async with asyncio.timeout(timeout_s):
        while True:
            if await condition():
                return
            await asyncio.sleep(every_s)
