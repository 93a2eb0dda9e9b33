"""The HTTP side of the whatsapp service: the earlier generation's endpoints, pairing, the simulated group if any."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from supportbot.auth import CALLER
from supportbot.errors import PermanentError, TemporaryError
from supportbot.health import Health
from supportbot.http import create_app
from supportbot.service import Service
from supportbot.spec import Mode, Spec
from supportbot.whatsapp import pairing_api, simulator_api
from supportbot.whatsapp.allowance import Allowance, LimitedError
from supportbot.whatsapp.gateway import Gateway
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.outgoing import IdempotencyConflictError, Outgoing, OutgoingMessages, to_jid
from supportbot.whatsapp.status import KnownGroups, Status, make_status

SERVICE = "whatsapp-service"
MAX_SEND_CHARS = 4096

_log = structlog.get_logger(__name__)


class SendMessageBody(BaseModel):
    """`jid` and `text` are required; their absence is answered as the earlier generation did, not with 422."""

    jid: Annotated[str, StringConstraints(max_length=64)] | None = None
    text: Annotated[str, StringConstraints(max_length=MAX_SEND_CHARS)] | None = None
    mentions: Annotated[tuple[Annotated[str, AfterValidator(to_jid)], ...], Field(max_length=256)] | None = None
    """JIDs or phone numbers; the text names each as `@<digits>`."""


class Health200(BaseModel):
    """`GET /health`."""

    status: str
    service: str = SERVICE
    timestamp: datetime
    checks: dict[str, Any]


class Sent(BaseModel):
    """A sent message."""

    success: bool = True
    message: str = "Message sent successfully"
    id: str


def create_whatsapp_app(
    service: Service,
    spec: Spec,
    *,
    gateway: Gateway,
    journal: Journal,
    outgoing: OutgoingMessages,
    allowance: Allowance,
) -> FastAPI:
    """The application without the simulator's endpoints."""
    app = create_app(
        "supportbot whatsapp",
        service.settings,
        keys=service.keys,
        health=service.health,
        open_paths=pairing_api.OPEN_PATHS,
        write_paths=pairing_api.WRITE_PATHS,
        rates={"/api/send-message": "30/minute", **pairing_api.RATES},
        body_limits={f"{simulator_api.PREFIX}/messages": simulator_api.MAX_BODY_BYTES},
    )
    groups = KnownGroups(gateway, [group.jid for group in spec.whatsapp.groups])
    _add_health(app, service.health, gateway)
    _add_send_message(app, spec, outgoing)
    app.include_router(pairing_api.create_pairing_router(gateway, spec))

    @app.get("/api/status")
    async def get_status() -> Status:
        return await make_status(SERVICE, gateway, groups=groups, journal=journal, allowance=allowance)

    return app


def _add_health(app: FastAPI, health: Health, gateway: Gateway) -> None:
    @app.get("/health")
    async def get_health() -> Health200:
        status = health.status if gateway.state().connected else "degraded"
        return Health200(status=status, timestamp=datetime.now(UTC), checks=health.to_json()["checks"])


def _add_send_message(app: FastAPI, spec: Spec, outgoing: OutgoingMessages) -> None:
    allowed = frozenset(group.jid for group in spec.whatsapp.groups)

    @app.post("/api/send-message", response_model=Sent)
    async def send_message(
        request: Request,
        body: SendMessageBody,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    ) -> Any:
        if not body.jid or not body.text:
            return _answer(400, {"error": "Missing required fields: jid and text"})
        if body.jid not in allowed:
            return _answer(403, {"detail": "only the bot's configured groups may be addressed"})
        if spec.mode is Mode.SHADOW or spec.paused:
            return _answer(409, {"detail": "the bot is silent: its spec says mode Shadow or paused"})
        message = Outgoing(jid=body.jid, text=body.text, mentions=body.mentions or ())
        caller = str(request.scope.get(CALLER, ""))
        answer = await _send(outgoing, message, caller=caller, key=idempotency_key or uuid.uuid4().hex)
        _log.info("message_sent_by_request", audit=True, caller=caller, sent=isinstance(answer, Sent))
        return answer


async def _send(outgoing: OutgoingMessages, message: Outgoing, *, caller: str, key: str) -> Sent | JSONResponse:
    try:
        return Sent(id=await outgoing.send(message, caller=caller, key=key))
    except IdempotencyConflictError as exc:
        return _answer(422, {"detail": str(exc)})
    except LimitedError as exc:
        return _answer(429, {"detail": str(exc)}, {"retry-after": str(round(exc.left_s))})
    except (TemporaryError, PermanentError) as exc:
        return _answer(500, {"error": "Failed to send message", "details": str(exc)})


def _answer(status: int, body: Mapping[str, str], headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(dict(body), status, headers)
