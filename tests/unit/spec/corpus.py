"""The corpus of good and bad specs, and specs altered at random."""

import copy
from collections.abc import Iterable, Iterator
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
    "OpenAI", "OpenAICompatible", "es", "pt", "20s", "1ms", "2m", "5Gi", "+529980000009", "120363000000000009@g.us",
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
