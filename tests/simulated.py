"""An invented bot, its simulated group and the people in it, for the tests of the whatsapp service."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from supportbot.spec import SupportBot, parse_bot
from supportbot.whatsapp.allowance import Allowance
from supportbot.whatsapp.gateway import Gateway, Group, MessageKey, RawEvent, RawPerson
from supportbot.whatsapp.limits import UNLIMITED, Policy
from supportbot.whatsapp.pacing import SIMULATED, Pacer
from supportbot.whatsapp.simulated_pairing import SimulatedPairing
from supportbot.whatsapp.simulated_whatsapp import SimulatedWhatsApp
from supportbot.whatsapp.simulator import Simulator
from supportbot.whatsapp.speaker import Speaker

CHAT = "120363000000000001@g.us"
INSTALL_KEY = bytes(range(32))
ANA = RawPerson(jid="529980000001@s.whatsapp.net", phone="+529980000001", push_name="Ana")
SENT_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def spec_document(name: str = "test", **spec: Any) -> dict[str, Any]:
    """A bot of the simulator, with further fields of its spec."""
    return {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": name},
        "spec": {
            "whatsapp": {"gateway": "Simulator", "groups": [{"jid": CHAT}]},
            "zoho": {"organizationID": "1", "departmentID": "2", "credentialsSecretRef": {"name": "zoho"}},
            **spec,
        },
    }


def make_bot(**spec: Any) -> SupportBot:
    """`spec_document`, parsed."""
    return parse_bot(spec_document(**spec), source="test")


def make_raw(message_id: str, text: str = "", **fields: Any) -> RawEvent:
    """Something that Ana did in the group."""
    key = MessageKey(chat=fields.pop("chat", CHAT), sender=ANA.jid, message_id=message_id)
    return RawEvent(key=key, sender=ANA, sent_at=SENT_AT, text=text, **fields)


class Inbox:
    """A sink that remembers what it got, or does what a test says."""

    def __init__(self, then: Callable[[RawEvent], None] | None = None) -> None:
        self.events: list[RawEvent] = []
        self._then = then

    def put(self, raw: RawEvent) -> None:
        if self._then is not None:
            self._then(raw)
        self.events.append(raw)

    def noticed(self, *, stored: int, repeated: int, ignored: int) -> None:
        """Only a gateway with a process of its own says this."""

    @property
    def ids(self) -> list[str]:
        return [raw.key.message_id for raw in self.events]


@contextmanager
def simulated(
    folder: Path, *, pairing: SimulatedPairing | None = None
) -> Iterator[tuple[Simulator, SimulatedWhatsApp]]:
    """The simulator on its server in a folder."""
    with SimulatedWhatsApp(folder / "simulated-whatsapp.db") as server:
        yield Simulator(server, groups=(Group(jid=CHAT, name="Tiendas"),), pairing=pairing), server


@contextmanager
def speaking(folder: Path, gateway: Gateway, *, policy: Policy = UNLIMITED) -> Iterator[tuple[Speaker, Allowance]]:
    """The voice of a gateway that need not be slow, with its history in a folder."""
    with Allowance(folder / "sends.db", policy) as allowance:
        yield Speaker(gateway, pacer=Pacer(SIMULATED), allowance=allowance), allowance


async def eventually(condition: Callable[[], Awaitable[object]], timeout_s: float = 30.0) -> None:
    """Wait for what real processes do."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
