"""Pairing as the simulated WhatsApp does it: codes that change and end on the real timetable, without any phone."""

import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from supportbot.whatsapp.gateway import PairingMethod, PairingOffer

LIFETIMES_S = (60.0, 20.0, 20.0, 20.0, 20.0, 20.0)
"""Of the QR codes of one attempt, one after the other; WhatsApp then ends the attempt."""

_CODE_CHARS = string.digits[1:] + string.ascii_uppercase


@dataclass(frozen=True)
class _Attempt:
    method: PairingMethod
    begun_at: datetime
    offers: Sequence[str]


class SimulatedPairing:
    """The attempt that runs now, if any.

    Args:
        clock: Aware UTC now.
        lifetimes_s: Of the QR codes, one after the other; a code to type lasts as long as all together.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lifetimes_s: Sequence[float] = LIFETIMES_S,
    ) -> None:
        self._clock = clock
        self._ends = [timedelta(seconds=end) for end in accumulate(lifetimes_s)]
        self._attempt: _Attempt | None = None

    def begin(self, method: PairingMethod) -> None:
        """Begin an attempt; one that runs goes on."""
        if self.offer() is None:
            make = _make_payload if method is PairingMethod.QR else _make_code
            self._attempt = _Attempt(method, self._clock(), [make() for _ in self._ends])

    def end(self) -> None:
        """Take the offer back."""
        self._attempt = None

    def offer(self) -> PairingOffer | None:
        """What is offered now."""
        attempt = self._attempt
        if attempt is None:
            return None
        age = self._clock() - attempt.begun_at
        number = next((number for number, end in enumerate(self._ends) if age < end), None)
        if number is None:
            return None
        if attempt.method is PairingMethod.CODE:
            expires_at = attempt.begun_at + self._ends[-1]
            return PairingOffer(method=attempt.method, code=attempt.offers[0], expires_at=expires_at)
        expires_at = attempt.begun_at + self._ends[number]
        return PairingOffer(method=attempt.method, payload=attempt.offers[number], expires_at=expires_at)

    def accepts(self, shown: str) -> bool:
        """Whether the phone that scanned or typed this may link the device."""
        offer = self.offer()
        return offer is not None and shown in {offer.payload, offer.code}


def _make_payload() -> str:
    """As long as a real one, which holds a reference and three keys."""
    parts = ",".join(secrets.token_urlsafe(size) for size in (88, 32, 32, 32))
    return f"https://wa.me/settings/linked_devices#{parts},1"


def _make_code() -> str:
    code = "".join(secrets.choice(_CODE_CHARS) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"
