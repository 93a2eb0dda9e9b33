"""What a model is asked and what it answers: the same values for every vendor. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from supportbot.classifier.models.outcomes import BadOutput

MAX_ANSWER_CHARS = 20_000
"""An opinion needs about 1,000; a longer answer is no opinion, and is not parsed."""

OpinionKind = Literal["incident", "follow_up", "resolution", "chatter"]


class Entities(BaseModel):
    """What the turn names, in its own letters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str | None = Field(description="Number or name of the store or site, copied from the turn.")
    device: str | None = Field(description="The device that it is about, copied from the turn.")
    error_code: str | None = Field(description="The error code or message, copied from the turn.")
    system: str | None = Field(description="The program or service that it is about, copied from the turn.")


class Opinion(BaseModel):
    """What a model says of one turn. Evidence and kind come first: to quote before the label makes a better label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: str = Field(description="The words of the turn that decide, copied letter by letter; empty for no words.")
    kind: OpinionKind
    category: str = Field(description="The category of the matter; for chatter the nearest one.")
    language: Literal["es", "en", "pt", "other"]
    priority: Literal["urgent", "high", "medium", "low"]
    subject: str = Field(description="One line of at most 90 characters, in the language of the turn.")
    summary: str = Field(description="At most 400 characters, in the language of the turn.")
    entities: Entities
    follow_up_of: str | None = Field(description="The ref of one of open_incidents; null for a new matter and chatter.")
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False, description="0 to 1.")
    needs_review: bool = Field(description="True when a person should look at it first.")


@dataclass(frozen=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int
    """With the cached ones."""
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class Request:
    """One turn, ready to be sent to whichever vendor."""

    system: str
    """The same bytes for every turn of a bot, so that vendors can cache it."""
    user: str
    """A JSON document."""
    schema: dict[str, Any]
    """Of the answer; the same for every turn of a bot."""
    offered: dict[str, str] = field(default_factory=dict)
    """Incident ids by the refs that stand in the document: "I1", "I2"…"""
    turn_text: str = ""
    """The turn as it stands in the document: without invisible characters, redacted, cut."""
    placeholders: dict[str, str] = field(default_factory=dict)
    """What was taken out of the document, by placeholder: "<PHONE_1>", "<P2>"."""
    solves: bool = False
    """The author is read as one of those who solve, so that what goes on with an incident is an answer."""


@dataclass(frozen=True)
class Reply:
    """A vendor's answer to a request, in the right shape but unchecked."""

    opinion: Opinion
    usage: Usage
    model: str
    """As the vendor names what answered."""
    finish_reason: str


def make_schema(categories: Iterable[str]) -> dict[str, Any]:
    """The closed JSON schema of `Opinion` with these category names; without `$ref`, limits and titles.

    Every property is required, none may be added, and what may be missing is `anyOf` with null: the form that
    OpenAI (`strict`), Gemini (`response_json_schema`) and Anthropic (`transform_schema`) all take.
    """
    schema = Opinion.model_json_schema()
    closed: dict[str, Any] = _close(schema, schema.pop("$defs"))
    closed["properties"]["category"]["enum"] = list(categories)
    return closed


_NOT_PORTABLE = frozenset({"title", "default", "minimum", "maximum"})


def _close(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_close(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _close(definitions[node["$ref"].rpartition("/")[2]], definitions)
    closed = {key: value for key, value in node.items() if key not in _NOT_PORTABLE}
    closed = {key: _close(value, definitions) for key, value in closed.items()}
    if closed.get("type") == "object":
        closed.pop("description", None)
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed


_THOUGHT = re.compile(r"\A[^{].*?</think(?:ing)?>\s*(?=(?:```\w*\s*)?\{)", re.DOTALL)
_FENCE = re.compile(r"\A```\w*\s*(\{.*\})\s*```\Z", re.DOTALL)


def parse_opinion(text: str) -> Opinion:
    """The opinion in a model's answer: one JSON object, perhaps in a code fence or behind a `<think>` block.

    Raises:
        BadOutput: It is anything else. The message holds nothing of the answer.
    """
    if len(text) > MAX_ANSWER_CHARS:
        raise BadOutput(f"the answer has {len(text)} characters, more than any opinion")
    text = _THOUGHT.sub("", text.strip().removeprefix("\ufeff"))
    fenced = _FENCE.match(text)
    try:
        return Opinion.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as exc:
        raise BadOutput(f"the answer is not an opinion: {_name_faults(exc)}") from None
    except UnicodeEncodeError:
        raise BadOutput("the answer is not text") from None


def _name_faults(error: ValidationError) -> str:
    """Which known fields are wrong and how, without their values: an unknown field may be named by an attacker."""
    known = {*Opinion.model_fields, *Entities.model_fields}
    faults = [
        f"{'.'.join(str(part) if part in known else '?' for part in one['loc']) or 'all'} {one['type']}"
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return ", ".join(faults[:5])
