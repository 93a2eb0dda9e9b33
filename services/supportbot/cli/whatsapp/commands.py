"""The commands themselves."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from supportbot.cli.whatsapp.client import (
    BotOption,
    ContextOption,
    GatewayClient,
    KeyFileOption,
    KubeconfigOption,
    NamespaceOption,
    Place,
    URLOption,
    make_place,
    open_gateway,
)
from supportbot.cli.whatsapp.pairing import pair
from supportbot.cli.whatsapp.screen import Screen
from supportbot.errors import UserError


def pair_command(
    code: Annotated[bool, typer.Option("--code", help="Type a code on the phone instead of scanning one.")] = False,
    qr: Annotated[bool, typer.Option("--qr", help="Scan a code, whatever the bot's file says.")] = False,
    phone: Annotated[
        str | None, typer.Option("--phone", help="The bot's own number, such as +529980000001, for --code.")
    ] = None,
    url: URLOption = None,
    key_file: KeyFileOption = None,
    bot: BotOption = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Link the bot's phone: shows the code, renews it, and ends when the phone has taken it."""
    place = make_place(url=url, key_file=key_file, bot=bot, namespace=namespace, context=context, kubeconfig=kubeconfig)
    if code and qr:
        raise UserError("give either --code or --qr")
    body = {"method": "code" if code else "qr"} if code or qr else {}
    if phone is not None:
        body["phone"] = phone
    screen = Screen(Console(), redraw=True)
    _run(place, lambda gateway: pair(gateway, screen, body))


def unpair_command(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Only forget the session here, when WhatsApp cannot be told.")
    ] = False,
    url: URLOption = None,
    key_file: KeyFileOption = None,
    bot: BotOption = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Unlink the bot's phone. What was received stays; the bot hears nothing until it is paired again."""
    place = make_place(url=url, key_file=key_file, bot=bot, namespace=namespace, context=context, kubeconfig=kubeconfig)

    async def unpair(gateway: GatewayClient) -> None:
        view = await gateway.look()
        named = f" of {view.phone}" if view.phone else ""
        if not yes and not typer.confirm(f"Unlink the device{named}? It has to be paired by the phone again"):
            raise UserError("nothing was changed")
        await gateway.unpair(forget=forget)
        typer.echo("forgotten here; remove the device on the phone, too" if forget else "unlinked")

    _run(place, unpair)


def groups_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: URLOption = None,
    key_file: KeyFileOption = None,
    bot: BotOption = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """List the groups that the bot's account is in, ready to be put under spec.whatsapp in bot.yaml."""
    place = make_place(url=url, key_file=key_file, bot=bot, namespace=namespace, context=context, kubeconfig=kubeconfig)

    async def show(gateway: GatewayClient) -> None:
        status = await gateway.status()
        if not status["connected"] and not any(group["joined"] for group in status["groups"]):
            raise UserError(f"the groups cannot be asked for: {status['message']}")
        typer.echo(json.dumps(status["groups"], indent=2, ensure_ascii=False) if as_json else list_groups(status))

    _run(place, show)


def list_groups(status: Mapping[str, Any]) -> str:
    """The groups as YAML that can be pasted; those that the bot listens to already are marked."""
    lines = ["    groups:"]
    for group in status["groups"]:
        notes = [" ".join(group["name"].split())] if group["name"] else []
        if group["configured"]:
            notes.append(
                "the bot listens to it" if group["joined"] else "in the bot's file, but the account is not in it"
            )
        lines.append(f"      - {{jid: {group['jid']}}}" + (f"  # {'; '.join(notes)}" if notes else ""))
    return "\n".join(lines) if status["groups"] else "the account is in no group"


def _run(place: Place, use: Callable[[GatewayClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_gateway(place) as gateway:
            await use(gateway)

    asyncio.run(run())
