"""The chart's objects on the API server, and beside it the operator and NATS as processes on loopback.

The operator has the chart's ServiceAccount token and nothing more: a missing verb fails a test.
"""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.cluster.api.control_plane import LOOPBACK, ControlPlane, assets
from tests.cluster.api.kube import Kube, Object

from supportbot.children import make_die_with_parent
from supportbot.cli.ports import free_port
from supportbot.nats_server import EmbeddedServer
from supportbot_operator.config import load_config

CHART = Path(__file__).parents[3] / "charts" / "supportbot"
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
SMALL_STREAMS = {"lanes": 2, "replicas": 1, "bytes": 4 * 1024**2, "mediaBytes": 16 * 1024**2}
"""A hundred bots fit into one server."""


def render(namespace: str, values: Mapping[str, Any], folder: Path) -> list[Object]:
    """The chart's objects."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(dict(values)))
    command = [str(assets() / "helm"), "template", "supportbot", str(CHART), "--namespace", namespace]
    command += ["--values", str(file)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


@dataclass
class Operator:
    """One process of the operator."""

    process: asyncio.subprocess.Process
    url: str
    log_file: Path

    @property
    def log(self) -> list[Object]:
        """Its log lines so far."""
        lines = (line for line in self.log_file.read_text().splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    def said(self, event: str) -> bool:
        """Whether it has logged an event."""
        return any(line["event"] == event for line in self.log)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(STOP_TIMEOUT_S):
            return await self.process.wait()

    async def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{self.url}/metrics")).text
        (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
        return float(line.split()[1])

    async def until_ready(self) -> None:
        """Wait until its watches have everything."""
        async with httpx.AsyncClient() as client, asyncio.timeout(READY_TIMEOUT_S):
            while True:
                if self.process.returncode is not None:
                    raise AssertionError(f"the operator ended: {self.log_file.read_text()[-3000:]}")
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)


@dataclass
class Platform:
    """An installed release."""

    plane: ControlPlane
    admin: Kube
    namespace: str
    folder: Path
    config: Path
    kubeconfig: Path
    nats: EmbeddedServer
    stack: AsyncExitStack
    operators: list[Operator] = field(default_factory=list)

    async def start_operator(self, name: str = "", *, config: Path | None = None, **env: str) -> Operator:
        """One more replica."""
        name = name or f"operator-{len(self.operators)}"
        port, log_file = free_port(), self.folder / f"{name}.log"
        with log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "supportbot_operator", "--config", str(config or self.config),
                "--port", str(port),
                stdout=log,
                stderr=log,
                preexec_fn=make_die_with_parent(signal.SIGKILL),
                env={
                    **os.environ,
                    "KUBECONFIG": str(self.kubeconfig),
                    "POD_NAME": name,
                    "POD_NAMESPACE": self.namespace,
                    "SUPPORTBOT_HOST": LOOPBACK,
                    **env,
                },
            )  # fmt: skip
        operator = Operator(process, f"http://{LOOPBACK}:{port}", log_file)
        self.operators.append(operator)
        self.stack.push_async_callback(operator.stop, signal.SIGKILL)
        return operator

    async def start_nats(self) -> None:
        """Start NATS with the keys and the certificate that the operator made for it."""
        secret = await self.admin.until("Secret", "supportbot-nats-auth", self.namespace, _is_filled, timeout_s=30)
        for key, value in secret["data"].items():
            (self.folder / key).write_bytes(base64.b64decode(value))
        files = {"cert_file": "tls.crt", "key_file": "tls.key", "ca_file": "ca.crt"}
        tls = "".join(f"  {name}: {json.dumps(str(self.folder / file))}\n" for name, file in files.items())
        extra = f"{(self.folder / 'auth.conf').read_text()}\ntls {{\n{tls}}}\n"
        self.nats = EmbeddedServer(self.folder / "nats", port=self.nats.port, sync="default", extra=extra)
        await self.stack.enter_async_context(self.nats)


def _is_filled(secret: Object) -> bool:
    return bool({"auth.conf", "tls.crt"} <= secret.get("data", {}).keys())


@asynccontextmanager
async def installed(
    plane: ControlPlane, admin: Kube, namespace: str, folder: Path, values: Mapping[str, Any]
) -> AsyncIterator[Platform]:
    """Apply the chart without its pods' images ever running; operator and NATS are started by the test."""
    objects = render(namespace, values, folder)
    for obj in objects:
        if obj["kind"] not in {"CustomResourceDefinition", "Pod", "Job"}:
            await admin.apply(obj, manager="helm")
    (document,) = (
        yaml.safe_load(obj["data"]["operator.yaml"])
        for obj in objects
        if (obj["kind"], obj["metadata"]["name"]) == ("ConfigMap", "supportbot-operator")
    )
    port = free_port()
    document["nats"] |= {"url": f"tls://{LOOPBACK}:{port}", "serverNames": [LOOPBACK]}
    document["streams"] = SMALL_STREAMS
    document["orphans"] = {"keepHours": 0}
    config = folder / "operator.yaml"
    config.write_text(yaml.safe_dump(document))
    load_config(config)
    kubeconfig = plane.kubeconfig(await admin.token("supportbot-operator", namespace), namespace=namespace)
    async with AsyncExitStack() as stack:
        yield Platform(
            plane=plane,
            admin=admin,
            namespace=namespace,
            folder=folder,
            config=config,
            kubeconfig=kubeconfig,
            nats=EmbeddedServer(folder / "nats", port=port),
            stack=stack,
        )
    for obj in objects:
        if obj["kind"].startswith("Cluster"):
            await admin.delete(obj["kind"], obj["metadata"]["name"])
