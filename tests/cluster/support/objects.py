"""Objects that the level 3 tests put into a cluster."""

from collections.abc import Mapping, Sequence

from tests.cluster.support.cluster import Object

USER = 65532

RESTRICTED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""The security context of a container, as the chart sets it."""


def make_namespace(name: str) -> Object:
    """A namespace that admits only pods that follow the restricted Pod Security Standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def make_pod(
    name: str,
    image: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    volumes: Mapping[str, Object] | None = None,
    restart: str = "Never",
) -> Object:
    """A pod as the chart would run one: non-root, nothing to write to but its volumes, no token.

    Args:
        name: The pod's name, and its label `app`.
        image: The image, which is on the node already.
        command: Instead of the image's entry point.
        environment: Variables.
        volumes: By mount path what is mounted there: a volume without its name.
        restart: The restart policy.
    """
    mounted = list((volumes or {}).items())
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "env": [{"name": key, "value": value} for key, value in (environment or {}).items()],
        "volumeMounts": [{"name": f"volume-{i}", "mountPath": path} for i, (path, _) in enumerate(mounted)],
        "securityContext": RESTRICTED,
    }
    spec = {
        "restartPolicy": restart,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": f"volume-{i}", **volume} for i, (_, volume) in enumerate(mounted)],
    }
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def with_probe(pod: Object, probe: Object) -> Object:
    """The pod, Ready by this probe."""
    pod["spec"]["containers"][0]["readinessProbe"] = {"periodSeconds": 1, **probe}
    return pod
