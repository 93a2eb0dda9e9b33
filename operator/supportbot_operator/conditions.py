"""Conditions as metav1.Condition has them, and the status that they make (pure).

`lastTransitionTime` moves with the status alone; each condition and the status tell the generation that they are about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from supportbot_operator.kube import Object

MAX_MESSAGE_CHARS = 1000


class Type(StrEnum):
    """The conditions, in the order in which `Ready` asks for causes."""

    READY = "Ready"
    WHATSAPP_LINKED = "WhatsAppLinked"
    MODELS_AVAILABLE = "ModelsAvailable"
    ZOHO_CONNECTED = "ZohoConnected"
    PIPELINE_HEALTHY = "PipelineHealthy"
    STALLED = "Stalled"
    """kstatus: True beside a `Ready` that will not become True by waiting; absent otherwise."""


class Reason(StrEnum):
    """Reasons that the operator itself gives; those of services come with their reports."""

    RECONCILED = "Reconciled"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    INVALID_SPEC = "InvalidSpec"
    INVALID_REFERENCE = "InvalidReference"
    REFUSED = "Refused"
    FAILED = "OperatorFailed"
    DEGRADED = "Degraded"
    UNREACHABLE = "APIUnreachable"
    GATEWAY_UNREACHABLE = "GatewayUnreachable"
    NOT_REPORTED = "NotReported"
    LOCAL_ONLY = "LocalOnly"
    SHADOW = "Shadow"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a word
    FLOWING = "Flowing"
    BACKLOGGED = "Backlogged"
    DEAD_LETTERING = "DeadLettering"
    UNACCOUNTED = "Unaccounted"
    NATS_UNREACHABLE = "NATSUnreachable"
    NATS_FULL = "NATSFull"


@dataclass(frozen=True)
class Verdict:
    """A condition without its times."""

    status: str
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Status:
    """A status and what of it is news."""

    body: Object
    changes: Sequence[Object] = field(default_factory=tuple)
    """The conditions whose status or reason is another than before."""


def make_status(
    verdicts: Mapping[Type, Verdict], generation: int, now: datetime, previous: Mapping[str, Any], body: Object
) -> Status:
    """The status of these verdicts.

    Args:
        verdicts: The conditions, in the order in which they are shown.
        generation: What they are about.
        now: Aware.
        previous: The status so far, for the times.
        body: Everything else.
    """
    before = {condition["type"]: condition for condition in previous.get("conditions", ())}
    conditions = [
        _condition(type_, verdict, generation, now, before.get(type_.value)) for type_, verdict in verdicts.items()
    ]
    # What is not known yet is no news.
    known = [one for one in conditions if one["status"] != "Unknown" or one["type"] in before]
    changes = [one for one in known if _word(one) != _word(before.get(one["type"], {}))]
    return Status({**body, "conditions": conditions, "observedGeneration": generation}, changes)


def _condition(
    type_: Type, verdict: Verdict, generation: int, now: datetime, before: Mapping[str, Any] | None
) -> Object:
    since = before["lastTransitionTime"] if before and before["status"] == verdict.status else format_time(now)
    return {
        "type": type_.value,
        "status": verdict.status,
        "reason": str(verdict.reason),
        "message": verdict.message[:MAX_MESSAGE_CHARS],
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _word(condition: Mapping[str, Any]) -> tuple[object, object]:
    return condition.get("status"), condition.get("reason")


def format_time(at: datetime) -> str:
    """A metav1.Time: whole seconds, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ready_condition(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The condition `Ready`; empty when there is none."""
    found: Mapping[str, Any] = next((one for one in status.get("conditions", ()) if one["type"] == Type.READY), {})
    return found
