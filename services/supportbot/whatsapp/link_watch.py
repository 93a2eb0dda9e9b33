"""Looks at the link and at what may be sent, and says so: in the health, in metrics, to the operator."""

import asyncio
from collections.abc import Mapping

from supportbot import metrics
from supportbot.health import Health, State
from supportbot.whatsapp.allowance import Allowance
from supportbot.whatsapp.gateway import LINK_REASONS, Gateway, GatewayState, LinkState, PairingOffer
from supportbot.whatsapp.limits import Limit
from supportbot.whatsapp.link_words import describe_link
from supportbot.whatsapp.status import mask_phone

WATCH_INTERVAL_S = 1.0

NEEDS_PAIRING = frozenset({LinkState.UNPAIRED, LinkState.PAIRING, LinkState.PASSKEY_REQUIRED, LinkState.LOGGED_OUT})
"""States in which a person has to link the device."""


async def watch_link(health: Health, gateway: Gateway, allowance: Allowance, *, paused: bool) -> None:
    """Report until cancelled.

    Args:
        health: Gets the checks `whatsapp` and `sends`, and the pairing's offer for the operator alone.
        gateway: Its state is looked at every second.
        allowance: Learns of the link; its usage is shown.
        paused: The spec says so.
    """
    while True:
        state = gateway.state()
        await allowance.observe(state)
        _show_link(health, state, paused=paused)
        _show_sends(health, allowance)
        _tell_device(health, state, allowance)
        health.entrust(describe_offer(state.pairing) if state.pairing is not None else {})
        await asyncio.sleep(WATCH_INTERVAL_S)


def describe_offer(offer: PairingOffer) -> Mapping[str, str]:
    """An offer as the report and the Secret of the operator hold it."""
    code = {"qr": offer.payload, "code": offer.code, "expires-at": offer.expires_at.isoformat()}
    return {name: value for name, value in code.items() if value is not None}


def _show_link(health: Health, state: GatewayState, *, paused: bool) -> None:
    metrics.WHATSAPP_CONNECTED.set(state.connected)
    metrics.WHATSAPP_PAIRING_REQUIRED.set(state.link in NEEDS_PAIRING)
    message = "the bot is paused: messages wait at WhatsApp" if paused else state.message or describe_link(state.link)
    reason = "Paused" if paused else LINK_REASONS[state.link]
    health.set("whatsapp", State.OK if state.connected else State.DEGRADED, message, reason)


def _tell_device(health: Health, state: GatewayState, allowance: Allowance) -> None:
    linked_at = allowance.linked_at
    health.tell("phone", mask_phone(state.phone) if state.phone else "")
    health.tell("linked_at", linked_at.strftime("%Y-%m-%dT%H:%M:%SZ") if linked_at else "")


def _show_sends(health: Health, allowance: Allowance) -> None:
    usage = allowance.usage()
    metrics.WHATSAPP_SENDS_LAST_DAY.set(usage.last_24_hours)
    metrics.WHATSAPP_SENDS_LIMIT.set(usage.limit or 0)
    for limit in Limit:
        metrics.WHATSAPP_SENDS_PAUSED.labels(limit.value).set(usage.wait is not None and usage.wait.limit is limit)
    if usage.wait is None:
        health.set("sends", State.OK)
        return
    # Quiet hours are as the spec wants them.
    state = State.OK if usage.wait.limit is Limit.QUIET_HOURS else State.DEGRADED
    message = f"{usage.wait.message}; answers wait until {usage.wait.until:%Y-%m-%d %H:%M} UTC"
    health.set("sends", state, message, usage.wait.limit.value)
