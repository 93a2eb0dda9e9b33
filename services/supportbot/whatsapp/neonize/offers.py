"""What is offered for pairing: each QR code for as long as WhatsApp takes it, or the one code to type."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from supportbot.logs import describe_error
from supportbot.whatsapp.gateway import PairingMethod, PairingOffer
from supportbot.whatsapp.neonize.wire import Pairing

FIRST_QR = timedelta(seconds=60)
NEXT_QR = timedelta(seconds=20)
CODE = timedelta(seconds=160)
"""As long as the library waits for a pairing."""

_log = structlog.get_logger(__name__)


class Offers:
    """The offers of one pairing.

    Args:
        pairing: What was asked for.
        pair_phone: Asks WhatsApp for the code to type.
        tell: Told of every offer.
        failed: Told, in a word, that WhatsApp gives no code.
    """

    def __init__(
        self,
        pairing: Pairing,
        *,
        pair_phone: Callable[[str], Coroutine[Any, Any, str]],
        tell: Callable[[PairingOffer], None],
        failed: Callable[[str], None],
    ) -> None:
        self._pairing = pairing
        self._pair_phone = pair_phone
        self._tell = tell
        self._failed = failed
        self._shown = 0
        self._asking: asyncio.Task[None] | None = None

    def take(self, payload: str) -> None:
        """Take a QR code of the library; on the event loop."""
        self._shown += 1
        if self._pairing.method is PairingMethod.QR:
            life = FIRST_QR if self._shown == 1 else NEXT_QR
            self._tell(PairingOffer(method=PairingMethod.QR, payload=payload, expires_at=datetime.now(UTC) + life))
        elif self._asking is None:
            # WhatsApp gives a code only to a connection that waits for a pairing, which the first QR code proves.
            self._asking = asyncio.create_task(self._ask(self._pairing.phone or ""))

    async def _ask(self, phone: str) -> None:
        try:
            code = await self._pair_phone(phone)
        except Exception as exc:  # noqa: BLE001 - the library raises many kinds, and each means the same here
            _log.warning("pairing_code_refused", **describe_error(exc))
            self._failed("err-no-code")
            return
        self._tell(PairingOffer(method=PairingMethod.CODE, code=code, expires_at=datetime.now(UTC) + CODE))
