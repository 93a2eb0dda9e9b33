"""The chart installed with its demo, and what is behind its Services."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from tests.cluster.support.cluster import Cluster, Object

PLATFORM = "helpdesk"
"""The release's namespace."""
READY_S = 240.0


@dataclass(frozen=True)
class Release:
    """The demo profile in a namespace of restricted pods."""

    cluster: Cluster

    def values(self, **more: str) -> list[str]:
        """The options of install and upgrade."""
        repository, _, tag = self.cluster.image.rpartition(":")
        values = {"demo.enabled": "true", "image.repository": repository, "image.tag": tag, **more}
        if self.cluster.nats_image:
            repository, _, tag = self.cluster.nats_image.rpartition(":")
            values |= {"nats.image.repository": repository, "nats.image.tag": tag}
        return [option for name, value in values.items() for option in ("--set", f"{name}={value}")]

    def until_ready(self, bot: str = "demo", namespace: str = PLATFORM) -> None:
        """Wait as the notes of the chart say."""
        self.cluster.wait(f"sbot/{bot}", "create", namespace=namespace, timeout_s=READY_S)
        self.cluster.wait(f"sbot/{bot}", "condition=Ready", namespace=namespace, timeout_s=READY_S)

    @contextmanager
    def service(
        self, component: str, port: int, bot: str = "demo", namespace: str = PLATFORM
    ) -> Iterator[httpx.Client]:
        """The HTTP endpoints of a bot's service, with the bot's API key."""
        secret = self.cluster.get("secret", f"{bot}-api-key", namespace=namespace)
        key = base64.b64decode(secret["data"]["api-key"]).decode()
        with (
            self.cluster.forward(f"service/{bot}-{component}", port, namespace=namespace) as local_port,
            httpx.Client(
                base_url=f"http://127.0.0.1:{local_port}", headers={"authorization": f"Bearer {key}"}, timeout=30
            ) as client,
        ):
            yield client

    @contextmanager
    def group(self, bot: str = "demo", namespace: str = PLATFORM) -> Iterator[httpx.Client]:
        """The bot's simulated group, with its API key."""
        with self.service("whatsapp", 3001, bot, namespace) as client:
            yield client

    @contextmanager
    def desk(self) -> Iterator[Callable[[], Object]]:
        """What the emulated Zoho Desk holds."""
        with (
            self.cluster.forward("service/supportbot-demo", 4990, namespace=PLATFORM) as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        ):

            def read() -> Object:
                found: Object = client.get("/_emulator/state").raise_for_status().json()
                return found

            yield read
