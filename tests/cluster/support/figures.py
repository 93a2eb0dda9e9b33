"""`python -m tests.cluster.support.figures`: times and memory of node and image. It starts the node anew."""

import subprocess
import time
from pathlib import Path

from tests.cluster.support.node import IMAGE, NATS_IMAGE, ROOT, node, running_node

NAMESPACE = "supportbot"
"""The network namespace of `tests/cluster/node/cluster`."""


def main() -> None:
    """Measure, print, and take the node down."""
    with running_node(None, keep=False):  # It also fills the caches.
        _print_seconds("image, nothing cached but the base", "image", str(ROOT), IMAGE, "--no-cache")
        _print_seconds("image, nothing changed", "image", str(ROOT), IMAGE)
        _print_seconds("image onto the node", "load", IMAGE)
        _print_seconds("NATS image onto the node", "load", NATS_IMAGE)
        _print_seconds("down", "down")
        _print_seconds("up", "up")
        print(f"{'memory of the node without pods':<36}{_measure_memory() / 1e6:6.0f} MB")
        _print_seconds("restart", "restart")


def _print_seconds(name: str, *arguments: str) -> None:
    began = time.monotonic()
    node(*arguments)
    print(f"{name:<36}{time.monotonic() - began:6.1f} s", flush=True)


def _measure_memory() -> int:
    """RSS of all processes in the node's network, in bytes."""
    pids = subprocess.check_output(["ip", "netns", "pids", NAMESPACE], text=True).split()
    return sum(int(Path("/proc", pid, "statm").read_text().split()[1]) for pid in pids) * 4096


if __name__ == "__main__":
    main()
