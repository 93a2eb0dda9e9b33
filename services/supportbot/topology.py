"""Every name of a bot's streams, subjects, consumers and buckets (pure), and the one place that creates them.

`supportbot up`, `replay`, the operator and tests call `ensure_topology`; services only bind to what exists.
"""

from dataclasses import dataclass
from enum import StrEnum

from nats.js import JetStreamContext

from supportbot.contracts import Event


class Stage(StrEnum):
    """Who consumes: the classifier the inbox, the ticket service the tickets, the gateway the replies."""

    WHATSAPP = "whatsapp"
    CLASSIFIER = "classifier"
    TICKET = "ticket"


class Bucket(StrEnum):
    """The key-value buckets of a bot, by their short names."""

    EFFECTS = "effects"
    MEMORY = "memory"
    BREAKERS = "breakers"
    STATE = "state"
    TOKENS = "tokens"


@dataclass(frozen=True)
class Profile:
    """Limits of a bot's streams and consumers."""

    ack_wait_s: float = 30.0


LIVE = Profile()
REPLAY = Profile()


def stream_name(bot: str, stage: Stage) -> str:
    """The stream that `stage` consumes."""
    raise NotImplementedError


def event_subject(bot: str, event: Event) -> str:
    """The subject that `event` is published to."""
    raise NotImplementedError


def bucket_name(bot: str, name: str) -> str:
    """The full name of a bot's bucket."""
    raise NotImplementedError


async def ensure_topology(js: JetStreamContext, bot: str, lanes: int, profile: Profile = LIVE) -> None:
    """Create or update all streams, consumers and buckets of a bot."""
    raise NotImplementedError
