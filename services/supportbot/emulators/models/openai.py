"""OpenAI's Chat Completions: https://platform.openai.com/docs/api-reference/chat and the guide to its schemas."""

import re
from collections.abc import Mapping
from typing import Any

from .call import Call, Question, Record, RefusedError, Written
from .catalog import OPENAI, OpenAIModel
from .schemas import openai_fault

_PARAMETERS = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "prompt_cache_key",
        "reasoning_effort",
    }
    | {"response_format", "seed", "service_tier", "stop", "store", "temperature", "top_p", "user", "verbosity"}
)
"""What is served; OpenAI knows more, such as tools and streams."""
_ROLES = frozenset({"developer", "system", "user", "assistant", "tool", "function"})
_SCHEMA_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FINISH = {"stop": "stop", "truncated": "length", "refusal": "stop", "filtered": "content_filter"}
FAULTS: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Invalid request."),
    401: ("invalid_api_key", "Incorrect API key provided. You can find your API key in your account's settings."),
    403: ("unsupported_country_region_territory", "Country, region, or territory not supported"),
    404: ("model_not_found", "The model does not exist or you do not have access to it."),
    408: ("request_timeout", "Request timed out."),
    409: ("conflict", "The resource was changed meanwhile."),
    413: ("request_too_large", "Request too large."),
    422: ("unprocessable_entity", "The request was well-formed, but could not be followed."),
    429: ("rate_limit_exceeded", "Rate limit reached for requests per min (RPM)."),
    500: ("server_error", "The server had an error while processing your request. Sorry about that!"),
    503: ("service_unavailable", "That model is currently overloaded with other requests."),
}


class OpenAIVendor:
    """The wire format.

    Args:
        key: The API key that is valid.
    """

    name = "openai"

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, call: Call) -> Question:
        """What a chat completion asks."""
        self.check_key(call)
        body = checked_body(call)
        if unknown := body.keys() - _PARAMETERS:
            raise _invalid(f"Unknown parameter: '{min(unknown)}'.", min(unknown), "unknown_parameter")
        model = OPENAI.get(body["model"])
        if model is None:
            raise RefusedError(404, "model_not_found", f"The model `{body['model']}` does not exist", None)
        check_values(body)
        _check_for_model(body, model)
        system, user = read_messages(body["messages"])
        return Question(
            model=body["model"],
            system=system,
            user=user,
            schema=read_format(body),
            max_tokens=body.get("max_completion_tokens", body.get("max_tokens")),
            keeps_prefix=True,
        )

    def check_key(self, call: Call) -> None:
        """Whether the call may be made at all."""
        if call.bearer is None:
            raise RefusedError(401, "missing_api_key", "You didn't provide an API key.")
        if call.bearer != self._key:
            raise RefusedError(401, "invalid_api_key", f"Incorrect API key provided: {call.bearer}.")

    def models(self) -> Record:
        """`GET /v1/models`."""
        rows = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "emulated"} for name in OPENAI]
        return {"object": "list", "data": rows}

    def answer(self, question: Question, written: Written) -> Record:
        """A chat completion."""
        is_refusal = written.finish == "refusal"
        message: Record = {
            "role": "assistant",
            "content": None if is_refusal else written.text,
            "refusal": "I'm sorry, I can't help with that." if is_refusal else None,
            "annotations": [],
        }
        return {
            "id": "chatcmpl-emulated",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": question.model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[written.finish]},
            ],
            "usage": {
                "prompt_tokens": written.input_tokens,
                "completion_tokens": written.output_tokens,
                "total_tokens": written.input_tokens + written.output_tokens,
                "prompt_tokens_details": {"cached_tokens": written.cached_tokens, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "emulated",
        }

    def error(self, refused: RefusedError) -> Record:
        """OpenAI's error object."""
        kind = "server_error" if refused.status >= 500 else "invalid_request_error"
        if refused.status == 429:
            kind = "insufficient_quota" if refused.code == "insufficient_quota" else "requests"
        error = {"message": refused.message, "type": kind, "param": refused.param, "code": refused.code}
        return {"error": error}

    def fault(self, status: int, code: str | None) -> RefusedError:
        """A scripted refusal."""
        usual, message = FAULTS.get(status, ("server_error" if status >= 500 else "error", "An error occurred."))
        if code == "insufficient_quota":
            message = "You exceeded your current quota, please check your plan and billing details."
        return RefusedError(status, code or usual, message)


def _invalid(message: str, param: str | None, code: str | None = None) -> RefusedError:
    return RefusedError(400, code or "invalid_value", message, param)


def checked_body(call: Call) -> Record:
    """The body, whose model and messages are there."""
    body = call.body
    if not isinstance(body, dict):
        raise _invalid("We could not parse the JSON body of your request.", None)
    if not isinstance(body.get("model"), str):
        raise _invalid("you must provide a model parameter", "model", "missing_required_parameter")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise _invalid("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    return body


def check_values(body: Record) -> None:
    """The types and limits of the parameters that supportbot uses."""
    for name in ("max_completion_tokens", "max_tokens"):
        limit = body.get(name)
        if limit is not None and (type(limit) is not int or limit < 1):
            raise _invalid(f"Invalid '{name}': expected an integer above 0.", name, "invalid_type")
    temperature = body.get("temperature")
    if temperature is not None and (isinstance(temperature, bool) or not isinstance(temperature, int | float)):
        raise _invalid("Invalid type for 'temperature'.", "temperature", "invalid_type")
    if temperature is not None and not 0 <= temperature <= 2:
        raise _invalid(
            "Invalid 'temperature': expected a number from 0 to 2.", "temperature", "decimal_above_max_value"
        )
    if not isinstance(body.get("store"), bool | None):
        raise _invalid("Invalid type for 'store': expected a boolean.", "store", "invalid_type")
    if not isinstance(body.get("prompt_cache_key"), str | None):
        raise _invalid("Invalid type for 'prompt_cache_key': expected a string.", "prompt_cache_key", "invalid_type")


def _check_for_model(body: Record, model: OpenAIModel) -> None:
    effort = body.get("reasoning_effort")
    if effort is not None and not model.efforts:
        raise _invalid("Unrecognized request argument supplied: reasoning_effort", None, "unknown_parameter")
    if effort is not None and effort not in model.efforts:
        supported = ", ".join(f"'{one}'" for one in sorted(model.efforts))
        message = f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. ({supported})"
        raise _invalid(message, "reasoning_effort", "unsupported_value")
    if "max_tokens" in body and not model.takes_max_tokens:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise _invalid(message, "max_tokens", "unsupported_parameter")
    reasons = bool(model.efforts) and effort != "none"
    if "temperature" in body and (not model.takes_temperature or reasons) and body["temperature"] != 1:
        message = f"Unsupported value: 'temperature' does not support {body['temperature']} with this model."
        raise _invalid(message, "temperature", "unsupported_value")


def read_messages(messages: list[Any]) -> tuple[str, str]:
    """The texts of the system and of the user messages."""
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise _invalid(f"Invalid value for 'messages[{number}].role'.", f"messages[{number}].role")
        if not isinstance(message.get("content"), str):
            raise _invalid(f"Invalid type for 'messages[{number}].content'.", f"messages[{number}].content")
    system = "\n".join(one["content"] for one in messages if one["role"] in {"developer", "system"})
    return system, "\n".join(one["content"] for one in messages if one["role"] == "user")


def read_format(body: Record) -> Record | None:
    """The schema of the answer, if the call sets one."""
    answer_format = body.get("response_format")
    match answer_format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            if "json" not in "".join(one["content"] for one in body["messages"]).lower():
                message = "'messages' must contain the word 'json' in some form"
                raise _invalid(f"{message}, to use 'response_format' of type 'json_object'.", "messages")
            return None
        case {"type": "json_schema", "json_schema": {"name": str(name), "schema": schema, **rest}}:
            if not _SCHEMA_NAME.fullmatch(name):
                raise _invalid("Invalid 'response_format.json_schema.name'.", "response_format.json_schema.name")
            if fault := openai_fault(schema, strict=rest.get("strict") is True):
                message = f"Invalid schema for response_format '{name}': {fault}"
                raise _invalid(message, "response_format", "invalid_json_schema")
            return dict(schema)
    raise _invalid("Invalid value for 'response_format'.", "response_format")
