"""NOTICE names what the lock brings under terms that ask for more than a notice, in the versions that it brings."""

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOTICE = (ROOT / "NOTICE").read_text()
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
ASKS_FOR_MORE = re.compile(r"GPL|General Public|MPL|Mozilla|EPL|CDDL|EUPL")


def licence_of(name: str) -> str:
    """What a distribution says of its licence; empty where it is not installed."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    said = [*metadata.get_all("License-Expression", []), *metadata.get_all("Classifier", [])]
    return " ".join(text for text in said if "::" not in text or text.startswith("License"))


def test_packages_whose_licence_asks_for_more_are_named() -> None:
    asking = sorted(name for name in LOCKED if ASKS_FOR_MORE.search(licence_of(name)))

    assert "certifi" in asking
    assert [name for name in asking if not re.search(rf"^{name}[ ,]", NOTICE, re.MULTILINE)] == []


def test_the_modules_of_the_native_library_are_those_that_it_lists() -> None:
    spec = importlib.util.find_spec("neonize")
    if spec is None or spec.origin is None:
        pytest.skip("neonize is not installed")
    libraries = list(Path(spec.origin).parent.glob("neonize-*"))
    listed = b"".join(path.read_bytes() for path in libraries)
    named = re.findall(r"^  (go\S+) (v\S+),", NOTICE, re.MULTILINE)

    assert f"neonize {LOCKED['neonize']}," in NOTICE
    assert len(named) == 3
    assert [module for module, version in named if f"{module}\t{version}".encode() not in listed] == []
    assert set(re.findall(rb"dep\t(go\.mau\.fi/\S+)\t", listed)) == {module.encode() for module, _ in named}
