"""How a call to a model can fail. Adapters translate every failure of their vendor into one `ProviderError`."""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supportbot.classifier.models.request import Usage


class OutcomeKind(StrEnum):
    """What a failed call means for the chain. Every one of them moves on to the next provider."""

    RETRYABLE = "retryable"
    """Timeout, dead connection, 408, 409, 5xx: the provider is ill."""
    RATE_LIMITED = "rate_limited"
    """429: leave it alone for `retry_after_s`."""
    MISCONFIGURED = "misconfigured"
    """Wrong key, no credit, unknown model: somebody has to change something."""
    BAD_OUTPUT = "bad_output"
    """An answer came, but it is not an opinion."""
    REFUSED = "refused"
    """The model or its filter did not want to answer."""
    TRUNCATED = "truncated"
    """The answer met the token limit."""
    REJECTED = "rejected"
    """The vendor did not take this request (400, 413, 422); the next turn may do."""


class ProviderError(Exception):
    """A call that gave no opinion.

    Args:
        message: One sentence that is safe to log: no text of the prompt or of the answer, no key.
        outcome: What it means.
        retry_after_s: Seconds that the vendor asks to wait, capped; only with `rate_limited` and `retryable`.
        status: The HTTP status, when there was an answer.
        usage: Tokens that the failed call used and that will be on the bill, when the vendor told.
    """

    def __init__(
        self,
        message: str,
        outcome: OutcomeKind,
        *,
        retry_after_s: float | None = None,
        status: int | None = None,
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.retry_after_s = retry_after_s
        self.status = status
        self.usage = usage


class BadOutput(ProviderError):  # noqa: N818 - the outcome's own name.
    """An answer came, but it is not an opinion: broken JSON, another shape, or refused by a guard."""

    def __init__(self, message: str, *, status: int | None = None, usage: "Usage | None" = None) -> None:
        super().__init__(message, OutcomeKind.BAD_OUTPUT, status=status, usage=usage)
