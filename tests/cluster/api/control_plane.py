"""A real etcd and kube-apiserver on loopback for a test session: an API server without controllers, nodes or kubelets.

Nothing acts on what is stored: no garbage collection, no pods, no status of workloads (see `rollouts.py`), no default
ServiceAccounts. The folder of the binaries is that of `tests/cluster/node/cluster`, or `KUBEBUILDER_ASSETS`.
"""

import asyncio
import base64
import functools
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from supportbot.children import make_die_with_parent

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 60.0
"""It takes 3 s on an idle machine with two cores."""
STOP_TIMEOUT_S = 15.0
PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
CLUSTER_SCRIPT = Path(__file__).parents[1] / "node" / "cluster"


@functools.cache
def assets() -> Path:
    """The folder of etcd, kube-apiserver and kubectl.

    Raises:
        FileNotFoundError: One of them is not there; the message says how to get them.
    """
    given = os.environ.get("KUBEBUILDER_ASSETS")
    folder = Path(given or subprocess.check_output([CLUSTER_SCRIPT, "assets"], text=True).strip())
    if missing := [name for name in PROGRAMS if not os.access(folder / name, os.X_OK)]:
        raise FileNotFoundError(
            f"{', '.join(missing)}: not in {folder}; `make cluster-tools` builds them once (ten minutes on two cores), "
            "or set KUBEBUILDER_ASSETS to a folder that has them"
        )
    return folder


class ControlPlane:
    """`with ControlPlane(folder) as plane: plane.url, plane.ca_file, plane.admin_token`.

    Args:
        folder: Holds the store, certificates and logs; empty, and of nobody else.
        emulated: The Kubernetes minor whose APIs and features it has, such as 1.32; its own when absent.
    """

    etcd: subprocess.Popen[bytes]
    api_server: subprocess.Popen[bytes]

    def __init__(self, folder: Path, *, emulated: str | None = None) -> None:
        self.folder = folder
        self._emulation = f"--emulated-version {emulated}" if emulated else ""
        self.admin_token = secrets.token_hex(16)
        self.ca_file = folder / "certs" / "apiserver.crt"
        self._etcd_port, self._api_port = _ReservedPort(), _ReservedPort()
        self.url = f"https://{LOOPBACK}:{self._api_port.number}"

    def __enter__(self) -> Self:
        """Starts both, and waits until the API server is ready."""
        assets()
        (self.folder / "tokens.csv").write_text(f'{self.admin_token},admin,admin,"system:masters"\n')
        (self.folder / "service-accounts.key").write_bytes(_private_key())
        try:
            self.etcd = self._spawn("etcd", _ETCD.format(folder=self.folder, port=self._etcd_port.number))
            self._spawn_api_server()
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """Trusts this API server alone; to be shared by clients, as it is slow to make."""
        return ssl.create_default_context(cafile=self.ca_file)

    async def stop_api_server(self) -> None:
        """Ends the API server: connections break, what is stored stays."""
        self.api_server.terminate()
        await asyncio.to_thread(self.api_server.wait, STOP_TIMEOUT_S)

    async def start_api_server(self) -> None:
        """Starts it again on the same port, and waits until it is ready."""
        self._spawn_api_server()  # Not in a thread: the child would end with that thread.
        await asyncio.to_thread(self._wait_until_ready)

    def kubeconfig(self, token: str | None = None, *, namespace: str = "default") -> Path:
        """A file for kubectl, helm and the operator.

        Args:
            token: Of a ServiceAccount; the administrator's when absent.
            namespace: The one that commands act in.
        """
        ca = base64.b64encode(self.ca_file.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url, "certificate-authority-data": ca}}],
            "users": [{"name": "test", "user": {"token": token or self.admin_token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        }
        path = self.folder / f"{secrets.token_hex(8)}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    async def kubectl(
        self, *arguments: str, namespace: str = "default", kubeconfig: Path | None = None, stdin: str = ""
    ) -> str:
        """What kubectl writes to its standard output.

        Args:
            arguments: The command.
            namespace: The one to act in.
            kubeconfig: The user's; the administrator's when absent.
            stdin: What `-f -` reads.

        Raises:
            AssertionError: It ends with an error; the message is what it wrote to its standard error.
        """
        command = ["--kubeconfig", str(kubeconfig or self._admin_kubeconfig), "--namespace", namespace, *arguments]
        done = await asyncio.to_thread(self._kubectl, command, stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def _kubectl(self, arguments: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        command, environment = [str(assets() / "kubectl"), *arguments], {"HOME": str(self.folder)}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env=environment, check=False
        )

    @functools.cached_property
    def _admin_kubeconfig(self) -> Path:
        return self.kubeconfig()

    def _spawn_api_server(self) -> None:
        flags = _API_SERVER.format(folder=self.folder, port=self._api_port.number, etcd=self._etcd_port.number)
        self.api_server = self._spawn("kube-apiserver", f"{flags} {self._emulation}")

    def _spawn(self, name: str, flags: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [assets() / name, *flags.split()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Nothing of it is kept, and an API server whose store is gone takes 15 s to end when asked politely.
                preexec_fn=make_die_with_parent(signal.SIGKILL),
            )

    def _wait_until_ready(self) -> None:
        """It tells nobody when it is ready, so it is asked until it says so."""
        until = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if any(process.poll() is not None for process in (self.etcd, self.api_server)):
                raise RuntimeError(f"the control plane does not start; see {self.folder}/*.log: {self._last_words()}")
            if time.monotonic() > until:
                raise TimeoutError(f"no API server after {START_TIMEOUT_S} s; see {self.folder}/*.log")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        # The certificate is made at the first start.
        if not self.ca_file.exists():
            return False
        try:
            headers = {"Authorization": f"Bearer {self.admin_token}"}
            return httpx.get(f"{self.url}/readyz", headers=headers, verify=self.tls, trust_env=False).is_success
        except (httpx.TransportError, ssl.SSLError):
            return False

    def _last_words(self) -> Mapping[str, Any]:
        return {log.name: log.read_text().splitlines()[-1:] for log in self.folder.glob("*.log")}

    def _stop(self) -> None:
        # The API server first: without its store it would wait for it.
        for name in ("api_server", "etcd"):
            process: subprocess.Popen[bytes] | None = getattr(self, name, None)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._etcd_port.free()
        self._api_port.free()


_ETCD = """
--data-dir {folder}/etcd --unsafe-no-fsync --log-level warn --socket-reuse-port
--listen-client-urls http://127.0.0.1:{port} --advertise-client-urls http://127.0.0.1:{port}
--listen-peer-urls http://127.0.0.1:0
"""

# Without a controller manager nobody makes the default ServiceAccounts that the admission plugin asks for.
_API_SERVER = """
--etcd-servers http://127.0.0.1:{etcd} --cert-dir {folder}/certs
--bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port {port} --permit-port-sharing
--endpoint-reconciler-type none --service-cluster-ip-range 10.0.0.0/16 --allow-privileged
--authorization-mode RBAC --token-auth-file {folder}/tokens.csv
--service-account-issuer https://localhost
--service-account-key-file {folder}/service-accounts.key
--service-account-signing-key-file {folder}/service-accounts.key
--disable-admission-plugins ServiceAccount
"""


class _ReservedPort:
    """A port that nobody else gets: bound, but not listened on, beside the server that shares it (SO_REUSEPORT)."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def free(self) -> None:
        self._socket.close()


def _private_key() -> bytes:
    """Signs the tokens of ServiceAccounts."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
