"""A real API server for the session, and a namespace of its own for each test."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import pytest_asyncio
import yaml
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube, Object, Refused
from tests.crd_judge import CRD_FILE

LEFTOVERS = (
    "SupportBot",
    "Deployment",
    "StatefulSet",
    "Service",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PersistentVolumeClaim",
    "RoleBinding",
    "Role",
    "Lease",
    "Event",
)
"""What tests put into a namespace; the bots first, lest an operator makes their children anew."""


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd and kube-apiserver, shared by all tests of the session."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest_asyncio.fixture
async def admin(control_plane: ControlPlane) -> AsyncIterator[Kube]:
    """The API server for somebody who may do everything."""
    async with Kube(control_plane.url, control_plane.tls, control_plane.admin_token) as kube:
        yield kube


@pytest_asyncio.fixture
async def namespace(admin: Kube) -> AsyncIterator[str]:
    """A namespace that no other test uses; what tests put into it goes with it."""
    name = f"t-{secrets.token_hex(5)}"
    await admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for kind in LEFTOVERS:
        if await admin.knows(kind):
            await admin.delete_all(kind, name)
    await _remove_namespace(admin, name)


async def _remove_namespace(admin: Kube, name: str) -> None:
    """What the namespace controller does at the end."""
    with suppress(Refused):  # A test may have done it.
        await admin.delete("Namespace", name)
        gone = await admin.get("Namespace", name)
        await admin.request("PUT", f"/api/v1/namespaces/{name}/finalize", {**gone, "spec": {"finalizers": []}})


@pytest.fixture(scope="session")
def definition() -> Object:
    """The project's CRD as it stands in its file."""
    definition: Object = yaml.safe_load(CRD_FILE.read_text())
    return definition


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crd(control_plane: ControlPlane, definition: Object) -> Object:
    """The CRD, served by the API server."""
    async with Kube(control_plane.url, control_plane.tls, control_plane.admin_token) as admin:
        await admin.apply(definition)
        await serve(admin, definition)
    return definition


async def serve(admin: Kube, definition: Object) -> None:
    """Waits until the API server serves a CRD as it was applied: its objects, and its schema, which comes last."""
    name, spec = definition["metadata"]["name"], definition["spec"]
    api = f"apis/{spec['group']}/{spec['versions'][0]['name']}"
    plural = spec["names"]["plural"]
    expected = spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def established(stored: Object) -> bool:
        conditions = stored.get("status", {}).get("conditions") or []
        return any((c["type"], c["status"]) == ("Established", "True") for c in conditions)

    async def served() -> bool:
        try:
            await admin.request("GET", f"/{api}/{plural}")
            schema = await admin.request("GET", f"/openapi/v3/{api}")
        except Refused as refused:
            # 429: the storage of a CRD that was changed is made anew.
            if refused.status not in (404, 429):
                raise
            return False
        kinds = {kind.rpartition(".")[2]: found for kind, found in schema["components"]["schemas"].items()}
        return spec["names"]["kind"] in kinds and kinds[spec["names"]["kind"]]["properties"]["spec"] == expected

    await admin.until("CustomResourceDefinition", name, "", established)
    async with asyncio.timeout(10):
        # No object tells when.
        while not await served():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
