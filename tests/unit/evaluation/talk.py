"""Small labelled conversations for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from supportbot.evaluation.conversation import Conversation, Row, make_conversation

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_row(number: int, role: str, *incidents: str, **more: Any) -> Row:
    """Message `number`, a minute after the one before."""
    values = {"id": str(number), "at": START + timedelta(minutes=number), "author": "Ana", "text": "x", **more}
    return Row.model_validate({**values, "role": role, "incidents": incidents})


def make_talk(*rows: Row) -> Conversation:
    """The conversation of rows."""
    return make_conversation("talk", rows)
