"""checkov finds nothing in any profile, nor in what the operator makes. What is skipped says why, in the manifest."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.chart.judges import bots_of, judge, run, write
from tests.unit.chart.render import PROFILES, Object, profile_file, render

PINNED = Path(__file__).parent / "pinned.yaml"
WITHOUT_POLICIES = {"CKV2_K8S_6"}
"""What a profile without NetworkPolicies cannot fulfil."""


def findings(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """`check resource` → description of what failed, and → reason of what is skipped."""
    # Without --skip-download it tries for 20 s to reach its vendor.
    options = ("--skip-download", "--framework", "kubernetes", "--output", "json", "--compact", "--file", path)
    report = json.loads(run(judge("checkov"), *options).stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100

    def named(kind: str, what: str) -> dict[str, str]:
        checks: list[dict[str, Any]] = report["results"][kind]
        return {f"{check['check_id']} {check['resource']}": _text(check, what) for check in checks}

    return named("failed_checks", "check_name"), named("skipped_checks", "suppress_comment")


def _text(check: dict[str, Any], what: str) -> str:
    return str(check["check_result"].get(what) or check.get(what) or "")


def pinned(name: str) -> list[Object]:
    """A profile with all images by digest, without the resource definition (which is not judged and large)."""
    return [obj for obj in render(profile_file(name), PINNED) if obj["kind"] != "CustomResourceDefinition"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
def test_profiles(name: str, tmp_path: Path) -> None:
    failed, skipped = findings(write(tmp_path / "chart.yaml", pinned(name)))
    if name == "minimal":
        failed = {what: why for what, why in failed.items() if what.split()[0] not in WITHOUT_POLICIES}
    assert failed == {}
    assert all(reason.endswith(".") for reason in skipped.values()), skipped


@pytest.mark.slow
def test_a_naive_deployment_fails(tmp_path: Path) -> None:
    """The tool does find something."""
    naive: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "naive", "namespace": "a"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "a", "image": "a:latest", "securityContext": {"privileged": True}}]},
            },
        },
    }
    failed, _ = findings(write(tmp_path / "naive.yaml", [naive, *pinned("default")]))
    assert len(failed) > 10
    assert all("naive" in what for what in failed)


@pytest.mark.slow
def test_bots(tmp_path: Path) -> None:
    """What the operator makes, under the same checks; images by tag as its configuration has them."""
    failed, _ = findings(write(tmp_path / "bots.yaml", bots_of("observability", tmp_path)))
    assert {what: why for what, why in failed.items() if what.split()[0] not in {"CKV_K8S_15", "CKV_K8S_43"}} == {}
