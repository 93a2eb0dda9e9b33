"""Programs that judge manifests. Each lives in an environment of its own, as they are large and pin what we use too."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from tests.unit.chart.render import Object, one, profile
from tests.unit.operator.bots import MINIMAL, TYPICAL, make_bot, make_inputs

from supportbot_operator.config import load_config
from supportbot_operator.desired import desired

BOTS = {
    "demo": (("demo", "helpdesk"),),
    "namespaced": (("tiendas", "shops"), ("consultas", "clinics")),
}
"""Name and namespace of the bots of a profile."""
ANY_BOTS = (("tiendas", "shops"), ("consultas", "clinics"))


def judge(name: str) -> Path:
    """A program of the environment of that name; a failed test when it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "supportbot" / name / "bin" / name
    if not program.exists():
        pytest.fail(f"there is no {program}: `make chart-tools` installs it")
    return program


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Its output, whatever its exit code."""
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def bots_of(name: str, folder: Path) -> list[Object]:
    """All objects that the operator makes for the bots of a profile, with the configuration that the chart renders."""
    file = folder / "operator.yaml"
    file.write_text(one(profile(name), "ConfigMap", "supportbot-operator")["data"]["operator.yaml"], encoding="utf-8")
    config = load_config(file)
    found: list[Object] = []
    for bot, namespace in BOTS.get(name, ANY_BOTS):
        spec = {**MINIMAL, "mode": "Auto", "zoho": TYPICAL["zoho"]} if bot == "demo" else TYPICAL
        found += desired(make_bot(spec, name=bot, namespace=namespace), make_inputs(config)).all
    return found


def write(path: Path, objects: Iterable[Object]) -> Path:
    """The objects as one file of manifests."""
    path.write_text(yaml.safe_dump_all(list(objects), sort_keys=False), encoding="utf-8")
    return path
