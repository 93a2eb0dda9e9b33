"""The node of `tests/cluster/node/cluster`: built when needed, started, given the images, taken down."""

import fcntl
import functools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
NODE_SCRIPT = ROOT / "tests" / "cluster" / "node" / "cluster"
NATS_DOCKERFILE = ROOT / "tests" / "cluster" / "images" / "nats" / "Dockerfile"
IMAGE = "localhost/supportbot:test"
NATS_IMAGE = "localhost/nats:test"


@functools.cache
def assets() -> Path:
    """The folder of the node's programs; kubectl and helm are among them."""
    return Path(subprocess.check_output([NODE_SCRIPT, "assets"], text=True).strip())


def node(*arguments: str) -> None:
    """Run the node script.

    Raises:
        subprocess.CalledProcessError: It failed, and has said why on standard error.
    """
    subprocess.run([NODE_SCRIPT, *arguments], check=True, stdin=subprocess.DEVNULL)


@contextmanager
def running_node(image: str | None, *, keep: bool) -> Iterator[str]:
    """The machine's one node with both images on it; whoever comes second waits. Yields the image's name.

    Args:
        image: One that buildah has; None builds it from the checkout.
        keep: Use the node that runs, if any, and leave it running.
    """
    if os.geteuid() != 0:
        raise PermissionError(
            "the tests on a real node need root on this machine; or set KUBECONFIG to a cluster of yours, "
            "and SUPPORTBOT_IMAGE to an image that it can pull"
        )
    node("build", "node")
    with (assets() / ".session.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if not (keep and _is_running()):
                node("up")
            node("image", str(ROOT), NATS_IMAGE, "-f", str(NATS_DOCKERFILE))
            if image is None:
                node("image", str(ROOT), IMAGE)
            node("load", image or IMAGE)
            node("load", NATS_IMAGE)
            yield image or IMAGE
        finally:
            if not keep:
                node("down")


def _is_running() -> bool:
    command = [str(NODE_SCRIPT), "exec", str(assets() / "kubectl"), "get", "--raw", "/readyz"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
