"""The emulator over HTTP, for a test that does not share its process.

`POST /<method>` calls a method of the emulator with a JSON object of its arguments and answers with its result;
`GET /seen?after=<revision>` waits up to a second for something new and answers with all that was seen; `PUT /faults`
sets what is to go wrong.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from pydantic import ValidationError, validate_call
from pydantic_core import from_json, to_json

from .emulator import NotLinkedError, WhatsAppEmulator
from .faults import Faults
from .observations import Observations
from .pairing import PairingError

_LONG_POLL_S = 1.0
METHODS = (
    "add_person",
    "add_group",
    "scan",
    "type_code",
    "post",
    "write_to_bot",
    "repeat",
    "resend",
    "redeliver",
    "remember",
    "tell_history",
    "hold",
    "release",
    "waiting",
    "join",
    "leave",
    "promote",
    "rename",
    "invite_bot",
    "demand_passkey",
    "stream_error",
    "replace",
    "log_out",
    "unlink",
    "drop",
    "set_reachable",
    "set_clock",
    "set_media_fault",
    "until_ready",
)
"""What may be called."""


def build_control(whatsapp: WhatsAppEmulator) -> FastAPI:
    """The application."""
    app = FastAPI(title="WhatsApp emulator", openapi_url=None)
    calls = {name: validate_call(getattr(whatsapp, name)) for name in METHODS}

    @app.get("/seen")
    async def seen(after: int = -1) -> Response:
        return _answer(await _newer(whatsapp.seen, after))

    @app.put("/faults")
    async def set_faults(request: Request) -> Response:
        changes = from_json(await request.body())
        try:
            Faults.model_validate(changes)
            for name, value in changes.items():
                setattr(whatsapp.faults, name, value)
        except (ValidationError, ValueError) as exc:
            raise HTTPException(422, str(exc)) from exc
        return _answer(whatsapp.faults)

    @app.get("/state")
    async def state() -> Response:
        return _answer(
            {"account": whatsapp.account, "is_ready": whatsapp.is_ready, "variables": whatsapp.redirection.variables()}
        )

    @app.post("/{method}")
    async def call(method: str, request: Request) -> Response:
        if method not in calls:
            raise HTTPException(404, f"no method {method!r}")
        return _answer(await _call(calls[method], from_json(await request.body() or b"{}")))

    return app


async def _call(method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        result = method(**arguments)
        return await result if inspect.isawaitable(result) else result
    except ValidationError as exc:
        raise HTTPException(422, str(exc)) from exc
    except (NotLinkedError, PairingError, KeyError) as exc:
        raise HTTPException(409, f"{type(exc).__name__}: {exc}") from exc
    except TimeoutError as exc:
        raise HTTPException(504, str(exc)) from exc


async def _newer(seen: Observations, revision: int) -> Observations:
    with suppress(TimeoutError):  # Nothing new is an answer, too.
        await seen.until(lambda: seen.revision > revision, _LONG_POLL_S)
    return seen


def _answer(value: Any) -> Response:
    return Response(to_json(value, bytes_mode="base64"), media_type="application/json")
