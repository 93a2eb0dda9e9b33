"""Judges a resource by its CRD as an API server does: null pruning, defaults, schema, list keys, CEL rules.

The schema is judged by jsonschema, the rules by cel-python; both get what Kubernetes adds to them, following
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
Where a real API server is at hand, it judges the same corpus.
"""

import copy
import datetime
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import celpy
import celpy.adapter
import jsonschema
import yaml
from celpy import celtypes
from jsonschema.protocols import Validator

CRD_FILE = Path(__file__).parent.parent / "crds" / "supportbots.yaml"

METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 253},
        "namespace": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "labels": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "maxLength": 63,
                "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
            },
        },
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "creationTimestamp": {},
        "finalizers": {},
        "generation": {},
        "managedFields": {},
        "ownerReferences": {},
        "resourceVersion": {},
        "selfLink": {},
        "uid": {},
    },
}
"""What of the API server's own ObjectMeta matters here; the CRD leaves it to the server."""

_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
_FACTOR = {"": 1, "m": 0.001, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_FACTOR |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why the API server would refuse a resource."""

    path: str
    message: str


class CRDJudge:
    """The verdict of one CRD's first version.

    Args:
        crd: The CustomResourceDefinition as YAML gives it.
    """

    def __init__(self, crd: Mapping[str, Any]) -> None:
        names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
        schema = copy.deepcopy(version["schema"]["openAPIV3Schema"])
        schema["properties"]["apiVersion"] = {"enum": [f"{crd['spec']['group']}/{version['name']}"]}
        schema["properties"]["kind"] = {"enum": [names["kind"]]}
        schema["properties"]["metadata"] = METADATA
        schema["required"] = [*schema["required"], "apiVersion", "kind", "metadata"]
        self.schema: Schema = schema
        for rule in _all_rules(schema):
            _program(rule)
        self._validator = _Validator(schema, format_checker=_formats)

    def defaulted(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What the API server would store: without nulls that are not nullable, with defaults, without status."""
        stored = copy.deepcopy({key: value for key, value in document.items() if key != "status"})
        _fill(stored, self.schema)
        return stored

    def refusals(self, document: object, *, old: Mapping[str, Any] | None = None) -> list[Refusal]:
        """Why it would be refused; empty when it is accepted.

        Args:
            document: The new resource.
            old: The stored resource that it replaces; without it, rules on `oldSelf` do not apply.
        """
        if not isinstance(document, Mapping):
            return [Refusal("", "is not an object")]
        stored = self.defaulted(document)
        found = [Refusal(_path(error), error.message) for error in self._validator.iter_errors(stored)]
        # As in the API server, rules run only on what the schema accepts.
        return found or list(_rules(stored, self.schema, (), None if old is None else self.defaulted(old)))


@functools.cache
def crd_judge() -> CRDJudge:
    """The judge of the CRD that the project ships."""
    return CRDJudge(yaml.safe_load(CRD_FILE.read_text()))


def _all_rules(schema: object) -> Iterator[str]:
    """Every CEL rule, so that one that does not compile is found at once."""
    if isinstance(schema, Mapping):
        yield from (rule["rule"] for rule in schema.get("x-kubernetes-validations", ()))
    children = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    for child in children:
        yield from _all_rules(child)


def _fill(value: object, schema: Schema) -> None:
    """Prunes nulls and fills in defaults, in place, parents first."""
    if isinstance(value, list):
        for item in value:
            _fill(item, schema.get("items", {}))
    if not isinstance(value, dict):
        return
    properties = schema.get("properties", {})
    for name, child in properties.items():
        if value.get(name) is None:
            value.pop(name, None)
            if "default" in child:
                value[name] = copy.deepcopy(child["default"])
        if name in value:
            _fill(value[name], child)


def _unknown_fields(
    validator: Validator, properties: Schema, instance: object, schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """`properties`, and with strict field validation nothing else."""
    yield from jsonschema.Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)
    if isinstance(instance, dict) and "additionalProperties" not in schema:
        for name in instance.keys() - properties.keys():
            yield jsonschema.ValidationError("unknown field", path=[name])


def _required(
    validator: Validator, names: list[str], instance: object, schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """`required`, with the path of the absent field."""
    if isinstance(instance, dict):
        yield from (jsonschema.ValidationError("required value", path=[n]) for n in names if n not in instance)


def _pattern(
    validator: Validator, pattern: str, instance: object, schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, str) and not _re2(pattern).search(instance):
        yield jsonschema.ValidationError(f"should match {pattern}")


def _list_type(
    validator: Validator, kind: str, instance: object, schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """Uniqueness in lists of the types `set` and `map`."""
    if kind == "atomic" or not isinstance(instance, list):
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    seen: list[object] = []
    for index, item in enumerate(instance):
        identity = [item.get(key) for key in keys] if keys and isinstance(item, dict) else item
        if identity in seen:
            yield jsonschema.ValidationError("duplicate value", path=[index])
        seen.append(identity)


def _int_or_string(
    validator: Validator, is_so: bool, instance: object, schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """CEL cannot read 1.0 here: every rule on it fails, and the CRD has one on each such field."""
    if is_so and isinstance(instance, float):
        yield jsonschema.ValidationError("neither an integer nor a text")


def _format(validator: Validator, name: str, instance: object, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    if name == "int32" and isinstance(instance, int | float) and not -(2**31) <= instance < 2**31:
        yield jsonschema.ValidationError("not an int32")
    if name == "duration" and isinstance(instance, str) and _duration(instance) is None:
        yield jsonschema.ValidationError("not a duration")


_formats = jsonschema.FormatChecker(formats=())
_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    {
        "properties": _unknown_fields,
        "required": _required,
        "pattern": _pattern,
        "format": _format,
        "x-kubernetes-int-or-string": _int_or_string,
        "x-kubernetes-list-type": _list_type,
    },
)


def _rules(value: object, schema: Schema, at: tuple[str | int, ...], old: object) -> Iterator[Refusal]:
    """The broken CEL rules of a value and of everything in it. `old` is None where there was nothing before."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" in rule["rule"] and old is None:
            continue
        if not _holds(rule["rule"], _cel(value, schema), None if old is None else _cel(old, schema)):
            field = re.sub(r"\['([^']+)'\]", r".\1", rule.get("fieldPath", "")).removeprefix(".")
            yield Refusal(_path_text((*at, field) if field else at), rule["message"])
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                before = old.get(name) if isinstance(old, dict) else None
                yield from _rules(value[name], child, (*at, name), before)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rules(item, schema.get("items", {}), (*at, index), None)


def _holds(rule: str, value: celtypes.Value, old: celtypes.Value | None) -> bool:
    context = {"self": value} if old is None else {"self": value, "oldSelf": old}
    return bool(_program(rule).evaluate(context))


@functools.cache
def _program(rule: str) -> celpy.Runner:
    environment = celpy.Environment()
    functions: dict[str, Any] = {
        "isQuantity": lambda text: celtypes.BoolType(_QUANTITY.fullmatch(text) is not None),
        "quantity": _quantity,
        "compareTo": lambda a, b: celtypes.IntType((a > b) - (a < b)),
        "matches": lambda text, pattern: celtypes.BoolType(_re2(pattern).search(text) is not None),
    }
    return environment.program(environment.compile(rule), functions=functions)


def _cel(value: object, schema: Schema) -> celtypes.Value:
    """The value as CEL sees it; a text with the format `duration` is a duration."""
    if isinstance(value, str) and schema.get("format") == "duration":
        return celtypes.DurationType(datetime.timedelta(seconds=_duration(value) or 0.0))
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        # CEL has no hyphens in names; the API server writes them out.
        names = {name: celtypes.StringType(name.replace("-", "__dash__")) for name in value}
        return celtypes.MapType({names[k]: _cel(v, properties.get(k, {})) for k, v in value.items()})
    if isinstance(value, list):
        return celtypes.ListType([_cel(item, schema.get("items", {})) for item in value])
    assert value is None or isinstance(value, bool | int | float | str)
    return celpy.adapter.json_to_cel(value)


def _quantity(text: str) -> celtypes.DoubleType:
    match = _QUANTITY.fullmatch(text)
    assert match, "rules ask isQuantity first"
    return celtypes.DoubleType(float(match[1]) * _FACTOR[match[2] or ""])


def _duration(text: str) -> float | None:
    """Seconds of a Go duration, as far as the CRD's patterns let it through."""
    parts = re.findall(r"([0-9]+)(ms|s|m|h)", text)
    return sum(int(n) * _UNIT_S[u] for n, u in parts) if "".join(n + u for n, u in parts) == text and parts else None


@functools.cache
def _re2(pattern: str) -> re.Pattern[str]:
    """RE2's `$` is the very end, Python's also stops before a last line feed."""
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def _path(error: jsonschema.ValidationError) -> str:
    return _path_text(tuple(error.absolute_path))


def _path_text(steps: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
