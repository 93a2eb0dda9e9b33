"""Anthropic's Messages: https://docs.anthropic.com/en/api/messages, errors, versions and structured outputs."""

from collections.abc import Mapping
from typing import Any

from .call import Call, Question, Record, RefusedError, Written
from .catalog import ANTHROPIC, AnthropicModel
from .schemas import anthropic_fault

CURRENT_VERSION = "2026-10-21"
_VERSIONS = frozenset({"2023-06-01", CURRENT_VERSION})
_PARAMETERS = frozenset(
    {"cache_control", "max_tokens", "messages", "metadata", "model", "output_config", "service_tier", "stop_sequences"}
    | {"system", "temperature", "thinking", "top_k", "top_p"}
)
"""What is served; Anthropic knows more, such as tools and streams."""
_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_STOP = {"stop": "end_turn", "truncated": "max_tokens", "refusal": "refusal", "filtered": "refusal"}
FAULTS: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Invalid request."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is a problem with your account's billing."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model not found"),
    408: ("timeout_error", "Request timed out."),
    409: ("conflict_error", "The resource was changed meanwhile."),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    529: ("overloaded_error", "Overloaded"),
}


class AnthropicVendor:
    """The wire format.

    Args:
        key: The API key that is valid.
    """

    name = "anthropic"

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, call: Call) -> Question:
        """What a message asks."""
        self.check_key(call)
        version = call.headers.get("anthropic-version")
        if version not in _VERSIONS:
            raise _invalid("anthropic-version: header is required" if version is None else "anthropic-version: unknown")
        body = _checked_body(call.body)
        if version == CURRENT_VERSION:
            for name in _SAMPLING:
                if name in body:
                    raise _invalid(f"{name}: `{name}` is not supported in this API version")
        model = ANTHROPIC.get(body["model"])
        if model is None:
            raise RefusedError(404, "not_found_error", f"model: {body['model']}")
        _check_thinking(body)
        system, is_kept = _read_system(body.get("system", ""))
        return Question(
            model=body["model"],
            system=system,
            user=_read_messages(body["messages"], version),
            schema=_read_output(body.get("output_config"), model),
            max_tokens=body["max_tokens"],
            keeps_prefix=is_kept,
        )

    def check_key(self, call: Call) -> None:
        """Whether the call may be made at all."""
        key = call.headers.get("x-api-key") or call.bearer
        if key is None:
            raise RefusedError(401, "authentication_error", "x-api-key header is required")
        if key != self._key:
            raise RefusedError(401, "authentication_error", f"invalid x-api-key {key}")

    def models(self) -> Record:
        """`GET /v1/models`."""
        rows = [{"type": "model", "id": name, "display_name": name} for name in ANTHROPIC]
        return {"data": rows, "has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}

    def answer(self, question: Question, written: Written) -> Record:
        """A message. A refusal comes with status 200 and no text."""
        is_refused = written.finish in {"refusal", "filtered"}
        details = {"type": "refusal", "category": "cyber", "explanation": None} if is_refused else None
        is_kept = question.keeps_prefix and not written.cached_tokens
        prefix = len(question.system) // 4
        is_cacheable = prefix >= ANTHROPIC[question.model].cache_tokens
        cached = written.cached_tokens if is_cacheable else 0
        created = prefix if is_kept and is_cacheable else 0
        return {
            "id": "msg_emulated",
            "type": "message",
            "role": "assistant",
            "model": question.model,
            "content": [] if is_refused else [{"type": "text", "text": written.text, "citations": None}],
            "stop_reason": _STOP[written.finish],
            "stop_sequence": None,
            "stop_details": details,
            "usage": {
                "input_tokens": written.input_tokens - cached - created,
                "output_tokens": written.output_tokens,
                "cache_read_input_tokens": cached,
                "cache_creation_input_tokens": created,
                "service_tier": "standard",
            },
        }

    def error(self, refused: RefusedError) -> Record:
        """Anthropic's error object."""
        error = {"type": refused.code, "message": refused.message}
        return {"type": "error", "error": error, "request_id": "req_emulated"}

    def fault(self, status: int, code: str | None) -> RefusedError:
        """A scripted refusal."""
        usual, message = FAULTS.get(status, ("api_error" if status >= 500 else "invalid_request_error", "An error."))
        if code == "credit_balance":
            message = "Your credit balance is too low to access the Anthropic API."
            code = "invalid_request_error"
        return RefusedError(status, code or usual, message)


def _invalid(message: str) -> RefusedError:
    return RefusedError(400, "invalid_request_error", message)


def _checked_body(body: Any) -> Record:
    if not isinstance(body, dict):
        raise _invalid("The request body is not valid JSON")
    if unknown := body.keys() - _PARAMETERS:
        raise _invalid(f"{min(unknown)}: Extra inputs are not permitted")
    for name, kind in (("model", str), ("max_tokens", int), ("messages", list)):
        if name not in body:
            raise _invalid(f"{name}: Field required")
        if type(body[name]) is not kind:
            raise _invalid(f"{name}: Input should be a valid {kind.__name__}")
    if body["max_tokens"] < 1:
        raise _invalid("max_tokens: Input should be greater than or equal to 1")
    return body


def _check_thinking(body: Record) -> None:
    match body.get("thinking"):
        case None | {"type": "disabled" | "adaptive"} | {"type": "enabled", "budget_tokens": int()}:
            pass
        case _:
            raise _invalid("thinking: Input tag is not valid")
    effort = (body.get("output_config") or {}).get("effort")
    if body.get("thinking") == {"type": "disabled"} and effort in {"xhigh", "max"}:
        raise _invalid("thinking: disabling requires an effort of at most high")


def _read_system(system: Any) -> tuple[str, bool]:
    """The text, and whether a part of it is marked for keeping."""
    if isinstance(system, str):
        return system, False
    for number, block in enumerate(system if isinstance(system, list) else [None]):
        match block:
            case {"type": "text", "text": str()}:
                pass
            case _:
                raise _invalid(f"system.{number}: Input should be a text block")
        if not isinstance(block.get("cache_control", {"type": "ephemeral"}), dict):
            raise _invalid(f"system.{number}.cache_control: Input should be a valid dictionary")
    return "\n".join(block["text"] for block in system), any("cache_control" in block for block in system)


def _read_messages(messages: list[Any], version: str) -> str:
    texts = []
    for number, message in enumerate(messages):
        match message:
            case {"role": "user" | "assistant", "content": str(text)}:
                texts.append(text)
            case {"role": "user" | "assistant", "content": [{"type": "text", "text": str(text)}]}:
                texts.append(text)
            case _:
                raise _invalid(f"messages.{number}: Input should be a message of role 'user' or 'assistant'")
    if not texts:
        raise _invalid("messages: at least one message is required")
    if version == CURRENT_VERSION and messages[-1]["role"] != "user":
        raise _invalid("messages: the last message must be of role 'user'")
    return "\n".join(texts)


def _read_output(config: Any, model: AnthropicModel) -> Record | None:
    if config is None:
        return None
    if not isinstance(config, dict) or config.keys() - {"effort", "format"}:
        raise _invalid("output_config: Extra inputs are not permitted")
    effort = config.get("effort")
    if effort is not None and not model.takes_effort:
        raise _invalid("output_config.effort: effort is not supported by this model")
    if effort is not None and effort not in _EFFORTS:
        raise _invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    match config.get("format"):
        case None:
            return None
        case {"type": "json_schema", "schema": schema, **rest} if not rest:
            if fault := anthropic_fault(schema):
                raise _invalid(f"output_config.format.schema: {fault}")
            return dict(schema)
    raise _invalid("output_config.format: Input should be a valid json_schema format")
