"""`python -m supportbot.emulators.zoho`: options, then serve until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import json
import signal
import sys

from pydantic import ValidationError

from .app import build_app
from .oauth import parse_scopes
from .portal import Credential, Portal
from .server import build_server, listen, url_of
from .settings import Department, Settings, parse_assignment


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m supportbot.emulators.zoho", description=__doc__)
    given = Credential()
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (default: %(default)s)")
    parser.add_argument("--expose", action="store_true", help="allow other addresses: for a pod behind a NetworkPolicy")
    parser.add_argument("--port", type=int, default=4990, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--org", help="organization id (default: 123456789)")
    parser.add_argument(
        "--department", action="append", metavar="ID=NAME", help="may be repeated; the first is default"
    )
    parser.add_argument("--client-id", default=given.client_id)
    parser.add_argument("--client-secret", default=given.client_secret)
    parser.add_argument("--refresh-token", default=given.refresh_token)
    parser.add_argument("--code", default=given.code, help="Self Client code that works once (default: %(default)s)")
    parser.add_argument("--scopes", default=given.scopes, help="comma-separated scopes of token and code")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as credits=50"
    )
    return parser.parse_args(arguments)


def build_portal(options: argparse.Namespace) -> Portal:
    """The portal that the command line describes.

    Raises:
        ValueError: A setting is unknown or does not fit (pydantic's ValidationError is one).
    """
    settings = Settings()
    changes = dict(parse_assignment(text) for text in options.set)
    if options.org:
        changes["organization_id"] = options.org
    if options.department:
        pairs = (text.partition("=") for text in options.department)
        changes["departments"] = [Department(id=one, name=name or one).model_dump() for one, _, name in pairs]
    settings.apply(changes)
    if parse_scopes(options.scopes) is None:
        raise ValueError(f"unknown scope in {options.scopes!r}")
    credential = Credential(
        client_id=options.client_id,
        client_secret=options.client_secret,
        refresh_token=options.refresh_token,
        code=options.code,
        scopes=options.scopes,
    )
    return Portal(settings, credential)


def main() -> None:
    """Serve; the one line on stdout tells that and where."""
    options = parse_arguments(sys.argv[1:])
    # uvicorn raises the signal again after its shutdown; this makes it a normal end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    try:
        portal = build_portal(options)
        listener = listen(options.host, options.port, is_exposed=options.expose)
    except (ValidationError, ValueError, OverflowError, OSError) as exc:
        sys.exit(f"the Zoho emulator cannot start: {exc}")
    url = url_of(listener)
    ready = {"ready": True, "accounts": url, "desk": url}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    asyncio.run(build_server(build_app(portal)).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
