"""What a bot's services say of themselves, as they keep it in the bucket `<b>_state` (pure)."""

import re
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from supportbot.health import State
from supportbot.redaction import redact_text
from supportbot_operator.pairing import OFFER_FIELDS
from supportbot_operator.status import Check, Report

MAX_CHARS = 500
MAX_OFFER_CHARS = 1024
MAX_FACT_CHARS = 160
"""As long as `status.activeModel` may be."""
_REASON = re.compile(r"^[A-Za-z]([A-Za-z0-9_,:]{0,98}[A-Za-z0-9_])?\Z")
"""As the CRD has it: one reason that does not fit would keep the whole status from being written."""


class _Check(BaseModel):
    model_config = ConfigDict(extra="ignore")

    state: State
    reason: str = ""
    message: str = ""


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore")

    checks: dict[str, _Check]
    facts: dict[str, str] = {}
    private: dict[str, str] = {}


def parse_report(key: str, data: bytes, at: datetime) -> Report:
    """The report in a value of the bucket; `supportbot.health.Health.to_json` writes it.

    Args:
        key: `<service>.<instance>`: a service may write its own keys only, so this says who speaks.
        data: The value; what stands in it goes into a status that many may read.
        at: When it came.

    Raises:
        ValueError: It is none.
    """
    service, _, instance = key.partition(".")
    try:
        read = _Report.model_validate_json(data)
    except ValidationError as exc:
        raise ValueError(f"no report: {exc.error_count()} faults") from exc
    checks = {
        name: Check(one.state, one.reason if _REASON.match(one.reason) else "", redact_text(one.message)[:MAX_CHARS])
        for name, one in read.checks.items()
    }
    facts = {name: redact_text(value)[:MAX_FACT_CHARS] for name, value in read.facts.items()}
    private = {name: value for name, value in read.private.items() if name in OFFER_FIELDS}
    if any(len(value) > MAX_OFFER_CHARS for value in private.values()):
        private = {}
    return Report(service=service, instance=instance, at=at, checks=checks, facts=facts, private=private)


def say_same(one: Report, other: Report) -> bool:
    """Whether two reports of a process differ in their time only."""
    return (one.checks, one.facts, one.private) == (other.checks, other.facts, other.private)
