"""Renders the chart with a real helm: profiles, made-up values, and what helm says when it refuses."""

import functools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "supportbot"
PROFILES = tuple(sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml")))
RELEASE, NAMESPACE = "supportbot", "helpdesk"

MONITORING = ("monitoring.coreos.com/v1/PodMonitor", "monitoring.coreos.com/v1/PrometheusRule")

Object = dict[str, Any]


class RefusedError(Exception):
    """Helm refused the values; the text is its message."""


@functools.cache
def helm() -> Path:
    """The helm that the cluster tools bring; a failed test when it has not been built."""
    script = ROOT / "tests" / "cluster" / "node" / "cluster"
    folder = subprocess.run([script, "assets"], capture_output=True, text=True, check=True).stdout.strip()
    program = Path(folder) / "helm"
    if not program.exists():
        pytest.fail(f"there is no {program}: `make cluster-tools` builds it")
    return program


def run_helm(*arguments: str | Path, kubeconfig: Path | None = None) -> str:
    """What helm prints. Raises RefusedError; its files (caches, plug-ins) go to a folder that vanishes."""
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig or f"{home}/none")}
        done = subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise RefusedError(done.stderr + done.stdout)
    return done.stdout


def profile_file(profile: str) -> Path:
    """The values of a profile."""
    return CHART / "ci" / f"{profile}-values.yaml"


def template(
    *files: Path,
    values: Mapping[str, Any] | None = None,
    namespace: str = NAMESPACE,
    release: str = RELEASE,
    kinds: Sequence[str] = (),
    chart: Path = CHART,
) -> str:
    """All manifests as text.

    Args:
        files: Of values, the later ones stronger.
        values: Stronger than all files.
        namespace: Of the release.
        release: Its name.
        kinds: Further kinds of the cluster, such as monitoring.coreos.com/v1/PodMonitor.
        chart: Another copy of the chart.
    """
    options = [option for file in files for option in ("--values", str(file))]
    options += [option for kind in kinds for option in ("--api-versions", kind)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
        json.dump(values or {}, extra)
        extra.flush()
        return run_helm("template", release, chart, "--namespace", namespace, *options, "--values", extra.name)


def objects_of(text: str) -> list[Object]:
    """The manifests of a rendered text."""
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def render(*files: Path, **options: Any) -> list[Object]:
    """All manifests; see `template`."""
    return objects_of(template(*files, **options))


@functools.cache
def profile(name: str) -> tuple[Object, ...]:
    """The manifests of a profile. Shared: not to be changed."""
    return tuple(render(profile_file(name)))


def one(objects: Sequence[Object], kind: str, name: str) -> Object:
    """The object of that kind and name."""
    (found,) = (obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name)
    return found


def pod_templates(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Kind/name, and metadata and spec, of everything that becomes a pod."""
    for obj in objects:
        where = f"{obj['kind']}/{obj['metadata']['name']}"
        if obj["kind"] == "Pod":
            yield where, {"metadata": obj["metadata"], "spec": obj["spec"]}
        elif obj["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}:
            yield where, obj["spec"]["template"]
