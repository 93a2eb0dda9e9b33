"""The decisions file of `supportbot replay`: JSON lines, one for every message of the export, in its order."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from supportbot.cli.replay.result import Line
from supportbot.errors import UserError


def describe_line(line: Line) -> dict[str, Any]:
    """One line of the file. What WhatsApp wrote has the author `""`.

    `incident` names the ticket that the message belongs to, `#1` for the first one; `opens` is true on the one message
    on whose arrival that ticket was opened. Category, priority and sites are the incident's, as they stood at the end.
    """
    return {
        "line": line.message.line,
        "at": line.at.isoformat(),
        "author": line.message.author or "",
        "kind": line.kind,
        "incident": line.ticket,
        "opens": line.opens,
        "category": line.category,
        "priority": line.priority,
        "sites": list(line.sites),
        "tier": line.tier,
        "confidence": None if line.confidence is None else round(line.confidence, 3),
        "degraded": line.degraded,
        "reasons": list(line.reasons),
    }


def check_path(path: Path, *, read: Iterable[Path]) -> None:
    """Find out before a long run that the file cannot be written, or is one of those that the run reads.

    Raises:
        UserError: The file cannot be written, or it must not.
    """
    if path.is_dir():
        raise UserError(f"--decisions: {str(path)!r} is a folder; give the name of a file")
    if not path.absolute().parent.is_dir():
        raise UserError(f"--decisions: the folder of {str(path)!r} does not exist; make it first")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UserError(f"--decisions: {str(path)!r} cannot be written; see the rights of the file and its folder")
    if path.exists() and any(other.exists() and path.samefile(other) for other in read):
        raise UserError(f"--decisions: {str(path)!r} is a file that replay reads; give the name of another file")


def write_decisions(path: Path, lines: Iterable[Line]) -> None:
    """Write the file. Raises UserError when that is not possible."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(describe_line(line), ensure_ascii=False) + "\n" for line in lines)
    except OSError as exc:
        raise UserError(f"--decisions: {str(path)!r} cannot be written ({exc.strerror})") from exc
