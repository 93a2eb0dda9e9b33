"""Every profile renders to what was agreed: golden files, Kubernetes' own schemas, labels, names."""

import os
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.unit.chart.render import (
    CHART,
    NAMESPACE,
    PROFILES,
    RELEASE,
    Object,
    one,
    pod_templates,
    profile,
    profile_file,
    render,
    run_helm,
    template,
)

GOLDEN = Path(__file__).parent / "golden"
KUBERNETES = ("1.30", "1.35", "1.37")
"""The oldest minor that the chart allows, that of the test node, and the newest that kubernetes-validate knows."""
NOT_KUBERNETES = {"CustomResourceDefinition", "PodMonitor", "PrometheusRule", "SupportBot"}
"""Kinds without a schema there; the resource definition is held against a real API server."""

SELECTED = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component")
LABELS = {*SELECTED, "app.kubernetes.io/version", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}


@pytest.mark.parametrize("name", PROFILES)
def test_lint(name: str) -> None:
    said = run_helm("lint", "--strict", CHART, "--values", profile_file(name), "--namespace", NAMESPACE)
    assert "[WARNING]" not in said
    assert "[ERROR]" not in said


@pytest.mark.parametrize("name", PROFILES)
def test_golden(name: str) -> None:
    """All but the resource definition, which has a test of its own. `UPDATE_GOLDEN=1 pytest …` writes the files."""
    text = "".join(
        part for part in template(profile_file(name)).split("---\n") if "templates/crd.yaml" not in part.split("\n")[0]
    )
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_the_oldest_checked_minor_is_the_oldest_allowed() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["kubeVersion"] == f">={KUBERNETES[0]}.0-0"


def test_every_golden_has_a_profile() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(PROFILES)


@pytest.mark.parametrize("minor", KUBERNETES)
@pytest.mark.parametrize("name", PROFILES)
def test_kubernetes_knows_every_field(name: str, minor: str) -> None:
    for obj in profile(name):
        if obj["kind"] not in NOT_KUBERNETES:
            kubernetes_validate.validate(obj, minor, strict=True)


def test_kubernetes_validate_refuses_a_misspelt_field() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dta": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(obj, "1.37", strict=True)


@pytest.mark.parametrize("name", PROFILES)
def test_labels(name: str) -> None:
    for obj in profile(name):
        if obj["kind"] != "CustomResourceDefinition":
            labels = obj["metadata"]["labels"]
            assert set(labels) >= LABELS, obj["metadata"]["name"]
            assert labels["app.kubernetes.io/instance"] == RELEASE
            assert labels["app.kubernetes.io/managed-by"] == "Helm"


@pytest.mark.parametrize("name", PROFILES)
def test_every_object_is_in_the_namespace_that_it_is_for(name: str) -> None:
    cluster_wide = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    allowed = {"shops", "clinics"} if name == "namespaced" else {NAMESPACE}
    for obj in profile(name):
        if obj["kind"] in cluster_wide:
            assert "namespace" not in obj["metadata"]
        elif obj["kind"] in {"Role", "RoleBinding"}:
            assert obj["metadata"]["namespace"] in allowed | {NAMESPACE}
        else:
            assert obj["metadata"]["namespace"] == NAMESPACE


@pytest.mark.parametrize("name", PROFILES)
def test_no_name_of_a_namespace_or_release_is_written_down(name: str) -> None:
    text = template(profile_file(name), values={"crds": {"enabled": False}}, namespace="elsewhere", release="other")
    assert NAMESPACE not in text
    assert "other-supportbot" in text


@pytest.mark.parametrize("name", PROFILES)
def test_no_two_objects_have_one_name(name: str) -> None:
    keys = [(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in profile(name)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", PROFILES)
def test_no_secret_has_data(name: str) -> None:
    """Of secrets the chart makes nothing but the places."""
    secrets = [obj for obj in profile(name) if obj["kind"] == "Secret"]
    assert secrets
    for secret in secrets:
        assert set(secret) == {"apiVersion", "kind", "metadata", "type"}


def test_two_renders_are_equal() -> None:
    """Nothing random: a GitOps controller sees no drift."""
    assert template(profile_file("demo")) == template(profile_file("demo"))


def _immutable(obj: Object) -> Any:
    """What an API server refuses to change."""
    spec = obj["spec"]
    fixed = ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates")
    return {name: spec[name] for name in fixed if name in spec}


def test_an_upgrade_changes_nothing_immutable() -> None:
    """Another image, more replicas, labels and annotations, all extras: selectors and volume claims stay."""
    many: Object = {
        "commonLabels": {"team": "support"},
        "image": {"tag": "9.9.9"},
        "keepData": True,
        "operator": {"replicas": 2, "podLabels": {"a": "b"}, "podAnnotations": {"c": "d"}},
        "nats": {"replicas": 3, "podLabels": {"a": "b"}, "image": {"tag": "2.99.0-alpine"}},
        "jaeger": {"enabled": True},
        "otelCollector": {"enabled": True},
        "demo": {"enabled": True},
    }
    before, after = profile("default"), render(values=many)
    kept = [obj for obj in before if obj["kind"] in {"Deployment", "StatefulSet"}]
    assert len(kept) == 2
    for obj in kept:
        assert _immutable(obj) == _immutable(one(after, obj["kind"], obj["metadata"]["name"]))
    for obj in after:
        if obj["kind"] in {"Deployment", "StatefulSet"}:
            assert tuple(sorted(obj["spec"]["selector"]["matchLabels"])) == tuple(sorted(SELECTED))


def test_a_job_gets_a_new_name_with_new_content() -> None:
    """A Job's pod is immutable, so that an upgrade must make another Job."""
    values: Object = {"demo": {"enabled": True}, "image": {"tag": "2"}}
    (old,) = (obj["metadata"]["name"] for obj in profile("demo") if obj["kind"] == "Job")
    (new,) = (obj["metadata"]["name"] for obj in render(values=values) if obj["kind"] == "Job")
    assert old != new


@pytest.mark.parametrize("name", PROFILES)
def test_selectors_find_the_pods(name: str) -> None:
    """Services, budgets and policies select pods of this release by exactly their own labels."""
    pods = [pod["metadata"]["labels"] for _, pod in pod_templates(profile(name))]
    for obj in profile(name):
        spec = obj.get("spec", {})
        selector = {
            "Service": spec.get("selector"),
            "PodDisruptionBudget": (spec.get("selector") or {}).get("matchLabels"),
            "PodMonitor": (spec.get("selector") or {}).get("matchLabels"),
            "NetworkPolicy": (spec.get("podSelector") or {}).get("matchLabels"),
        }.get(obj["kind"])
        if obj["kind"] in {"Service", "PodDisruptionBudget", "PodMonitor", "NetworkPolicy"}:
            assert selector, obj["metadata"]["name"]
            assert any(selector.items() <= labels.items() for labels in pods), obj["metadata"]["name"]


def test_names_stay_short_enough_for_labels() -> None:
    """The longest release name there is: pod names and the revision label must fit into 63 characters."""
    for obj in render(profile_file("demo"), release="r" * 53):
        suffix = len("-0123456789") if obj["kind"] == "StatefulSet" else 0
        assert len(obj["metadata"]["name"]) + suffix <= 63


def test_configuration_changes_restart_exactly_their_readers() -> None:
    def sums(values: Object) -> dict[str, Any]:
        rendered = pod_templates(render(values={"jaeger": {"enabled": True}, **values}))
        return {where: pod["metadata"].get("annotations", {}).get("checksum/config") for where, pod in rendered}

    before, after = sums({}), sums({"bots": {"streams": {"lanes": 8}}})
    assert {where for where in before if before[where] != after[where]} == {"Deployment/supportbot-operator"}
    after = sums({"nats": {"storage": {"size": "20Gi"}}})
    assert {where for where in before if before[where] != after[where]} == {"StatefulSet/supportbot-nats"}
