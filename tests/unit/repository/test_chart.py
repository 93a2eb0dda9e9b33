"""The chart carries the resource definition exactly as `crds/` has it."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
CRD = ROOT / "crds" / "supportbots.yaml"
TEMPLATE = ROOT / "charts" / "supportbot" / "templates" / "crd.yaml"


def test_template_is_the_resource_definition() -> None:
    text = "".join(line for line in TEMPLATE.read_text().splitlines(keepends=True) if not re.match(r"\s*\{\{-", line))
    rendered = yaml.safe_load(text)
    assert rendered["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert rendered == yaml.safe_load(CRD.read_text())


def test_locks_name_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", lock.read_text())


def test_operator_is_no_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
