"""The supervisor of `supportbot up`, with real child processes."""

import asyncio
import sys
from pathlib import Path

from supportbot.cli.supervisor import Child, supervise

TIMEOUT_S = 20.0


def child(name: str, code: str, log: Path) -> Child:
    return Child(name=name, command=(sys.executable, "-c", code), log=log)


async def test_restarts_what_dies_and_says_so(tmp_path: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with supervise(lambda name, what: said.put_nowait(f"{name}: {what}"), (0.05,)) as supervisor:
        await supervisor.start(child("one", "raise SystemExit(7)", tmp_path / "log"))
        async with asyncio.timeout(TIMEOUT_S):
            words = [await said.get() for _ in range(3)]
    assert words == [
        "one: ended (exit status 7); starting again in 0.05 s",
        "one: started again",
        "one: ended (exit status 7); starting again in 0.05 s",
    ]


async def test_wrong_configuration_is_not_tried_again(tmp_path: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with supervise(lambda name, what: said.put_nowait(f"{name}: {what}"), (0.05,)) as supervisor:
        await supervisor.start(child("one", "raise SystemExit(2)", tmp_path / "log"))
        async with asyncio.timeout(TIMEOUT_S):
            assert await said.get() == "one: wrong configuration; not started again"
        assert supervisor.misconfigured == ["one"]


async def test_stop_ends_the_last_started_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import signal, sys, time; name = sys.argv[1]\n"
        "def end(*_): print(name, 'ends', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print(name, 'runs', flush=True)\n"
        "while True: time.sleep(60)"
    )
    async with supervise(lambda *_: None) as supervisor:
        for name in ("one", "two"):
            await supervisor.start(Child(name=name, command=(sys.executable, "-c", code, name), log=log))
        async with asyncio.timeout(TIMEOUT_S):
            while log.read_text().count("runs") < 2:  # noqa: ASYNC110  Another process writes the file.
                await asyncio.sleep(0.02)
    assert log.read_text().splitlines()[-2:] == ["two ends", "one ends"]
