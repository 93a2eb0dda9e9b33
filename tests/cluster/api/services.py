"""Stands in for a bot's services: reports under the credentials that the operator made for them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.cluster.api.bots import is_ready, make_bot, make_secret, report
from tests.cluster.api.kube import Kube, Object
from tests.cluster.api.platform import Platform
from tests.cluster.api.rollouts import rollouts

from supportbot.bus import Bus
from supportbot.errors import UnavailableError
from supportbot.kv import KeyValue
from supportbot.nats_connection import Access
from supportbot.topology import Bucket
from supportbot_operator.keys import bot_key

SERVICES = ("whatsapp", "classifier", "ticket")
REPORT_EVERY_S = 5.0


class Services:
    """The three services of a bot, as far as the operator can tell."""

    def __init__(self, buses: dict[str, Bus]) -> None:
        self._buses = buses
        self.checks: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in buses}
        self.offer: Mapping[str, str] = {}
        """What the gateway offers to link its device by."""

    async def say(self, service: str, **checks: tuple[str, str]) -> None:
        """Report at once; a check is its state and reason."""
        self.checks[service] = checks
        bucket = await self._bind(self._buses[service])
        private = self.offer if service == "whatsapp" else None
        await bucket.put(f"{service}.{service}-0", report(service, private=private, **checks))

    async def _bind(self, bus: Bus) -> KeyValue:
        """The bucket of states, which the operator may still be making."""
        async with asyncio.timeout(20):
            while True:
                try:
                    return await bus.bucket(Bucket.STATE)
                except UnavailableError:
                    await asyncio.sleep(0.1)

    async def keep_saying(self) -> None:
        """Report until cancelled, as real services do."""
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            await self.say_all()

    async def say_all(self) -> None:
        """Report once for every service."""
        for service in self._buses:
            await self.say(service, **self.checks[service])


@asynccontextmanager
async def running(platform: Platform, admin: Kube, namespace: str, bot: str) -> AsyncIterator[Services]:
    """Connect with the files of the bot's Secrets, and report that all is well until the end."""
    async with AsyncExitStack() as stack:
        buses = {
            service: await stack.enter_async_context(bus_of(platform, admin, namespace, bot, service))
            for service in SERVICES
        }
        services = Services(buses)
        await services.say_all()
        task = asyncio.create_task(services.keep_saying())
        try:
            yield services
        finally:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


@asynccontextmanager
async def ready_bot(platform: Platform, admin: Kube, namespace: str, **spec: Any) -> AsyncIterator[Services]:
    """A bot that is Ready, whose services report and whose pods are said to run."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(rollouts(admin, namespace))
        await admin.apply(make_secret(namespace))
        await admin.apply(make_bot(namespace, **spec))
        services = await stack.enter_async_context(running(platform, admin, namespace, "tiendas"))
        await admin.until("SupportBot", "tiendas", namespace, is_ready, timeout_s=30)
        yield services


@asynccontextmanager
async def bus_of(platform: Platform, admin: Kube, namespace: str, bot: str, service: str) -> AsyncIterator[Bus]:
    """A bus with the credentials that the service's pod would have."""
    access = await access_of(platform, admin, namespace, f"{bot}-{service}")
    async with Bus.connect(platform.nats.url, bot=bot_key(namespace, bot), service=service, access=access) as bus:
        yield bus


async def access_of(platform: Platform, admin: Kube, namespace: str, secret: str) -> Access:
    """The files of a Secret, as kubelet would mount them."""
    found = await admin.until("Secret", secret, namespace, _has_credentials, timeout_s=40)
    files = {key: write(platform.folder, f"{secret}-{key}", found["data"][key]) for key in ("nats.creds", "ca.crt")}
    return Access(credentials=files["nats.creds"], ca=files["ca.crt"])


def _has_credentials(secret: Object) -> bool:
    return "nats.creds" in secret.get("data", {})


def write(folder: Path, name: str, value: str) -> Path:
    """A value of a Secret as a file."""
    path = folder / name
    path.write_bytes(base64.b64decode(value))
    return path
