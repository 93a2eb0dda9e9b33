"""`python -m supportbot.whatsapp`: wiring. Exactly one of it runs for a bot."""

import asyncio
import fcntl
import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter

from supportbot.bus import Bus
from supportbot.errors import UserError
from supportbot.pipeline import run_with_bus
from supportbot.service import Service, run_service
from supportbot.settings import Settings, load_settings, read_install_key
from supportbot.spec import Gateway as GatewayName
from supportbot.spec import SupportBot, load_bot
from supportbot.topology import Stage
from supportbot.whatsapp import simulator_api
from supportbot.whatsapp.allowance import Allowance
from supportbot.whatsapp.app import create_whatsapp_app
from supportbot.whatsapp.convert import Roster
from supportbot.whatsapp.gateway import Gateway, Group, Pairable
from supportbot.whatsapp.handler import ReplyHandler, rooms_of
from supportbot.whatsapp.inbound import Attachments, Bell, JournalSink
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.limits import UNLIMITED, make_policy
from supportbot.whatsapp.link_watch import watch_link
from supportbot.whatsapp.neonize.gateway import NeonizeGateway
from supportbot.whatsapp.neonize.wire import Start
from supportbot.whatsapp.outgoing import OutgoingMessages
from supportbot.whatsapp.pacing import SIMULATED, Pace, Pacer
from supportbot.whatsapp.pairing_log import draw_in_log
from supportbot.whatsapp.publisher import Publisher, prune
from supportbot.whatsapp.simulated_whatsapp import SimulatedWhatsApp
from supportbot.whatsapp.simulator import Simulator
from supportbot.whatsapp.speaker import Speaker

JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What works without a bus."""

    bot: SupportBot
    roster: Roster
    journal: Journal
    gateway: Gateway
    router: APIRouter | None
    """The simulator's endpoints."""
    attachments: Attachments
    allowance: Allowance
    speaker: Speaker
    arrived: Bell
    ready: Bell


async def main(service: Service) -> None:
    """The gateway, its journal and its HTTP side run with or without a bus; inside of them runs what needs it."""
    service.health.declare("whatsapp")
    with ExitStack() as stack:
        parts = _make_parts(service.settings, stack)
        spec, journal, gateway = parts.bot.spec, parts.journal, parts.gateway
        outgoing = OutgoingMessages(speaker=parts.speaker, journal=journal)
        app = create_whatsapp_app(
            service, spec, gateway=gateway, journal=journal, outgoing=outgoing, allowance=parts.allowance
        )
        if parts.router:
            app.include_router(parts.router)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.serve(app))
            tasks.create_task(parts.attachments.run())
            tasks.create_task(prune(journal))
            tasks.create_task(watch_link(service.health, gateway, parts.allowance, paused=spec.paused))
            if not spec.paused:
                groups = frozenset(group.jid for group in spec.whatsapp.groups)
                bells = (parts.arrived, parts.ready)
                sink = JournalSink(journal, roster=parts.roster, groups=groups, bells=bells)
                tasks.create_task(gateway.run(sink))
                if spec.whatsapp.pairing.log_qr and isinstance(gateway, Pairable):
                    tasks.create_task(draw_in_log(gateway))
            # Not a task: it is cancelled before them, so that an answer on its way still finds a link.
            await run_with_bus(
                service,
                parts.bot.metadata.name,
                lambda bus: _work(service, parts, bus),
                away="messages wait in the journal",
                paused=spec.paused,
            )


def _make_parts(settings: Settings, stack: ExitStack) -> Parts:
    bot = load_bot(settings.spec)
    stack.enter_context(_only_one(settings.data / "whatsapp.lock"))
    journal = stack.enter_context(Journal(settings.data / JOURNAL_FILE, synchronous=settings.journal_sync))
    gateway, router = _make_gateway(bot, settings, stack)
    policy = UNLIMITED if router else make_policy(bot.spec.whatsapp.limits)
    allowance = stack.enter_context(Allowance(settings.data / "sends.db", policy))
    pacer = Pacer(SIMULATED if router else Pace(total_per_minute=settings.sends_per_minute))
    arrived, ready = Bell(), Bell()
    folder = settings.data / "attachments"
    return Parts(
        bot=bot,
        roster=Roster(read_install_key(settings), frozenset(bot.spec.whatsapp.staff)),
        journal=journal,
        gateway=gateway,
        router=router,
        attachments=Attachments(folder, journal=journal, gateway=gateway, arrived=arrived, fetched=ready),
        allowance=allowance,
        speaker=Speaker(gateway, pacer=pacer, allowance=allowance),
        arrived=arrived,
        ready=ready,
    )


async def _work(service: Service, parts: Parts, bus: Bus) -> None:
    """Drain the journal and answer."""
    spec, settings = parts.bot.spec, service.settings
    handler = ReplyHandler(
        spec,
        rooms=rooms_of(spec, parts.roster.install_key),
        speaker=parts.speaker,
        journal=parts.journal,
        ledger=bus.effects,
    )
    publisher = Publisher(
        bus,
        journal=parts.journal,
        attachments=parts.attachments,
        roster=parts.roster,
        own_jids=lambda: parts.gateway.own_jids,
        bell=parts.ready,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run())
        if not spec.paused:
            tasks.create_task(bus.consume(Stage.WHATSAPP, handler, lanes=settings.lanes))


def _make_gateway(bot: SupportBot, settings: Settings, stack: ExitStack) -> tuple[Gateway, APIRouter | None]:
    """The gateway that the spec names; with the simulator also its endpoints."""
    groups = bot.spec.whatsapp.groups
    if bot.spec.whatsapp.gateway is GatewayName.NEONIZE:
        return stack.enter_context(_make_link(bot, settings)), None
    server = stack.enter_context(SimulatedWhatsApp(settings.data / "simulated-whatsapp.db"))
    simulator = Simulator(server, groups=tuple(Group(jid=group.jid) for group in groups))
    return simulator, simulator_api.create_router(simulator, server, default_group=groups[0].jid)


def _make_link(bot: SupportBot, settings: Settings) -> NeonizeGateway:
    """The gateway to WhatsApp itself.

    Raises:
        UserError: Its library is not installed.
    """
    if importlib.util.find_spec("neonize") is None:
        raise UserError("gateway Neonize needs a library: pip install 'supportbot[neonize]'")
    start = Start(
        session=settings.data / "session.db",
        journal=settings.data / JOURNAL_FILE,
        synchronous=settings.journal_sync,
        install_key=read_install_key(settings).hex(),
        groups=tuple(group.jid for group in bot.spec.whatsapp.groups),
        log_level=settings.log_level,
        log_format=settings.log_format,
        instance=settings.instance,
    )
    return NeonizeGateway(start, settings.data / "link.db")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the data folder: two processes on one WhatsApp session replace each other.

    Raises:
        UserError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise UserError(f"another whatsapp service uses {path.parent}; end it, or set SUPPORTBOT_DATA") from exc
        yield


if __name__ == "__main__":
    raise SystemExit(run_service("whatsapp", load_settings, main))
