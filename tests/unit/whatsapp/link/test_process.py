"""A process of the link from outside, played by a script."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportbot.errors import UnavailableError
from supportbot.whatsapp.gateway import Group
from supportbot.whatsapp.neonize.link_states import CONNECTED
from supportbot.whatsapp.neonize.process import LinkEndedError, LinkProcess
from supportbot.whatsapp.neonize.wire import (
    Answer,
    FromProcess,
    LinkNotice,
    ListGroups,
    Start,
    WireError,
    encode,
    read_frame,
)

SCRIPT = Path(__file__).with_name("scripted_process.py")


@dataclass
class Running:
    process: LinkProcess
    reading: "asyncio.Task[int]"
    heard: list[FromProcess] = field(default_factory=list)


@asynccontextmanager
async def scripted(script: str, folder: Path) -> AsyncIterator[Running]:
    start = Start(session=folder / "s", journal=folder / "j", install_key="00" * 32, groups=("1@g.us",))
    process = await LinkProcess.spawn(start, (sys.executable, str(SCRIPT), script))
    heard: list[FromProcess] = []

    async def hear(frame: FromProcess) -> None:
        heard.append(frame)

    reading = asyncio.create_task(process.run(hear))
    try:
        yield Running(process, reading, heard)
    finally:
        process.kill()
        await reading


async def test_its_words_are_handed_over_and_its_answer_is_for_whoever_asked(tmp_path: Path) -> None:
    async with scripted("answer", tmp_path) as running:
        answer, body = await running.process.call(ListGroups(), timeout_s=20)
        running.process.drain()
        status = await asyncio.wait_for(running.reading, 20)

    assert (answer.id, body, status) == (1, b"bytes", 3)
    assert running.heard == [LinkNotice(link=CONNECTED, own_jids=("1@lid",))]
    assert running.process.ended.is_set()


async def test_whoever_waits_when_it_dies_is_told(tmp_path: Path) -> None:
    async with scripted("die", tmp_path) as running:
        with pytest.raises(LinkEndedError):
            await running.process.call(ListGroups(), timeout_s=20)
        await running.reading
        with pytest.raises(UnavailableError):
            await running.process.call(ListGroups(), timeout_s=20)


async def test_one_that_talks_nonsense_is_killed(tmp_path: Path) -> None:
    async with scripted("nonsense", tmp_path) as running:
        assert await asyncio.wait_for(running.reading, 20) == -9


async def test_secrets_are_in_neither_its_environment_nor_its_arguments(tmp_path: Path) -> None:
    async with scripted("environment", tmp_path) as running:
        assert await asyncio.wait_for(running.reading, 20) == 0


@given(st.text(max_size=50), st.binary(max_size=300))
def test_a_frame_survives_the_wire(name: str, body: bytes) -> None:
    message = Answer(id=7, groups=(Group(jid="1@g.us", name=name.encode(errors="ignore").decode()),))

    async def travel() -> tuple[bytes, bytes] | None:
        reader = asyncio.StreamReader()
        reader.feed_data(encode(message, body))
        return await read_frame(reader)

    frame = asyncio.run(travel())
    assert frame is not None
    assert (Answer.model_validate_json(frame[0]), frame[1]) == (message, body)


@pytest.mark.parametrize("cut", [1, 8, 9, 20])
async def test_a_frame_that_is_cut_is_the_end(cut: int) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(encode(Answer(id=7))[:cut])
    reader.feed_eof()

    assert await read_frame(reader) is None


async def test_a_frame_that_claims_too_much_is_refused() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\xff" * 8)

    with pytest.raises(WireError):
        await read_frame(reader)
