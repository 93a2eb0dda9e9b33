"""`spec.whatsapp.pairing.logQR`: the QR code in the gateway's log, for people who read that and have nothing else.

The only place where a pairing code gets into a log. It begins the pairing by itself, at first at once and then more and
more seldom, since WhatsApp counts attempts.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import GatewayState, LinkState, Pairable, PairingMethod
from supportbot.whatsapp.qr import draw_text

LOOK_S = 1.0
FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 3600.0

_log = structlog.get_logger(__name__)


class PairableGateway(Pairable, Protocol):
    """What of a gateway is needed."""

    def state(self) -> GatewayState:
        """As `Gateway.state`."""


def write_log(text: str) -> None:
    """Lines of their own among those of the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def draw_in_log(
    gateway: PairableGateway,
    *,
    write: Callable[[str], None] = write_log,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Pair and draw until cancelled. A device that was logged out is left alone: a person has to look first.

    Args:
        gateway: Is asked for codes while it is unpaired.
        write: Gets each drawing.
        sleep: Waits for seconds.
    """
    wait_s, drawn = 0.0, ""
    while True:
        state = gateway.state()
        if state.pairing is not None and state.pairing.payload not in {None, drawn}:
            drawn = state.pairing.payload or ""
            _log.info("pairing_qr_drawn", expires_at=state.pairing.expires_at.isoformat())
            write(draw_text(drawn))
        elif state.link is LinkState.UNPAIRED:
            await sleep(wait_s)
            wait_s = min(max(FIRST_WAIT_S, 2 * wait_s), LONGEST_WAIT_S)
            if gateway.state().link is LinkState.UNPAIRED and not await _begin(gateway):
                wait_s = LONGEST_WAIT_S
        elif state.connected:
            wait_s = 0.0
        await sleep(LOOK_S)


async def _begin(gateway: PairableGateway) -> bool:
    """Ask for a code; False when that is refused for today."""
    try:
        await gateway.begin_pairing(PairingMethod.QR)
    except UnavailableError as exc:
        _log.warning("pairing_not_begun", error=str(exc))
    except PermanentError as exc:
        _log.warning("pairing_refused", reason=exc.reason, error=str(exc))
        return False
    return True
