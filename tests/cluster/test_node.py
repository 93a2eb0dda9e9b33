"""The image on a real node: restricted pods, wrong configurations, SIGTERM, a restart of the node."""

import json
import socket
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from tests.cluster.support.cluster import Cluster, Object
from tests.cluster.support.node import node
from tests.cluster.support.objects import USER, make_pod, with_probe

import supportbot

pytestmark = pytest.mark.node

LOOK_AROUND = """
import errno, importlib.metadata, json, os, sys
import supportbot

def error_of(path):
    try:
        open(path, "w")
    except OSError as exc:
        return errno.errorcode[exc.errno]

print(json.dumps({
    "user": os.getuid(),
    "version": importlib.metadata.version("supportbot"),
    "package": supportbot.__version__,
    "write": {path: error_of(path) for path in ("/app/x", "/opt/venv/x", "/tmp/x", "/x")},
    "bytecode": supportbot.__cached__ is not None and os.path.exists(supportbot.__cached__),
}))
"""

COUNT = """
import pathlib, signal
signal.signal(signal.SIGTERM, lambda *_: exit(0))
count = pathlib.Path("/data/count")
count.write_text(str(int(count.read_text()) + 1 if count.exists() else 1))
print(count.read_text(), flush=True)
pathlib.Path("/tmp/ready").touch()
signal.pause()
"""

NATS_CONFIG = """
port: 4222
http: 8222
jetstream { store_dir: /data }
"""


def run_to_end(cluster: Cluster, namespace: str, pod: Object) -> tuple[int, str]:
    """The exit code of the pod's process and all that it wrote."""
    name = pod["metadata"]["name"]
    cluster.apply(pod, namespace=namespace)
    ended = "jsonpath={.status.containerStatuses[0].state.terminated}"
    cluster.wait(f"pod/{name}", ended, namespace=namespace)
    return terminated(cluster.get("pod", name, namespace=namespace))["exitCode"], cluster.kubectl(
        "logs", name, namespace=namespace
    )


def terminated(pod: Object) -> dict[str, Any]:
    """How the pod's only container ended."""
    state: dict[str, Any] = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return state


def test_every_node_is_ready(cluster: Cluster) -> None:
    nodes = cluster.get("nodes")["items"]
    conditions = [one["status"]["conditions"] for one in nodes]
    ready = [next(c["status"] for c in each if c["type"] == "Ready") for each in conditions]
    assert ready
    assert set(ready) == {"True"}


def test_image_runs_as_a_restricted_pod_with_nothing_to_write_to(cluster: Cluster, sandbox: str) -> None:
    code, text = run_to_end(cluster, sandbox, make_pod("look", cluster.image, ["python", "-c", LOOK_AROUND]))
    assert code == 0, text
    assert json.loads(text) == {
        "user": USER,
        "version": supportbot.__version__,
        "package": supportbot.__version__,
        "write": dict.fromkeys(("/app/x", "/opt/venv/x", "/tmp/x", "/x"), "EROFS"),
        "bytecode": True,
    }


@pytest.mark.parametrize("service", ["whatsapp", "classifier", "ticket"])
def test_service_refuses_a_wrong_configuration_with_a_sentence(cluster: Cluster, sandbox: str, service: str) -> None:
    """Exit code 2: a person has to change something first."""
    environment = {"SUPPORTBOT_SPEC": "/etc/supportbot/missing.yaml", "SUPPORTBOT_LANES": "none"}
    command = ["python", "-m", f"supportbot.{service}"]
    code, text = run_to_end(cluster, sandbox, make_pod(service, cluster.image, command, environment=environment))
    assert code == 2, text
    assert "SUPPORTBOT_SPEC" in text
    assert "SUPPORTBOT_LANES" in text
    assert "Traceback" not in text


def test_operator_refuses_a_wrong_configuration_with_a_sentence(cluster: Cluster, sandbox: str) -> None:
    command = ["python", "-m", "supportbot_operator", "--config", "/etc/supportbot/missing.yaml"]
    code, text = run_to_end(cluster, sandbox, make_pod("operator", cluster.image, command))
    assert code == 2, text
    assert "/etc/supportbot/missing.yaml" in text
    assert "Traceback" not in text


def test_library_of_whatsapp_finds_all_that_it_loads(cluster: Cluster, sandbox: str) -> None:
    """Its native library and libmagic are in the image; it would fetch the former, into its own folder."""
    command = ["python", "-c", "import neonize.client; print('loaded')"]
    code, text = run_to_end(cluster, sandbox, make_pod("neonize", cluster.image, command))
    assert code == 0, text
    assert text.splitlines()[-1] == "loaded"


def test_command_line_is_found_by_its_name(cluster: Cluster, sandbox: str) -> None:
    code, text = run_to_end(cluster, sandbox, make_pod("cli", cluster.image, ["supportbot", "dlq", "list", "--help"]))
    assert code == 0, text
    assert "dead letters" in text


def test_sigterm_ends_a_process_at_once_and_well(cluster: Cluster, sandbox: str) -> None:
    """The Zoho emulator is process 1 of its container; without a handler of its own SIGTERM would do nothing there."""
    pod = make_pod("zoho", cluster.image, ["python", "-m", "supportbot.emulators.zoho"])
    says = "import socket; socket.create_connection(('127.0.0.1', 4990), 1)"
    cluster.apply(with_probe(pod, {"exec": {"command": ["python", "-c", says]}}), namespace=sandbox)
    cluster.wait("pod/zoho", "condition=Ready", namespace=sandbox)
    with cluster.watch("pod/zoho", "-o", "json", "--output-watch-events", namespace=sandbox) as events:
        cluster.kubectl("delete", "pod", "zoho", "--wait=false", namespace=sandbox)
        last = read_last_state(events)
    asked = (
        parse_time(last["metadata"]["deletionTimestamp"]).timestamp() - last["metadata"]["deletionGracePeriodSeconds"]
    )
    end = terminated(last)
    assert end["exitCode"] == 0, end
    assert parse_time(end["finishedAt"]).timestamp() - asked <= 2


def read_last_state(events: Iterable[str]) -> Object:
    """The object of the first event in which the container has ended, of a stream of indented JSON."""
    text = ""
    for line in events:
        text += line
        try:
            event = json.loads(text)
        except json.JSONDecodeError:
            continue
        text = ""
        statuses = event["object"]["status"].get("containerStatuses") or [{}]
        if "terminated" in statuses[0].get("state", {}) and "deletionTimestamp" in event["object"]["metadata"]:
            found: Object = event["object"]
            return found
    raise AssertionError("the watch ended before the container")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_nats_image_serves_under_a_service_name(cluster: Cluster, sandbox: str) -> None:
    """A restricted pod, too; from another pod it is found by name, and a test can reach it."""
    if not cluster.nats_image:
        pytest.skip("the cluster pulls its own NATS image")
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nats"}, "data": {"nats.conf": NATS_CONFIG}}
    volumes: dict[str, Object] = {"/etc/nats": {"configMap": {"name": "nats"}}, "/data": {"emptyDir": {}}}
    pod = make_pod("nats", cluster.nats_image, ["nats-server", "-c", "/etc/nats/nats.conf"], volumes=volumes)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nats"},
        "spec": {"selector": {"app": "nats"}, "ports": [{"port": 4222}]},
    }
    probe = {"httpGet": {"path": "/healthz", "port": 8222}}
    cluster.apply(config, with_probe(pod, probe), service, namespace=sandbox)
    cluster.wait("pod/nats", "condition=Ready", namespace=sandbox)

    with (
        cluster.forward("service/nats", 4222, namespace=sandbox) as port,
        socket.create_connection(("127.0.0.1", port), 5) as connection,
    ):
        greeting = connection.makefile().readline()
    assert json.loads(greeting.removeprefix("INFO "))["jetstream"] is True

    host = f"nats.{sandbox}.svc"
    greet = f"import socket; print(socket.create_connection(('{host}', 4222), 5).makefile().readline())"
    code, text = run_to_end(cluster, sandbox, make_pod("guest", cluster.image, ["python", "-c", greet]))
    assert code == 0, text
    assert text.startswith("INFO ")


def test_volume_outlives_a_restart_of_the_node(cluster: Cluster, sandbox: str) -> None:
    if not cluster.is_own_node:
        pytest.skip("the cluster's nodes are not ours to restart")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    # What is in memory does not outlive the restart.
    volumes: dict[str, Object] = {
        "/data": {"persistentVolumeClaim": {"claimName": "data"}},
        "/tmp": {"emptyDir": {"medium": "Memory"}},
    }
    pod = make_pod("count", cluster.image, ["python", "-c", COUNT], volumes=volumes, restart="Always")
    probe = {"exec": {"command": ["python", "-c", "open('/tmp/ready')"]}}
    cluster.apply(claim, with_probe(pod, probe), namespace=sandbox)
    cluster.wait("pod/count", "condition=Ready", namespace=sandbox)

    node("restart")
    cluster.wait("pod/count", "jsonpath={.status.containerStatuses[0].restartCount}=1", namespace=sandbox)
    cluster.wait("pod/count", "condition=Ready", namespace=sandbox)
    assert cluster.kubectl("logs", "count", namespace=sandbox).split() == ["2"]
