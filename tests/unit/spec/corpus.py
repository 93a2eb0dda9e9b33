"""The corpus of good and bad specs, and specs altered at random."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

SPECS = Path(__file__).parents[2] / "data" / "specs"
GOOD = sorted(SPECS.glob("good/*.yaml"))
BAD = sorted(SPECS.glob("bad/*.yaml"))

Steps = tuple[Any, ...]


def document(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


def places(value: object, at: Steps = ()) -> Iterator[Steps]:
    """Every place in a document, the root excepted."""
    steps: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    for step, item in enumerate(value) if isinstance(value, list) else steps:
        yield (*at, step)
        yield from places(item, (*at, step))


ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 0.5, 10**12, "", "x", "0", "1", "true", "Auto", "Shadow", "Code", "None",
    "OpenAI", "OpenAICompatible", "es", "pt", "20s", "1ms", "2m", "5Gi", "0.5", "600Mi", "2k",
    "+529980000009", "120363000000000009@g.us",
    "technical", "http://a", "https://a/b?c", "{subject}", "{", "á" * 70, "1" * 70, "\n", "a\n", [], {}, [None], [""],
    ["x", "x"], [{}], {"x": 1}, {"name": "x"}, {"name": "x", "key": "y"}, {"jid": "1@g.us"}, {"x": None},
)  # fmt: skip


@st.composite
def altered_specs(draw: st.DrawFn) -> dict[str, Any]:
    """A good document with one to three places dropped, replaced, doubled or added to."""
    changed = document(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        # The API server reads metadata by rules of its own, of which the judge knows a part.
        all_places = [place for place in places(changed) if place[0] == "spec" and len(place) > 1]
        if all_places:
            alter(draw, changed, draw(st.sampled_from(all_places)))
    return changed


def alter(draw: st.DrawFn, changed: dict[str, Any], place: Steps) -> None:
    parent: Any = changed
    for step in place[:-1]:
        parent = parent[step]
    odd = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
    match draw(st.sampled_from(["drop", "replace", "copy", "add"])):
        case "drop":
            del parent[place[-1]]
        case "replace":
            parent[place[-1]] = odd
        case "copy" if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[place[-1]]))
        case "add" if isinstance(parent, list):
            parent.append(odd)
        case "add":
            parent[draw(st.sampled_from([*FIELDS, "surprise"]))] = odd
        case _:
            pass


FIELDS = sorted({step for path in GOOD for place in places(document(path)) for step in place if isinstance(step, str)})


@dataclass(frozen=True)
class Change:
    """An update of a bot: dotted places of the spec with their values; None removes."""

    name: str
    after: Mapping[str, object]
    before: Mapping[str, object] = field(default_factory=dict)
    place: str = ""
    """Where it is refused; empty when it is accepted."""
    message: str = ""

    def old(self) -> dict[str, Any]:
        return _changed(_BEFORE, self.before)

    def new(self) -> dict[str, Any]:
        return _changed(self.old(), self.after)


def _changed(spec: dict[str, Any], values: Mapping[str, object]) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    for place, value in values.items():
        *parents, last = place.split(".")
        part = changed["spec"]
        for parent in parents:
            part = part[parent]
        part[last] = value
        if value is None:
            del part[last]
    return changed


_BEFORE: dict[str, Any] = {
    "apiVersion": "supportbot.dev/v1alpha1",
    "kind": "SupportBot",
    "metadata": {"name": "stores"},
    "spec": {
        "mode": "Auto",
        "whatsapp": {"groups": [{"jid": "120363000000000001@g.us"}], "storage": {"size": "2Gi"}},
        "zoho": {"organizationID": "1", "departmentID": "2", "credentialsSecretRef": {"name": "zoho"}},
    },
}
_ZOHO = _BEFORE["spec"]["zoho"]
_CLASS = "whatsapp.storage.storageClassName"
_SHADOW_WITHOUT_ZOHO: dict[str, object] = {"mode": "Shadow", "zoho": None}
_NO_CLASS = "storageClassName is immutable"
_NO_REMOVAL = "cannot be removed, as its organization cannot change; in mode Shadow it is not used"

CHANGES = (
    Change("department", {"zoho.departmentID": "9"}),
    Change(
        "organization",
        {"zoho.organizationID": "9"},
        place="spec.zoho.organizationID",
        message="organizationID is immutable",
    ),
    Change("data-center", {"zoho.dataCenter": "EU"}, place="spec.zoho.dataCenter", message="dataCenter is immutable"),
    Change("data-center-that-was-the-default", {"zoho.dataCenter": "US"}),
    Change(
        "data-center-left-out",
        {"zoho.dataCenter": None},
        {"zoho.dataCenter": "EU"},
        place="spec.zoho.dataCenter",
        message="dataCenter is immutable",
    ),
    Change("zoho-removed", _SHADOW_WITHOUT_ZOHO, place="spec.zoho", message=_NO_REMOVAL),
    Change("zoho-added", {"zoho": _ZOHO, "mode": "Auto"}, _SHADOW_WITHOUT_ZOHO),
    Change("zoho-never-there", {"paused": True}, _SHADOW_WITHOUT_ZOHO),
    Change("shadow", {"mode": "Shadow"}),
    Change(
        "storage-smaller",
        {"whatsapp.storage.size": "1Gi"},
        place="spec.whatsapp.storage.size",
        message="storage cannot shrink",
    ),
    Change(
        "storage-smaller-in-another-unit",
        {"whatsapp.storage.size": "2000Mi"},
        place="spec.whatsapp.storage.size",
        message="storage cannot shrink",
    ),
    Change(
        "storage-back-to-the-default",
        {"whatsapp.storage": None},
        place="spec.whatsapp.storage.size",
        message="storage cannot shrink",
    ),
    Change("storage-as-large-in-another-unit", {"whatsapp.storage.size": "2048Mi"}),
    Change("storage-larger", {"whatsapp.storage.size": "3Gi"}),
    Change("class-set-later", {_CLASS: "fast"}, place=f"spec.{_CLASS}", message=_NO_CLASS),
    Change("class-changed", {_CLASS: "slow"}, {_CLASS: "fast"}, place=f"spec.{_CLASS}", message=_NO_CLASS),
    Change("class-removed", {_CLASS: None}, {_CLASS: "fast"}, place=f"spec.{_CLASS}", message=_NO_CLASS),
    Change("class-kept", {"paused": True}, {_CLASS: "fast"}),
)
