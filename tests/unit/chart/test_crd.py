"""The chart carries the resource definition exactly as `crds/` has it."""

import pytest
import yaml
from charts.supportbot.make_crd_template import SOURCE, TARGET, make_template
from tests.unit.chart.render import Object, profile_file, render


def _definitions(objects: list[Object]) -> list[Object]:
    return [obj for obj in objects if obj["kind"] == "CustomResourceDefinition"]


def test_template_is_generated() -> None:
    """`python charts/supportbot/make_crd_template.py` writes it."""
    assert TARGET.read_text(encoding="utf-8") == make_template(SOURCE.read_text(encoding="utf-8"))


def test_it_is_installed_and_kept() -> None:
    (definition,) = _definitions(render(profile_file("default")))
    assert definition["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert definition == yaml.safe_load(SOURCE.read_text(encoding="utf-8"))


def test_it_goes_with_the_release_when_asked() -> None:
    (definition,) = _definitions(render(values={"crds": {"keep": False}}))
    assert "annotations" not in definition["metadata"]


def test_it_is_left_out_when_asked() -> None:
    assert _definitions(render(values={"crds": {"enabled": False}})) == []


def test_braces_are_refused() -> None:
    with pytest.raises(ValueError, match="which Helm would read"):
        make_template("  name: supportbots.supportbot.dev\n{{ .Values }}")
