"""The CRD itself: what the corpus does not show."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from tests.crd_judge import CRD_FILE, crd_judge
from tests.unit.spec.corpus import CHANGES, Change

from supportbot.spec import Spec, default_categories
from supportbot.spec.part import Part

CRD = yaml.safe_load(CRD_FILE.read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
MAX_CLIENT_SIDE_APPLY_BYTES = 262_144


def fields(schema: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{at}.{name}", child
        yield from fields(child, f"{at}.{name}")
    if "items" in schema:
        yield f"{at}[]", schema["items"]
        yield from fields(schema["items"], f"{at}[]")


FIELDS = dict(fields(SCHEMA["properties"]["spec"], "spec")) | dict(fields(SCHEMA["properties"]["status"], "status"))


def test_client_side_apply_takes_it() -> None:
    assert len(CRD_FILE.read_bytes()) < MAX_CLIENT_SIDE_APPLY_BYTES / 2


def test_no_anchors() -> None:
    """Helm and other tools than kubectl need not expand them."""
    assert not re.search(r"[&*]\w+$|<<:", CRD_FILE.read_text(), re.MULTILINE)


def test_every_field_is_described() -> None:
    assert [at for at, field in FIELDS.items() if not at.endswith("[]") and not field.get("description")] == []


def test_every_list_and_text_is_bounded() -> None:
    """The API server refuses rules over what is unbounded for their cost."""
    lists = [at for at, field in FIELDS.items() if field.get("type") == "array" and "maxItems" not in field]
    texts = [
        at
        for at, field in FIELDS.items()
        if field.get("type", "string") == "string"
        and not {"maxLength", "enum"} & field.keys()
        and field.get("format") != "date-time"
    ]
    assert (lists, texts) == ([], [])


NEEDS = {
    **dict.fromkeys(
        ["has", "size", "matches", "exists", "string", "double", "duration"], (25, "rules at all, as a beta")
    ),
    **dict.fromkeys(["fieldPath", "reason"], (28, "fields of a rule")),
    **dict.fromkeys(["isQuantity", "quantity", "compareTo"], (29, "a library of 1.28; a CRD may use it a minor later")),
    "ratcheting": (30, "a stored value that a later schema refuses does not hold up status and other fields"),
}
"""The minor of Kubernetes 1 that something in the CRD needs, and why. Rules are no longer a beta since 1.29.

Compiling the rules in the CEL environments of 1.25 to 1.35 gave the same: the quantities fail up to 1.27.
"""


def rules(schema: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield from schema.get("x-kubernetes-validations", ())
    for child in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        yield from rules(child)


def test_chart_asks_for_the_kubernetes_that_the_rules_need() -> None:
    used = {"ratcheting"}
    for rule in rules(SCHEMA):
        used |= set(re.findall(r"(\w+)\(", re.sub(r"'[^']*'", "''", rule["rule"]))) - {"r"}
        used |= rule.keys() - {"rule", "message"}
    assert used == NEEDS.keys()
    chart = yaml.safe_load((CRD_FILE.parents[1] / "charts" / "supportbot" / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">=1.{max(minor for minor, _ in NEEDS.values())}.0-0"


def described(model: type[Part], at: str) -> Iterator[tuple[str, str]]:
    for field in model.model_fields.values():
        place = f"{at}.{field.alias}"
        yield place, " ".join((field.description or "").split())
        for part in _parts(field.annotation):
            listed = "[]" if "tuple" in str(field.annotation) else ""
            yield from described(part, place + listed)


def _parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _parts(argument)


def test_descriptions_are_those_of_the_model() -> None:
    found = {at: field["description"] for at, field in FIELDS.items() if at.startswith("spec") and at[-1] != "]"}
    # What is in a container's resources, the model holds as the dictionary that a Pod takes.
    found = {at: description for at, description in found.items() if ".resources." not in at}
    assert dict(described(Spec, "spec")) == found


def test_rule_on_the_default_category_names_the_set_that_ships() -> None:
    (rule,) = SCHEMA["properties"]["spec"]["properties"]["classification"]["x-kubernetes-validations"]
    named = rule["rule"].rpartition(" in ")[2]
    assert yaml.safe_load(named.rstrip(")")) == [category.name for category in default_categories()]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_changes(change: Change) -> None:
    found = [(refusal.path, refusal.message) for refusal in crd_judge().refusals(change.new(), old=change.old())]
    assert found == ([(change.place, change.message)] if change.place else [])
    assert crd_judge().refusals(change.new()) == []
