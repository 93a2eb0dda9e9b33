"""`supportbot up bot.yaml`: runs one bot on this machine until Ctrl-C."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from supportbot.cli.complaints import tell_complaints
from supportbot.cli.data_folder import DataFolder
from supportbot.cli.local import SERVICES, LocalBot, run_bot
from supportbot.cli.ports import documented_ports, free_ports
from supportbot.cli.whatsapp.client import KEY_VARIABLE, connect
from supportbot.cli.whatsapp.pairing import pair_beside
from supportbot.cli.whatsapp.screen import Screen
from supportbot.errors import UserError
from supportbot.spec import BotFile, parse_bot_file

DEFAULT_DATA = Path(".supportbot")


def up_command(
    bot_file: Annotated[Path, typer.Argument(metavar="BOT.YAML", help="The SupportBot and its Secrets.")],
    data: Annotated[Path, typer.Option(help="Folder that keeps the bot's state.")] = DEFAULT_DATA,
    free: Annotated[
        bool, typer.Option("--free-ports", help="Take other ports where the usual ones are in use.")
    ] = False,
) -> None:
    """Run a bot on this machine: an embedded NATS server and the services. Ctrl-C stops all."""
    console = Console(stderr=True)
    file = read_bot_file(bot_file)
    folder = DataFolder(data)
    with folder.lock():
        ports = (free_ports if free else documented_ports)(SERVICES)
        bot = LocalBot(
            name=file.bot.metadata.name,
            folder=folder.write_bot(file.bot, file.secrets),
            data=folder,
            ports=ports,
        )
        asyncio.run(_run(bot, console))


def read_bot_file(path: Path) -> BotFile:
    """The bot of a file.

    Raises:
        UserError: The file cannot be read, or has faults; all are listed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise UserError(f"{str(path)!r} cannot be read ({exc.strerror}); `supportbot init` writes one") from exc
    except UnicodeDecodeError as exc:
        raise UserError(f"{str(path)!r} is not UTF-8 text (byte {exc.start}); `supportbot init` writes one") from exc
    return parse_bot_file(text, source=str(path))


async def _run(bot: LocalBot, console: Console) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    console.print(f"starting bot {bot.name!r}", highlight=False)
    serving = asyncio.create_task(_serve(bot, console))
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not serving.done():
        console.print("stopping", highlight=False)
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    console.print("stopped", highlight=False)


async def _serve(bot: LocalBot, console: Console) -> None:
    """Run the bot until cancelled."""

    def say(name: str, what: str) -> None:
        console.print(f"{name}: {what}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    async with run_bot(bot, say) as running:
        console.print(f"bot {bot.name!r} is ready; Ctrl-C stops it", style="bold green", highlight=False)
        for service in SERVICES:
            console.print(f"  {service:<11} {bot.address(service)}", highlight=False)
        console.print(f"  {'nats':<11} {running.server.url}", highlight=False)
        async with (
            connect(bot.address("whatsapp"), os.environ.get(KEY_VARIABLE)) as gateway,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(tell_complaints({service: bot.address(service) for service in SERVICES}, say))
            # Anywhere else than on a terminal it would be a log, in which no code belongs.
            if console.file.isatty():
                tasks.create_task(pair_beside(gateway, Screen(console), say))
