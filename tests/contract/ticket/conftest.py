"""The emulated Zoho Desk as a process of its own, and the ticket service's parts on it and a real NATS server."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from supportbot.breaker import Breaker, BreakerPolicy
from supportbot.bus import Bus, Context
from supportbot.contracts import Event, TrailEntry
from supportbot.errors import UnavailableError
from supportbot.spec import ContactPolicy
from supportbot.ticket.asked_tickets import AskedTickets
from supportbot.ticket.book import Book
from supportbot.ticket.contacts import Contacts
from supportbot.ticket.handler import TicketHandler
from supportbot.ticket.incidents import Incidents, Policy
from supportbot.ticket.oauth import Grant, Tokens
from supportbot.ticket.once import Once
from supportbot.ticket.records import Records
from supportbot.ticket.tickets import Portals, Tickets
from supportbot.ticket.words import get_words
from supportbot.ticket.zoho import DeskConfig, ZohoDesk, open_accounts, open_desk
from supportbot.topology import Bucket, Stage

INSTALL_KEY = bytes(32)
OTHER_GROUP = "f" * 16
"""Has a department of its own."""
LOOK_DELAYS_S = (0.05, 0.1, 0.2)


class Emulator:
    """The control plane of the emulated portal."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = await self._http.request(method, f"{self.url}/_emulator/{path}", json=body)
        response.raise_for_status()
        return response.json() if response.content else None

    async def fault(self, **fault: Any) -> None:
        """Queue a fault."""
        await self._call("POST", "faults", fault)

    async def clear_faults(self) -> None:
        """Forget all faults."""
        await self._call("DELETE", "faults")

    async def set(self, **settings: Any) -> None:
        """Change settings of the portal."""
        await self._call("PATCH", "settings", settings)

    async def end_tokens(self) -> None:
        """End all access tokens."""
        await self._call("DELETE", "tokens")

    async def act(self, **action: Any) -> Any:
        """Do what an agent does."""
        return await self._call("POST", "agent", action)

    async def state(self) -> dict[str, Any]:
        """All that the portal holds."""
        state: dict[str, Any] = await self._call("GET", "state")
        return state

    async def until_made(self, kind: str, count: int = 1) -> None:
        """Wait until the portal holds so many of a kind."""
        for _ in range(1000):
            if len((await self.state())[kind]) >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {kind} were made")

    async def calls(self, method: str, path: str) -> int:
        """How many calls of a method and a path ending there were."""
        log = await self._call("GET", "log")
        return sum(row["method"] == method and row["path"].endswith(path) for row in log)


@asynccontextmanager
async def run_emulator(*arguments: str) -> AsyncIterator[Emulator]:
    """An emulator process."""
    command = ("-m", "supportbot.emulators.zoho", "--port", "0", *arguments)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        async with httpx.AsyncClient(timeout=10) as http:
            yield Emulator(line["desk"], http)
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A fresh portal."""
    async with run_emulator() as running:
        yield running


@dataclass
class Replica:
    """One process's worth of the ticket service, called directly."""

    bus: Bus
    desk: ZohoDesk
    breaker: Breaker
    contacts: Contacts
    book: Book
    asked: AskedTickets
    handler: TicketHandler
    published: list[Event] = field(default_factory=list)
    entries: list[TrailEntry] = field(default_factory=list)

    async def call(self, event: Event) -> Event | None:
        """One delivery, as the bus makes it."""

        async def publish(extra: Event) -> None:
            self.published.append(extra)

        ctx = Context(event, stage=Stage.TICKET, publish=publish)
        result = await self.handler(event, ctx)
        self.entries += ctx.entries
        return result

    async def deliver(self, event: Event, *, tries: int = 60) -> Event | None:
        """Deliver again while the work is held, as the bus does."""
        for _ in range(tries):
            try:
                return await self.call(event)
            except UnavailableError as exc:
                await asyncio.sleep(min(exc.delay_s or 0.05, 0.1))
        raise AssertionError("held for ever")


@asynccontextmanager
async def open_replica(
    emulator: Emulator,
    bus: Bus,
    *,
    timeout_s: float = 5.0,
    contact_policy: ContactPolicy = ContactPolicy.PER_SENDER,
) -> AsyncIterator[Replica]:
    """A replica of the service on the bus and the emulator."""
    config = DeskConfig(
        desk_url=emulator.url, accounts_url=emulator.url, organization_id="123456789", timeout_s=timeout_s
    )
    grant = Grant(
        client_id="demo-client", client_secret=SecretStr("demo-secret"), refresh_token=SecretStr("demo-refresh")
    )
    records, shared = Records(await bus.bucket(Bucket.EFFECTS)), Records(await bus.bucket(Bucket.TOKENS))
    breaker = Breaker("zoho", policy=BreakerPolicy(min_calls=1000, open_s=0.1))
    words = get_words("es")
    policy = Policy(
        words=words,
        department_id="987654321",
        departments={OTHER_GROUP: "987654322"},
        contact_policy=contact_policy,
        install_key=INSTALL_KEY,
    )
    async with AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(open_accounts(config))
        tokens = Tokens(lambda: grant, accounts.refresh, shared)
        desk = await stack.enter_async_context(open_desk(config, tokens, breaker))
        once, book = Once(bus.effects, look_delays_s=LOOK_DELAYS_S), Book(records)
        contacts = Contacts(desk, records, once)
        tickets = Tickets(desk, contacts, Portals(desk), once, custom_fields={})
        yield Replica(
            bus=bus,
            desk=desk,
            breaker=breaker,
            contacts=contacts,
            book=book,
            asked=AskedTickets(tickets, book, records, INSTALL_KEY),
            handler=TicketHandler(Incidents(tickets, book, bus.media, policy), bus.effects, words, delay_after_s=0.2),
        )


@pytest.fixture
async def replica(emulator: Emulator, bus: Bus) -> AsyncIterator[Replica]:
    """The service."""
    async with open_replica(emulator, bus) as running:
        yield running
