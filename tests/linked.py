"""The real gateway linked to the emulated WhatsApp: a session paired once, from which each test starts."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from supportbot.whatsapp.gateway import InboundSink, PairingMethod, RawEvent
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.gateway import NeonizeGateway
from supportbot.whatsapp.neonize.process import COMMAND
from supportbot.whatsapp.neonize.wire import Start
from tests.emulators.whatsapp import Account, WhatsAppEmulator
from tests.emulators.whatsapp.people import Group, Person
from tests.events import until
from tests.simulated import CHAT, INSTALL_KEY, eventually

ANA_LID, ANA_PHONE = "77000000001", "529980000001"


@dataclass(frozen=True)
class Paired:
    """A linked session, to be copied: what the server knows of it, and the client's file."""

    account: Account
    session: Path


class Counts:
    """A sink of a gateway that writes the journal itself: it only counts."""

    def __init__(self) -> None:
        self.stored = self.repeated = self.ignored = 0

    def put(self, raw: RawEvent) -> None:
        raise AssertionError("the gateway writes the journal itself")

    def noticed(self, *, stored: int, repeated: int, ignored: int) -> None:
        self.stored += stored
        self.repeated += repeated
        self.ignored += ignored


class LinkedBot:
    """The gateway on an emulated WhatsApp with one group, in which Ana writes."""

    def __init__(self, folder: Path, whatsapp: WhatsAppEmulator) -> None:
        self.folder = folder
        self.whatsapp = whatsapp
        self.ana: Person = whatsapp.add_person("Ana", lid_user=ANA_LID, phone_user=ANA_PHONE)
        self.group: Group = whatsapp.add_group("Tiendas", [self.ana], jid=CHAT)
        self.counts = Counts()
        self._running: asyncio.Task[None] | None = None

    def make_gateway(self) -> NeonizeGateway:
        """A gateway on the bot's files; to be entered."""
        variables = self.whatsapp.redirection.variables()
        command = ("/usr/bin/env", *(f"{name}={value}" for name, value in variables.items()), *COMMAND)
        return NeonizeGateway(self.start, self.folder / "link.db", command=command)

    @property
    def start(self) -> Start:
        return Start(
            session=self.folder / "session.db",
            journal=self.folder / "journal.db",
            install_key=INSTALL_KEY.hex(),
            groups=(CHAT,),
        )

    @asynccontextmanager
    async def running(self, sink: InboundSink | None = None) -> AsyncIterator[NeonizeGateway]:
        """The gateway at work, until its orderly end."""
        with self.make_gateway() as gateway:
            task = asyncio.create_task(gateway.run(sink or self.counts))
            try:
                yield gateway
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[NeonizeGateway]:
        """The gateway at work and connected."""
        async with self.running() as gateway:
            await until(lambda: gateway.state().connected)
            await self.whatsapp.until_ready()
            yield gateway

    async def journalled(self, count: int) -> list[RawEvent]:
        """What the journal has to publish, once that is so many."""
        with Journal(self.folder / "journal.db") as journal:

            async def are_there() -> bool:
                return len(await journal.waiting(limit=10_000)) >= count

            await eventually(are_there)
            return [RawEvent.model_validate_json(row.raw) for row in await journal.waiting(limit=10_000)]

    async def unfetched(self) -> RawEvent:
        """The one message whose attachment is still to be downloaded."""
        with Journal(self.folder / "journal.db") as journal:

            async def is_there() -> bool:
                return len(await journal.unfetched()) == 1

            await eventually(is_there)
            (row,) = await journal.unfetched()
            return RawEvent.model_validate_json(row.raw)


async def pair(folder: Path) -> Paired:
    """Pair a new session by its QR code."""
    async with WhatsAppEmulator() as whatsapp:
        bot = LinkedBot(folder, whatsapp)
        with Journal(folder / "journal.db"):
            async with bot.running() as gateway:
                await until(lambda: gateway.state().link == "unpaired")
                await gateway.begin_pairing(PairingMethod.QR)
                await until(lambda: gateway.state().pairing is not None)
                offer = gateway.state().pairing
                assert offer is not None
                assert offer.payload is not None
                await whatsapp.scan(offer.payload)
                await until(lambda: gateway.state().connected)
                await whatsapp.until_ready()
        return Paired(account=whatsapp.account, session=folder / "session.db")


@asynccontextmanager
async def linked_bot(paired: Paired, folder: Path) -> AsyncIterator[LinkedBot]:
    """A bot that starts with a copy of the session."""
    shutil.copy(paired.session, folder / "session.db")
    with Journal(folder / "journal.db"):
        pass
    async with WhatsAppEmulator(paired.account.model_copy(deep=True)) as whatsapp:
        yield LinkedBot(folder, whatsapp)
