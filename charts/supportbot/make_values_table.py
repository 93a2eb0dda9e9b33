"""Writes the table of values in `README.md` from `values.yaml`, the only source of names, defaults and descriptions.

`python charts/supportbot/make_values_table.py`; a test holds the two equal. A description is the comment above a key,
begun with `# -- ` (the convention of helm-docs); a key with one is a row, with all that is below it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCE = HERE / "values.yaml"
TARGET = HERE / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"

_KEY = re.compile(r"^(?P<indent> *)(?P<name>[A-Za-z][A-Za-z0-9]*):")


def described(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of every commented key, in the order of the file."""
    path: list[str] = []
    comment: list[str] = []
    inside = -1
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            is_first = stripped.startswith("# -- ")
            comment = [stripped[5:]] if is_first else [*comment, stripped[2:]] if comment else []
        elif (match := _KEY.match(line)) and (inside < 0 or len(match["indent"]) <= inside):
            path = [*path[: len(match["indent"]) // 2], match["name"]]
            inside = len(match["indent"]) if comment else -1
            if comment:
                yield tuple(path), " ".join(comment)
            comment = []


def values_table(text: str) -> str:
    """The table in Markdown."""
    values = yaml.safe_load(text)
    rows = [
        f"| `{'.'.join(path)}` | `{_shown(_at(values, path))}` | {_escaped(words)} |" for path, words in described(text)
    ]
    return "\n".join(["| value | default | |", "| --- | --- | --- |", *rows]) + "\n"


def with_table(readme: str, table: str) -> str:
    """The README with the table between its marks.

    Raises:
        ValueError: The marks are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}{table}{end}{after}"


def _at(values: dict[str, Any], path: tuple[str, ...]) -> object:
    found: Any = values
    for name in path:
        found = found[name]
    return found


def _shown(value: object) -> str:
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    readme = with_table(TARGET.read_text(encoding="utf-8"), values_table(SOURCE.read_text(encoding="utf-8")))
    TARGET.write_text(readme, encoding="utf-8")
