"""Google's Gemini API by the official SDK, google-genai (docs/decisions/0001)."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.genai import Client, errors, types
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from supportbot.classifier.models.capabilities import capabilities_of
from supportbot.classifier.models.failures import COMMON, of_exception, of_status
from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind, ProviderError
from supportbot.classifier.models.refused import RefusedParameters, say_schema
from supportbot.classifier.models.request import Reply, Request, Usage, parse_opinion
from supportbot.classifier.models.transport import BoundedClient
from supportbot.spec import Model

OFFICIAL_URL = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"
"""Documented for every parameter that is sent here; that the SDK's default, v1, takes them all is unverified."""

_MARKS = {
    "response_json_schema": r"response_?(json_?)?schema",
    "response_mime_type": r"response_?mime_?type|json mode",
    "thinking_config": r"thinking",
    "temperature": r"temperature",
}
_REFUSED = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR"}
    | {"PUP_LIMITED_DISABLED"}
)
"""Reasons to finish that mean: it did not want to. https://ai.google.dev/api/generate-content#FinishReason"""
_TRUNCATED = frozenset({"MAX_TOKENS", "CONTINUATION"})
_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_NOT_FOUND", "API_KEY_SERVICE_BLOCKED"})


class GeminiProvider:
    """One model behind generateContent.

    Args:
        model: Of the spec. A `base_url` may end in `/v1` or `/v1beta`, which then is the version.
        api_key: Sent as `x-goog-api-key`.
    """

    name = "gemini"

    def __init__(self, model: Model, api_key: str) -> None:
        self.model = model.model
        self._spec = model
        self._capabilities = capabilities_of(model.provider, model.model)
        self._refused = RefusedParameters(self.name, self.model, _MARKS)
        self._who = f"{self.name} {self.model}"
        # With an own client the SDK cannot switch to aiohttp, whose exceptions are others.
        self._http = BoundedClient(timeout=model.timeout_s)
        base_url, version = _address(model.base_url)
        self._client = Client(
            # Said, because the environment could say otherwise.
            vertexai=False,
            api_key=api_key,
            http_options=types.HttpOptions(
                base_url=base_url,
                api_version=version,
                timeout=_milliseconds(model.timeout_s),
                retry_options=types.HttpRetryOptions(attempts=1),
                httpx_async_client=self._http,
            ),
        )

    async def classify(self, request: Request, deadline: float) -> Reply:
        """Ask once; see `Provider`."""
        end = min(deadline, asyncio.get_running_loop().time() + self._spec.timeout_s)
        with _errors(self._who):
            async with asyncio.timeout_at(end):
                return self._read(await self._ask(request, end))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        self._client.close()

    async def _ask(self, request: Request, end: float) -> "_Answer":
        """Again without what the server did not take; every repeat has less to refuse."""
        while True:
            optional = self._optional(request)
            left_s = max(end - asyncio.get_running_loop().time(), 0.001)
            config = types.GenerateContentConfig(
                system_instruction=_system(request, has_schema="response_json_schema" in optional),
                max_output_tokens=self._spec.max_tokens,
                http_options=types.HttpOptions(timeout=_milliseconds(left_s)),
                # The body as it came: so the SDK neither drops what it does not know nor goes on with a second request.
                should_return_http_response=True,
                # Else it writes a log line for every call.
                automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
                **optional,
            )
            try:
                answer = await self._client.aio.models.generate_content(
                    model=self.model, contents=request.user, config=config
                )
            except errors.ClientError as exc:
                if exc.code not in {400, 422} or not self._refused.learn(_text_of(exc), optional):
                    raise
            else:
                body = answer.sdk_http_response.body if answer.sdk_http_response else None
                return _Answer.model_validate_json(body or "")

    def _optional(self, request: Request) -> dict[str, Any]:
        """What is sent as far as the server takes it, by the names of `_MARKS`."""
        wished = dict(self._capabilities.reasoning)
        if "response_mime_type" not in self._refused:
            # A schema goes only with the type.
            wished |= {"response_mime_type": "application/json", "response_json_schema": request.schema}
        if self._capabilities.takes_temperature:
            wished["temperature"] = self._spec.temperature_value
        return {name: value for name, value in wished.items() if name not in self._refused}

    def _read(self, answer: "_Answer") -> Reply:
        usage = answer.usage_metadata.as_usage()
        candidate = answer.candidates[0] if answer.candidates else None
        if answer.prompt_feedback.block_reason or (candidate and candidate.finish_reason in _REFUSED):
            raise ProviderError(f"{self._who}: the model refused", OutcomeKind.REFUSED, usage=usage)
        if candidate and candidate.finish_reason in _TRUNCATED:
            raise ProviderError(f"{self._who}: the answer met maxTokens", OutcomeKind.TRUNCATED, usage=usage)
        parts = candidate.content.parts if candidate else []
        text = "".join(part.text or "" for part in parts if not part.thought)
        if candidate is None or not text:
            raise BadOutput(f"{self._who}: the answer has no text", status=200, usage=usage)
        try:
            opinion = parse_opinion(text)
        except BadOutput as exc:
            raise BadOutput(f"{self._who}: {exc}", status=200, usage=usage) from exc
        return Reply(opinion, usage, answer.model_version or self.model, candidate.finish_reason or "STOP")


def _address(base_url: str | None) -> tuple[str, str]:
    """The address without the API's version, and the version."""
    bare = (base_url or OFFICIAL_URL).rstrip("/")
    for version in ("v1beta", "v1"):
        if bare.endswith(f"/{version}"):
            return bare.removesuffix(f"/{version}"), version
    return bare, API_VERSION


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 1)


def _system(request: Request, *, has_schema: bool) -> str:
    return request.system if has_schema else f"{request.system}\n\n{say_schema(request.schema)}"


@contextmanager
def _errors(who: str) -> Iterator[None]:
    """Every failure of the SDK and below as a `ProviderError`; cancellation passes."""
    try:
        yield
    except errors.APIError as exc:
        headers = exc.response.headers if exc.response is not None else {}
        code = exc.status if isinstance(exc.status, str) else None
        raise of_status(who, exc.code, headers, code=code, outcome=_meaning(exc), wait_s=_retry_delay_s(exc)) from exc
    except COMMON as exc:
        raise of_exception(who, exc) from exc


def _meaning(error: errors.APIError) -> OutcomeKind | None:
    """What the error's body says beyond its status: a wrong key comes as 400."""
    is_key = any(str(entry.get("reason")) in _KEY_REASONS for entry in _details(error))
    return OutcomeKind.MISCONFIGURED if is_key or error.status == "FAILED_PRECONDITION" else None


def _text_of(error: errors.APIError) -> str:
    return json.dumps(error.details, ensure_ascii=False)


def _details(error: errors.APIError) -> list[dict[str, Any]]:
    """https://cloud.google.com/apis/design/errors#error_details."""
    match error.details:
        case {"error": {"details": [*entries]}}:
            return [entry for entry in entries if isinstance(entry, dict)]
    return []


def _retry_delay_s(error: errors.APIError) -> float | None:
    """Google tells the wait in the body: `{"@type": "…RetryInfo", "retryDelay": "37.5s"}`."""
    waits = [re.fullmatch(r"(\d{1,9}(\.\d{1,9})?)s", str(entry.get("retryDelay"))) for entry in _details(error)]
    return max((float(wait[1]) for wait in waits if wait), default=None)


class _Part(BaseModel):
    text: str | None = None
    thought: bool = False


class _Content(BaseModel):
    parts: list[_Part] = []


class _WireModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Candidate(_WireModel):
    content: _Content = _Content()
    finish_reason: str | None = None


class _Feedback(_WireModel):
    block_reason: str | None = None


class _Usage(_WireModel):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    cached_content_token_count: int = 0

    def as_usage(self) -> Usage:
        written = self.candidates_token_count + self.thoughts_token_count
        return Usage(self.prompt_token_count, written, self.cached_content_token_count)


class _Answer(_WireModel):
    """What is read of an answer."""

    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback = _Feedback()
    usage_metadata: _Usage = _Usage()
    model_version: str | None = None
