"""`python -m supportbot.emulators.models`: options, then serve until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import json
import signal
import sys

from supportbot.emulators.zoho.server import build_server, listen, url_of

from .app import KEYS, ModelsApp, State
from .self_hosted import DIALECTS


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m supportbot.emulators.models", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (default: %(default)s)")
    parser.add_argument("--expose", action="store_true", help="allow other addresses: for a pod behind a NetworkPolicy")
    parser.add_argument("--port", type=int, default=4991, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before every answer")
    parser.add_argument(
        "--key", action="append", default=[], metavar="VENDOR=KEY", help=f"a valid key; vendors: {', '.join(KEYS)}"
    )
    return parser.parse_args(arguments)


def build_state(options: argparse.Namespace) -> State:
    """What the command line sets.

    Raises:
        ValueError: An option does not fit.
    """
    keys = dict(KEYS)
    for assignment in options.key:
        vendor, _, key = assignment.partition("=")
        if vendor not in keys or not key:
            raise ValueError(f"{assignment!r} is not VENDOR=KEY with one of {', '.join(KEYS)}")
        keys[vendor] = key
    if options.latency < 0:
        raise ValueError(f"--latency must not be negative; it is {options.latency}")
    return State(keys=keys, latency_s=options.latency)


def main() -> None:
    """Serve; the one line on stdout tells that and where."""
    options = parse_arguments(sys.argv[1:])
    # uvicorn raises the signal again after its shutdown; this makes it a normal end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    try:
        state = build_state(options)
        listener = listen(options.host, options.port, is_exposed=options.expose)
    except (ValueError, OverflowError, OSError) as exc:
        sys.exit(f"the emulator of the models cannot start: {exc}")
    url = url_of(listener)
    ready = {"ready": True, "OpenAI": f"{url}/v1", "Anthropic": url, "Gemini": url}
    ready["OpenAICompatible"] = {name: f"{url}/{name}/v1" for name in DIALECTS}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    asyncio.run(build_server(ModelsApp(state)).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
