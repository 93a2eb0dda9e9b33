"""What the emulated vendors pass among each other: a call as it came, what it asks, what is answered, a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Record = dict[str, Any]
"""A JSON object in a vendor's own shape."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case names."""
    body: Any
    """The JSON value; None when there is none."""

    @property
    def bearer(self) -> str | None:
        """The token of the Authorization header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a valid call asks, whatever its vendor."""

    model: str
    system: str
    user: str
    schema: Record | None
    """Of the answer; None when the call sets none."""
    max_tokens: int | None
    keeps_prefix: bool = False
    """Whether the system text may be billed as cached the second time."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the emulated model wrote."""

    text: str
    finish: str = "stop"
    """`stop`, `truncated`, `refusal` or `filtered`."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass
class RefusedError(Exception):
    """A call that the vendor does not serve."""

    status: int
    code: str
    """The vendor's own word for it."""
    message: str
    param: str | None = None
    details: list[Record] = field(default_factory=list)
    """Google's typed details."""


class Vendor(Protocol):
    """One wire format."""

    name: str

    def read(self, call: Call) -> Question:
        """What a call asks.

        Raises:
            RefusedError: The vendor would not take it.
        """
        ...

    def check_key(self, call: Call) -> None:
        """Whether the call may be made at all.

        Raises:
            RefusedError: The key is missing or wrong.
        """
        ...

    def models(self) -> Record:
        """The list of the models."""
        ...

    def answer(self, question: Question, written: Written) -> Record:
        """The body of a success."""
        ...

    def error(self, refused: RefusedError) -> Record:
        """The body of a refusal."""
        ...

    def fault(self, status: int, code: str | None) -> RefusedError:
        """The refusal that the vendor sends with this status, for scripts.

        Args:
            status: Of HTTP.
            code: The vendor's own word, where the status has several.
        """
        ...
