"""What the next calls meet: a queue of outcomes, first that matches first served."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VendorName = Literal["openai", "anthropic", "gemini", "self-hosted"]

OutcomeKind = Literal[
    "ok",
    "status",
    "hang",
    "trickle",
    "drop_before",
    "drop_after",
    "broken_json",
    "html",
    "empty",
    "huge",
    "not_json",
    "wrong_schema",
    "refusal",
    "truncated",
    "filtered",
]


class Outcome(BaseModel):
    """What one call, or several, meet. Calls that the vendor would refuse anyway are refused and use none up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: OutcomeKind = "ok"
    """
    - `ok`: an answer: `text` as it stands, or the rule's answer with the fields of `opinion` in place of its own.
    - `status`: the vendor's error of `status`, `code` and `headers`; it quotes key and question, as vendors do.
    - `hang`: no byte of an answer.
    - `trickle`: headers, then one byte of the answer every `pause_s`.
    - `drop_before`, `drop_after`: the connection breaks before the headers, or in the middle of the body.
    - `broken_json`: a success whose JSON stops in the middle.
    - `html`: the page of a portal or gateway, with `status` 200 unless given.
    - `empty`: a success without a body.
    - `huge`: a success of 64 MiB.
    - `not_json`: the vendor's shape, in which the model wrote a sentence.
    - `wrong_schema`: the vendor's shape, in which the model wrote JSON of another schema.
    - `refusal`, `truncated`, `filtered`: the model does not want to, met the limit, was stopped by the filter.
    """
    vendor: VendorName | None = None
    """Whose calls are meant; all when absent."""
    model: str | None = None
    """The model that is meant; all when absent."""
    times: int | None = Field(1, ge=1)
    """How many calls; None for all that follow."""
    status: int = Field(500, ge=200, le=599)
    code: str | None = None
    """The vendor's own word for the error, such as `insufficient_quota`."""
    message: str | None = None
    """The error's words instead of the vendor's usual ones."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Of the answer, such as `{"retry-after": "7"}`."""
    text: str | None = None
    """With `ok`: what the model writes, word for word."""
    opinion: dict[str, Any] = Field(default_factory=dict)
    """With `ok`: fields of the answer."""
    latency_s: float = Field(0.0, ge=0)
    """Before the first byte."""
    pause_s: float = Field(0.05, gt=0)


class Script:
    """The queue."""

    def __init__(self) -> None:
        self._queue: list[tuple[Outcome, int | None]] = []

    def add(self, outcome: Outcome) -> None:
        """Put an outcome at the end."""
        self._queue.append((outcome, outcome.times))

    def clear(self) -> None:
        """Forget all."""
        self._queue.clear()

    def take(self, vendor: str, model: str) -> Outcome:
        """What this call meets; a plain answer when nothing waits for it."""
        for place, (outcome, left) in enumerate(self._queue):
            if outcome.vendor not in {None, vendor} or outcome.model not in {None, model}:
                continue
            if left == 1:
                del self._queue[place]
            elif left is not None:
                self._queue[place] = (outcome, left - 1)
            return outcome
        return Outcome()

    def as_json(self) -> list[dict[str, Any]]:
        """What waits, in order, with how many calls each still means."""
        return [{"outcome": outcome.model_dump(mode="json"), "left": left} for outcome, left in self._queue]
