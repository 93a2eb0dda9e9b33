"""What goes wrong below HTTP, and addresses that lead elsewhere."""

import asyncio
import gzip
import json
import ssl
from pathlib import Path

import pytest
from tests.contract.models.support import VENDORS, Build, Vendor, answering, ask, fail, raw_server, read_request
from tests.contract.models.test_calls import OPINION

from supportbot.classifier.models.outcomes import OutcomeKind
from supportbot.emulators.models.server import EmulatedModels

pytestmark = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)

RETRYABLE = OutcomeKind.RETRYABLE


def good_answer(vendor: Vendor) -> bytes:
    text = OPINION.model_dump_json()
    answers = {
        "openai": {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]},
        "anthropic": {
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
        "gemini": {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]},
    }
    return json.dumps(answers[vendor.name]).encode()


async def test_nobody_listens(vendor: Vendor, build: Build) -> None:
    async with raw_server(answering(b"")) as url:
        pass
    error = await fail(build(vendor, url))
    assert (error.outcome, str(error)) == (RETRYABLE, f"{vendor.name} {vendor.model}: no connection")


async def test_no_such_host(vendor: Vendor, build: Build) -> None:
    """The name ends in `.invalid`, which no resolver knows (RFC 6761)."""
    assert (await fail(build(vendor, "http://models.invalid/v1"))).outcome is RETRYABLE


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
async def test_a_host_that_cannot_be_one(vendor: Vendor, host: str, build: Build) -> None:
    """The spec's pattern lets some through."""
    error = await fail(build(vendor, f"http://{host}.invalid/v1"))
    assert error.outcome in {RETRYABLE, OutcomeKind.MISCONFIGURED}


async def test_tls_where_there_is_none(vendor: Vendor, models: EmulatedModels, build: Build) -> None:
    error = await fail(build(vendor, models.url.replace("http:", "https:")))
    assert (error.outcome, str(error).partition(": ")[2]) == (RETRYABLE, "no TLS connection")


async def test_a_certificate_that_is_trusted_by_the_environment(vendor: Vendor, build: Build, trusted: Path) -> None:
    """How a self-hosted server with a certificate of its own is reached: SSL_CERT_FILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted)
    async with raw_server(answering(good_answer(vendor)), context) as url:
        assert (await ask(build(vendor, url))).opinion == OPINION


async def test_a_certificate_of_nobody(vendor: Vendor, build: Build, self_signed: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    async with raw_server(answering(good_answer(vendor)), context) as url:
        error = await fail(build(vendor, url))
    assert (error.outcome, str(error).partition(": ")[2]) == (RETRYABLE, "the server's certificate is not trusted")


async def test_a_connection_that_died_while_it_was_idle(vendor: Vendor, build: Build) -> None:
    """A load balancer closes it without a word; the next call takes a new one."""
    calls = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        await read_request(reader)
        calls += 1
        body = good_answer(vendor)
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    async with raw_server(once) as url:
        provider = build(vendor, url)
        for _ in range(3):
            assert (await ask(provider)).opinion == OPINION
    assert calls == 3


async def test_garbage_instead_of_http(vendor: Vendor, build: Build) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        await writer.drain()

    async with raw_server(babble) as url:
        error = await fail(build(vendor, url))
    assert (error.outcome, str(error).partition(": ")[2]) == (RETRYABLE, "the connection broke")


async def test_headers_that_trickle(vendor: Vendor, build: Build) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1000):
            writer.write(b"x-more: 1\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(trickle) as url:
        assert (await fail(build(vendor, url), 0.3)).outcome is RETRYABLE


async def test_a_server_that_accepts_and_says_nothing(vendor: Vendor, build: Build) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(silent) as url:
        error = await fail(build(vendor, url), 0.3)
    assert (error.outcome, str(error).partition(": ")[2]) == (RETRYABLE, "no answer in time")


async def test_a_small_body_that_becomes_a_huge_one(vendor: Vendor, build: Build) -> None:
    bomb = gzip.compress(b" " * 64 * 1024**2)
    async with raw_server(answering(bomb, "content-encoding: gzip")) as url:
        error = await fail(build(vendor, url))
    assert error.outcome is OutcomeKind.BAD_OUTPUT


async def test_a_packed_answer_is_unpacked(vendor: Vendor, build: Build) -> None:
    async with raw_server(answering(gzip.compress(good_answer(vendor)), "content-encoding: gzip")) as url:
        assert (await ask(build(vendor, url))).opinion == OPINION


async def test_a_body_that_is_not_packed_as_it_says(vendor: Vendor, build: Build) -> None:
    async with raw_server(answering(b"nothing", "content-encoding: gzip")) as url:
        assert (await fail(build(vendor, url))).outcome is OutcomeKind.BAD_OUTPUT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("301 Moved Permanently", OutcomeKind.MISCONFIGURED),
        ("302 Found", RETRYABLE),
        ("307 Temporary Redirect", RETRYABLE),
        ("308 Permanent Redirect", OutcomeKind.MISCONFIGURED),
    ],
)
async def test_the_question_follows_no_redirect(
    vendor: Vendor, status: str, expected: OutcomeKind, models: EmulatedModels, build: Build
) -> None:
    """It would carry the prompt to whoever a portal or a mistyped address points to."""
    target = f"location: {models.url}/v1/chat/completions"
    async with raw_server(answering(b"", target, status=status)) as url:
        assert (await fail(build(vendor, url))).outcome is expected
    assert models.journal == []


@pytest.mark.parametrize("status", ["204 No Content", "202 Accepted", "304 Not Modified", "101 Switching Protocols"])
async def test_a_status_that_no_vendor_sends(vendor: Vendor, status: str, build: Build) -> None:
    async with raw_server(answering(b"", status=status)) as url:
        assert (await fail(build(vendor, url), 1.0)).outcome in {OutcomeKind.BAD_OUTPUT, RETRYABLE}
