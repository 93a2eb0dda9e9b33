"""The service with the real library, paired with the emulated WhatsApp by the commands that a person uses."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.whatsapp.test_whatsapp_service import Process
from tests.emulators.whatsapp import Refusal, WhatsAppEmulator
from tests.simulated import CHAT, eventually

from supportbot.bus import Bus
from supportbot.nats_server import EmbeddedServer
from supportbot.whatsapp.qr import draw_text

pytestmark = [pytest.mark.nats, pytest.mark.slow]

COMMAND = Path(sys.executable).with_name("supportbot")


class LinkingBot:
    """The service, the WhatsApp that it reaches, and a terminal."""

    def __init__(self, service: Process, whatsapp: WhatsAppEmulator) -> None:
        self.service, self.whatsapp = service, whatsapp

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """A command."""
        return await asyncio.create_subprocess_exec(
            COMMAND,
            *arguments,
            "--url",
            str(self.service.client.base_url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *arguments: str) -> tuple[int, str]:
        """A command to its end: its status and all that it said."""
        process = await self.start(*arguments)
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, said.decode()

    async def view(self) -> dict[str, Any]:
        view: dict[str, Any] = (await self.service.client.get("/pairing", params={"language": "en"})).json()
        return view

    async def is_in(self, state: str) -> bool:
        return bool((await self.view())["state"] == state)


@asynccontextmanager
async def linking(folder: Path, nats: EmbeddedServer, bot: str, **spec: Any) -> AsyncIterator[LinkingBot]:
    whatsapp_spec = {"gateway": "Neonize", "groups": [{"jid": CHAT}], **spec}
    async with WhatsAppEmulator() as whatsapp:
        ana = whatsapp.add_person("Ana")
        whatsapp.add_group("Tiendas", [ana], jid=CHAT)
        whatsapp.add_group("Familia", [ana], jid="120363000000000009@g.us")
        service = Process(folder / "s", nats_url=nats.url, bot=bot, whatsapp=whatsapp_spec)
        service._environ |= whatsapp.redirection.variables()
        await service.start()
        try:
            yield LinkingBot(service, whatsapp)
        finally:
            await service.stop()
            await service.client.aclose()


async def paired_by(bot: LinkingBot, give: Callable[[dict[str, Any]], Awaitable[None]], *arguments: str) -> str:
    """What `supportbot pair` said while somebody gave the phone the code that it showed."""
    process = await bot.start("pair", *arguments)
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while b"whoever has it can link the account" not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line
        await give((await bot.view())["offer"])
        said += await process.stdout.read()
        assert await process.wait() == 0, said
    return said.decode()


async def test_scan_list_the_groups_send_and_unlink(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    async with linking(tmp_path, nats_server, bus.bot, limits={"perDay": 10}) as bot:
        await eventually(lambda: bot.is_in("unpaired"))
        said = await paired_by(bot, lambda offer: bot.whatsapp.scan(offer["payload"]))
        await eventually(lambda: bot.is_in("connected"))
        again = await bot.run("pair")
        groups = await bot.run("groups")
        status = (await bot.service.client.get("/api/status")).json()
        body = {"jid": CHAT, "text": "hola"}
        sent = [(await bot.service.client.post("/api/send-message", json=body)).status_code for _ in range(3)]
        unpaired = await bot.run("unpair", "--yes")
        await eventually(lambda: bot.is_in("unpaired"))
        log = bot.service.log.read_text()

    assert "scan this code on the bot's phone" in said
    assert "linked as +" in said
    assert again[1].startswith("already linked as +")
    assert f"      - {{jid: {CHAT}}}  # Tiendas; the bot listens to it\n" in groups[1]
    assert "      - {jid: 120363000000000009@g.us}  # Familia\n" in groups[1]
    # A fifth of the day's limit, on the first day.
    assert (status["sends"]["limit"], sent) == (2, [200, 200, 429])
    assert unpaired == (0, "unlinked\n")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if line.get("audit")] == [
        "pairing_begun",
        "pairing_offer_shown",
        "message_sent_by_request",
        "message_sent_by_request",
        "message_sent_by_request",
        "device_unpaired",
    ]
    assert "linked_devices" not in log


async def test_the_log_shows_a_code_by_itself_where_the_spec_asks_for_it(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    async with linking(tmp_path, nats_server, bus.bot, pairing={"logQR": True}) as bot:
        await eventually(lambda: bot.is_in("pairing"))
        offer = (await bot.view())["offer"]

        async def is_drawn() -> bool:
            return draw_text(offer["payload"]) in bot.service.log.read_text()

        await eventually(is_drawn)
        await bot.whatsapp.scan(offer["payload"])
        await eventually(lambda: bot.is_in("connected"))
        log = bot.service.log.read_text()

    assert "linked_devices" not in log


async def test_type_a_code(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    async with linking(tmp_path, nats_server, bus.bot) as bot:
        number = f"+{bot.whatsapp.account.owner.phone_user}"
        await eventually(lambda: bot.is_in("unpaired"))
        said = await paired_by(bot, lambda offer: bot.whatsapp.type_code(offer["code"]), "--code", "--phone", number)

    assert "type this code on the bot's phone" in said
    assert "linked as +" in said


async def test_a_warning_of_whatsapp_pauses_all_sends_across_a_restart(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    body = {"jid": CHAT, "text": "hola"}
    async with linking(tmp_path, nats_server, bus.bot) as bot:
        await eventually(lambda: bot.is_in("unpaired"))
        await paired_by(bot, lambda offer: bot.whatsapp.scan(offer["payload"]))
        await eventually(lambda: bot.is_in("connected"))
        bot.whatsapp.faults.next_sends.append(463)
        refused = await bot.service.client.post("/api/send-message", json=body)
        held = await bot.service.client.post("/api/send-message", json=body)
        await bot.service.stop()
        await bot.service.start()
        still = await bot.service.client.post("/api/send-message", json=body)
        health = (await bot.service.client.get("/health")).json()

    assert (refused.status_code, held.status_code, still.status_code) == (500, 429, 429)
    assert 3500 < int(held.headers["retry-after"]) <= 3600
    assert (health["checks"]["sends"]["state"], health["checks"]["sends"]["reason"]) == ("degraded", "SendsPaused")


async def test_a_ban_is_told_with_its_end_and_no_code_is_asked_for(
    bus: Bus, nats_server: EmbeddedServer, tmp_path: Path
) -> None:
    async with linking(tmp_path, nats_server, bus.bot) as bot:
        await eventually(lambda: bot.is_in("unpaired"))
        await paired_by(bot, lambda offer: bot.whatsapp.scan(offer["payload"]))
        await eventually(lambda: bot.is_in("connected"))
        bot.whatsapp.faults.refuse_all = Refusal(reason=402, code=104, expire_s=7200)
        bot.whatsapp.drop()
        await eventually(lambda: bot.is_in("banned"))
        status, said = await bot.run("pair")
        sends = (await bot.service.client.get("/api/status")).json()["sends"]

    assert status == 2
    assert "The account is banned (until " in said
    assert sends["waiting"]["reason"] == "SendsPaused"
