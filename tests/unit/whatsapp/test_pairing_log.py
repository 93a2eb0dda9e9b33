"""The QR code in the log: where the spec asks for it, each code once, and attempts more and more seldom."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from tests.unit.whatsapp.scripted import ScriptedGateway

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.gateway import GatewayState, LinkState, PairingMethod, PairingOffer
from supportbot.whatsapp.pairing_log import FIRST_WAIT_S, LONGEST_WAIT_S, LOOK_S, draw_in_log
from supportbot.whatsapp.qr import draw_text

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def offering(payload: str) -> GatewayState:
    offer = PairingOffer(method=PairingMethod.QR, payload=payload, expires_at=AT)
    return GatewayState(link=LinkState.PAIRING, pairing=offer)


UNPAIRED, LOGGED_OUT = GatewayState(link=LinkState.UNPAIRED), GatewayState(link=LinkState.LOGGED_OUT)
CODE = GatewayState(
    link=LinkState.PAIRING, pairing=PairingOffer(method=PairingMethod.CODE, code="ABCD-1234", expires_at=AT)
)


def stepping(
    gateway: ScriptedGateway, states: list[GatewayState], slept: list[float]
) -> Callable[[float], Awaitable[None]]:
    """A sleep after which the gateway is in its next state; at the end of the script it cancels."""

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if seconds == LOOK_S:
            if not states:
                raise asyncio.CancelledError
            gateway.current = states.pop(0)

    return sleep


async def run(
    states: list[GatewayState], error: Exception | None = None
) -> tuple[ScriptedGateway, list[str], list[float]]:
    gateway = ScriptedGateway(states[0], error=error)
    written: list[str] = []
    slept: list[float] = []
    with pytest.raises(asyncio.CancelledError):
        await draw_in_log(gateway, write=written.append, sleep=stepping(gateway, states[1:], slept))
    return gateway, written, [seconds for seconds in slept if seconds != LOOK_S]


async def test_each_code_is_drawn_once() -> None:
    gateway, written, _ = await run([UNPAIRED, offering("one"), offering("one"), offering("two"), CODE])

    assert gateway.asked == [("begin", PairingMethod.QR, None)]
    assert written == [draw_text("one"), draw_text("two")]


async def test_attempts_become_rare() -> None:
    gateway, _, slept = await run([state for number in range(9) for state in (UNPAIRED, offering(str(number)))])

    assert len(gateway.asked) == 9
    assert slept == [0, FIRST_WAIT_S, 120, 240, 480, 960, 1920, LONGEST_WAIT_S, LONGEST_WAIT_S]


async def test_a_device_that_was_logged_out_is_left_alone() -> None:
    gateway, written, slept = await run([LOGGED_OUT, LOGGED_OUT])

    assert (gateway.asked, written, slept) == ([], [], [])


@pytest.mark.parametrize(
    ("error", "second_wait_s"),
    [
        (UnavailableError("cannot be reached", dependency="whatsapp"), FIRST_WAIT_S),
        (PermanentError("three attempts today", reason="too_many_attempts"), LONGEST_WAIT_S),
    ],
)
async def test_a_refusal_waits_longer_than_a_lost_connection(error: Exception, second_wait_s: float) -> None:
    _, _, slept = await run([UNPAIRED, UNPAIRED], error)

    assert slept == [0, second_wait_s]
