"""Each service's bus does all of its work under the credentials of that service, and nothing is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from tests.conftest import LANES
from tests.contract.access.support import SecuredNATS
from tests.contract.bus.support import consuming
from tests.events import classify, make_message, until

from supportbot.breaker import Breaker
from supportbot.bus import Bus, Context
from supportbot.classifier.models.budget import Budget, Used
from supportbot.contracts import ConfirmationAsked, Event, MessageClassified, MessageReceived, Outcome, TrailEntry
from supportbot.deadletters import list_dead_letters
from supportbot.effects import perform_once
from supportbot.errors import PermanentError
from supportbot.health import Health
from supportbot.janitor import run_janitor
from supportbot.kv import KeyValue
from supportbot.nats_connection import Connection
from supportbot.spec import DailyBudget
from supportbot.ticket.records import Records
from supportbot.topology import Bucket, Stage
from supportbot.trail import read_trail

pytestmark = pytest.mark.nats

MEDIA = bytes(range(256)) * 2000
"""Several chunks."""
REPLY_KEY = "reply.i_aaaaaaaaaaaaaaaaaaaa.opened"


@asynccontextmanager
async def service(secured: SecuredNATS, bot: str, stage: Stage) -> AsyncIterator[Bus]:
    access = secured.service(bot, stage)
    async with Bus.connect(secured.url, bot=bot, service=stage.value, access=access) as bus:
        yield bus
        assert bus.connection.denied == {}, bus.connection.complaint


@dataclass
class Told:
    """A store that tells when it has the state."""

    store: KeyValue
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, key: str, value: bytes) -> None:
        await self.store.put(key, value)
        self.done.set()


async def report_once(bus: Bus, service: str) -> None:
    """Put the process's state into its bucket."""
    told = Told(await bus.bucket(Bucket.STATE))
    health = Health(service, instance=f"{bus.bot}-{service}-0.x")
    reporting = asyncio.create_task(health.report(told, interval_s=3600))
    try:
        async with asyncio.timeout(5):
            await told.done.wait()
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)


async def use_whatsapp(bus: Bus) -> list[Event]:
    """What the gateway's service asks of the bus; the answers that it got."""
    answers: list[Event] = []

    async def answer(event: Event, ctx: Context) -> None:
        async def do() -> dict[str, str]:
            answers.append(event)
            return {"message_id": "3A"}

        assert await bus.effects.get("ticket.i_aaaaaaaaaaaaaaaaaaaa") is not None
        await perform_once(bus.effects, REPLY_KEY, do=do, find=lambda _: asyncio.sleep(0))

    message = make_message(1)
    assert await bus.media.put(MEDIA) == await bus.media.put(MEDIA)
    await bus.publish(message)
    await bus.record(
        TrailEntry(
            message_ref=message.message_ref,
            group_ref=message.group_ref,
            stage="whatsapp",
            outcome=Outcome.RECEIVED,
            at=message.received_at,
        )
    )
    await report_once(bus, "whatsapp")
    async with consuming(bus, answer, stage=Stage.WHATSAPP):
        await until(lambda: bool(answers))
    return answers


async def use_classifier(bus: Bus) -> None:
    memory = await bus.bucket(Bucket.MEMORY)
    breaker = Breaker("openai/m", key="model.openai-m-0", bucket=await bus.bucket(Bucket.BREAKERS))
    budget = Budget(DailyBudget(tokens=1000), bucket=await bus.bucket(Bucket.USAGE))
    seen: list[Event] = []

    async def decide(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        assert await memory.get(event.group_ref) is None
        revision = await memory.create(event.group_ref, b"1")
        await memory.update(event.group_ref, b"2", revision=revision)
        ctx.record(Outcome.IGNORED)
        seen.append(event)
        return classify(event)

    await report_once(bus, "classifier")
    breaker.record_failure(retry_after_s=60)
    budget.charge(100, 0.5)
    await breaker.sync()
    await budget.sync()
    budget.charge(20, None)
    await budget.sync()
    async with consuming(bus, decide, stage=Stage.CLASSIFIER):
        await until(lambda: bool(seen))
        await until(lambda: bus.is_ready and bool(bus.lanes))


async def use_ticket(bus: Bus, media: str) -> None:
    handled: list[Event] = []
    records = Records(await bus.bucket(Bucket.EFFECTS))
    shared = Records(await bus.bucket(Bucket.TOKENS))
    breaker = Breaker("zoho", bucket=await bus.bucket(Bucket.BREAKERS))

    async def do() -> dict[str, str]:
        return {"number": "101"}

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageClassified)
        await perform_once(bus.effects, "ticket.i_aaaaaaaaaaaaaaaaaaaa", do=do, find=lambda _: asyncio.sleep(0))
        assert await bus.media.get(media) == MEDIA
        handled.append(event)
        answer = ConfirmationAsked(message_ref=event.message_ref, group_ref=event.group_ref)
        await ctx.publish(answer)
        raise PermanentError("no such department", reason="rejected")

    await report_once(bus, "ticket")
    await records.put("desk.queue.1", {"state": "queued"})
    assert await records.keys("desk.queue.") == ["desk.queue.1"]
    async with records.lock("desk.queuelock", ttl_s=5), shared.lock("zoho.lock", ttl_s=5):
        await shared.put("zoho", {"token": "x"})
        await records.delete("desk.queue.1")
    for _ in range(5):
        breaker.record_failure()
    await breaker.sync()
    await breaker.sync()
    async with consuming(bus, handle, stage=Stage.TICKET):
        await until(lambda: bool(handled))


async def test_a_message_passes_all_stages_under_their_own_credentials(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str]
) -> None:
    bot = bots[0]
    async with (
        service(secured, bot, Stage.WHATSAPP) as whatsapp,
        service(secured, bot, Stage.CLASSIFIER) as classifier,
        service(secured, bot, Stage.TICKET) as ticket,
        Bus.share(operator, bot=bot) as admin,
    ):
        media = await whatsapp.media.put(MEDIA)
        _, _, answers = await asyncio.gather(
            use_classifier(classifier), use_ticket(ticket, media), use_whatsapp(whatsapp)
        )
        assert [type(answer) for answer in answers] == [ConfirmationAsked]
        (letter,) = await list_dead_letters(admin)
        assert (letter.stage, letter.reason) == (Stage.TICKET, "rejected")
        outcomes = {(entry.stage, entry.outcome) for entry in await read_trail(admin)}
        assert outcomes == {
            ("whatsapp", Outcome.RECEIVED),
            ("classifier", Outcome.IGNORED),
            ("ticket", Outcome.DEAD_LETTER),
        }
        assert await (await admin.bucket(Bucket.BREAKERS)).keys("model.") == ["model.openai-m-0"]
        counts = [Used.parse(entry.value) for entry in (await (await admin.bucket(Bucket.USAGE)).items()).values()]
        assert counts == [Used(120, 0.5)]
        states = await (await admin.bucket(Bucket.STATE)).keys()
        assert sorted(states) == sorted(f"{stage}.{bot}-{stage}-0.x" for stage in Stage)


async def test_one_connection_serves_the_janitors_of_many_bots(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str]
) -> None:
    """And again after the broker came back."""
    async with Bus.share(operator, bot=bots[0]) as first, Bus.share(operator, bot=bots[1]) as second:
        janitors = [asyncio.create_task(run_janitor(bus, lanes=LANES)) for bus in (first, second)]
        await until(lambda: bool(first.lanes and second.lanes))
        before = operator.nc.stats["reconnects"]
        await operator.nc.force_reconnect()
        await until(lambda: operator.nc.stats["reconnects"] > before and operator.nc.is_connected)
        for bus in (first, second):
            assert await bus.publish(make_message(7))
            assert bus.is_ready
        for janitor in janitors:
            janitor.cancel()
        await asyncio.gather(*janitors, return_exceptions=True)
        assert (first.lanes, second.lanes) == ([], [])
    assert operator.denied == {}
    assert operator.nc.is_connected
