"""`python -m supportbot_operator.check`: what `helm test` runs. Publishes a message to NATS and reads it back."""

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from nats.js import JetStreamContext, api

from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.nats_connection import Access, open_connection
from supportbot.nats_errors import broker_errors
from supportbot_operator.config import load_config

STREAM, SUBJECT, INBOX = "CHECK", "check.message", "_INBOX_check"
CHECK_PERMISSIONS = ((SUBJECT, f"$JS.API.DIRECT.GET.{STREAM}", f"$JS.API.DIRECT.GET.{STREAM}.>"), (f"{INBOX}.>",))
"""Subjects that the check may publish and subscribe to."""


async def ensure_check_stream(js: JetStreamContext) -> None:
    """The stream of the check: in memory, and soon empty again."""
    config = api.StreamConfig(
        name=STREAM,
        subjects=[SUBJECT],
        storage=api.StorageType.MEMORY,
        max_age=60.0,
        max_msgs=100,
        max_bytes=1024**2,
        allow_direct=True,
    )
    with broker_errors():
        await js.add_stream(config)


async def check(url: str, access: Access) -> str:
    """Publish and read back; a sentence for people. Raises TemporaryError, PermanentError or UserError."""
    word = uuid4().hex
    async with open_connection(url, service="check", inbox=INBOX, access=access) as connection:
        ack = await asyncio.wait_for(connection.publisher.publish(SUBJECT, word.encode(), {}), 10)
        with broker_errors():
            found = await connection.nc.jetstream().get_msg(ack.stream, seq=ack.seq, direct=True)
    if found.data != word.encode():
        raise PermanentError(f"message {ack.seq} of stream {ack.stream} came back changed")
    return f"NATS took a message and gave it back: stream {ack.stream}, sequence {ack.seq}"


def main() -> int:
    """The exit code: 0 when it worked."""
    parser = argparse.ArgumentParser(prog="python -m supportbot_operator.check", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the operator's configuration")
    parser.add_argument("--credentials", type=Path, help="a .creds file; none when the file is empty")
    parser.add_argument("--ca", type=Path, help="the certificate of NATS, PEM; none when the file is empty")
    options = parser.parse_args()
    try:
        config = load_config(options.config)
        access = Access(credentials=_given(options.credentials), ca=_given(options.ca))
        sys.stdout.write(asyncio.run(check(config.nats.url, access)) + "\n")
    except (UserError, TemporaryError, PermanentError, TimeoutError) as exc:
        sys.stderr.write(f"the check failed: {exc or type(exc).__name__}\n")
        return 1
    return 0


def _given(path: Path | None) -> Path | None:
    return path if path is not None and path.exists() and path.stat().st_size else None


if __name__ == "__main__":
    raise SystemExit(main())
