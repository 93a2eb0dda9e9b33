"""Which secrets a spec needs, and the `Secret` documents that hold them."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from supportbot.spec import scalars
from supportbot.spec.faults import PLACEHOLDER, Fault, fault_of, path_text, shown, type_name
from supportbot.spec.model import Spec

ZOHO_KEYS = ("client-id", "client-secret", "refresh-token")
"""The keys of the Secret that `spec.zoho.credentialsSecretRef` names."""

SECRET_FIELDS = ("apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData")


@dataclass(frozen=True)
class SecretKey:
    """One value that a spec needs."""

    name: str
    """The Secret."""
    key: str
    """The key in it."""
    path: str
    """Where the spec refers to it, such as `spec.models.primary.apiKeySecretRef`."""


def secret_refs(spec: Spec) -> tuple[SecretKey, ...]:
    """Every secret value that the spec needs, in the order of the spec."""
    return tuple(refs_in(spec.model_dump(by_alias=True)))


def refs_in(spec: object) -> Iterator[SecretKey]:
    """The same for a spec as it stands in a file: whatever is no reference is passed over."""
    models = _field(spec, "models")
    fallbacks = _field(models, "fallbacks")
    chain: list[tuple[tuple[str | int, ...], object]] = [(("primary",), _field(models, "primary"))]
    if isinstance(fallbacks, Sequence) and not isinstance(fallbacks, str):
        chain += [(("fallbacks", index), model) for index, model in enumerate(fallbacks)]
    for place, model in chain:
        ref = _field(model, "apiKeySecretRef")
        name, key = _field(ref, "name"), _field(ref, "key")
        if isinstance(name, str) and isinstance(key, str):
            yield SecretKey(name, key, path_text(("spec", "models", *place, "apiKeySecretRef")))
    name = _field(_field(_field(spec, "zoho"), "credentialsSecretRef"), "name")
    if isinstance(name, str):
        yield from (SecretKey(name, key, "spec.zoho.credentialsSecretRef") for key in ZOHO_KEYS)


@dataclass(frozen=True)
class SecretDocument:
    """A `Secret` document as far as it can be read, and what is wrong with it."""

    name: str
    """Empty when the document has none."""
    namespace: str | None
    values: Mapping[str, str]
    """Decoded, without surrounding white space."""
    faults: tuple[Fault, ...]


def read_secret(document: Mapping[str, Any], where: str) -> SecretDocument:
    """Reads a `Secret` document, which messages call `where`."""
    metadata = document.get("metadata")
    name, namespace = _field(metadata, "name"), _field(metadata, "namespace")
    faults = [
        Fault(f"{where}.{field}", f"is not a field; allowed here: {', '.join(SECRET_FIELDS)}")
        for field in document
        if field not in SECRET_FIELDS
    ]
    if document.get("apiVersion") != "v1":
        faults.append(Fault(f"{where}.apiVersion", f"must be v1; it is {shown(document.get('apiVersion'))}"))
    if fault := fault_of(scalars.SecretName, name):
        faults.append(Fault(f"{where}.metadata.name", fault))
    values: dict[str, str] = {}
    for field, decode in (("data", _decoded), ("stringData", str)):
        for key, value in _entries(document.get(field), f"{where}.{field}", faults):
            try:
                values[key] = decode(value).strip()
            except ValueError:
                message = "must be base64 of UTF-8 text; under stringData it may stand as it is"
                faults.append(Fault(f"{where}.{field}.{key}", message))
    return SecretDocument(
        name=name if isinstance(name, str) else "",
        namespace=namespace if isinstance(namespace, str) else None,
        values=values,
        faults=tuple(faults),
    )


def _entries(entries: object, where: str, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    """The keys and texts of `data` or `stringData`; whatever is no text becomes a fault."""
    if not isinstance(entries, Mapping | None):
        faults.append(Fault(where, f"must be an object of keys and values; it is {type_name(entries)}"))
        return
    for key, value in (entries or {}).items():
        if fault := fault_of(scalars.SecretKeyName, key):
            faults.append(Fault(f"{where}.{key}", fault))
        elif isinstance(value, str):
            yield key, value
        else:
            faults.append(Fault(f"{where}.{key}", f"must be text; it is {type_name(value)}: put it in quotes"))


def missing_secrets(needed: Iterator[SecretKey], secrets: Mapping[str, Mapping[str, str]]) -> Iterator[Fault]:
    """What the spec refers to and the file does not hold. An absent Secret is told once."""
    absent: dict[tuple[str, str], list[str]] = {}
    for ref in needed:
        if ref.name not in secrets:
            absent.setdefault((ref.path, ref.name), []).append(ref.key)
            continue
        value = secrets[ref.name].get(ref.key)
        place = f"key {ref.key} of Secret {ref.name}"
        if value is None:
            yield Fault(ref.path, f"the {place} is missing: add it under stringData")
        elif not value:
            yield Fault(ref.path, f"the {place} is empty")
        elif value.startswith(PLACEHOLDER):
            yield Fault(ref.path, f"the {place} is still a placeholder: replace it by the real value")
    for (path, name), keys in absent.items():
        message = f"the file has no Secret {name}: add one (apiVersion: v1, kind: Secret) with {', '.join(keys)}"
        yield Fault(path, message)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError(text) from exc


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None
