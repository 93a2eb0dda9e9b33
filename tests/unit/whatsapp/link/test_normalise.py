"""Events of the library as raw events, against what was once looked at and found right."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).with_name("wire_cases.py")
GOLDEN = Path(__file__).parents[3] / "data" / "whatsapp"
NORMALISED: dict[str, Any] = json.loads((GOLDEN / "normalised.json").read_text())
FIELDS: dict[str, str | None] = json.loads((GOLDEN / "message_fields.json").read_text())


def build(what: str) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, str(CASES), what], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def normalised() -> dict[str, Any]:
    return build("cases")


@pytest.mark.parametrize("case", NORMALISED)
def test_an_event_of_the_library_becomes(case: str, normalised: dict[str, Any]) -> None:
    assert normalised[case] == NORMALISED[case]


def test_every_case_has_been_looked_at(normalised: dict[str, Any]) -> None:
    assert list(normalised) == list(NORMALISED)


def test_every_field_of_the_schema_becomes_something_or_is_known_to_be_silent() -> None:
    """A new version of the library may bring new fields: they show here."""
    assert build("fields") == FIELDS
