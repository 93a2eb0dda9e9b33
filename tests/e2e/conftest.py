"""Keeps bots of different runs on one machine apart."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from supportbot.cli.ports import LOOPBACK, NATS_PORT
from supportbot.settings import PORTS


@pytest.fixture(scope="session", autouse=True)
def hold_documented_ports() -> Iterator[None]:
    """Occupy the usual ports, so that every bot takes others: two that start at the same time would find them free."""
    with ExitStack() as stack:
        for port in {NATS_PORT, *(port for pair in PORTS.values() for port in pair if port)}:
            holder = stack.enter_context(socket.socket())
            with suppress(OSError):  # Somebody else has it, which does as well.
                holder.bind((LOOPBACK, port))
                holder.listen()
        yield
