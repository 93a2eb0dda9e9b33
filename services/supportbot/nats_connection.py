"""One connection to NATS, which one bus or many share: TLS, credentials that may change meanwhile, and refusals.

A service has a connection of its own (`Bus.connect`); the operator opens one and serves all bots over it.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client

from supportbot.errors import UnavailableError
from supportbot.nats_errors import DEPENDENCY, AccessError
from supportbot.nats_jwt import read_credentials_expiry
from supportbot.publisher import Publisher

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
WATCH_FILES_S = 5.0
"""How soon changed credentials are taken over."""
MAX_DENIED = 20
"""So many refused subjects are remembered; the log has all of them."""


class _NoWordOnEOF(logging.Filter):
    """Drops asyncio's warning that the library's way to start TLS causes whenever a connection ends."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "eof_received" not in record.getMessage()


_NO_WORD_ON_EOF = _NoWordOnEOF()

_DENIED = re.compile(r'permissions violation for (?P<what>publish|subscription) to "(?P<subject>[^"]*)"')
_UNAUTHORIZED = re.compile(r"authorization violation|authentication (expired|revoked|timeout)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a connection needs beside the address. Files, so that they may change under a running process."""

    credentials: Path | None = None
    """A `.creds` file: user JWT and nkey seed."""
    ca: Path | None = None
    """Certificates (PEM) that the server's must be signed by; with it the connection is always TLS."""


Contents = tuple[bytes | None, ...]
"""Of the files of an Access."""

NO_ACCESS = Access()
"""A broker on loopback that lets everybody in."""


class Connection:
    """Made by `open_connection`."""

    def __init__(self, nc: Client, *, service: str) -> None:
        self.nc, self.service = nc, service
        self.publisher = Publisher(nc)
        self.denied: dict[str, str] = {}
        """Per subject (in lower case, as the library tells it) that the broker refused since the last connect
        `publish` or `subscription`: the credentials lack the right, and asking again does not help."""
        self.shut_out: AccessError | None = None
        """Why the broker lets this connection in no more; it goes on trying, since the files may change."""
        self.on_reconnect: list[Callable[[], Awaitable[None]]] = []
        self._complained: set[str] = set()

    @property
    def complaint(self) -> str:
        """One sentence about what was refused; empty when nothing was."""
        if not self.denied:
            return ""
        subject, what = next(iter(self.denied.items()))
        more = f", and {len(self.denied) - 1} more" if len(self.denied) > 1 else ""
        return f"NATS refuses {self.service} the {what} to {subject!r}{more}: its credentials lack the permission"

    def complain(self, error: Exception) -> None:
        """Log an error once until the next connection: while the broker is away it comes twice a second."""
        if repr(error) not in self._complained:
            log.warning("nats_error", error=repr(error))
        self._complained.add(repr(error))

    async def reconnected(self) -> None:
        """Begin anew what was asked before the connection broke."""
        log.info("nats_connected")
        self.denied.clear()
        self.shut_out = None
        self._complained.clear()
        for call in list(self.on_reconnect):
            await call()

    def is_denied(self, subject: str) -> bool:
        """Whether the broker refused the subject."""
        return subject.lower() in self.denied

    def refuse(self, what: str, subject: str) -> None:
        """Remember a refusal; each subject is logged once."""
        if subject in self.denied or len(self.denied) >= MAX_DENIED:
            return
        self.denied[subject] = what
        log.error("nats_permission_denied", operation=what, subject=subject)


@asynccontextmanager
async def open_connection(
    url: str, *, service: str, inbox: str | None = None, access: Access = NO_ACCESS
) -> AsyncIterator[Connection]:
    """Connect to a server, or to several (comma-separated), within 10 s; closes at the end.

    Afterwards it reconnects for ever, and takes over credentials and CA certificates that change. Only some errors of
    the broker close it for good, as `nc.is_closed` tells.

    Args:
        url: `tls://` demands TLS, as a CA file does.
        service: The name that the broker shows.
        inbox: First token of the subjects of answers, which the credentials must allow to subscribe to.
        access: Credentials and CA.

    Raises:
        AccessError: The broker refuses the credentials, or is not who it should be.
        UnavailableError: No broker answers there.
    """
    context = _make_tls(url, access)
    nc = _Client(demands_tls=context is not None)
    connection = Connection(nc, service=service)
    contents = _read(access)
    await _connect(connection, url, inbox or f"_INBOX_{service}", access, context)
    following = asyncio.create_task(_follow(connection, access, contents, context), name="follow credentials")
    try:
        await connection.publisher.start()
        yield connection
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await connection.publisher.stop()
        with suppress(nats.errors.Error, OSError, TimeoutError):
            if nc.is_connected:  # Never drain(): it may hang for all of its timeout.
                await nc.flush(2)
        await nc.close()


class _NoTLSError(nats.errors.Error):
    """The server does not speak TLS."""


class _Client(Client):
    """The library's client, which would go on in clear text where a server (or whoever is between) offers no TLS."""

    def __init__(self, *, demands_tls: bool) -> None:
        super().__init__()
        self._demands_tls = demands_tls

    def _connect_command(self) -> bytes:
        if self._demands_tls and not self._server_info.get("tls_required"):
            raise _NoTLSError("the server offers no TLS")
        return super()._connect_command()


async def _connect(
    connection: Connection, url: str, inbox: str, access: Access, context: ssl.SSLContext | None
) -> None:
    """Connect for the first time: what no later try mends ends it at once."""
    refused: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    last: list[Exception] = []

    async def report(error: Exception) -> None:
        last[:] = [error]
        if match := _DENIED.search(str(error)):
            connection.refuse(match["what"], match["subject"])
            return
        connection.shut_out = _explain(error, access) or connection.shut_out
        if connection.shut_out is None:
            connection.complain(error)
        elif not connecting.done():
            if not refused.done():
                refused.set_result(connection.shut_out)
        else:
            log.error("nats_access_refused", reason=connection.shut_out.reason, error=str(connection.shut_out))

    async def disconnected() -> None:
        if not connection.nc.is_closed:
            log.warning("nats_disconnected")

    connecting = asyncio.create_task(
        connection.nc.connect(
            url.split(","),
            name=connection.service,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,  # type: ignore[arg-type]  # It sleeps for it, so a fraction is fine.
            connect_timeout=2,
            ping_interval=10,
            max_outstanding_pings=2,
            pending_size=-1,  # While the broker is away a publish fails at once instead of going out twice later.
            skip_subject_validation=True,  # All subjects are built by `topology`.
            inbox_prefix=inbox,
            user_credentials=str(access.credentials) if access.credentials else None,  # Read again at every connect.
            tls=context,
            error_cb=report,
            disconnected_cb=disconnected,
            reconnected_cb=connection.reconnected,
        )
    )
    try:
        waiting: set[asyncio.Future[Any]] = {connecting, refused}
        await asyncio.wait(waiting, timeout=CONNECT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            connecting.result()
            return
    except (OSError, nats.errors.Error) as exc:
        last[:] = [exc]
    finally:
        if not connecting.done():
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await connection.nc.close()
    if refused.done():
        raise refused.result()
    where = re.sub(r"//[^/@]*@", "//", url)  # Without a password.
    error = last[0] if last else TimeoutError()
    raise UnavailableError(f"no NATS server answers at {where}: {error!r}", dependency=DEPENDENCY) from error


def _make_tls(url: str, access: Access) -> ssl.SSLContext | None:
    if access.ca is None and not any(urlsplit(one.strip()).scheme == "tls" for one in url.split(",")):
        return None
    logging.getLogger("asyncio").addFilter(_NO_WORD_ON_EOF)
    try:
        return ssl.create_default_context(cafile=access.ca)
    except (OSError, ssl.SSLError) as exc:
        message = f"{str(access.ca)!r} holds no CA certificates: {exc}"
        raise AccessError(message, reason="CertificateRefused") from exc


def _explain(error: Exception, access: Access) -> AccessError | None:
    """The error for people, if it is one that only other credentials or certificates mend."""
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of NATS is not trusted ({error.verify_message}); see SUPPORTBOT_NATS_CA_FILE"
        return AccessError(message, reason="CertificateRefused")
    if isinstance(error, _NoTLSError):
        return AccessError("NATS offers no TLS at an address that demands it", reason="CertificateRefused")
    if access.credentials is not None and isinstance(error, FileNotFoundError):
        return AccessError(f"{str(access.credentials)!r} is not there", reason="CredentialsRefused")
    if _UNAUTHORIZED.search(str(error)):
        return AccessError(f"NATS refuses {_describe(access.credentials)}", reason="CredentialsRefused")
    return None


def _describe(credentials: Path | None) -> str:
    if credentials is None:
        return "a connection without credentials; set SUPPORTBOT_NATS_CREDENTIALS_FILE"
    expires_at = None
    with suppress(OSError, ValueError):
        expires_at = read_credentials_expiry(credentials.read_text())
    if expires_at is not None and expires_at <= datetime.now(UTC):
        return f"the credentials of {str(credentials)!r}: they expired at {expires_at.isoformat()}"
    return f"the credentials of {str(credentials)!r}"


async def _follow(connection: Connection, access: Access, before: Contents, context: ssl.SSLContext | None) -> None:
    """Connect anew whenever a file has changed: Kubernetes writes a rotated Secret into running pods."""
    while True:
        await asyncio.sleep(WATCH_FILES_S)
        if (now := _read(access)) == before or None in now:
            continue
        before = now
        if context is not None and access.ca is not None:
            with suppress(OSError, ssl.SSLError):
                context.load_verify_locations(access.ca)
        log.info("nats_access_changed")
        await connection.nc.force_reconnect()


def _read(access: Access) -> Contents:
    """The files' contents; None for one that cannot be read just now."""
    contents: list[bytes | None] = []
    for path in (access.credentials, access.ca):
        try:
            contents.append(path.read_bytes() if path else b"")
        except OSError:
            contents.append(None)
    return tuple(contents)
