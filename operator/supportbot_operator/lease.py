"""Which replica works: one Lease, renewed every two seconds; the others keep their view warm.

The chart brings the Lease, empty, so that it goes with the release.

Not `kubernetes.aio.leaderelection` of 37.0.2: it cannot create the first Lease (its `pretty=True` is refused), and
after a network error it goes on leading without telling. The rules are those of client-go's leader election: times are
measured with the own clock only, from before the last successful renewal.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator.kube import ConflictError, Object

API_VERSION, KIND = "coordination.k8s.io/v1", "Lease"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """client-go's defaults."""

    duration_s: int = 15
    """After so long without a renewal another replica may take over."""
    deadline_s: float = 10.0
    """After so long without a renewal the holder stops by itself; it must be less."""
    retry_s: float = 2.0
    timeout_s: float = 4.0
    """Of one try."""


class Leases(Protocol):
    """What of the cluster is needed."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object, or NotFoundError."""

    async def replace(self, obj: Object) -> Object:
        """Write the object, or ConflictError."""


class Lease:
    """One replica's hold on the Lease.

    Args:
        leases: The API server.
        namespace: The operator's own.
        name: Of the Lease.
        identity: Unique among all replicas and their restarts.
        timing: Tests are in more of a hurry.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing = Timing(),
    ) -> None:
        self._leases, self._namespace, self._name, self._me = leases, namespace, name, identity
        self._timing = timing
        self._seen: object = None
        self._seen_at = 0.0
        self._held: Object | None = None

    async def acquire(self) -> None:
        """Return once this replica holds the Lease."""
        while not await self._tried():  # noqa: ASYNC110 - the Lease is elsewhere
            await asyncio.sleep(self._timing.retry_s)
        log.info("leader_elected", identity=self._me)

    async def keep(self) -> None:
        """Renew; return once the Lease is lost, or could not be renewed for 10 s. The caller must stop working then."""
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(self._timing.retry_s)
            started_at = time.monotonic()
            left_s = renewed_at + self._timing.deadline_s - started_at
            if await self._tried(limit_s=left_s):
                renewed_at = started_at
            elif self._held is None or time.monotonic() - renewed_at >= self._timing.deadline_s:
                self._held = None
                log.error("leadership_lost", identity=self._me)
                return

    async def release(self) -> None:
        """Let the next replica begin at once. Best effort: else it begins when the Lease runs out."""
        if self._held is None:
            return
        lease, self._held = self._held, None
        lease["spec"] = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            async with asyncio.timeout(self._timing.timeout_s):
                await self._leases.replace(lease)
        except (TemporaryError, PermanentError, TimeoutError) as exc:
            log.warning("lease_not_released", error=str(exc) or type(exc).__name__)

    async def _tried(self, *, limit_s: float | None = None) -> bool:
        timeout_s = self._timing.timeout_s if limit_s is None else max(0.0, min(self._timing.timeout_s, limit_s))
        try:
            async with asyncio.timeout(timeout_s):
                return await self._try()
        except ConflictError:  # Somebody else was first.
            self._held = None
        except (TemporaryError, PermanentError, TimeoutError) as exc:
            log.warning("lease_not_renewed", error=str(exc) or type(exc).__name__)
        return False

    async def _try(self) -> bool:
        lease = await self._leases.get(API_VERSION, KIND, self._namespace, self._name)
        spec = lease.get("spec") or {}
        if spec != self._seen:
            self._seen, self._seen_at = spec, time.monotonic()
        holder = spec.get("holderIdentity") or ""
        if holder not in {"", self._me} and time.monotonic() - self._seen_at < spec.get("leaseDurationSeconds", 0):
            self._held = None
            return False
        lease["spec"] = self._mine(spec, is_renewal=holder == self._me)
        self._held = await self._leases.replace(lease)
        return True

    def _mine(self, spec: Object, *, is_renewal: bool) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self._me,
            "leaseDurationSeconds": self._timing.duration_s,
            "renewTime": now,
            "acquireTime": spec["acquireTime"] if is_renewal else now,
            "leaseTransitions": spec.get("leaseTransitions", 0) + (not is_renewal),
        }
