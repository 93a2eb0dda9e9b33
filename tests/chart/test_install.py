"""helm installs, upgrades and uninstalls on a real API server. No pod runs there: what is stored is looked at."""

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.api.control_plane import ControlPlane
from tests.unit.chart.render import (
    CHART,
    NAMESPACE,
    PROFILES,
    RELEASE,
    Object,
    RefusedError,
    profile,
    profile_file,
    run_helm,
)

pytestmark = [pytest.mark.api, pytest.mark.slow]

EVERYTHING = (
    "secrets,configmaps,services,serviceaccounts,deployments,statefulsets,jobs,networkpolicies,poddisruptionbudgets,"
    "roles,rolebindings,clusterroles,clusterrolebindings"
)
MASTER_KEY = base64.b64encode(b"5" * 64).decode()


def _kind_of_prometheus(kind: str) -> Object:
    """Enough of the Prometheus operator's kind for objects to be stored."""
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


class Releases:
    """One release, in a cluster that has the namespaces that the profiles speak of."""

    def __init__(self, plane: ControlPlane) -> None:
        self.kubeconfig = plane.kubeconfig(namespace=NAMESPACE)
        self._plane = plane

    def helm(self, *arguments: str | Path) -> str:
        """helm in the release's namespace."""
        return run_helm(*arguments, "--namespace", NAMESPACE, kubeconfig=self.kubeconfig)

    async def kubectl(self, *arguments: str, stdin: object = "") -> str:
        """kubectl in the release's namespace; `stdin` as JSON."""
        text = stdin if isinstance(stdin, str) else json.dumps(stdin)
        return await self._plane.kubectl(*arguments, namespace=NAMESPACE, stdin=text)

    async def of_the_release(self) -> set[str]:
        """Kind/name of everything that carries the release's label, in all namespaces."""
        label = f"app.kubernetes.io/instance={RELEASE}"
        text = await self.kubectl("get", EVERYTHING, "--all-namespaces", "-l", label, "-o", "json")
        return {f"{item['kind']}/{item['metadata']['name']}" for item in json.loads(text)["items"]}

    async def get(self, what: str) -> Any:
        """One object."""
        return json.loads(await self.kubectl("get", what, "-o", "json"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server of this module's own: releases have parts outside of namespaces."""
    with ControlPlane(tmp_path_factory.mktemp("chart")) as running:
        yield running


@pytest.fixture
async def releases(plane: ControlPlane) -> Releases:
    """The cluster, with nothing of a release in it."""
    found = Releases(plane)
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in (NAMESPACE, "shops", "clinics")
    ]
    kinds = [_kind_of_prometheus(kind) for kind in ("PodMonitor", "PrometheusRule")]
    for one in itertools.chain(namespaces, kinds):
        await found.kubectl("apply", "--server-side", "-f", "-", stdin=one)
    for name in ("podmonitors", "prometheusrules"):
        crd = f"crd/{name}.monitoring.coreos.com"
        await found.kubectl("wait", "--for=condition=Established", "--timeout=30s", crd)
    if RELEASE in found.helm("list", "--short"):
        found.helm("uninstall", RELEASE, "--no-hooks")
    await found.kubectl("delete", "secrets", "-l", "app.kubernetes.io/part-of=supportbot")
    return found


@pytest.mark.parametrize("name", PROFILES)
async def test_every_profile_comes_and_goes(name: str, releases: Releases) -> None:
    """The API server takes every object as it is, and only what is to be kept stays."""
    releases.helm("install", RELEASE, CHART, "--values", profile_file(name))
    hooks = {f"{obj['kind']}/{obj['metadata']['name']}" for obj in profile(name) if obj["kind"] == "Pod"}
    kinds = {"CustomResourceDefinition", "PodMonitor", "PrometheusRule"}
    rendered = {f"{obj['kind']}/{obj['metadata']['name']}" for obj in profile(name) if obj["kind"] not in kinds}
    assert await releases.of_the_release() == rendered - hooks
    releases.helm("uninstall", RELEASE)
    assert await releases.of_the_release() == ({"Secret/supportbot-keys"} if name == "ha" else set())


async def _fill(releases: Releases, secret: str, key: str) -> None:
    """What the operator does: a server-side apply of nothing but the data."""
    filled = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}, "data": {key: MASTER_KEY}}
    await releases.kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=supportbot-operator", "-f", "-", stdin=filled
    )


async def test_an_upgrade_leaves_the_secrets_filled(releases: Releases) -> None:
    releases.helm("install", RELEASE, CHART)
    await _fill(releases, "supportbot-keys", "master-key")
    await _fill(releases, "supportbot-nats-auth", "auth.conf")
    releases.helm("upgrade", RELEASE, CHART, "--set", "commonLabels.team=support,operator.replicas=2,keepData=true")
    keys, auth = await releases.get("secret/supportbot-keys"), await releases.get("secret/supportbot-nats-auth")
    assert keys["metadata"]["labels"]["team"] == "support"
    assert (keys["data"], auth["data"]) == ({"master-key": MASTER_KEY}, {"auth.conf": MASTER_KEY})
    releases.helm("rollback", RELEASE, "1")
    assert (await releases.get("secret/supportbot-keys"))["data"] == {"master-key": MASTER_KEY}


async def test_kept_keys_are_taken_up_again(releases: Releases) -> None:
    releases.helm("install", RELEASE, CHART, "--set", "keepData=true")
    await _fill(releases, "supportbot-keys", "master-key")
    releases.helm("uninstall", RELEASE)
    releases.helm("install", RELEASE, CHART, "--set", "keepData=true")
    assert (await releases.get("secret/supportbot-keys"))["data"] == {"master-key": MASTER_KEY}


async def test_an_upgrade_of_everything_at_once(releases: Releases) -> None:
    """Nothing immutable changes when profiles follow each other (more servers, other volumes apart)."""
    releases.helm("install", RELEASE, CHART)
    for name in ("observability", "demo", "namespaced", "default"):
        releases.helm("upgrade", RELEASE, CHART, "--reset-values", "--values", profile_file(name))
    rendered = {f"{obj['kind']}/{obj['metadata']['name']}" for obj in profile("default")}
    found = await releases.of_the_release()
    assert found == {one for one in rendered if not one.startswith(("Pod/", "CustomResourceDefinition/"))}


async def test_the_previous_version_is_upgraded(releases: Releases, tmp_path: Path) -> None:
    """0.1.0 brought the resource definition and nothing else."""
    await releases.kubectl("delete", "crd/supportbots.supportbot.dev", "--ignore-not-found")
    old = tmp_path / "supportbot"
    (old / "templates").mkdir(parents=True)
    (old / "Chart.yaml").write_text("{apiVersion: v2, name: supportbot, version: 0.1.0, appVersion: 0.1.0}\n")
    (old / "values.yaml").write_text("crds: {enabled: true, keep: true}\n")
    (old / "templates" / "crd.yaml").write_text((CHART / "templates" / "crd.yaml").read_text())
    releases.helm("install", RELEASE, old)
    releases.helm("upgrade", RELEASE, CHART, "--reuse-values=false", "--reset-values")
    assert "Deployment/supportbot-operator" in await releases.of_the_release()
    definition = await releases.get("crd/supportbots.supportbot.dev")
    assert definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


async def test_the_definition_and_so_the_bots_stay(releases: Releases) -> None:
    releases.helm("install", RELEASE, CHART)
    await releases.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/supportbots.supportbot.dev")
    releases.helm("uninstall", RELEASE)
    assert (await releases.get("crd/supportbots.supportbot.dev"))["kind"] == "CustomResourceDefinition"


async def test_missing_kinds_are_told(releases: Releases) -> None:
    """`failIfMissing` looks at the cluster."""
    await releases.kubectl("delete", "crd/podmonitors.monitoring.coreos.com")
    values = "metrics.renderMode=failIfMissing,metrics.podMonitor.enabled=true"
    with pytest.raises(RefusedError, match="the cluster has no PodMonitor"):
        releases.helm("install", RELEASE, CHART, "--set", values)
