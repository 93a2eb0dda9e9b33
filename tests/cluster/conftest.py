"""A cluster with kubelets for the session, and a namespace of its own for each test (level 3: marker `node`)."""

import os
import secrets
from collections.abc import Generator, Iterator

import pytest
from tests.cluster.support.cluster import Cluster
from tests.cluster.support.node import NATS_IMAGE, running_node
from tests.cluster.support.objects import make_namespace


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster of `KUBECONFIG`, or the machine's own node; `SUPPORTBOT_KEEP_NODE=1` leaves that running."""
    image = os.environ.get("SUPPORTBOT_IMAGE")
    if os.environ.get("KUBECONFIG"):
        if not image:
            pytest.fail("KUBECONFIG is set: set SUPPORTBOT_IMAGE to an image that this cluster can pull")
        yield Cluster(image=image, nats_image=os.environ.get("SUPPORTBOT_NATS_IMAGE", ""), is_own_node=False)
        return
    keep = os.environ.get("SUPPORTBOT_KEEP_NODE") == "1"
    with running_node(image, keep=keep) as loaded:
        yield Cluster(image=loaded, nats_image=NATS_IMAGE, is_own_node=True)


@pytest.fixture
def sandbox(cluster: Cluster) -> Iterator[str]:
    """A namespace under restricted Pod Security that goes with the test."""
    name = f"t-{secrets.token_hex(5)}"
    cluster.apply(make_namespace(name))
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test tells what its namespace looked like."""
    report = yield
    found = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and "sandbox" in found:
        report.sections.append(("cluster", found["cluster"].describe(found["sandbox"])))
    return report
