"""`supportbot demo`: the first thing that anybody runs."""

import re
import subprocess
import time
from uuid import uuid4

import pytest
from tests.e2e.support import SUPPORTBOT, find_marked, make_env

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]


def test_the_demo_shows_the_main_job_and_leaves_nothing_behind() -> None:
    mark, started = uuid4().hex, time.monotonic()
    command = [str(SUPPORTBOT), "demo", "--tempo", "0"]
    result = subprocess.run(command, env=make_env(mark), capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr
    assert time.monotonic() - started < 90
    assert find_marked(mark) == {}
    tickets = re.search(r"^(\d+) tickets in Zoho Desk", result.stdout, re.MULTILINE)
    assert tickets is not None
    assert int(tickets[1]) >= 8
    received, fates = read_ledger(result.stdout)
    assert received > 40
    assert fates.pop("unaccounted: nothing is unaccounted") == 0
    assert sum(fates.values()) == received
    assert fates["opened a ticket"] == int(tickets[1])


def read_ledger(output: str) -> tuple[int, dict[str, int]]:
    """The number of messages and what became of them, from the end of the demo's output."""
    _, received, fates = re.split(r"^(\d+) messages received$", output, maxsplit=1, flags=re.MULTILINE)
    return int(received), {what: int(count) for count, what in re.findall(r"^ +(\d+) (.+)$", fates, re.MULTILINE)}
