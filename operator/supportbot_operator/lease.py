"""Which replica works: one Lease, renewed every two seconds; the others keep their view warm.

The Lease belongs to the operator's Deployment, so that it goes with the release.

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
from supportbot_operator.kube import ConflictError, NotFoundError, Object

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

    async def create(self, obj: Object) -> Object:
        """A new object, or ConflictError."""

    async def replace(self, obj: Object) -> Object:
        """Write the object, or ConflictError."""


class Lease:
    """One replica's hold on the Lease.

    Args:
        leases: The API server.
        namespace: The operator's own.
        name: Of the Lease.
        identity: Unique among all replicas and their restarts.
        owner: The reference to what the Lease goes with.
        timing: Tests are in more of a hurry.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        namespace: str,
        name: str,
        identity: str,
        owner: Object | None = None,
        timing: Timing = Timing(),
    ) -> None:
        self._leases, self._namespace, self._name, self._me = leases, namespace, name, identity
        self._owner, self._timing = owner, timing
        self._renewed_at = 0.0
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
        while True:
            await asyncio.sleep(self._timing.retry_s)
            ends_at = self._renewed_at + self._timing.deadline_s
            if await self._tried(limit_s=ends_at - time.monotonic()):
                continue
            if self._held is None or time.monotonic() >= ends_at:
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
        begun_at = time.monotonic()
        try:
            lease = await self._leases.get(API_VERSION, KIND, self._namespace, self._name)
        except NotFoundError:
            meta = {"name": self._name, "namespace": self._namespace}
            lease = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta}
        spec = lease.get("spec") or {}
        if spec != self._seen:
            self._seen, self._seen_at = spec, time.monotonic()
        holder = spec.get("holderIdentity") or ""
        if holder not in {"", self._me} and time.monotonic() - self._seen_at < spec.get("leaseDurationSeconds", 0):
            self._held = None
            return False
        lease["spec"] = self._mine(spec, is_renewal=holder == self._me)
        is_new = "resourceVersion" not in lease["metadata"]
        if is_new and self._owner is not None:
            lease["metadata"]["ownerReferences"] = [self._owner]
        self._held = await (self._leases.create(lease) if is_new else self._leases.replace(lease))
        self._renewed_at = begun_at
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
