"""`supportbot demo`: wires the emulated Zoho Desk, a bot, the people of the script and the terminal together."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from supportbot.cli.data_folder import DataFolder
from supportbot.cli.demo.desk import read_tickets, run_desk
from supportbot.cli.demo.follow import Follower
from supportbot.cli.demo.group import Group, describe
from supportbot.cli.demo.script import Script, load_script
from supportbot.cli.demo.summary import print_ledger, print_tickets
from supportbot.cli.demo.view import WIDTH, View
from supportbot.cli.local import SERVICES, LocalBot, RunningBot, run_bot
from supportbot.cli.ports import free_port, free_ports, is_free
from supportbot.ids import make_message_ref
from supportbot.spec import SupportBot, parse_bot_file

DESK_PORT = 4990
ANSWER_TIMEOUT_S = 30.0
DRAIN_TIMEOUT_S = 60.0
INTERRUPTED = 130
"""What a shell takes for the end by Ctrl-C; with `--keep` that is the normal end."""


def demo_command(
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running afterwards, and say what to try.")] = False,
    tempo: Annotated[float, typer.Option(min=0.0, help="Seconds between two messages on the terminal.")] = 0.25,
) -> None:
    """Show the main job with no account and no key: a simulated group, real services, an emulated Zoho Desk."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="supportbot-demo-"))
    try:
        complete = asyncio.run(_Demo(console, DataFolder(folder), load_script()).run(keep=keep, tempo_s=tempo))
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise typer.Exit(0 if keep else INTERRUPTED) from None
    except TimeoutError:
        console.print("a message was not decided in time", style="red")
        complete = False
    if not complete:
        console.print(f"the logs are in {folder / 'logs'}", style="red", highlight=False)
        raise typer.Exit(1)
    shutil.rmtree(folder)


@dataclass(frozen=True)
class _Demo:
    console: Console
    data: DataFolder
    script: Script

    async def run(self, *, keep: bool, tempo_s: float) -> bool:
        """Run everything; whether every message is accounted for."""
        view = View(self.console)
        view.note("starting NATS, three services and an emulated Zoho Desk …")
        desk_port = DESK_PORT if is_free(DESK_PORT) else free_port()

        def say(name: str, what: str) -> None:
            view.note(f"{name}: {what}")

        async with run_desk(desk_port) as desk_url, run_bot(self._bot(desk_url), say) as running:
            follower = await self._play(running, view, tempo_s)
            print_tickets(self.console, await read_tickets(desk_url))
            print_ledger(self.console, follower.ledger)
            if keep:
                self._say_addresses(running, desk_url)
                with suppress(asyncio.CancelledError):  # Ctrl-C is how this ends, and no failure.
                    await asyncio.Event().wait()
        return not follower.ledger.unaccounted() and len(follower.ledger.received) == len(self.script.messages)

    def _bot(self, desk_url: str) -> LocalBot:
        file = parse_bot_file(
            files(__package__).joinpath("bot.yaml").read_text(encoding="utf-8"), source="the demo's bot.yaml"
        )
        bot = with_staff(file.bot, self.script.staff_phones)
        return LocalBot(
            name=bot.metadata.name,
            folder=self.data.write_bot(bot, file.secrets),
            data=self.data,
            ports=free_ports(SERVICES),
            env={
                "SUPPORTBOT_ZOHO_ACCOUNTS_URL": desk_url,
                "SUPPORTBOT_ZOHO_DESK_URL": desk_url,
                "SUPPORTBOT_REQUESTS_PER_MINUTE": "60000",
            },
            log_to_files=True,
        )

    async def _play(self, running: RunningBot, view: View, tempo_s: float) -> Follower:
        """Act line after line; show each with its decision, and what the bot says meanwhile."""
        follower = Follower(running.bus)
        install_key = bytes.fromhex(self.data.install_key.read_text())
        view.note(f"the group “{self.script.title}”, {len(self.script.messages)} messages, days in a minute")
        async with httpx.AsyncClient(base_url=running.bot.address("whatsapp"), timeout=ANSWER_TIMEOUT_S) as client:
            group = Group(client)
            for number, (at, line) in enumerate(self.script.timed(datetime.now(UTC)), 1):
                speaker = self.script.people[line.speaker]
                await group.act(line, number, speaker, at)
                for entry in await group.news():
                    if entry["from_bot"]:
                        view.answer(describe_answer(entry))
                    else:
                        ref = message_ref(install_key, entry)
                        classified = await follower.classified(ref, timeout_s=ANSWER_TIMEOUT_S)
                        view.message(at.astimezone(), speaker.name, describe(line), classified)
                await asyncio.sleep(tempo_s)
            await follower.drained(len(self.script.messages), timeout_s=DRAIN_TIMEOUT_S)
            for entry in await group.news():
                view.answer(describe_answer(entry))
        return follower

    def _say_addresses(self, running: RunningBot, desk_url: str) -> None:
        whatsapp = running.bot.address("whatsapp")
        say = self.console.print
        say("\nstill running; Ctrl-C stops it. To try:", style="bold", highlight=False)
        say(f"  the tickets       {desk_url}/", highlight=False)
        for service in SERVICES:
            say(f"  {service:<17} {running.bot.address(service)}/openapi.json", highlight=False)
        say(f"  NATS              {running.server.url} (monitor {running.server.monitor_url})", highlight=False)
        say("  say something in the group:", highlight=False)
        body = '{"sender": {"phone": "+529985550199", "name": "Nora"}, "text": "la 707 no puede cobrar, su apoyo"}'
        say(f"    curl -s {whatsapp}/simulator/messages -H 'content-type: application/json' \\", highlight=False)
        say(f"      -d '{body}'", highlight=False, markup=False)
        say(f"    curl -s '{whatsapp}/simulator/messages?after=0'   # the group's whole life", highlight=False)


def with_staff(bot: SupportBot, phones: list[str]) -> SupportBot:
    """The bot with `spec.whatsapp.staff` set."""
    document = bot.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["spec"]["whatsapp"]["staff"] = phones
    return SupportBot.model_validate(document)


def message_ref(install_key: bytes, entry: Mapping[str, Any]) -> str:
    """The reference that the gateway gives to an entry of the group's life."""
    return make_message_ref(install_key, chat=entry["group"], sender=entry["sender"]["jid"], message_id=entry["id"])


def describe_answer(entry: Mapping[str, Any]) -> str:
    """What the bot did, as the terminal shows it."""
    return f"reacts {entry['emoji']}" if entry["kind"] == "reaction" else f"↩ {entry['text']}"
