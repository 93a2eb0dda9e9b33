"""What a replay remembers is written as a bucket would write it."""

import pytest

from supportbot.cli.replay.pipeline import Memories
from supportbot.kv import ConflictError, Entry


async def test_a_key_is_written_once_for_each_revision() -> None:
    memories = Memories()
    assert await memories.get("a") is None
    first = await memories.create("a", b"1")
    second = await memories.update("a", b"2", revision=first)
    assert await memories.get("a") == Entry(b"2", second)
    with pytest.raises(ConflictError):
        await memories.create("a", b"3")
    with pytest.raises(ConflictError):
        await memories.update("a", b"3", revision=first)
    with pytest.raises(ConflictError):
        await memories.update("b", b"3", revision=first)
    assert await memories.get("a") == Entry(b"2", second)
