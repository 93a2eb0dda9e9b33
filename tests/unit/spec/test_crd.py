"""The CRD itself: what the corpus does not show."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from tests.crd_judge import CRD_FILE, crd_judge

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
    lists = [at for at, field in FIELDS.items() if field["type"] == "array" and "maxItems" not in field]
    texts = [
        at
        for at, field in FIELDS.items()
        if field["type"] == "string" and not {"maxLength", "enum"} & field.keys() and field.get("format") != "date-time"
    ]
    assert (lists, texts) == ([], [])


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
    assert dict(described(Spec, "spec")) == found


def test_rule_on_the_default_category_names_the_set_that_ships() -> None:
    (rule,) = SCHEMA["properties"]["spec"]["properties"]["classification"]["x-kubernetes-validations"]
    named = rule["rule"].rpartition(" in ")[2]
    assert yaml.safe_load(named.rstrip(")")) == [category.name for category in default_categories()]


def stored() -> dict[str, Any]:
    return {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": "stores"},
        "spec": {
            "whatsapp": {"groups": [{"jid": "120363000000000001@g.us"}], "storage": {"size": "2Gi"}},
            "zoho": {"organizationID": "1", "departmentID": "2", "credentialsSecretRef": {"name": "zoho"}},
        },
    }


@pytest.mark.parametrize(
    ("place", "value", "refusal"),
    [
        ("zoho.organizationID", "9", "organizationID is immutable"),
        ("zoho.dataCenter", "EU", "dataCenter is immutable"),
        ("zoho.dataCenter", "US", None),
        ("zoho.departmentID", "9", None),
        ("whatsapp.storage.size", "1Gi", "storage cannot shrink"),
        ("whatsapp.storage.size", "2000Mi", "storage cannot shrink"),
        ("whatsapp.storage.size", "3Gi", None),
        ("whatsapp.storage.storageClassName", "fast", "storageClassName is immutable"),
    ],
)
def test_changes(place: str, value: str, refusal: str | None) -> None:
    changed = copy.deepcopy(stored())
    *parents, last = place.split(".")
    part = changed["spec"]
    for parent in parents:
        part = part[parent]
    part[last] = value
    messages = [found.message for found in crd_judge().refusals(changed, old=stored())]
    assert messages == ([] if refusal is None else [refusal])
    assert crd_judge().refusals(changed) == []
