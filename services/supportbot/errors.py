"""The errors that say what happens next. Everything else that a handler raises is a bug."""


class TemporaryError(Exception):
    """The same work may succeed later: the bus hands the message out again after `delay_s`.

    Args:
        message: One sentence for the log and, at the end of all attempts, the dead letter.
        delay_s: Seconds until the next attempt; `None` leaves it to the bus (exponential with jitter).
    """

    def __init__(self, message: str, *, delay_s: float | None = None) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class UnavailableError(TemporaryError):
    """A dependency is away. The bus holds the lane until its breaker lets a probe through; no attempt is burnt."""

    def __init__(self, message: str, *, dependency: str, delay_s: float | None = None) -> None:
        super().__init__(message, delay_s=delay_s)
        self.dependency = dependency


class PermanentError(Exception):
    """The work can never succeed: the message becomes a dead letter at once.

    Args:
        message: One sentence that says what is wrong and what to do.
        reason: A short fixed word for metrics and lists, such as `invalid_data`.
    """

    def __init__(self, message: str, *, reason: str = "rejected") -> None:
        super().__init__(message)
        self.reason = reason


class UserError(Exception):
    """Bad input from the command line: one clear sentence; the process ends with status 2."""
