"""The portal's two limits: credits of the day, and calls at the same time."""

from .answers import RefusedError
from .clock import Clock
from .settings import Settings

_DAY_S = 86_400


class Credits:
    """The pot that all integrations of a portal share; it is full again at 00:00 UTC."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._used = 0
        self._day = self._today()

    @property
    def remaining(self) -> int:
        """Credits left today."""
        used = self._used if self._day == self._today() else 0
        return max(self._settings.credits - used, 0)

    def refill(self) -> None:
        """Start the count again."""
        self._used, self._day = 0, self._today()

    def charge(self, weight: int) -> dict[str, str]:
        """Take `weight` credits and return the rate limit headers.

        Raises:
            RefusedError: 429 THRESHOLD_EXCEEDED with Retry-After; nothing is taken.
        """
        if self._day != self._today():
            self.refill()
        if self.remaining < weight:
            wait_s = self._settings.retry_after_s
            headers = {"Retry-After": str(self._seconds_left() if wait_s is None else wait_s)}
            message = "The API credits of your organization for the day are used up."
            raise RefusedError(429, "THRESHOLD_EXCEEDED", message, headers=headers | self._headers(weight))
        self._used += weight
        return self._headers(weight)

    def _headers(self, weight: int) -> dict[str, str]:
        return {
            "X-Rate-Limit-Request-Weight-v3": str(weight),
            "X-Rate-Limit-Remaining-v3": str(self.remaining),
        }

    def _today(self) -> int:
        return int(self._clock.now() // _DAY_S)

    def _seconds_left(self) -> int:
        return int(_DAY_S - self._clock.now() % _DAY_S) + 1


def page_weight(offset: int) -> int:
    """Credits of one page of a list; deep pages cost more (Zoho's pages differ, these are the higher figures)."""
    return 3 if offset <= 2000 else 5 if offset <= 3000 else 10 if offset <= 4000 else 50
