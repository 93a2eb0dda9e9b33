"""What becomes of a message after its handler (pure), and the frames that tell the broker."""

import json
from dataclasses import dataclass

from supportbot.errors import PermanentError, TemporaryError, UnavailableError

MAX_ATTEMPTS = 6
MAX_BACKOFF_S = 120.0
MAX_HOLD_S = 30.0

ACK = b"+ACK"
NAK = b"-NAK"
IN_PROGRESS = b"+WPI"


@dataclass(frozen=True)
class Ack:
    """Done."""


@dataclass(frozen=True)
class Nak:
    """Again after a while; until then the lane waits, so that the order holds."""

    delay_s: float
    error: str
    bug: bool = False


@dataclass(frozen=True)
class Term:
    """Never again: it becomes a dead letter, which a person may replay."""

    reason: str
    error: str
    bug: bool = False


@dataclass(frozen=True)
class Hold:
    """A dependency is away: keep the message and call the handler again; no attempt is burnt."""

    delay_s: float
    dependency: str


Settlement = Ack | Nak | Term | Hold


def decide(error: Exception | None, *, failures: int, held: int, jitter: float) -> Settlement:
    """What becomes of a message.

    Args:
        error: What the handler raised.
        failures: How often the handler failed with this message before.
        held: How often this delivery was held before.
        jitter: 0 to 1, random: spreads the retries of many lanes.
    """
    match error:
        case None:
            return Ack()
        case PermanentError():
            return Term(error.reason, str(error))
        case UnavailableError():
            delay_s = error.delay_s if error.delay_s is not None else min(2.0 ** min(held, 10), MAX_HOLD_S)
            return Hold(delay_s, error.dependency)
        case TemporaryError():
            if failures + 1 >= MAX_ATTEMPTS:
                return Term("attempts_exhausted", str(error))
            return Nak(error.delay_s if error.delay_s is not None else _backoff_s(failures, jitter), str(error))
        case _:
            text = type(error).__name__  # Its message may quote what people wrote; the log has the place.
            if failures + 1 >= MAX_ATTEMPTS:
                return Term("bug", text, bug=True)
            return Nak(_backoff_s(failures, jitter), text, bug=True)


def nak_frame(delay_s: float) -> bytes:
    """`-NAK`, with a delay in nanoseconds; without one it comes back at once."""
    return NAK + (b" " + json.dumps({"delay": int(delay_s * 1e9)}).encode() if delay_s > 0 else b"")


def term_frame(reason: str) -> bytes:
    """`+TERM` with the reason, which the server's advisory repeats."""
    return b"+TERM " + reason.encode("ascii", "replace")[:64]


def _backoff_s(failures: int, jitter: float) -> float:
    return min(2.0 ** (failures + 1), MAX_BACKOFF_S) * (1 + 0.2 * jitter)
