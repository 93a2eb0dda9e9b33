"""The bucket of labels on a real server, and the command that exports it."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.classifier.test_labels import NO, YES, make, said
from typer.testing import CliRunner

from supportbot.bus import Bus
from supportbot.classifier.examples import read_examples
from supportbot.classifier.labels import Labels
from supportbot.cli.__main__ import app
from supportbot.errors import UserError
from supportbot.nats_server import EmbeddedServer
from supportbot.topology import Bucket

pytestmark = pytest.mark.nats

REF = "m_" + "a" * 20


async def test_labels_are_exported_as_json_lines(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    labels, file = Labels(await bus.bucket(Bucket.LABELS)), tmp_path / "labels.jsonl"
    await labels.keep(make("ticket sin iva", said("Ana", YES)))
    await labels.keep(make("qué calor", said("Berta", NO, staff=True), number="b"))
    command = ["labels", bus.bot, "--url", nats_server.url, "-o", str(file)]
    result = await asyncio.to_thread(CliRunner().invoke, app, command, catch_exceptions=False)
    assert result.output.startswith(f"2 labels of {bus.bot}, 1 of them certain enough to train on: ")
    assert [(one.text, one.kind, one.trains) for one in read_examples(file.read_text())] == [
        ("ticket sin iva", YES, False),
        ("qué calor", NO, True),
    ]


async def test_a_word_that_was_taken_back_can_be_said_again(bus: Bus) -> None:
    labels, bucket = Labels(await bus.bucket(Bucket.LABELS)), await bus.bucket(Bucket.LABELS)
    word = said("Ana", YES)
    for _ in range(2):
        await labels.keep(make("ticket sin iva", word))
        await labels.take_back(REF, word.by)
        assert await bucket.get(REF) is None
        assert await bucket.items() == {}
    await labels.keep(make("ticket sin iva", word))
    assert await bucket.get(REF) is not None


async def test_the_oldest_labels_give_way(bus: Bus) -> None:
    """A full bucket of any other kind refuses writes and holds the lane; here the next label must always have room."""
    config = (await bus.js.stream_info(f"KV_{bus.bot}_labels")).config
    config.max_msgs = 3
    await bus.js.update_stream(config)
    labels, bucket = Labels(await bus.bucket(Bucket.LABELS)), await bus.bucket(Bucket.LABELS)
    for number in "abcde":
        await labels.keep(make("ticket sin iva", said("Ana", YES), number=number))
    assert sorted(await bucket.keys()) == ["m_" + number * 20 for number in "cde"]


async def test_a_bot_that_does_not_exist_has_no_labels(bus: Bus, nats_server: EmbeddedServer, tmp_path: Path) -> None:
    command = ["labels", "nobody", "--url", nats_server.url, "-o", str(tmp_path / "labels.jsonl")]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert isinstance(result.exception, UserError)
    assert "has no bot 'nobody'" in str(result.exception)
