"""The emulator's time: wall time that tests and the control plane can move forward."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970, UTC.

    Args:
        read: Where the time comes from; tests pass a constant.
    """

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._ahead_s = 0.0

    def now(self) -> float:
        """The emulator's present."""
        return self._read() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Move the present; index lag, token life, upload life and the credit day follow."""
        self._ahead_s += seconds

    def iso(self) -> str:
        """The present as Zoho writes it."""
        return to_iso(self.now())


def to_iso(at: float) -> str:
    """`2026-01-31T10:00:00.000Z`."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> float:
    """Seconds since 1970 of an ISO time with a zone.

    Raises:
        ValueError: It is not a time, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()
