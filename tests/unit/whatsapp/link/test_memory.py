from datetime import UTC, datetime, timedelta
from pathlib import Path

from supportbot.whatsapp.gateway import LinkState
from supportbot.whatsapp.neonize.link_states import Link
from supportbot.whatsapp.neonize.memory import DAY, KEEP_NOT_SENT, LinkMemory

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


async def test_an_end_outlives_the_process_until_it_is_forgotten(tmp_path: Path) -> None:
    banned = Link(state=LinkState.BANNED, message="banned", until=NOW)
    with LinkMemory(tmp_path / "link.db") as memory:
        assert await memory.ended() is None
        await memory.put_ended(banned)
    with LinkMemory(tmp_path / "link.db") as memory:
        assert await memory.ended() == banned
        await memory.put_ended(None)
        assert await memory.ended() is None


async def test_nothing_seen_is_not_the_same_as_nothing_noted(tmp_path: Path) -> None:
    with LinkMemory(tmp_path / "link.db") as memory:
        assert await memory.seen_rowid() is None
        await memory.put_seen_rowid(0)
        assert await memory.seen_rowid() == 0
        await memory.put_seen_rowid(7)
        assert await memory.seen_rowid() == 7


async def test_counts_the_pairings_of_a_day(tmp_path: Path) -> None:
    with LinkMemory(tmp_path / "link.db") as memory:
        for hours in (30, 23, 1):
            await memory.put_pairing("linked", NOW - timedelta(hours=hours))
        await memory.put_pairing("offered", NOW)

        counts = [await memory.count_pairings(what, NOW) for what in ("linked", "offered")]
        later = await memory.count_pairings("linked", NOW + DAY)

    assert (counts, later) == ([2, 1], 0)


async def test_what_was_not_sent_is_no_longer_found(tmp_path: Path) -> None:
    with LinkMemory(tmp_path / "link.db") as memory:
        await memory.put_not_sent(("A", "B"), NOW)
        assert await memory.without_not_sent(("A", "C")) == ["C"]
        await memory.put_not_sent((), NOW + KEEP_NOT_SENT)
        assert await memory.without_not_sent(("A", "C")) == ["A", "C"]
