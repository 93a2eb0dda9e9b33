"""Every pod of every profile is within the Pod Security Standard "restricted", and a bit beyond.

https://kubernetes.io/docs/concepts/security/pod-security-standards/, the list of "restricted" controls.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.chart.render import PROFILES, pod_templates, profile

ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
WITH_TOKEN = {"Deployment/supportbot-operator", "Job/supportbot-demo-bot"}
"""Who may speak to the API server."""


def breaches(spec: dict[str, Any]) -> Iterator[str]:
    """What a pod's spec breaks."""
    pod = spec.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"):
        if spec.get(name):
            yield name
    if pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "seccompProfile"
    for volume in spec.get("volumes", []):
        if not set(volume) - {"name"} <= ALLOWED_VOLUMES:
            yield f"volume {volume['name']}"
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"volume {volume['name']}: no size"
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        for broken in _container_breaches(container, pod):
            yield f"container {container['name']}: {broken}"


def _container_breaches(container: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    own = {**pod, **container.get("securityContext", {})}
    expected = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for name, value in expected.items():
        if own.get(name) != value:
            yield name
    if own.get("privileged"):
        yield "privileged"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort"
    if any("secretKeyRef" in (env.get("valueFrom") or {}) for env in container.get("env", [])):
        yield "a secret in the environment"
    for bound in ("requests", "limits"):
        if set(container["resources"].get(bound, {})) < {"cpu", "memory"}:
            yield f"resources.{bound}"
    if any(name in {"sh", "bash", "/bin/sh", "/bin/bash"} for name in container.get("command", [])):
        yield "a shell"


@pytest.mark.parametrize("name", PROFILES)
def test_pods_are_restricted(name: str) -> None:
    found = {where: list(breaches(pod["spec"])) for where, pod in pod_templates(profile(name))}
    assert not any(found.values()), found


@pytest.mark.parametrize("name", PROFILES)
def test_only_who_needs_it_has_a_token(name: str) -> None:
    for where, pod in pod_templates(profile(name)):
        wants = any(where.startswith(known) for known in WITH_TOKEN)
        assert pod["spec"]["automountServiceAccountToken"] is wants, where
        assert pod["spec"]["serviceAccountName"] != "default"


@pytest.mark.parametrize("name", PROFILES)
def test_service_accounts_exist_and_mount_nothing_by_themselves(name: str) -> None:
    accounts = {obj["metadata"]["name"]: obj for obj in profile(name) if obj["kind"] == "ServiceAccount"}
    assert {pod["spec"]["serviceAccountName"] for _, pod in pod_templates(profile(name))} <= set(accounts)
    assert all(obj["automountServiceAccountToken"] is False for obj in accounts.values())


def test_the_check_finds_what_is_wrong() -> None:
    """A naive pod breaks nearly everything."""
    naive = {"hostNetwork": True, "containers": [{"name": "a", "resources": {}, "command": ["sh"]}]}
    assert set(breaches(naive)) == {
        "hostNetwork",
        "seccompProfile",
        *(
            f"container a: {broken}"
            for broken in (
                "runAsNonRoot",
                "runAsUser",
                "runAsGroup",
                "allowPrivilegeEscalation",
                "readOnlyRootFilesystem",
                "capabilities",
                "resources.requests",
                "resources.limits",
                "a shell",
            )
        ),
    }
