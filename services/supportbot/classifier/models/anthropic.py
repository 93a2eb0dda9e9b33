"""Anthropic's Messages by the official SDK."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
from pydantic import BaseModel

from supportbot.classifier.models.capabilities import capabilities_of
from supportbot.classifier.models.failures import COMMON, of_exception, of_status
from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind, ProviderError
from supportbot.classifier.models.refused import RefusedParameters, say_schema
from supportbot.classifier.models.request import Reply, Request, Usage, parse_opinion
from supportbot.classifier.models.transport import BoundedClient
from supportbot.spec import Model

OFFICIAL_URL = "https://api.anthropic.com"

_MARKS = {
    "effort": r"\beffort\b",
    "format": r"output_config|output_format|json_schema",
    "thinking": r"thinking",
}
"""No temperature: since version 2026-10-21 of the API every value is refused, the default one too."""
_TRUNCATED = frozenset({"max_tokens", "model_context_window_exceeded"})


class AnthropicProvider:
    """One model behind Messages.

    Args:
        model: Of the spec. The SDK adds `/v1`; a `base_url` may end in it or not.
        api_key: Sent as a bearer token.
    """

    name = "anthropic"

    def __init__(self, model: Model, api_key: str) -> None:
        self.model = model.model
        self._spec = model
        self._reasoning = capabilities_of(model.provider, model.model).reasoning
        self._refused = RefusedParameters(self.name, self.model, _MARKS)
        self._who = f"{self.name} {self.model}"
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=(model.base_url or OFFICIAL_URL).rstrip("/").removesuffix("/v1"),
            max_retries=0,
            timeout=model.timeout_s,
            # The chain makes one span for each attempt, for all vendors alike.
            open_telemetry=False,
            http_client=BoundedClient(timeout=model.timeout_s),
        )

    async def classify(self, request: Request, deadline: float) -> Reply:
        """Ask once; see `Provider`."""
        end = min(deadline, asyncio.get_running_loop().time() + self._spec.timeout_s)
        with _errors(self._who):
            async with asyncio.timeout_at(end):
                return self._read(await self._ask(request, end))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, request: Request, end: float) -> "_Answer":
        """Again without what the server did not take; every repeat has less to refuse."""
        while True:
            optional = self._optional(request)
            try:
                raw = await self._client.messages.with_raw_response.create(
                    model=self.model,
                    max_tokens=self._spec.max_tokens,
                    system=_system(request, has_format="format" in optional),
                    messages=[{"role": "user", "content": request.user}],
                    **_parameters(optional),
                    timeout=max(end - asyncio.get_running_loop().time(), 0.001),
                )
            except (anthropic.BadRequestError, anthropic.UnprocessableEntityError) as exc:
                if not self._refused.learn(exc.response.text, optional):
                    raise
            else:
                return _Answer.model_validate_json(raw.http_response.content)

    def _optional(self, request: Request) -> dict[str, Any]:
        """What is sent as far as the server takes it, by the names of `_MARKS`."""
        answer_format = {"type": "json_schema", "schema": anthropic.transform_schema(request.schema)}
        wished = {**self._reasoning, "format": answer_format}
        return {name: value for name, value in wished.items() if name not in self._refused}

    def _read(self, answer: "_Answer") -> Reply:
        usage = answer.usage.as_usage()
        if answer.stop_reason in _TRUNCATED:
            raise ProviderError(f"{self._who}: the answer met maxTokens", OutcomeKind.TRUNCATED, usage=usage)
        if answer.stop_reason == "refusal":
            raise ProviderError(f"{self._who}: the model refused", OutcomeKind.REFUSED, usage=usage)
        # Not content[0]: a thinking block may stand before it.
        text = next((block.text for block in answer.content if block.type == "text" and block.text), None)
        if text is None:
            raise BadOutput(f"{self._who}: the answer has no text", status=200, usage=usage)
        try:
            opinion = parse_opinion(text)
        except BadOutput as exc:
            raise BadOutput(f"{self._who}: {exc}", status=200, usage=usage) from exc
        return Reply(opinion, usage, answer.model or self.model, answer.stop_reason or "end_turn")


def _system(request: Request, *, has_format: bool) -> list[Any]:
    """The static part, which the vendor may keep; a second block only for servers that take no format."""
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}},
    ]
    if not has_format:
        blocks.append({"type": "text", "text": say_schema(request.schema)})
    return blocks


def _parameters(optional: dict[str, Any]) -> dict[str, Any]:
    """The parameters as they are called on the wire."""
    output_config = {name: optional[name] for name in ("effort", "format") if name in optional}
    sent = {name: value for name, value in optional.items() if name not in output_config}
    return sent | ({"output_config": output_config} if output_config else {})


@contextmanager
def _errors(who: str) -> Iterator[None]:
    """Every failure of the SDK and below as a `ProviderError`; cancellation passes."""
    try:
        yield
    except anthropic.APIStatusError as exc:
        code = exc.error_code or exc.type
        raise of_status(who, exc.status_code, exc.response.headers, code=code, outcome=_meaning(exc)) from exc
    except (anthropic.AnthropicError, *COMMON) as exc:
        raise of_exception(who, exc) from exc


def _meaning(error: anthropic.APIStatusError) -> OutcomeKind | None:
    """What the error's own words say beyond its status: an empty account comes as 400 too."""
    is_empty = error.status_code == 400 and "credit balance" in (error.api_message or "")
    return OutcomeKind.MISCONFIGURED if is_empty or error.type == "billing_error" else None


class _Block(BaseModel):
    type: str
    text: str | None = None


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None

    def as_usage(self) -> Usage:
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        return Usage(self.input_tokens + read + written, self.output_tokens, read)


class _Answer(BaseModel):
    """What is read of an answer."""

    content: list[_Block]
    stop_reason: str | None = None
    usage: _Usage
    model: str | None = None
