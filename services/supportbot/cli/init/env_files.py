"""The `.env` files of the earlier generation: text in, variables out, with quotes, comments, `export` and CRLF."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dotenv.parser import parse_stream

_REFERENCE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}")
_EXAMPLE = re.compile(
    r"(?:^|[^a-z])(?:your|change_?me|replace|example|xxx+|placeholder|todo)(?:[^a-z]|$)|^<.*>$|\.\.\.|_here$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Variables:
    """What the files say together."""

    values: Mapping[str, str]
    """Name in capitals → value; later files win."""
    unset: frozenset[str]
    """Names whose value is empty or an example such as `your-key-here`."""
    conflicts: Mapping[str, str]
    """Name → which files differ about it and which counts; never a value."""
    unreadable: tuple[str, ...]
    """Lines that are no assignment, as file and number."""


def read_env_files(files: Iterable[tuple[str, str]]) -> Variables:
    """Merge the variables of several files.

    Args:
        files: Name for messages, and text.
    """
    values: dict[str, str] = {}
    origin: dict[str, str] = {}
    conflicts: dict[str, str] = {}
    unreadable: list[str] = []
    for source, text in files:
        for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff"))):
            if binding.error:
                unreadable.append(f"{source}, line {binding.original.line}")
            if binding.error or binding.key is None:
                continue
            name, value = binding.key.strip().upper(), (binding.value or "").strip()
            if value and values.get(name) not in (None, "", value):
                conflicts[name] = f"{origin[name]} and {source} differ; {source} counts"
            if value or name not in values:
                values[name], origin[name] = value, source
    resolved = {name: _resolve(value, values) for name, value in values.items()}
    unset = frozenset(name for name, value in resolved.items() if not value or _EXAMPLE.search(value))
    return Variables(values=resolved, unset=unset, conflicts=conflicts, unreadable=tuple(unreadable))


def _resolve(value: str, values: Mapping[str, str]) -> str:
    """`${NAME}` and `${NAME:-default}` by the files' own variables, one level deep."""
    return _REFERENCE.sub(lambda match: values.get(match[1]) or match[2] or "", value)
