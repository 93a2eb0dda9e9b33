"""The gateway's endpoints as the command line uses them, and the options that say where it is."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from supportbot.cli.whatsapp.kubectl import Cluster, forward
from supportbot.errors import UserError
from supportbot.whatsapp.gateway import LinkState, PairingOffer

DEFAULT_URL = "http://127.0.0.1:3001"
KEY_VARIABLE = "SUPPORTBOT_API_KEY"
TIMEOUT_S = 30.0
"""Unlinking and listing groups ask WhatsApp."""

URLOption = Annotated[str | None, typer.Option("--url", help=f"The whatsapp service. [{DEFAULT_URL}]")]
KeyFileOption = Annotated[
    Path | None,
    typer.Option("--key-file", exists=True, dir_okay=False, help=f"File with the API key; or set {KEY_VARIABLE}."),
]
BotOption = Annotated[str | None, typer.Option("--bot", help="A bot in a cluster, reached by kubectl.")]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="The bot's namespace.")]
ContextOption = Annotated[str | None, typer.Option("--context", help="The context of the kubeconfig.")]
KubeconfigOption = Annotated[
    Path | None, typer.Option("--kubeconfig", exists=True, dir_okay=False, help="The kubeconfig file.")
]


class View(BaseModel):
    """What of `GET /pairing` is used."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: LinkState
    title: str
    advice: str
    message: str
    until: datetime | None = None
    phone: str | None = None
    pairable: bool
    offer: PairingOffer | None = None

    @property
    def is_linked(self) -> bool:
        """The device is linked, and WhatsApp is there."""
        return self.state in {LinkState.CONNECTED, LinkState.SYNCING}

    def explain(self) -> str:
        """The state and what to do about it, for an error."""
        until = f" (until {self.until.astimezone():%Y-%m-%d %H:%M})" if self.until else ""
        said = f" [{self.message}]" if self.message else ""
        return f"{self.title}{until}. {self.advice}{said}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the gateway is."""

    url: str | None = None
    key_file: Path | None = None
    cluster: Cluster | None = None


def make_place(
    *,
    url: str | None,
    key_file: Path | None,
    bot: str | None,
    namespace: str | None,
    context: str | None,
    kubeconfig: Path | None,
) -> Place:
    """The place that the options name.

    Raises:
        UserError: They name none, or two.
    """
    if bot is None and (namespace or context or kubeconfig):
        raise UserError("--namespace, --context and --kubeconfig want --bot, which names the bot in the cluster")
    if bot is not None and url is not None:
        raise UserError("give either --url, or --bot for a bot in a cluster")
    cluster = Cluster(bot=bot, namespace=namespace, context=context, kubeconfig=kubeconfig) if bot else None
    return Place(url=url, key_file=key_file, cluster=cluster)


class GatewayClient:
    """One gateway; every call raises UserError in words for the person at the terminal.

    Args:
        client: With base URL and credentials.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def look(self) -> View:
        """How the link is, and what is offered."""
        return _parse(View, await self._ask("GET", "/pairing", params={"language": "en"}))

    async def begin(self, body: Mapping[str, str]) -> None:
        """Ask for a code."""
        await self._ask("POST", "/pairing", json=body)

    async def end(self) -> None:
        """Take the code back."""
        await self._ask("DELETE", "/pairing")

    async def unpair(self, *, forget: bool) -> None:
        """Unlink the device."""
        await self._ask("POST", "/pairing/unpair", json={"forget": forget})

    async def status(self) -> Mapping[str, Any]:
        """`GET /api/status`."""
        answer: Mapping[str, Any] = (await self._ask("GET", "/api/status")).json()
        return answer

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.UnsupportedProtocol as exc:
            raise UserError(f"{str(self._client.base_url)!r} is no address such as {DEFAULT_URL}") from exc
        except httpx.TransportError as exc:
            words = f"no whatsapp service answers at {self._client.base_url} ({type(exc).__name__})"
            raise AwayError(f"{words}; `supportbot up` says its address: give it with --url") from exc
        if answer.status_code in {401, 403}:
            raise KeyNeededError(f"{_detail(answer)}; give one that may write in {KEY_VARIABLE} or with --key-file")
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and method == "GET":
            raise AwayError(_detail(answer))  # It was looked at too often; there is a next look.
        if answer.is_error:
            raise UserError(_detail(answer))
        return answer


class AwayError(UserError):
    """Nothing answers there now."""


class KeyNeededError(UserError):
    """The service wants an API key, or another one."""


@asynccontextmanager
async def open_gateway(place: Place) -> AsyncIterator[GatewayClient]:
    """A client of the gateway.

    Raises:
        UserError: The way there cannot be had.
    """
    if place.cluster is None:
        async with connect(place.url or DEFAULT_URL, _read_key(place.key_file)) as client:
            yield client
        return
    async with forward(place.cluster) as (url, key), connect(url, key) as client:
        yield client


@asynccontextmanager
async def connect(url: str, key: str | None) -> AsyncIterator[GatewayClient]:
    """A client of the gateway at an address."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
            yield GatewayClient(client)
    except httpx.InvalidURL as exc:
        raise UserError(f"{url!r} is no address such as {DEFAULT_URL}: {exc}") from exc


def _read_key(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(KEY_VARIABLE) or None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UserError(f"{str(path)!r} cannot be read as a key") from exc


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    if isinstance(detail, list):
        detail = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in detail)
    return detail if isinstance(detail, str) else f"the service answers {answer.status_code}"


def _parse(kind: type[View], answer: httpx.Response) -> View:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as exc:
        raise UserError("what answers there is no whatsapp service of this version") from exc
