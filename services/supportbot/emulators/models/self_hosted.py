"""Servers that speak OpenAI's Chat Completions in dialects of their own: what each takes, refuses and writes around it.

They are found under `/<dialect>/v1`. Their errors' words are those of the real servers.
"""

from dataclasses import dataclass

from .call import Call, Question, Record, RefusedError, Written
from .openai import OpenAIVendor, check_values, checked_body, read_format, read_messages

_BASIC = frozenset({"model", "messages", "temperature", "max_tokens", "stream"})


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A kind of server."""

    models: tuple[str, ...]
    takes: frozenset[str]
    """Parameters; others are refused, or ignored where `ignores_others`."""
    ignores_others: bool = False
    takes_strict: bool = True
    """Whether `strict` may stand beside a schema."""
    is_constrained: bool = True
    """Whether it holds the model to the schema; else the model writes around its answer."""
    before: str = ""
    after: str = ""
    """What its model writes around the answer."""
    needs_key: bool = False


DIALECTS = {
    # Ignores what it does not know; reasoning models think aloud.
    "ollama": Dialect(
        models=("llama3.2", "qwen3:8b"),
        takes=_BASIC | {"response_format", "reasoning_effort"},
        ignores_others=True,
        before="<think>\nThe user reports {something}.\n</think>\n\n",
    ),
    "vllm": Dialect(
        models=("Qwen/Qwen3-8B", "default"),
        takes=_BASIC | {"response_format", "max_completion_tokens", "seed", "stop"},
    ),
    # Of 2024: no schema, only any JSON object, in a fence.
    "old-vllm": Dialect(
        models=("default",), takes=_BASIC | {"response_format"}, is_constrained=False, before="```json\n", after="\n```"
    ),
    # Takes schemas, but not the word strict.
    "llama-cpp": Dialect(models=("default",), takes=_BASIC | {"response_format"}, takes_strict=False),
    # Nothing but a text model.
    "plain": Dialect(models=("default",), takes=_BASIC, is_constrained=False, before="```\n", after="\n```\n"),
    # A gateway to models of OpenAI that no longer take max_tokens or a temperature.
    "litellm": Dialect(
        models=("team/gpt-6-luna",),
        takes=frozenset({"model", "messages", "response_format", "max_completion_tokens", "reasoning_effort"}),
        needs_key=True,
    ),
}


class SelfHostedVendor(OpenAIVendor):
    """One dialect.

    Args:
        dialect: Its name in `DIALECTS`.
        key: The API key, for dialects that need one.
    """

    name = "self-hosted"

    def __init__(self, dialect: str, key: str) -> None:
        super().__init__(key)
        self._name = dialect
        self._dialect = DIALECTS[dialect]

    def read(self, call: Call) -> Question:
        """What a chat completion asks."""
        dialect = self._dialect
        self.check_key(call)
        body = checked_body(call)
        if body["model"] not in dialect.models:
            raise self._unknown_model(body["model"])
        unknown = body.keys() - dialect.takes
        if unknown and not dialect.ignores_others:
            raise self._not_taken(min(unknown), body["model"])
        check_values(body)
        schema = self._read_format(body)
        system, user = read_messages(body["messages"])
        limit = body.get("max_tokens", body.get("max_completion_tokens"))
        return Question(model=body["model"], system=system, user=user, schema=schema, max_tokens=limit)

    def check_key(self, call: Call) -> None:
        """Whether the call may be made at all; most of these servers let everybody in."""
        if self._dialect.needs_key:
            super().check_key(call)

    def models(self) -> Record:
        """`GET /v1/models`."""
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in self._dialect.models]}

    def answer(self, question: Question, written: Written) -> Record:
        """A chat completion with the dialect's trimmings, and without what only OpenAI sends."""
        whole = super().answer(question, written)
        for name in ("service_tier", "system_fingerprint"):
            del whole[name]
        del whole["usage"]["prompt_tokens_details"], whole["usage"]["completion_tokens_details"]
        message = whole["choices"][0]["message"]
        del message["refusal"], message["annotations"]
        if message["content"] and written.finish == "stop":
            message["content"] = f"{self._dialect.before}{message['content']}{self._dialect.after}"
        return whole

    def _read_format(self, body: Record) -> Record | None:
        dialect, answer_format = self._dialect, body.get("response_format") or {}
        if answer_format.get("type") == "json_schema":
            if not dialect.is_constrained:
                message = f"'response_format' of type '{answer_format['type']}' is not supported: use 'json_object'"
                raise RefusedError(400, "BadRequestError", message)
            if not dialect.takes_strict and "strict" in answer_format.get("json_schema", {}):
                raise RefusedError(400, "invalid_request_error", "json_schema: unexpected field 'strict'")
        return read_format(body)

    def _unknown_model(self, model: str) -> RefusedError:
        if self._name == "ollama":
            return RefusedError(404, "not_found_error", f'model "{model}" not found, try pulling it first')
        return RefusedError(404, "NotFoundError", f"The model `{model}` does not exist.")

    def _not_taken(self, name: str, model: str) -> RefusedError:
        if self._name == "litellm":
            message = (
                f"litellm.UnsupportedParamsError: openai does not support parameters: ['{name}'], for model={model}."
                " To drop these, set `litellm.drop_params=True`"
            )
            return RefusedError(400, "400", message)
        message = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]"
        return RefusedError(422 if self._name == "plain" else 400, "BadRequestError", message)
