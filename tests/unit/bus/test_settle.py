import pytest

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.settle import Ack, Hold, Nak, Settlement, Term, decide, nak_frame, term_frame

CASES: list[tuple[str, Exception | None, int, int, Settlement]] = [
    ("returned", None, 0, 0, Ack()),
    ("returned at the last attempt", None, 19, 0, Ack()),
    ("permanent", PermanentError("no field", reason="invalid_data"), 0, 0, Term("invalid_data", "no field")),
    ("temporary", TemporaryError("later"), 0, 0, Nak(2.0, "later")),
    ("temporary again", TemporaryError("later"), 2, 0, Nak(8.0, "later")),
    ("temporary with a delay", TemporaryError("later", delay_s=45), 0, 0, Nak(45, "later")),
    ("temporary at once", TemporaryError("later", delay_s=0), 0, 0, Nak(0, "later")),
    ("temporary once too often", TemporaryError("later"), 5, 0, Term("attempts_exhausted", "later")),
    ("away", UnavailableError("down", dependency="zoho"), 0, 0, Hold(1.0, "zoho")),
    ("away for long", UnavailableError("down", dependency="zoho"), 0, 9, Hold(30.0, "zoho")),
    ("away for days", UnavailableError("down", dependency="zoho"), 0, 5000, Hold(30.0, "zoho")),
    ("away at the last attempt", UnavailableError("down", dependency="zoho"), 18, 0, Hold(1.0, "zoho")),
    ("away until told", UnavailableError("down", dependency="zoho", delay_s=90), 0, 0, Hold(90, "zoho")),
    ("bug", KeyError("x"), 0, 0, Nak(2.0, "KeyError", bug=True)),
    ("bug once too often", KeyError("x"), 5, 0, Term("bug", "KeyError", bug=True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "failures", "held", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_decides_what_becomes_of_a_message(
    error: Exception | None, failures: int, held: int, expected: Settlement
) -> None:
    assert decide(error, failures=failures, held=held, jitter=0) == expected


def test_jitter_spreads_the_backoff_of_many_lanes_but_no_asked_delay() -> None:
    assert decide(TemporaryError("later"), failures=1, held=0, jitter=1) == Nak(4.8, "later")
    assert decide(TemporaryError("later", delay_s=5), failures=1, held=0, jitter=1) == Nak(5, "later")


def test_frames_are_those_of_the_protocol() -> None:
    assert nak_frame(0) == b"-NAK"
    assert nak_frame(1.5) == b'-NAK {"delay": 1500000000}'
    assert term_frame("invalid_data") == b"+TERM invalid_data"
    assert term_frame("no é") == b"+TERM no ?"
