"""The server as one ASGI application: vendors' paths, control plane, journal, and the faults carried out."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from .anthropic import AnthropicVendor
from .call import Call, Question, Record, RefusedError, Vendor, Written
from .faults import Drop, Hang, Huge, Trickle
from .gemini import PATH as GEMINI_PATH
from .gemini import GeminiVendor, retry_info
from .openai import OpenAIVendor
from .opinions import emulated_answer
from .schemas import schema_in_words
from .script import Outcome, Script
from .self_hosted import DIALECTS, SelfHostedVendor

KEYS: Mapping[str, str] = {
    "openai": "demo-openai-key",
    "anthropic": "demo-anthropic-key",
    "gemini": "demo-gemini-key",
    "self-hosted": "demo-self-hosted-key",
}
"""The API keys that are valid by default."""
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key"})
_OUTCOMES: TypeAdapter[list[Outcome]] = TypeAdapter(list[Outcome])
_FINISHES = frozenset({"refusal", "truncated", "filtered"})


@dataclass
class State:
    """What the emulated vendors know; gone when the process ends."""

    keys: Mapping[str, str] = field(default_factory=lambda: dict(KEYS))
    """The valid API key by vendor."""
    latency_s: float = 0.0
    """Before every answer."""
    script: Script = field(default_factory=Script)
    journal: list[Record] = field(default_factory=list)
    """Every call of a vendor's path, in order, with its body, without its key."""
    prefixes: set[tuple[str, str]] = field(default_factory=set)
    """Model and system text of former calls, which a vendor bills as cached."""


class ModelsApp:
    """ASGI application.

    Args:
        state: Also read and changed by tests.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._openai = OpenAIVendor(state.keys["openai"])
        self._anthropic = AnthropicVendor(state.keys["anthropic"])
        self._gemini = GeminiVendor(state.keys["gemini"])
        self._dialects = {name: SelfHostedVendor(name, state.keys["self-hosted"]) for name in DIALECTS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        try:
            call = await _read_call(Request(scope, receive))
        except ClientDisconnect:
            return
        if call.path.startswith("/_control/"):
            response = self._control(call)
        else:
            response = await self._serve(call)
        try:
            await response(scope, receive, send)
        except asyncio.CancelledError:
            # Only the end of the server cancels a call; its client sees a broken connection, like at any stop.
            scope["state"]["transport"].abort()

    async def _serve(self, call: Call) -> Response:
        vendor = self._vendor(call)
        if vendor is None:
            return JSONResponse({"error": {"message": f"no such path: {call.method} {call.path}"}}, 404)
        entry = _entry(call, vendor, len(self._state.journal) + 1)
        self._state.journal.append(entry)
        outcome: Outcome | None = None
        try:
            if call.method == "GET":
                vendor.check_key(call)
                response: Response = JSONResponse(vendor.models())
            else:
                question = vendor.read(call)
                outcome = self._state.script.take(vendor.name, question.model)
                entry |= {"model": question.model, "outcome": outcome.kind}
                await asyncio.sleep(self._state.latency_s + outcome.latency_s)
                response = self._carry_out(outcome, vendor, question, call)
        except RefusedError as refused:
            headers = outcome.headers if outcome else {}
            response = JSONResponse(vendor.error(refused), refused.status, headers=headers)
        entry["status"] = response.status_code
        response.headers["x-emulated"] = "supportbot.emulators.models"
        return response

    def _vendor(self, call: Call) -> Vendor | None:
        """Whose path it is; `GET /v1/models` is everybody's, and told apart by the header of the key."""
        dialect, _, rest = call.path.removeprefix("/").partition("/")
        if dialect in self._dialects and (call.method, f"/{rest}") in _OPENAI_CALLS:
            return self._dialects[dialect]
        if (call.method, call.path) == ("POST", "/v1/messages"):
            return self._anthropic
        if call.method == "POST" and GEMINI_PATH.fullmatch(call.path):
            return self._gemini
        if call.method == "GET" and call.path in {"/v1/models", "/v1beta/models"}:
            if "x-goog-api-key" in call.headers or call.path == "/v1beta/models":
                return self._gemini
            if "anthropic-version" in call.headers:
                return self._anthropic
        return self._openai if (call.method, call.path) in _OPENAI_CALLS else None

    def _carry_out(self, outcome: Outcome, vendor: Vendor, question: Question, call: Call) -> Response:
        if outcome.kind == "status":
            raise _scripted_refusal(outcome, vendor, question, call)
        written = self._write(outcome, question)
        body = json.dumps(vendor.answer(question, written), ensure_ascii=False).encode()
        match outcome.kind:
            case "hang":
                return Hang()
            case "drop_before":
                return Drop(b"")
            case "drop_after":
                return Drop(body)
            case "trickle":
                return Trickle(body, outcome.pause_s)
            case "huge":
                return Huge()
            case "html":
                status = outcome.status if "status" in outcome.model_fields_set else 200
                return HTMLResponse(f"<html><title>{status}</title><body><h1>Sign in</h1></body></html>", status)
            case "broken_json":
                body = body[: len(body) // 2]
            case "empty":
                body = b""
        return Response(body, headers=outcome.headers, media_type="application/json")

    def _write(self, outcome: Outcome, question: Question) -> Written:
        """What the model writes, and what it costs: a token for every four characters."""
        text = _text(outcome, question)
        finish = outcome.kind if outcome.kind in _FINISHES else "stop"
        limit = question.max_tokens
        if finish == "stop" and limit is not None and len(text) > limit * 4:
            finish, text = "truncated", text[: limit * 4]
        elif finish == "truncated":
            text = text[: len(text) // 2]
        prefix = (question.model, question.system)
        cached = len(question.system) // 4 if question.keeps_prefix and prefix in self._state.prefixes else 0
        self._state.prefixes.add(prefix)
        return Written(
            text=text,
            finish=finish,
            input_tokens=(len(question.system) + len(question.user)) // 4 + 8,
            output_tokens=len(text) // 4 + 1,
            # OpenAI's threshold and step.
            cached_tokens=cached // 128 * 128 if cached >= 1024 else 0,
        )

    def _control(self, call: Call) -> Response:
        """`/_control/outcomes`, `/_control/journal`, `/_control/settings`."""
        state = self._state
        match call.method, call.path.removeprefix("/_control/"):
            case "POST", "outcomes":
                try:
                    outcomes = _OUTCOMES.validate_python(call.body if isinstance(call.body, list) else [call.body])
                except ValidationError as exc:
                    return JSONResponse(exc.errors(include_context=False, include_url=False), 422)
                for outcome in outcomes:
                    state.script.add(outcome)
                return JSONResponse(state.script.as_json())
            case "GET", "outcomes":
                return JSONResponse(state.script.as_json())
            case "DELETE", "outcomes":
                state.script.clear()
                return Response(status_code=204)
            case "GET", "journal":
                return JSONResponse(state.journal)
            case "DELETE", "journal":
                state.journal.clear()
                return Response(status_code=204)
            case "PATCH", "settings":
                return _set_latency(state, call.body)
        return JSONResponse({"detail": "no such control call"}, 404)


_OPENAI_CALLS = frozenset({("POST", "/v1/chat/completions"), ("GET", "/v1/models")})


async def _read_call(request: Request) -> Call:
    raw = await request.body()
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = None
    return Call(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=body,
    )


def _entry(call: Call, vendor: Vendor, number: int) -> Record:
    headers = {name: value for name, value in call.headers.items() if name not in SECRET_HEADERS}
    return {
        "seq": number,
        "vendor": vendor.name,
        "method": call.method,
        "path": call.path,
        "headers": headers,
        "has_key": bool(SECRET_HEADERS & call.headers.keys()),
        "body": call.body,
        "model": None,
        "outcome": None,
        "status": None,
    }


def _scripted_refusal(outcome: Outcome, vendor: Vendor, question: Question, call: Call) -> RefusedError:
    """The vendor's error; like real ones, it quotes what it was sent."""
    refused = vendor.fault(outcome.status, outcome.code)
    key = call.bearer or call.headers.get("x-api-key") or call.headers.get("x-goog-api-key")
    refused.message = outcome.message or f"{refused.message} (key {key}, input {question.user[:200]!r})"
    if vendor.name == "gemini" and (wait := outcome.headers.get("x-retry-delay")):
        refused.details.append(retry_info(wait))
    return refused


def _text(outcome: Outcome, question: Question) -> str:
    if outcome.text is not None:
        return outcome.text
    if outcome.kind == "not_json":
        return "Sure! This looks like an incident to me."
    if outcome.kind == "wrong_schema":
        return json.dumps({"label": "incident", "score": "high"})
    answer: Any = emulated_answer(question.user, question.schema or schema_in_words(question.system) or {})
    if isinstance(answer, dict):
        answer |= outcome.opinion
    return json.dumps(answer, ensure_ascii=False)


def _set_latency(state: State, body: Any) -> Response:
    match body:
        case {"latency_s": float() | int() as latency_s, **rest} if not rest and latency_s >= 0:
            state.latency_s = float(latency_s)
            return JSONResponse({"latency_s": state.latency_s})
    return JSONResponse({"detail": 'expected {"latency_s": seconds}'}, 422)
