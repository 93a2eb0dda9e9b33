"""A classifier of its own process, for tests that kill it: notes what it starts and ends, and hands everything on.

Run as `python worker.py <url> <bot> <log file> <seconds per message>`.
"""

import asyncio
import sys
from pathlib import Path

from tests.conftest import LANES
from tests.events import classify

from supportbot.bus import Bus, Context
from supportbot.contracts import Event, MessageReceived, Outcome
from supportbot.topology import Stage


async def main(url: str, bot: str, log: Path, pause_s: float) -> None:
    """Consume until killed."""

    async def handle(event: Event, ctx: Context) -> Event:
        assert isinstance(event, MessageReceived)
        with log.open("a") as lines:
            lines.write(f"{event.text}\n")
        await asyncio.sleep(pause_s)
        ctx.record(Outcome.CLASSIFIED)
        return classify(event)

    async with Bus.connect(url, bot=bot, service="classifier") as bus:
        await bus.consume(Stage.CLASSIFIER, handle, lanes=LANES)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])))
