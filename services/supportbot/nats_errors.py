"""What the client library raises, in the words of this code base; used at every call into it."""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
import nats.js.errors

from supportbot.errors import PermanentError, UnavailableError

DEPENDENCY = "nats"


class AccessError(UnavailableError):
    """The broker is there and does not let us in, or is not who it should be: a person has to change something.

    Args:
        message: What is wrong.
        reason: For programs: `CredentialsRefused` or `CertificateRefused`.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, dependency=DEPENDENCY)
        self.reason = reason


class StreamMissingError(UnavailableError):
    """The broker is there and has no such stream, bucket or consumer (yet): the operator or `up` makes them."""

    def __init__(self, message: str) -> None:
        super().__init__(message, dependency=DEPENDENCY)


_OUT_OF_ROOM = {10047, 10077, 10109, 10122}
"""Error codes of JetStream: a limit of the account or of the stream is reached."""


@contextmanager
def broker_errors() -> Iterator[None]:
    """Translate errors of nats-py around one call.

    Raises:
        PermanentError: The broker refuses the request as such (`broker_refused`) or has no room (`broker_full`).
        StreamMissingError: It does not have the stream or consumer (yet).
        UnavailableError: It does not answer, or is away; dependency `nats`.
    """
    try:
        yield
    except nats.js.errors.APIError as exc:
        if exc.err_code in _OUT_OF_ROOM:
            raise PermanentError(f"the broker has no room left: {exc.description}", reason="broker_full") from exc
        if isinstance(exc, nats.js.errors.NotFoundError):
            raise StreamMissingError(f"the broker has no such stream or consumer: {exc}") from exc
        if isinstance(exc, nats.js.errors.BadRequestError):
            raise PermanentError(f"the broker refuses: {exc}", reason="broker_refused") from exc
        raise UnavailableError(f"the broker cannot serve this now: {exc}", dependency=DEPENDENCY) from exc
    except (nats.js.errors.InvalidKeyError, nats.errors.MaxPayloadError) as exc:
        raise PermanentError(f"the broker refuses: {exc!r}", reason="broker_refused") from exc
    except (TimeoutError, nats.errors.Error, OSError) as exc:
        raise UnavailableError(f"the broker does not answer: {exc!r}", dependency=DEPENDENCY) from exc
