"""Exported messages for tests, with everything that a test does not care about filled in."""

from datetime import datetime
from typing import Any

from supportbot.export.chat import ExportedMessage

MORNING = datetime.fromisoformat("2026-02-02T09:00")


def exported(text: str = "", *, line: int = 1, author: str | None = "Ana 909", **more: Any) -> ExportedMessage:
    """A message of Ana's, or of WhatsApp for the author None."""
    fields: dict[str, Any] = {
        "at": MORNING,
        "media": None,
        "filename": None,
        "edited": False,
        "deleted": False,
        "system": author is None,
        "mentions": (),
        **more,
    }
    return ExportedMessage(line=line, author=author, text=text, **fields)
