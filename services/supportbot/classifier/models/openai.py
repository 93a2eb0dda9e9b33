"""OpenAI's Chat Completions by the official SDK: OpenAI itself, and self-hosted servers that speak the same.

Chat Completions rather than Responses, because Ollama, vLLM and LiteLLM speak it too.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import openai
from pydantic import BaseModel, Field

from supportbot.classifier.models.capabilities import capabilities_of
from supportbot.classifier.models.failures import COMMON, of_exception, of_status
from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind, ProviderError
from supportbot.classifier.models.refused import RefusedParameters, say_schema
from supportbot.classifier.models.request import Reply, Request, Usage, parse_opinion
from supportbot.classifier.models.transport import BoundedClient
from supportbot.spec import Model, Provider

OFFICIAL_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent where the spec names no key, because the SDK would take the one of the environment."""

_LIMITS = ("max_completion_tokens", "max_tokens")
"""The two names of the limit on the answer."""
_MARKS = {
    "strict": r"\bstrict\b",
    "json_schema": r"json_schema|response_format",
    "json_object": r"json_object|response_format",
    "max_completion_tokens": r"max_completion_tokens",
    "max_tokens": r"max_tokens",
    "temperature": r"temperature",
    "reasoning_effort": r"reasoning",
    "store": r"\bstore\b",
    "prompt_cache_key": r"prompt_cache",
}
_MEANINGS = {
    "insufficient_quota": OutcomeKind.MISCONFIGURED,
    "billing_hard_limit_reached": OutcomeKind.MISCONFIGURED,
    "billing_not_active": OutcomeKind.MISCONFIGURED,
    "account_deactivated": OutcomeKind.MISCONFIGURED,
    "invalid_api_key": OutcomeKind.MISCONFIGURED,
    "model_not_found": OutcomeKind.MISCONFIGURED,
    "content_filter": OutcomeKind.REFUSED,
    "content_policy_violation": OutcomeKind.REFUSED,
}
"""Codes of errors that say more than their status."""


class OpenAIProvider:
    """One model behind Chat Completions.

    Args:
        model: Of the spec. Without a path, `base_url` gets `/v1`.
        api_key: Empty only for a server that needs none.
    """

    name = "openai"

    def __init__(self, model: Model, api_key: str) -> None:
        self.model = model.model
        self._spec = model
        self._is_self_hosted = model.provider is Provider.OPENAI_COMPATIBLE
        self._capabilities = capabilities_of(model.provider, model.model)
        self._refused = RefusedParameters(self.name, self.model, _MARKS)
        self._who = f"{self.name} {self.model}"
        self._client = openai.AsyncOpenAI(
            api_key=api_key or NO_KEY,
            base_url=_address(model.base_url),
            max_retries=0,
            timeout=model.timeout_s,
            http_client=BoundedClient(timeout=model.timeout_s),
        )
        # The environment's must not go to somebody else's server.
        self._client.organization = self._client.project = self._client.admin_api_key = None

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
            optional, answer_format = self._optional(request), _answer_format(request.schema, self._refused)
            try:
                raw = await self._client.chat.completions.with_raw_response.create(
                    model=self.model,
                    messages=self._messages(request, answer_format),
                    **answer_format.parameters,
                    **optional,
                    timeout=max(end - asyncio.get_running_loop().time(), 0.001),
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as exc:
                if not self._refused.learn(exc.response.text, {*optional, *answer_format.features}):
                    raise
            else:
                return _Answer.model_validate_json(raw.http_response.content)

    def _messages(self, request: Request, answer_format: "_AnswerFormat") -> list[Any]:
        system = request.system
        if self._is_self_hosted or "json_schema" not in answer_format.features:
            # Many servers ignore a format that they do not know.
            system += f"\n\n{say_schema(request.schema)}"
        return [{"role": "system", "content": system}, {"role": "user", "content": request.user}]

    def _optional(self, request: Request) -> dict[str, Any]:
        """What is sent beside model, messages and form of the answer, as far as the server takes it."""
        known = self._capabilities
        wished = dict(known.reasoning)
        if known.takes_temperature:
            wished["temperature"] = self._spec.temperature_value
        if known.takes_cache_key:
            wished["prompt_cache_key"] = hashlib.sha256(request.system.encode()).hexdigest()[:32]
        if not self._is_self_hosted:
            wished["store"] = False
        limits = sorted(_LIMITS, key=lambda name: name != known.token_parameter)
        limit = next((name for name in limits if name not in self._refused), limits[0])
        wished[limit] = self._spec.max_tokens
        return {name: value for name, value in wished.items() if name not in self._refused}

    def _read(self, answer: "_Answer") -> Reply:
        choice = answer.choices[0]
        usage = answer.usage.as_usage() if answer.usage else Usage(0, 0)
        if choice.finish_reason == "length":
            raise ProviderError(f"{self._who}: the answer met maxTokens", OutcomeKind.TRUNCATED, usage=usage)
        if choice.finish_reason == "content_filter" or choice.message.refusal:
            raise ProviderError(f"{self._who}: the model refused", OutcomeKind.REFUSED, usage=usage)
        if not choice.message.content:
            raise BadOutput(f"{self._who}: the answer has no text", status=200, usage=usage)
        try:
            opinion = parse_opinion(choice.message.content)
        except BadOutput as exc:
            raise BadOutput(f"{self._who}: {exc}", status=200, usage=usage) from exc
        return Reply(opinion, usage, answer.model or self.model, choice.finish_reason or "stop")


def _address(base_url: str | None) -> str:
    if base_url is None:
        return OFFICIAL_URL
    bare = base_url.rstrip("/")
    return bare if urlsplit(bare).path else f"{bare}/v1"


class _AnswerFormat(NamedTuple):
    parameters: dict[str, Any]
    features: frozenset[str]
    """What of it a server may refuse, by the names of `_MARKS`."""


def _answer_format(schema: dict[str, Any], refused: RefusedParameters) -> _AnswerFormat:
    """The strictest form of the answer that the server may take: closed schema, schema, any JSON object, none."""
    if "json_schema" not in refused:
        named = {"name": "opinion", "schema": schema}
        strict = {} if "strict" in refused else {"strict": True}
        parameters = {"response_format": {"type": "json_schema", "json_schema": named | strict}}
        return _AnswerFormat(parameters, frozenset({"json_schema", *strict}))
    if "json_object" not in refused:
        return _AnswerFormat({"response_format": {"type": "json_object"}}, frozenset({"json_object"}))
    return _AnswerFormat({}, frozenset())


@contextmanager
def _errors(who: str) -> Iterator[None]:
    """Every failure of the SDK and below as a `ProviderError`; cancellation passes."""
    try:
        yield
    except openai.APIStatusError as exc:
        code = exc.code or exc.type
        meaning = _MEANINGS.get(exc.code or "") or _MEANINGS.get(exc.type or "")
        raise of_status(who, exc.status_code, exc.response.headers, code=code, outcome=meaning) from exc
    except (openai.OpenAIError, *COMMON) as exc:
        raise of_exception(who, exc) from exc


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None

    def as_usage(self) -> Usage:
        cached = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None
        return Usage(self.prompt_tokens, self.completion_tokens, cached or 0)


class _Answer(BaseModel):
    """What is read of an answer; other servers send more and less than OpenAI."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None
    model: str | None = Field(default=None, max_length=256)
