"""Eight groups talk at the same time and nothing goes wrong: every ticket, comment, file and answer is in its place."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.chaos.checker import Verdict, check, observe
from tests.chaos.generator import generate
from tests.chaos.rig import drain, post_all, run_rig

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]


async def test_two_hundred_messages_find_their_place(tmp_path: Path) -> None:
    talk = generate(11, messages=200)
    with capture_logs():
        async with run_rig(tmp_path, talk) as rig:
            await post_all(rig, talk, per_second=100)
            ledger = await drain(rig, len(talk.posts), timeout_s=60)
            seen = await observe(rig.desk_url, rig.whatsapp_url)
    assert rig.events == []
    assert len(ledger.received) == sum(ledger.counts().values()) == len(talk.posts)
    assert check(talk.incidents, seen) == Verdict()
