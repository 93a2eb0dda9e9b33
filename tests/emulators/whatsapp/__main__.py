"""`python -m tests.emulators.whatsapp`: an emulator of its own, until SIGTERM or Ctrl-C.

One line of JSON on stdout says where it is controlled (`control.py`) and what the environment of a process with neonize
must hold.
"""

import argparse
import asyncio
import json
import signal
import socket
import sys

import uvicorn

from .account import Account
from .control import build_control
from .emulator import WhatsAppEmulator


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.whatsapp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the control on 127.0.0.1 (default: a free one)")
    parser.add_argument("--account", help="JSON of an account whose device is linked already")
    return parser.parse_args()


async def serve(port: int, account: Account | None) -> None:
    """Run the emulator and its control."""
    listener = socket.create_server(("127.0.0.1", port))
    async with WhatsAppEmulator(account) as whatsapp:
        control = f"http://127.0.0.1:{listener.getsockname()[1]}"
        sys.stdout.write(json.dumps({"control": control, "variables": whatsapp.redirection.variables()}) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(build_control(whatsapp), ws="none", lifespan="off", log_level="warning")
        await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """Serve."""
    options = parse_arguments()
    # uvicorn raises the signal again after its shutdown; this makes it a normal end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    account = Account.model_validate_json(options.account) if options.account else None
    asyncio.run(serve(options.port, account))


if __name__ == "__main__":
    main()
