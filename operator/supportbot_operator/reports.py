"""What a bot's services say of themselves, as they keep it in the bucket `<b>_state` (pure)."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from supportbot.health import State
from supportbot_operator.status import Check, Report


class _Check(BaseModel):
    model_config = ConfigDict(extra="ignore")

    state: State
    reason: str = ""
    message: str = ""


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore")

    service: str
    instance: str
    checks: dict[str, _Check]


def parse_report(data: bytes, at: datetime) -> Report:
    """The report in a value of the bucket; `supportbot.health.Health.to_json` writes it.

    Raises:
        ValueError: It is none.
    """
    try:
        read = _Report.model_validate_json(data)
    except ValidationError as exc:
        raise ValueError(f"no report: {exc.error_count()} faults") from exc
    checks = {name: Check(one.state, one.reason, one.message) for name, one in read.checks.items()}
    return Report(service=read.service, instance=read.instance, at=at, checks=checks)


def say_same(one: Report, other: Report) -> bool:
    """Whether two reports of a process differ in their time only."""
    return one.checks == other.checks
