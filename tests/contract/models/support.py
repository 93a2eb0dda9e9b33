"""What the contract tests of the model providers share: a request, the vendors, and servers of raw bytes."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from supportbot.classifier.models.factory import make_provider
from supportbot.classifier.models.outcomes import ProviderError
from supportbot.classifier.models.port import Provider
from supportbot.classifier.models.request import Reply, Request, make_schema
from supportbot.emulators.models.app import KEYS
from supportbot.emulators.models.server import EmulatedModels
from supportbot.spec import Model

DEADLINE_S = 5.0
PROMPT = "la 909 no puede recepcionar XQPROMPT"
REQUEST = Request(
    system="You sort messages of a support group. XQSYSTEM",
    user=json.dumps({"group_language": "es", "open_incidents": [], "turn": {"who": "P1", "texts": [PROMPT]}}),
    schema=make_schema(["technical", "billing"]),
    turn_text=PROMPT,
)


@dataclass(frozen=True)
class Vendor:
    """A vendor and a model of it."""

    provider: str
    model: str
    name: str
    """Of the adapter."""


VENDORS = (
    Vendor("OpenAI", "gpt-6-luna", "openai"),
    Vendor("Anthropic", "claude-haiku-5-5", "anthropic"),
    Vendor("Gemini", "gemini-3.5-flash-lite", "gemini"),
)

Build = Callable[..., Provider]
"""A provider of a vendor's model: `build(vendor)`, `build(vendor, base_url, key=…, model=…, …)`."""


def make_model(vendor: Vendor, base_url: str, **fields: object) -> Model:
    """As it would stand in a spec; the fields in the spec's names."""
    wished = {"provider": vendor.provider, "model": vendor.model, "baseURL": base_url, "temperature": "0.1"}
    return Model.model_validate(wished | {"apiKeySecretRef": {"name": "ai", "key": "key"}} | fields)


def builder(models: EmulatedModels, made: list[Provider]) -> Build:
    """Builds providers and remembers them to be closed."""

    def build(vendor: Vendor, base_url: str | None = None, *, key: str | None = None, **fields: object) -> Provider:
        model = make_model(vendor, base_url or models.base_url(vendor.provider), **fields)
        provider = make_provider(model, KEYS[vendor.name] if key is None else key)
        made.append(provider)
        return provider

    return build


async def ask(provider: Provider, within_s: float = DEADLINE_S) -> Reply:
    """One question with a deadline."""
    return await provider.classify(REQUEST, asyncio.get_running_loop().time() + within_s)


async def fail(provider: Provider, within_s: float = DEADLINE_S) -> ProviderError:
    """The error of one question, which came in time, tells nothing and left nothing behind."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ProviderError) as caught:
        await provider.classify(REQUEST, started + within_s)
    assert loop.time() - started <= max(within_s, 0) + 0.5
    told = f"{caught.value} {caught.value!r}"
    for secret in (*KEYS.values(), "XQPROMPT", "XQSYSTEM", "909"):
        assert secret not in told
    assert not [task for task in asyncio.all_tasks() - {asyncio.current_task()} if not _is_of_a_server(task)]
    return caught.value


RAW_SERVER = "raw_server"
"""The name of tasks that belong to a server of the test."""


def _is_of_a_server(task: "asyncio.Task[object]") -> bool:
    """Whether it serves: a raw server of the test, or asyncio's own handshake for it."""
    return task.get_name() == RAW_SERVER or "_accept_connection" in repr(task.get_coro())


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL of a server that does with its connections what it likes."""
    running: dict[asyncio.StreamWriter, asyncio.Future[None]] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name(RAW_SERVER)
        running[writer] = asyncio.get_running_loop().create_future()
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client had enough.
        finally:
            writer.close()
            running.pop(writer).set_result(None)

    patience: dict[str, Any] = {"ssl": tls, "ssl_shutdown_timeout": 0.1} if tls else {}
    server = await asyncio.start_server(serve, "127.0.0.1", 0, **patience)
    _, port = server.sockets[0].getsockname()
    try:
        yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in running:
            writer.close()
        await asyncio.gather(*running.values())


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """The request line, the headers by lower-case name, and the body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", 0)))


def answering(body: bytes, *headers: str, status: str = "200 OK") -> Handle:
    """Answers every request with the same bytes."""
    lines = (f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers)
    answer = "\r\n".join((*lines, "", "")).encode() + body

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            await read_request(reader)
            writer.write(answer)
            await writer.drain()

    return handle
