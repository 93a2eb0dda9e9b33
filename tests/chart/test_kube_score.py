"""kube-score finds nothing critical in any profile."""

import json
from pathlib import Path

import pytest
from tests.chart.judges import judge, run, write
from tests.chart.test_checkov import pinned
from tests.unit.chart.render import PROFILES, Object

IGNORED = {
    # Images are named by digest: a pull each time would bring the same bytes, and no start without a registry.
    "container-image-pull-policy",
}
WITHOUT_POLICIES = {"pod-networkpolicy"}
CRITICAL = 1
"""The grade; 5 is a warning and 10 is fine."""


def criticals(path: Path, ignored: set[str]) -> list[str]:
    """Object and check of every critical finding."""
    options = [f"--ignore-test={name}" for name in sorted(ignored)]
    report = json.loads(run(judge("kube-score"), "score", "--output-format", "json", *options, path).stdout)
    assert report
    return [
        f"{scored['object_name']}: {check['check']['name']}"
        for scored in report
        for check in scored["checks"]
        if check["grade"] == CRITICAL and not check["skipped"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
def test_profiles(name: str, tmp_path: Path) -> None:
    ignored = IGNORED | (WITHOUT_POLICIES if name == "minimal" else set())
    assert criticals(write(tmp_path / "chart.yaml", pinned(name)), ignored) == []


@pytest.mark.slow
def test_a_naive_pod_fails(tmp_path: Path) -> None:
    """The tool does find something."""
    spec = {"containers": [{"name": "a", "image": "a"}]}
    naive: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "naive", "namespace": "a"}, "spec": spec}
    found = criticals(write(tmp_path / "naive.yaml", [naive]), IGNORED)
    assert len(found) > 3
