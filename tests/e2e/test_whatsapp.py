"""The whole bot on the real WhatsApp library: `up`, a pairing by command, a group, its tickets, and what a kill leaves.

WhatsApp and Zoho Desk are emulated, each by a process of its own; everything else is what a person runs.
"""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.e2e.support import BOT, GROUP, SUPPORTBOT, Desk, Up, await_that, make_env, run_desk, up
from tests.emulators.whatsapp import Account
from tests.emulators.whatsapp.contents import Attachment
from tests.emulators.whatsapp.observations import Observations, SentMessage
from tests.emulators.whatsapp.people import Directory, Group, Person
from tests.emulators.whatsapp.protocol.tokens import LibraryMissingError, library_path
from tests.emulators.whatsapp.remote import RemoteWhatsApp

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whatsapp")]

BOT_PHONE = "529980000090"
PHOTO = b"\xff\xd8\xff\xe0" + b"pixels" * 500
ANSWERED_WITHIN_S = 90.0
"""The bot speaks at a person's pace, and this machine may be busy."""


@dataclass(frozen=True)
class Linked:
    """A bot at work, paired with the emulated WhatsApp."""

    bot: Up
    desk: Desk
    whatsapp: RemoteWhatsApp
    group: Group
    data: Path

    async def post(self, sender: Person, text: str) -> str:
        """Write in the bot's group."""
        return await self.whatsapp.post(self.group, sender, text)

    async def answer_to(self, message_id: str) -> SentMessage:
        """What the group sees as the answer to a message, once it is there."""
        seen = await self.whatsapp.until(lambda seen: bool(answers_to(seen, message_id)), ANSWERED_WITHIN_S)
        return answers_to(seen, message_id)[0]

    def journalled(self) -> dict[str, tuple[str, bool]]:
        """Kind of each message in the journal, and whether it is on the bus; by id."""
        query = "SELECT message_id, kind, published_at IS NOT NULL FROM inbox"
        path = self.data / "bots" / "tiendas" / "state" / "journal.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return {message_id: (kind, bool(published)) for message_id, kind, published in db.execute(query)}

    async def kill_service(self) -> int:
        """SIGKILL to the whatsapp service; returns its process id."""
        killed = self.bot.pid_of(SERVICE)
        os.kill(killed, signal.SIGKILL)
        return killed


SERVICE = "-m supportbot.whatsapp "
"""The service's command line, but not that of its link."""


def answers_to(seen: Observations, message_id: str) -> list[SentMessage]:
    """The texts that quote a message."""
    return [sent for sent in seen.sent.values() if sent.quoted_id == message_id and sent.kind != "reactionMessage"]


async def comes(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """`await_that`, beside whatever this process has to do meanwhile."""
    return await asyncio.to_thread(await_that, condition, timeout_s)


async def pair(url: str, whatsapp: RemoteWhatsApp) -> str:
    """`supportbot pair --code`, and a person who types what it shows into the phone; all that it said."""
    command = (str(SUPPORTBOT), "pair", "--code", "--phone", f"+{BOT_PHONE}", "--url", url)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=make_env(uuid4().hex)
    )
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(90):
        while (shown := re.search(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4})$", said, re.MULTILINE)) is None:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
        await whatsapp.call("type_code", code=shown[1])
        said += (await process.stdout.read()).decode()
        assert await process.wait() == 0, said
    return said


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[Linked]:
    """`up` with `gateway: Neonize`, paired by the command."""
    try:
        library_path()
    except LibraryMissingError as exc:
        pytest.skip(str(exc))
    (tmp_path / "bot.yaml").write_text(BOT.replace("gateway: Simulator", "gateway: Neonize"))
    account = Account(owner=Directory().add_person("Bot", phone_user=BOT_PHONE))
    async with await RemoteWhatsApp.start(account) as whatsapp:
        with run_desk() as desk, up(tmp_path, desk, env=whatsapp.variables) as bot:
            address = await asyncio.to_thread(lambda: bot.addresses["whatsapp"])
            await comes(lambda: link_of(address) == "unpaired")
            said = await pair(address, whatsapp)
            assert "linked as +52" in said  # Its middle is not shown.
            await whatsapp.call("until_ready")
            group = await whatsapp.add_group("Tiendas", [await whatsapp.add_person("Carla")], jid=GROUP)
            yield Linked(bot, desk, whatsapp, group, tmp_path / "data")


def link_of(address: str) -> str:
    """The state of the link, as the service tells it."""
    return str(httpx.get(f"{address}/pairing").raise_for_status().json()["state"])


async def test_a_report_with_a_photo_becomes_a_ticket_and_the_group_is_told_its_number(linked: Linked) -> None:
    whatsapp, desk = linked.whatsapp, linked.desk
    ana = await whatsapp.add_person("Ana")
    await whatsapp.post(linked.group, ana, Attachment(data=PHOTO))
    report = await linked.post(ana, "buen día, la tienda 909 no puede facturar el pedido 70001, su apoyo por favor")

    answer = await linked.answer_to(report)
    (photo,) = await comes(lambda: desk.state["attachments"])

    (ticket,) = desk.tickets
    assert "70001" in ticket["description"]
    assert f"#{ticket['ticketNumber']}" in answer.text
    assert (answer.chat, answer.quoted_participant, answer.has_bot_tag) == (GROUP, ana.lid, False)
    assert (photo["ticketId"], photo["sha256"]) == (ticket["id"], sha256(PHOTO).hexdigest())
    assert (await whatsapp.seen()).faults == []
    assert linked.bot.interrupt(60) == 0


async def test_a_group_that_is_not_configured_leaves_no_trace(linked: Linked) -> None:
    ana, beto = [await linked.whatsapp.add_person(name) for name in ("Ana", "Beto")]
    other = await linked.whatsapp.add_group("Familia", [beto], jid="120363000000000009@g.us")
    private = "la tienda 118 no puede cobrar, secreto 80001"
    foreign = await linked.whatsapp.post(other, beto, private)
    await linked.whatsapp.post(other, beto, Attachment(data=PHOTO, caption=private))
    report = await linked.post(ana, "buen día, la tienda 909 no puede facturar el pedido 70001, su apoyo por favor")
    # What came before it has been dealt with by then: WhatsApp gives messages out in order.
    await linked.answer_to(report)

    seen = await linked.whatsapp.seen()
    assert seen.receipts_of(foreign)
    assert {sent.chat for sent in seen.sent.values()} == {GROUP}
    assert set(linked.journalled()) == {report}
    assert ["70001" in ticket["description"] for ticket in linked.desk.tickets] == [True]
    traces = (b"secreto 80001", foreign.encode(), beto.lid_user.encode(), other.jid.encode())
    journals = list(linked.data.rglob("journal.db*"))
    assert journals
    assert [path.name for path in journals if any(trace in path.read_bytes() for trace in traces)] == []
    files = [path for path in linked.data.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"secreto 80001" in path.read_bytes()] == []


async def test_a_kill_in_the_middle_of_a_stream_loses_nothing_and_doubles_nothing(linked: Linked) -> None:
    """Twice: while messages come, and while WhatsApp has an answer of which it has not said so."""
    members = [await linked.whatsapp.add_person(f"Persona {number}") for number in range(5)]
    posted: list[str] = []
    reports: list[str] = []

    async def stream(number: int) -> None:
        """A report by somebody, and twenty words by others."""
        store, order = 901 + number, 70001 + number
        text = f"buen día, la tienda {store} no puede facturar el pedido {order}, su apoyo por favor"
        reports.append(await linked.post(members[number], text))
        thanks = [await linked.post(members[turn % 5], "gracias") for turn in range(20)]
        posted.extend((reports[-1], *thanks))

    await linked.whatsapp.set_faults(next_sends=["silent"])
    await stream(0)
    await linked.whatsapp.until(lambda seen: len(seen.receipts) >= 10)
    first = await linked.kill_service()
    await stream(1)
    await stream(2)
    await comes(lambda: SERVICE in " ".join(linked.bot.children.values()) and linked.bot.pid_of(SERVICE) != first)
    await linked.answer_to(reports[0])
    await linked.kill_service()
    await stream(3)
    # The bot answers a group in order: after this answer there comes none that was due before it.
    await stream(4)
    await linked.answer_to(reports[4])

    journal, seen = linked.journalled(), await linked.whatsapp.seen()
    assert [message_id for message_id in posted if journal.get(message_id) != ("message", True)] == []
    orders = [f"{70001 + number}" for number in range(5)]
    tickets = linked.desk.tickets
    assert [[order in ticket["description"] for ticket in tickets].count(True) for order in orders] == [1] * 5
    assert len(tickets) == 5
    assert [len(answers_to(seen, report)) for report in reports] == [1] * 5
    numbers = {f"#{ticket['ticketNumber']}" for ticket in tickets}
    assert {word for sent in seen.sent.values() for word in re.findall(r"#\d+", sent.text)} == numbers
    assert linked.bot.said.count("whatsapp: started again") == 2
