"""What a process knows about itself: named checks, from which readiness, `/health` and the operator's view follow."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

import structlog

from supportbot import __version__
from supportbot.errors import TemporaryError
from supportbot.redaction import redact_text

REPORT_INTERVAL_S = 10.0

_log = structlog.get_logger(__name__)


class State(StrEnum):
    """How one thing is."""

    OK = "ok"
    DEGRADED = "degraded"
    """Works with a loss: a stand-in answers, a dependency is slow."""
    DOWN = "down"
    UNKNOWN = "unknown"
    """Not looked at yet."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One named thing and how it is."""

    name: str
    state: State
    since: datetime
    """When it came into this state, aware UTC."""
    message: str = ""
    """One sentence for people, without personal data."""
    reason: str = ""
    """One word in CamelCase for programs, such as `InvalidGrant`; empty where nothing is known."""
    gates: bool = False
    """The process is not ready unless this is OK or degraded."""


class StateStore(Protocol):
    """Where the state is reported to: the bucket `<b>_state`."""

    async def put(self, key: str, value: bytes) -> Any:
        """Keep the value under the key; raises TemporaryError while the bus is away."""


class Health:
    """The checks of one process.

    Args:
        service: `whatsapp`, `classifier`, `ticket`…
        instance: The replica, unique among those of the service.
        clock: Aware UTC now.
    """

    def __init__(self, service: str, *, instance: str = "local", clock: Callable[[], datetime] | None = None) -> None:
        self.service = service
        self.instance = instance
        self._clock = clock or (lambda: datetime.now(UTC))
        self._checks: dict[str, Check] = {}
        self._facts: dict[str, str] = {}
        self._private: dict[str, str] = {}
        self._changed = asyncio.Event()
        self.declare("process", gates=True)

    def declare(self, name: str, *, gates: bool = False) -> None:
        """Make a check known before its first result; `gates` makes readiness depend on it."""
        self._checks[name] = Check(name=name, state=State.UNKNOWN, since=self._clock(), gates=gates)
        self._changed.set()

    def set(self, name: str, state: State, message: str = "", reason: str = "") -> None:
        """Say how `name` is now. `since` moves only when the state does; an undeclared name is declared."""
        if name not in self._checks:
            self.declare(name)
        old = self._checks[name]
        message = redact_text(message)
        if (old.state, old.message, old.reason) == (state, message, reason):
            return
        since = old.since if old.state == state else self._clock()
        self._checks[name] = replace(old, state=state, since=since, message=message, reason=reason)
        self._changed.set()

    def tell(self, name: str, value: str) -> None:
        """Say something that is neither good nor bad, such as which model answers; one word or a name."""
        value = redact_text(value)
        if self._facts.get(name) != value:
            self._facts[name] = value
            self._changed.set()

    def entrust(self, private: Mapping[str, str]) -> None:
        """Tell a secret, such as a pairing code, to whoever may read the reports, and to nobody else.

        It stands in the report under `private` until another call replaces it; `/health` and logs never have it.
        """
        if self._private != private:
            self._private = dict(private)
            self._changed.set()

    @property
    def facts(self) -> dict[str, str]:
        """What was told, by name."""
        return dict(self._facts)

    def __getitem__(self, name: str) -> Check:
        return self._checks[name]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks, in the order of their declaration."""
        return tuple(self._checks.values())

    @property
    def is_live(self) -> bool:
        """False only when a restart is the remedy: the process itself says that it is down."""
        return self._checks["process"].state != State.DOWN

    @property
    def is_ready(self) -> bool:
        """Whether requests may be sent here: every gating check is OK or degraded."""
        return all(check.state in {State.OK, State.DEGRADED} for check in self.checks if check.gates)

    @property
    def status(self) -> str:
        """The word of `GET /health`: `healthy` when all is OK (or not looked at yet), else `degraded`."""
        wrong = {State.DEGRADED, State.DOWN}
        return "degraded" if any(check.state in wrong for check in self.checks) else "healthy"

    def to_json(self) -> dict[str, Any]:
        """The report: `checks` has per name `state`, `since`, `message` and `reason`; `facts` is what was told."""
        return {
            "service": self.service,
            "instance": self.instance,
            "version": __version__,
            "at": self._clock().isoformat(),
            "ready": self.is_ready,
            "status": self.status,
            "checks": {
                check.name: {
                    "state": check.state,
                    "since": check.since.isoformat(),
                    "message": check.message,
                    "reason": check.reason,
                }
                for check in self.checks
            },
            "facts": self.facts,
        }

    async def report(self, store: StateStore, *, interval_s: float = REPORT_INTERVAL_S) -> None:
        """Keep `<service>.<instance>` in the store: every `interval_s`, and at once on a change. Until cancelled."""
        while True:
            self._changed.clear()
            try:
                report = {**self.to_json(), "private": self._private}
                await store.put(f"{self.service}.{self.instance}", json.dumps(report).encode())
            except TemporaryError as exc:
                _log.warning("state_report_failed", error_type=type(exc).__name__)
                await asyncio.sleep(interval_s)
                continue
            # Not wait_for: before Python 3.12 it loses a cancellation that meets the change (python/cpython#86296).
            with suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._changed.wait()
