"""The emulator's HTTP server: uvicorn on a loopback socket unless told otherwise, able to break connections."""

import ipaddress
import socket

import uvicorn
from starlette.types import ASGIApp

from .front import DroppableProtocol


def listen(host: str, port: int, *, is_exposed: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Args:
        host: An address of this machine.
        port: The port.
        is_exposed: Whether addresses beside loopback are allowed: the emulator has no protection at all.

    Raises:
        ValueError: The address is not a loopback address, and that is not asked for.
        OSError: The port is taken.
    """
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback and not is_exposed:
        raise ValueError(f"{host!r} is not a loopback address; --expose allows it where something else guards the port")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name the protocol; without it, answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    return listener


def url_of(listener: socket.socket) -> str:
    """The base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def build_server(app: ASGIApp) -> uvicorn.Server:
    """A server that is not running yet: `await server.serve(sockets=[listener])`."""
    config = uvicorn.Config(
        app,
        http=DroppableProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
