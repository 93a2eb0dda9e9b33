"""Google's Gemini API: https://ai.google.dev/api/generate-content, of version v1 and v1beta alike."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .call import Call, Question, Record, RefusedError, Written
from .catalog import GEMINI, GeminiModel

PATH = re.compile(r"/(v1|v1beta)/models/([^/:]+):generateContent")
_FIELDS = frozenset({"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"})
_CONFIG_FIELDS = frozenset(
    {"candidateCount", "maxOutputTokens", "responseJsonSchema", "responseMimeType", "responseSchema", "seed"}
    | {"stopSequences", "temperature", "thinkingConfig", "topK", "topP"}
)
"""What is served; Google knows more, such as voices."""
_FINISH = {"stop": "STOP", "truncated": "MAX_TOKENS", "refusal": "SAFETY", "filtered": "PROHIBITED_CONTENT"}
FAULTS: Mapping[int, tuple[str, str]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "Your API key doesn't have the required permissions."),
    404: ("NOT_FOUND", "The model is not found for API version v1beta, or is not supported for generateContent."),
    408: ("DEADLINE_EXCEEDED", "The deadline expired."),
    409: ("ABORTED", "The operation was aborted."),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}


class GeminiVendor:
    """The wire format.

    Args:
        key: The API key that is valid.
    """

    name = "gemini"

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, call: Call) -> Question:
        """What a generateContent asks."""
        self.check_key(call)
        if not isinstance(call.body, dict):
            raise _invalid("Invalid JSON payload received.")
        body = _camel(call.body)
        _check_names(body, _FIELDS, "")
        config = body.get("generationConfig") or {}
        _check_names(config, _CONFIG_FIELDS, " at 'generation_config'")
        found = PATH.fullmatch(unquote(call.path))
        version, name = found.groups() if found else ("v1beta", "")
        model = GEMINI.get(name)
        if model is None:
            message = f"models/{name} is not found for API version {version}, or is not supported for generateContent."
            raise RefusedError(404, "NOT_FOUND", message)
        _check_thinking(config.get("thinkingConfig"), model)
        return Question(
            model=name,
            system=_texts([body["systemInstruction"]]) if "systemInstruction" in body else "",
            user=_texts(body.get("contents")),
            schema=_read_schema(config),
            max_tokens=config.get("maxOutputTokens"),
        )

    def check_key(self, call: Call) -> None:
        """Whether the call may be made at all; a wrong key is a 400 here."""
        key = call.headers.get("x-goog-api-key") or call.query.get("key")
        if key is None:
            raise RefusedError(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if key != self._key:
            reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            message = f"API key not valid. Please pass a valid API key. ({key})"
            raise RefusedError(400, "INVALID_ARGUMENT", message, details=[reason])

    def models(self) -> Record:
        """`GET /v1beta/models`."""
        return {
            "models": [{"name": f"models/{one}", "supportedGenerationMethods": ["generateContent"]} for one in GEMINI]
        }

    def answer(self, question: Question, written: Written) -> Record:
        """A generateContent response; what the filter stops before it begins has no candidate."""
        usage = {
            "promptTokenCount": written.input_tokens,
            "candidatesTokenCount": written.output_tokens,
            "totalTokenCount": written.input_tokens + written.output_tokens,
        }
        whole: Record = {"usageMetadata": usage, "modelVersion": question.model, "responseId": "emulated"}
        if written.finish == "filtered":
            return whole | {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
        candidate: Record = {"index": 0, "finishReason": _FINISH[written.finish]}
        if written.finish != "refusal":
            candidate["content"] = {"role": "model", "parts": [{"text": written.text}]}
        return whole | {"candidates": [candidate]}

    def error(self, refused: RefusedError) -> Record:
        """Google's error object."""
        error = {"code": refused.status, "message": refused.message, "status": refused.code}
        return {"error": error | ({"details": refused.details} if refused.details else {})}

    def fault(self, status: int, code: str | None) -> RefusedError:
        """A scripted refusal."""
        usual, message = FAULTS.get(status, ("UNKNOWN", "An error occurred."))
        return RefusedError(status, code or usual, message)


def retry_info(wait_s: str) -> Record:
    """How Google tells a wait: in the body."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait_s}s"}


def _invalid(message: str) -> RefusedError:
    return RefusedError(400, "INVALID_ARGUMENT", message)


_FREE = frozenset({"responseJsonSchema", "responseSchema"})
_UNDERSCORE = re.compile(r"_([a-z])")


def _camel(value: Any) -> Any:
    """Every name as Google writes it: like all of proto3's JSON it also takes `thinking_level`, which the SDK sends."""
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {_UNDERSCORE.sub(lambda found: found[1].upper(), name): one for name, one in value.items()}
    return {name: one if name in _FREE else _camel(one) for name, one in named.items()}


def _check_names(value: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(value, dict):
        raise _invalid(f"Invalid JSON payload received. Expected an object{where}.")
    if unknown := value.keys() - known:
        raise _invalid(f'Invalid JSON payload received. Unknown name "{min(unknown)}"{where}: Cannot find field.')


def _texts(contents: Any) -> str:
    texts = []
    for content in contents if isinstance(contents, list) else []:
        match content:
            case {"parts": [*parts]} if parts and content.get("role", "user") in {"user", "model"}:
                texts += [part.get("text", "") for part in parts if isinstance(part, dict)]
            case _:
                raise _invalid("Invalid value at 'contents'.")
    if not texts:
        raise _invalid("* GenerateContentRequest.contents: contents is not specified")
    return "\n".join(texts)


def _check_thinking(config: Any, model: GeminiModel) -> None:
    match config:
        case None:
            pass
        case {"thinkingLevel": str(level), **rest} if not rest:
            if not model.levels:
                raise _invalid("Thinking level is not supported for this model.")
            if level not in model.levels:
                raise _invalid(
                    f"Thinking level {level} is not supported for this model. Please retry with other value."
                )
        case {"thinkingBudget": int(), **rest} if not rest:
            if model.levels:
                raise _invalid("Thinking budget is not supported for this model; use thinking level.")
        case _:
            raise _invalid("Invalid value at 'generation_config.thinking_config'.")


def _read_schema(config: Record) -> Record | None:
    if "responseJsonSchema" not in config:
        return None
    if config.get("responseMimeType") != "application/json":
        raise _invalid("response_json_schema requires response_mime_type application/json.")
    if not isinstance(config["responseJsonSchema"], dict):
        raise _invalid("Invalid value at 'generation_config.response_json_schema'.")
    return dict(config["responseJsonSchema"])
