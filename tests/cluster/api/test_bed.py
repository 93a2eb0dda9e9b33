"""The test bed itself: what the tests of the operator take for granted."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster.api.control_plane import ControlPlane, assets
from tests.cluster.api.kube import Kube, Object, Refused
from tests.cluster.api.rollouts import report, rollouts

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]

ROOT = Path(__file__).parents[3]


def service_account(namespace: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": namespace}}


def workload(kind: str, namespace: str, name: str, replicas: int = 1) -> Object:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "example.com/none:1"}]},
        },
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


async def test_server_tells_its_real_version(admin: Kube) -> None:
    """Helm compares the chart's kubeVersion with it."""
    version = await admin.request("GET", "/version")
    assert version["gitVersion"].startswith("v1.")


async def test_service_account_may_do_what_its_role_says(admin: Kube, namespace: str) -> None:
    """A token that no role speaks for reads nothing; a role makes the difference at once."""
    await admin.apply(service_account(namespace))
    async with admin.as_user(await admin.token("reader", namespace)) as reader:
        with pytest.raises(Refused) as refused:
            await reader.list_all("ConfigMap", namespace)
        assert refused.value.status == 403
        await admin.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": "reader", "namespace": namespace},
                "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
            }
        )
        await admin.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "reader", "namespace": namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
            }
        )
        assert await reader.list_all("ConfigMap", namespace) == []


async def test_kubeconfig_of_a_service_account(control_plane: ControlPlane, admin: Kube, namespace: str) -> None:
    await admin.apply(service_account(namespace))
    path = control_plane.kubeconfig(await admin.token("reader", namespace), namespace=namespace)
    name = await control_plane.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", kubeconfig=path)
    assert name == f"system:serviceaccount:{namespace}:reader"
    assert path.stat().st_mode & 0o077 == 0


async def test_workloads_are_said_to_be_ready(admin: Kube, namespace: str) -> None:
    await admin.apply(workload("Deployment", namespace, "before", 2))
    async with rollouts(admin, namespace, only=lambda found: found["metadata"]["name"] != "held"):
        await admin.apply(workload("StatefulSet", namespace, "after"))
        held = await admin.apply(workload("Deployment", namespace, "held"))
        await report(admin, held, ready=False)
        await admin.until("Deployment", "before", namespace, lambda found: found["status"].get("readyReplicas") == 2)
        await admin.until("StatefulSet", "after", namespace, lambda found: found["status"].get("readyReplicas") == 1)
        changed = await admin.apply(workload("Deployment", namespace, "before", 3))
        await admin.until(
            "Deployment",
            "before",
            namespace,
            lambda found: (
                (found["status"]["observedGeneration"], found["status"]["readyReplicas"])
                == (changed["metadata"]["generation"], 3)
            ),
        )
    status = (await admin.get("Deployment", "held", namespace))["status"]
    assert "readyReplicas" not in status
    assert [c["status"] for c in status["conditions"] if c["type"] == "Available"] == ["False"]


async def test_kubectl_agrees_that_they_are_rolled_out(
    control_plane: ControlPlane, admin: Kube, namespace: str
) -> None:
    await admin.apply(workload("Deployment", namespace, "web"))
    async with rollouts(admin, namespace):
        told = await control_plane.kubectl("rollout", "status", "deployment/web", "--timeout=10s", namespace=namespace)
    assert "successfully rolled out" in told


async def test_waiting_in_vain_shows_the_object(admin: Kube, namespace: str) -> None:
    await admin.apply(workload("Deployment", namespace, "web"))
    with pytest.raises(AssertionError, match='"generation": 1'):
        await admin.until("Deployment", "web", namespace, lambda found: "paused" in found["spec"], timeout_s=0.2)


def test_absent_binaries_name_the_command_that_builds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="make cluster-tools"):
        assets.__wrapped__()


PARENT = """
import sys, time
from pathlib import Path
from tests.cluster.api.control_plane import ControlPlane
with ControlPlane(Path(sys.argv[1])) as plane:
    print(plane.etcd.pid, plane.api_server.pid, flush=True)
    time.sleep(600)
"""


def test_control_plane_ends_with_its_parent(tmp_path: Path) -> None:
    """Also when that is killed, so that no aborted run leaves a server behind."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "services")])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as parent:
        assert parent.stdout
        children = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
    assert len(children) == 2
    for child in children:
        assert _ended(child)
        os.close(child)


def _ended(pidfd: int) -> bool:
    """A pidfd becomes readable when its process ends."""
    return bool(select.select([pidfd], [], [], 15.0)[0])
