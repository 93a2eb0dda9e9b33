"""`python -m supportbot.whatsapp.neonize <fd>`: the process that has the link; only the service starts it.

It ends when the service says so or is gone, when the link has ended, and by SIGTERM; each time it first stores what
WhatsApp believes delivered.
"""

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from supportbot.logs import configure_logging, describe_error
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.channel import Channel
from supportbot.whatsapp.neonize.keeper import Keeper
from supportbot.whatsapp.neonize.wire import Start

THREADS = 32
"""The library takes one for ever, and one for each call."""
_STDOUT = 1
_CHATTY = ("neonize", "whatsmeow", "Whatsmeow")


async def main(descriptor: int) -> None:
    """Keep the link until there is a reason to end."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    channel = await Channel.open(descriptor)
    start = await channel.read_start()
    _configure(start)
    # Imported here only: it takes half a second, and configures logging where nobody has.
    from supportbot.whatsapp.neonize import protobufs
    from supportbot.whatsapp.neonize.library import Library

    with Journal(start.journal, synchronous=start.synchronous) as journal:
        keeper = Keeper(
            channel,
            start,
            journal,
            make_library=lambda ears: Library(start.session, ears),
            wording=protobufs,
        )
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, keeper.end)
        await keeper.run()


def _configure(start: Start) -> None:
    """The log goes to standard output; what the library prints there, QR codes among it, goes nowhere."""
    log = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    sys.stdout = log
    configure_logging("whatsapp-link", start)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("neonize.utils.ffmpeg").setLevel(logging.ERROR)  # It is missing, and not needed.
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - it stays open as standard output
    os.dup2(nowhere.fileno(), _STDOUT)
    sys.stdout = nowhere


async def _main_and_exit(descriptor: int) -> None:
    """Run `main`, and end the process without waiting for the library's threads.

    They may never end: after a pairing that nobody made, they still wait for one.
    """
    status = 0
    try:
        await main(descriptor)
    except Exception as exc:  # noqa: BLE001 - the last chance to say why
        structlog.get_logger(__name__).error("link_process_failed", **describe_error(exc))
        status = 1
    os._exit(status)


def _offer_to_be_killed_first() -> None:
    """When memory runs out, the kernel shall take this process, which comes back, and not the service."""
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    # Everything that this process makes, the session above all, is for its owner only.
    os.umask(0o077)
    _offer_to_be_killed_first()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the service, which ends this process in order.
    asyncio.run(_main_and_exit(int(sys.argv[1])))
