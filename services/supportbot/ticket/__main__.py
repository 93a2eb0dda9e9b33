"""`python -m supportbot.ticket`: wiring. Any number of replicas may run; a conversation is with one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from supportbot.breaker import Breaker, BreakerPolicy
from supportbot.bus import Bus, Handler
from supportbot.cancellation import end_for_sure
from supportbot.errors import PermanentError, TemporaryError
from supportbot.ids import make_group_ref
from supportbot.pipeline import run_with_bus
from supportbot.service import Service, run_service
from supportbot.settings import Settings, load_settings, read_install_key
from supportbot.spec import Mode, SupportBot, Zoho, load_bot
from supportbot.ticket.app import Door, Office, create_ticket_app
from supportbot.ticket.asked_tickets import AskedTickets
from supportbot.ticket.authorisation import Authorisation
from supportbot.ticket.book import Book
from supportbot.ticket.contacts import Contacts
from supportbot.ticket.data_centers import HOSTS
from supportbot.ticket.grants import Grants
from supportbot.ticket.handler import ShadowHandler, TicketHandler
from supportbot.ticket.incidents import Incidents, Policy
from supportbot.ticket.oauth import Tokens
from supportbot.ticket.once import Once
from supportbot.ticket.records import Records
from supportbot.ticket.tickets import Portals, Tickets
from supportbot.ticket.words import get_words
from supportbot.ticket.zoho import DeskConfig, open_accounts, open_desk
from supportbot.ticket.zoho_health import ZohoHealth
from supportbot.topology import Bucket, Stage

_QUEUE_INTERVAL_S: Final = 15.0
_BREAKER_POLICY: Final = BreakerPolicy(max_open_s=60.0)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    handler: Handler
    office: Office
    zoho_health: ZohoHealth


async def main(service: Service) -> None:
    """HTTP runs with or without a bus; inside of it runs what needs one."""
    bot = load_bot(service.settings.spec)
    if bot.spec.zoho is not None:
        Grants(service.settings, bot.spec.zoho.credentials_secret_ref.name).read()  # A missing key ends the start.
    door = Door()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.serve(create_ticket_app(service, door)))
        # Not a task: it is cancelled first, so that the message at hand is still finished.
        await run_with_bus(
            service,
            bot.metadata.name,
            lambda bus: _work(service, bot, bus, door),
            away="tickets wait in their stream",
            paused=bot.spec.paused,
        )


async def _work(service: Service, bot: SupportBot, bus: Bus, door: Door) -> None:
    """Make tickets, or only decide in Shadow mode; a paused bot's messages wait."""
    lanes = service.settings.lanes
    if bot.spec.mode is Mode.SHADOW or bot.spec.zoho is None:
        door.reason = "no tickets are made: the bot is in Shadow mode"
        if bot.spec.paused:
            await asyncio.Event().wait()
        await bus.consume(Stage.TICKET, ShadowHandler("shadow"), lanes=lanes)
        return
    service.health.declare("zoho")
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(_open_parts(service, bot, bot.spec.zoho, bus))
        stack.enter_context(door.opened(parts.office))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end_for_sure(parts.zoho_health.watch()))
            tasks.create_task(end_for_sure(_retry_asked(parts.office.asked)))
            if not bot.spec.paused:
                await bus.consume(Stage.TICKET, parts.handler, lanes=lanes)


@asynccontextmanager
async def _open_parts(service: Service, bot: SupportBot, zoho: Zoho, bus: Bus) -> AsyncIterator[_Parts]:
    settings = service.settings
    config = _make_config(settings, zoho)
    grants = Grants(settings, zoho.credentials_secret_ref.name)
    records, shared = Records(await bus.bucket(Bucket.EFFECTS)), Records(await bus.bucket(Bucket.TOKENS))
    breaker = Breaker("zoho", policy=_BREAKER_POLICY, bucket=await bus.bucket(Bucket.BREAKERS))
    async with open_accounts(config) as accounts:
        tokens = Tokens(grants.read, accounts.refresh, shared)
        async with open_desk(config, tokens, breaker) as desk:
            once = Once(bus.effects, look_delays_s=settings.zoho_lookup_delays_s)
            portals, contacts, book = Portals(desk), Contacts(desk, records, once), Book(records)
            custom_fields = {one.name: one.value for one in zoho.custom_fields}
            tickets = Tickets(desk, contacts, portals, once, custom_fields=custom_fields)
            policy = _make_policy(settings, bot, zoho)
            incidents = Incidents(tickets, book, bus.media, policy)
            office = Office(
                desk=desk,
                contacts=contacts,
                book=book,
                asked=AskedTickets(tickets, book, records, policy.install_key),
                authorisation=Authorisation(accounts, grants, shared),
                install_key=policy.install_key,
            )
            zoho_health = ZohoHealth(
                service.health,
                desk,
                portals,
                breaker,
                departments={policy.department_id, *policy.departments.values()},
                custom_fields=custom_fields,
            )
            handler = TicketHandler(incidents, bus.effects, policy.words)
            yield _Parts(handler=handler, office=office, zoho_health=zoho_health)


def _make_config(settings: Settings, zoho: Zoho) -> DeskConfig:
    hosts = HOSTS[zoho.data_center]
    return DeskConfig(
        desk_url=str(settings.zoho_desk_url or hosts.desk).rstrip("/"),
        accounts_url=str(settings.zoho_accounts_url or hosts.accounts).rstrip("/"),
        organization_id=zoho.organization_id,
    )


def _make_policy(settings: Settings, bot: SupportBot, zoho: Zoho) -> Policy:
    install_key = read_install_key(settings)
    departments = {
        make_group_ref(install_key, group.jid): group.department_id
        for group in bot.spec.whatsapp.groups
        if group.department_id is not None
    }
    return Policy(
        words=get_words(bot.spec.language),
        department_id=zoho.department_id,
        departments=departments,
        contact_policy=zoho.contact_policy,
        install_key=install_key,
    )


async def _retry_asked(asked: AskedTickets) -> None:
    """Try the requests that wait for Zoho, until cancelled."""
    while True:
        try:
            await asked.process()
        except (TemporaryError, PermanentError) as exc:
            _log.warning("asked_tickets_wait", error_type=type(exc).__name__)
        await asyncio.sleep(_QUEUE_INTERVAL_S)


if __name__ == "__main__":
    raise SystemExit(run_service("ticket", load_settings, main))
