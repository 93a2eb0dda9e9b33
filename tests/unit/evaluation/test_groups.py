"""The invented conversations hold together, and nobody real is in them.

Their figures beside those of a real group: `python -m tests.benchmarks.proportions`.
"""

import re
from pathlib import Path

import pytest
from tests.benchmarks.conversations import CONVERSATIONS

from supportbot.evaluation.conversation import Role, Row, read_rows
from supportbot.evaluation.faults import find_faults
from supportbot.spec.categories import DEFAULT_CATEGORIES

FILES = sorted(CONVERSATIONS.glob("*.jsonl"))
PHONE = re.compile(r"(?<!\w)(?:\+\d{1,3}[ -]?)?\(?\d{2,3}\)?[ -]?\d{3,4}[ -]?\d{4}(?!\w)")
ADDRESS = re.compile(r"[\w.%+-]+@[\w-]+\.[\w.-]+|(?:https?://|www\.)\S+")
INVENTED = re.compile(r"555[ -]?0?[ -]?01\d\d$")
"""The numbers that are kept free for inventions."""
EXAMPLE = re.compile(r"\bexample\.(?:com|org|net|mx)\b")


def texts_of(rows: list[Row]) -> list[str]:
    return [text for row in rows for text in (row.text, row.author, *row.mentions)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_labels_hold_together(path: Path) -> None:
    rows = read_rows(path)
    assert find_faults(rows, [one.name for one in DEFAULT_CATEGORIES]) == []
    assert any(row.staff for row in rows)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_incident_begins_with_its_report_or_a_photo(path: Path) -> None:
    first: dict[str, Row] = {}
    for row in read_rows(path):
        for name in row.incidents:
            first.setdefault(name, row)
    assert {name: row.role for name, row in first.items() if row.role not in {Role.OPEN, Role.EVIDENCE}} == {}
    assert len(first) >= 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_phone_numbers_and_addresses_are_invented(path: Path) -> None:
    texts = texts_of(read_rows(path))
    phones = [found[0] for text in texts for found in PHONE.finditer(text)]
    assert [one for one in phones if sum(map(str.isdigit, one)) >= 10 and not INVENTED.search(one)] == []
    assert [found[0] for text in texts for found in ADDRESS.finditer(text) if not EXAMPLE.search(found[0])] == []
