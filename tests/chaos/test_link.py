"""Restarts of the service while messages come from the emulated WhatsApp; `make bench-whatsapp` does more of them."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.benchmarks.whatsapp_link import Verdict, campaign
from tests.emulators.whatsapp.protocol.tokens import LibraryMissingError, library_path
from tests.linked import LinkedBot, linked_bot, pair

pytestmark = pytest.mark.slow


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[LinkedBot]:
    try:
        library_path()
    except LibraryMissingError as exc:
        pytest.skip(str(exc))
    for name in ("paired", "bot"):
        (tmp_path / name).mkdir()
    async with linked_bot(await pair(tmp_path / "paired"), tmp_path / "bot") as made:
        yield made


async def test_an_orderly_stop_loses_nothing_and_doubles_nothing(bot: LinkedBot) -> None:
    verdict = await campaign(bot, signal.SIGTERM, rounds=5, per_second=50)

    assert verdict.posted > 100
    assert verdict == _perfect(verdict)


async def test_a_kill_doubles_nothing_and_what_it_takes_is_reported(bot: LinkedBot) -> None:
    """The library acknowledges before anybody has seen the message: a kill can take what is between, one or two."""
    verdict = await campaign(bot, signal.SIGKILL, rounds=5, per_second=50)

    assert verdict.posted > 100
    assert (verdict.lost, verdict.twice) == (0, 0)
    assert verdict.reported <= 2 * 5


def _perfect(verdict: Verdict) -> Verdict:
    posted = verdict.posted
    return Verdict(posted=posted, acknowledged=posted, stored=posted, lost=0, reported=0, twice=0)
