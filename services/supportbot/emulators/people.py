"""`python -m supportbot.emulators.people`: the people of the demo's conversation, acting in a bot's simulated group.

It plays the conversation once, at the times at which it would have ended now, and then stays: a pod that ended would be
started again. What is already in the group is not said twice.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx

from supportbot.cli.demo.group import Group, describe
from supportbot.cli.demo.script import Script, load_script

RETRY_S = 2.0
REQUEST_TIMEOUT_S = 10.0

Say = Callable[[str], None]
T = TypeVar("T")


async def play(script: Script, client: httpx.AsyncClient, *, tempo_s: float, say: Say) -> int:
    """Let everybody act; the number of things done. What the group has already is passed over.

    Raises:
        httpx.HTTPStatusError: The gateway refuses: a wrong key, or no simulated group.
    """
    group = Group(client)
    there = {entry["id"] for entry in await _insist(group.news, say)}
    done = 0
    for number, (at, line) in enumerate(script.timed(datetime.now(UTC)), 1):
        speaker = script.people[line.speaker]
        if made_by(line.id, number) & there:
            continue
        await _insist(lambda: group.act(line, number, speaker, at), say)  # noqa: B023 - awaited at once
        say(f"{speaker.name}: {describe(line)}")
        done += 1
        await asyncio.sleep(tempo_s)
    return done


def made_by(line_id: str | None, number: int) -> set[str]:
    """The ids that a line's message may have in the group."""
    base = line_id or f"demo-{number:03}"
    return {base, f"{base}-edit", f"{base}-deletion", f"{base}-reaction"}


async def _insist(call: Callable[[], Awaitable[T]], say: Say) -> T:
    """Wait for a gateway that is still starting; its refusals are final."""
    told = False
    while True:
        try:
            return await call()
        except httpx.TransportError as exc:
            if not told:
                say(f"waiting for the gateway: {exc!r}")
            told = True
        except httpx.HTTPStatusError as exc:
            if exc.response.status_code < 500 and exc.response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                raise
        await asyncio.sleep(RETRY_S)


async def _run(options: argparse.Namespace) -> int:
    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    headers = {"authorization": f"Bearer {options.api_key_file.read_text().strip()}"} if options.api_key_file else {}
    async with httpx.AsyncClient(base_url=options.url, headers=headers, timeout=REQUEST_TIMEOUT_S) as client:
        playing = asyncio.create_task(play(load_script(), client, tempo_s=options.tempo, say=say))
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            return 0
        try:
            say(f"the conversation is over: {playing.result()} things done; waiting for SIGTERM")
        except httpx.HTTPStatusError as exc:
            say(f"the gateway refuses: {exc.response.status_code} {exc.response.text}")
            return 1
        await waiting
    return 0


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m supportbot.emulators.people", description=__doc__)
    parser.add_argument("--url", required=True, help="base URL of the bot's whatsapp service")
    parser.add_argument("--api-key-file", type=Path, help="file with the bearer key; none on a loopback address")
    parser.add_argument("--tempo", type=float, default=0.5, help="seconds between two lines (default: %(default)s)")
    return asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
