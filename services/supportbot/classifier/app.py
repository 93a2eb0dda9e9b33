"""The HTTP side of the classifier: `POST /classify` reads one text alone and has no effect; `GET /health`."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from supportbot.classifier.assembly import make_subject
from supportbot.classifier.scene import Policy
from supportbot.classifier.tiers import TierHealth
from supportbot.classifier.turn import Judge, Turn
from supportbot.contracts import MAX_TEXT_CHARS, Kind, Priority
from supportbot.health import Health, State
from supportbot.http import create_app
from supportbot.service import Service

SERVICE = "classifier-service"

URGENCY: dict[Priority, str] = {
    Priority.URGENT: "critical",
    Priority.HIGH: "high",
    Priority.MEDIUM: "medium",
    Priority.LOW: "low",
}
"""Priorities in the words of the earlier generation."""

_SUGGESTIONS = {
    "es": "Recibimos tu reporte y ya lo estamos revisando.",
    "en": "We have your report and are looking into it.",
    "pt": "Recebemos seu relato e já estamos verificando.",
}

_Short = Annotated[str, StringConstraints(max_length=256)]


class Message(BaseModel):
    """The message of a request."""

    id: _Short
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]
    from_user: _Short
    timestamp: AwareDatetime | datetime
    group_id: _Short | None = None
    has_media: bool = False
    message_type: _Short = "text"


class ClassifyBody(BaseModel):
    """A request."""

    message: Message


class Classification(BaseModel):
    """What the text says when it is read alone."""

    is_support_incident: bool
    confidence: float
    category: str
    urgency: str
    summary: str
    requires_followup: bool
    suggested_response: str
    extracted_info: dict[str, Any]
    trigger_words: list[str]
    processing_time: Annotated[float, Field(description="Seconds.")]
    kind: Kind
    priority: Priority
    tier: str
    degraded: bool
    reasons: list[str]


def create_classifier_app(service: Service, policy: Policy, judge_turn: Judge, tiers: TierHealth) -> FastAPI:
    """The application."""
    app = create_app("supportbot classifier", service.settings, keys=service.keys, health=service.health)
    _add_health(app, service.health, tiers)

    @app.post("/classify")
    async def classify(body: ClassifyBody) -> Classification:
        started = time.perf_counter()
        verdict = await judge_turn(Turn(body.message.text))
        kind = max(verdict.kinds, key=lambda one: verdict.kinds[one], default=Kind.CHATTER)
        known = policy.category(verdict.category or policy.default_category)
        incident = kind is Kind.INCIDENT
        priority = verdict.priority or (known.priority if known else Priority.MEDIUM)
        return Classification(
            is_support_incident=incident,
            confidence=round(verdict.kinds.get(kind, 0.0), 3),
            category=(verdict.category or policy.default_category) if incident else "not_support",
            urgency=URGENCY[priority if incident else Priority.LOW],
            summary=make_subject(body.message.text),
            requires_followup=incident,
            suggested_response=_SUGGESTIONS.get(verdict.language or policy.language, "") if incident else "",
            extracted_info={"sites": list(verdict.sites), "numbers": [*verdict.documents, *verdict.bare_numbers]},
            trigger_words=list(verdict.matched),
            processing_time=round(time.perf_counter() - started, 6),
            kind=kind,
            priority=priority,
            tier=verdict.tier.value,
            degraded=verdict.degraded,
            reasons=[name for name, value in verdict.signals.model_dump().items() if value and name != "courtesy"],
        )

    return app


def _add_health(app: FastAPI, health: Health, tiers: TierHealth) -> None:
    @app.get("/health")
    async def get_health() -> dict[str, Any]:
        connected = health["bus"].state is State.OK
        tiers.tell()
        standing = tiers.standing
        return {
            "status": health.status,
            "service": SERVICE,
            "timestamp": datetime.now(UTC),
            "models_available": list(standing.available),
            "active_model": standing.active,
            "local_tier": tiers.local.name,
            "warnings": list(tiers.warnings),
            "bus_connected": connected,
            "redis_connected": connected,
            "checks": health.to_json()["checks"],
        }
