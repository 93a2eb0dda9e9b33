"""What must not be in the repository's files."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_locks_name_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", lock.read_text())


def test_operator_is_no_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
