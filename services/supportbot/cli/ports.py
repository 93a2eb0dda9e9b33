"""Which loopback ports the processes of a laptop listen on."""

import socket
from collections.abc import Mapping
from contextlib import closing

from supportbot.errors import UserError
from supportbot.settings import PORTS

NATS_PORT = 4222
LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that no server uses now."""
    with closing(socket.socket()) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def documented_ports(services: tuple[str, ...]) -> Mapping[str, tuple[int, int]]:
    """Of each service its documented HTTP and metrics ports.

    Raises:
        UserError: One of them is taken; all taken ones are named at once.
    """
    taken = [f"{port} ({service})" for service in services for port in PORTS[service] if port and not is_free(port)]
    if taken:
        raise UserError(
            f"in use by another program: port {', '.join(taken)}; stop it, or let `--free-ports` choose others"
        )
    return {service: PORTS[service] for service in services}


def free_ports(services: tuple[str, ...]) -> Mapping[str, tuple[int, int]]:
    """Of each service its documented ports where they are free, else others."""
    return {
        service: (http if is_free(http) else free_port(), metrics if is_free(metrics) else free_port())
        for service, (http, metrics) in ((service, PORTS[service]) for service in services)
    }
