"""A Kubernetes cluster with kubelets, as the level 3 tests use it: kubectl, helm, and connections into it.

It is the one of `KUBECONFIG`, or the node of `tests/cluster/node/cluster`, whose network is entered for every command.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from tests.cluster.support.node import NODE_SCRIPT, assets

Object = dict[str, Any]

TIMEOUT_S = 120.0
_FORWARDING = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+)")
_LISTENING = re.compile(r"listening on AF=2 127\.0\.0\.1:(\d+)")
_TELLING_BYTES = 20_000
"""Of each part of what is told about a failure, the end."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Made by `open_cluster`."""

    image: str
    """The image of the services and the operator; on every node, or where the cluster can pull it."""
    nats_image: str
    """The image of NATS; empty: the chart's own default, which the cluster can pull."""
    is_own_node: bool

    def run(
        self, *command: str, stdin: str = "", timeout_s: float = TIMEOUT_S, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command where the cluster's addresses are known and `KUBECONFIG` is set.

        Args:
            command: The command.
            stdin: Its standard input.
            timeout_s: It is killed after this time.
            check: Whether another exit code than 0 is an error.

        Raises:
            AssertionError: It failed; the message is what it wrote.
        """
        with self._start(*command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(stdin, timeout=timeout_s)
        assert not check or process.returncode == 0, f"{' '.join(command)}: exit code {process.returncode}\n{out}{err}"
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def kubectl(
        self, *arguments: str, namespace: str = "default", stdin: str = "", timeout_s: float = TIMEOUT_S
    ) -> str:
        """What kubectl writes to its standard output; an error of it is an AssertionError."""
        return self.run("kubectl", "--namespace", namespace, *arguments, stdin=stdin, timeout_s=timeout_s).stdout

    def helm(self, *arguments: str, namespace: str = "default", timeout_s: float = 300.0) -> str:
        """What helm writes to its standard output; an error of it is an AssertionError."""
        return self.run("helm", "--namespace", namespace, *arguments, timeout_s=timeout_s).stdout

    def apply(self, *objects: Object, namespace: str = "default") -> None:
        """Create or change objects."""
        self.kubectl("apply", "-f", "-", namespace=namespace, stdin="\n---\n".join(map(json.dumps, objects)))

    def get(self, *arguments: str, namespace: str = "default") -> Object:
        """`kubectl get` as an object: one thing, or a List."""
        found: Object = json.loads(self.kubectl("get", *arguments, "-o", "json", namespace=namespace))
        return found

    def wait(self, what: str, until: str, *, namespace: str = "default", timeout_s: float = 60.0) -> None:
        """Wait until something is so.

        Args:
            what: `pod/x`, `deployment/x`…
            until: `condition=Ready`, `jsonpath={.status.phase}=Succeeded`, `delete`, `create`…
            namespace: Where it is.
            timeout_s: After this time it is an error.

        Raises:
            AssertionError: It did not become so; the message is kubectl's.
        """
        command = ("wait", what, f"--for={until}", f"--timeout={timeout_s}s")
        self.kubectl(*command, namespace=namespace, timeout_s=timeout_s + 10)

    @contextmanager
    def forward(self, target: str, port: int, *, namespace: str = "default") -> Iterator[int]:
        """A port on this process's loopback that leads to a port of a pod (`pod/x`) or of one behind `service/x`.

        It ends with that pod.
        """
        with ExitStack() as stack:
            command = ("kubectl", "--namespace", namespace, "port-forward", target, f":{port}")
            forwarding = stack.enter_context(self._running(*command, stderr=subprocess.STDOUT))
            inner = _read_port(forwarding.stdout, _FORWARDING)
            if not self.is_own_node:
                yield inner
                return
            # kubectl listens inside the node's network; each connection gets a bridge into it.
            bridge = f"EXEC:{NODE_SCRIPT} exec socat STDIO TCP\\:127.0.0.1\\:{inner}"
            listening = _ended(
                subprocess.Popen(
                    ["socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", bridge],
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            )
            yield _read_port(stack.enter_context(listening).stderr, _LISTENING)

    @contextmanager
    def watch(self, *arguments: str, namespace: str = "default") -> Iterator[IO[str]]:
        """The lines of `kubectl get --watch …` from now on, for two minutes."""
        command = ("kubectl", "--namespace", namespace, "get", "--watch", f"--request-timeout={TIMEOUT_S}s", *arguments)
        with self._running(*command) as watching:
            assert watching.stdout is not None
            yield watching.stdout

    def describe(self, namespace: str) -> str:
        """What a person wants to see of a failure: events, pods and their logs; never Secrets."""
        parts = [
            ("get", "supportbots,pods,services,persistentvolumeclaims", "-o", "wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("describe", "pods"),
        ]
        names = self._output("get", "pods", "-o", "name", namespace=namespace).split()
        for name in names:
            parts.append(("logs", name, "--all-containers", "--prefix", "--tail=100"))
            parts.append(("logs", name, "--all-containers", "--prefix", "--tail=50", "--previous"))
        told = ((part, self._output(*part, namespace=namespace).strip()) for part in parts)
        return "\n".join(f"$ kubectl {' '.join(part)}\n{text[-_TELLING_BYTES:]}\n" for part, text in told if text)

    def _output(self, *arguments: str, namespace: str) -> str:
        return self.run("kubectl", "--namespace", namespace, *arguments, check=False).stdout

    def _start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        prefix: Sequence[str] = (str(NODE_SCRIPT), "exec") if self.is_own_node else ()
        return subprocess.Popen(
            [*prefix, *command],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=_environment(),
            **options,
        )

    @contextmanager
    def _running(self, *command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
        with _ended(self._start(*command, stdin=subprocess.DEVNULL, **options)) as process:
            yield process


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process, until the end of the block; with all its children."""
    with process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{assets()}:{os.environ['PATH']}"}


def _read_port(lines: IO[str] | None, pattern: re.Pattern[str]) -> int:
    """Read until a line tells a port; the process ends without one when it fails."""
    assert lines is not None
    seen = []
    for line in lines:
        if match := pattern.search(line):
            return int(match[1])
        seen.append(line)
    raise AssertionError("".join(seen))
