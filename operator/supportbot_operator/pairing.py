"""A bot that waits for its phone (pure): what the gateway offers, and where a person finds it.

The offer goes into a Secret and nowhere else: whoever scans it decides to which account the bot belongs.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from supportbot.whatsapp.gateway import LINK_REASONS, LinkState
from supportbot_operator.desired import Bot

EXPIRES_AT = "expires-at"
OFFER_FIELDS = frozenset({"qr", "code", EXPIRES_AT})
"""What a gateway says in private, and the keys of the Secret."""

REASONS = frozenset(
    LINK_REASONS[state]
    for state in (LinkState.UNPAIRED, LinkState.PAIRING, LinkState.LOGGED_OUT, LinkState.PASSKEY_REQUIRED)
)
"""Of `WhatsAppLinked`, while a person has to link the device."""


def read_offer(said: Iterable[Mapping[str, str]], now: datetime) -> Mapping[str, str]:
    """What is offered now, as the Secret holds it; empty while nothing is.

    Args:
        said: In private, by gateways that report.
        now: Aware. A code whose time is over is worth nothing.
    """
    for private in said:
        offer = {name: value for name, value in private.items() if name in OFFER_FIELDS}
        if (ends := _parse_time(offer.get(EXPIRES_AT, ""))) is not None and ends > now:
            return offer
    return {}


def say_where(bot: Bot, *, offered: bool) -> str:
    """The end of a message that tells a person to link the device."""
    command = f"`supportbot pair --namespace {bot.namespace} --bot {bot.name}` shows a code"
    return f"{command}, and so does the Secret {bot.pairing_secret} now" if offered else command


def _parse_time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
