"""What a call ends with: an answer, or a refusal in Zoho Desk's error shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Record = dict[str, Any]
"""A JSON object in Zoho's own shape; never changed in place once stored."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful call. `body=None` is sent without a body (204)."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors[]`. `field_name` is a JSON Pointer into the request body, such as `/cf/cf_incident_id`."""

    field_name: str
    error_type: Literal["invalid", "duplicate", "missing"]
    message: str = ""

    def as_json(self) -> Record:
        """Zoho often leaves the message out; so does this when there is none."""
        shape = {"fieldName": self.field_name, "errorType": self.error_type, "errorMessage": self.message}
        return {key: value for key, value in shape.items() if value}


@dataclass(slots=True)
class RefusedError(Exception):
    """A call that is not applied, with the status and `errorCode` that Zoho uses for the reason."""

    status: int
    error_code: str
    message: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Record:
        """`errors` is there for field errors only."""
        body: Record = {"errorCode": self.error_code, "message": self.message}
        return body | ({"errors": [error.as_json() for error in self.errors]} if self.errors else {})


def invalid_data(errors: Sequence[FieldError]) -> RefusedError:
    """422 INVALID_DATA with one entry for each wrong field."""
    return RefusedError(422, "INVALID_DATA", "The data is invalid due to validation restrictions", tuple(errors))


def unprocessable(message: str) -> RefusedError:
    """422 for a query parameter."""
    return RefusedError(422, "UNPROCESSABLE_ENTITY", message)


def not_found() -> RefusedError:
    """404: an unknown path and an unknown id look the same."""
    return RefusedError(404, "URL_NOT_FOUND", "The URL given is wrong")


def bad_request(message: str) -> RefusedError:
    """400: the body cannot be read."""
    return RefusedError(400, "BAD_REQUEST", message)


def invalid_oauth() -> RefusedError:
    """401: the token is unknown, expired or revoked."""
    return RefusedError(401, "INVALID_OAUTH", "The OAuth Token you provided is invalid.")


def listing(rows: Sequence[Record]) -> Answer:
    """A list answer; an empty one is 204 without a body."""
    return Answer(200, {"data": list(rows)}) if rows else Answer(204)
