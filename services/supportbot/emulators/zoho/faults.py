"""Scripted faults: which call goes wrong, how, and how often. The queue decides, `front` carries it out."""

import random
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

FaultKind = Literal[
    "status",
    "html",
    "drop_before",
    "drop_after",
    "delay",
    "truncated",
    "cut",
    "slow_body",
    "omit",
    "body",
    "down",
]


def _check_regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise ValueError(f"not a regular expression: {exc}") from exc
    return text


Regex = Annotated[str, AfterValidator(_check_regex)]


class Fault(BaseModel):
    """One fault. The first fault of the queue that matches a call is used; a call meets at most one fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    """
    - `status`: answer `status` with Zoho's error JSON, or with `body` if given.
    - `html`: answer `status` with an HTML page.
    - `drop_before`: close the connection; the call is not applied.
    - `drop_after`: apply the call, then close the connection without an answer.
    - `delay`: only wait `delay_s`; with `applied` the call is applied first.
    - `truncated`: the answer is whole HTTP, its JSON stops in the middle.
    - `cut`: the connection closes in the middle of the answer's body.
    - `slow_body`: the answer's body comes in ten pieces within `delay_s`.
    - `omit`: the fields named in `omit` are missing, at the top and in each row of `data`.
    - `body`: the call is applied, its status stays, its body is replaced by `body`.
    - `down`: the connection is closed at once, or answered with `status` (HTML) if that was given.
    """
    method: Regex = ".*"
    """Regular expression for the whole method, any case."""
    path: Regex = ".*"
    """Regular expression that is searched in the path, such as `^/api/v1/tickets$`."""
    skip: int = Field(0, ge=0)
    """Matching calls that pass before the fault starts."""
    times: int | None = Field(1, ge=1)
    """Calls it hits; `null` until the faults are cleared, which is the default of `down`."""
    probability: float = Field(1.0, ge=0, le=1)
    """Chance that a matching call is hit; a call that is spared does not count."""
    applied: bool = False
    """For `status`, `html` and `delay`: whether the call takes effect."""
    status: int = Field(500, ge=200, le=599)
    error_code: str | None = None
    """`errorCode` of kind `status`; by default the usual one of the status."""
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers of a made answer, such as `Retry-After`."""
    delay_s: float = Field(0.0, ge=0)
    """For every kind: a wait before the answer, the drop or the effect."""
    omit: tuple[str, ...] = ()

    @property
    def hits_allowed(self) -> int | None:
        """`times`, with its own default for `down`."""
        return None if self.kind == "down" and "times" not in self.model_fields_set else self.times

    def matches(self, method: str, path: str) -> bool:
        """Whether the call is one of those meant."""
        return bool(re.fullmatch(self.method, method, re.IGNORECASE) and re.search(self.path, path))


class _Queued:
    def __init__(self, fault_id: int, fault: Fault) -> None:
        self.id = fault_id
        self.fault = fault
        self.to_skip = fault.skip
        self.left = fault.hits_allowed
        self.hits = 0


class FaultQueue:
    """The faults that wait for calls, in the order of being queued.

    Args:
        seed: For the probabilities; the same calls in the same order meet the same faults.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable faults, no secrets
        self._queue: list[_Queued] = []
        self._last_id = 0

    def add(self, fault: Fault) -> int:
        """Queue a fault and return its number."""
        self._last_id += 1
        self._queue.append(_Queued(self._last_id, fault))
        return self._last_id

    def clear(self) -> None:
        """Forget all faults."""
        self._queue.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets; counts it."""
        for queued in self._queue:
            if queued.left == 0 or not queued.fault.matches(method, path):
                continue
            if queued.to_skip:
                queued.to_skip -= 1
                continue
            if self._random.random() >= queued.fault.probability:
                continue
            queued.hits += 1
            queued.left = None if queued.left is None else queued.left - 1
            return queued.fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """Each fault with how often it hit and may still hit."""
        return [
            {"id": one.id, "hits": one.hits, "left": one.left, "fault": one.fault.model_dump(mode="json")}
            for one in self._queue
        ]
