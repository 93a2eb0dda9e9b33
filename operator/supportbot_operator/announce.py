"""Says how a bot is: in its status, in Events, in the operator's log and metrics."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator import metrics
from supportbot_operator.conditions import Status
from supportbot_operator.events import condition_event
from supportbot_operator.kube import API_VERSION, NotFoundError, Object

log = structlog.get_logger(__name__)


class API(Protocol):
    """What of the cluster is needed; `kube.Cluster` says what is raised."""

    async def apply(self, obj: Object, *, subresource: str = "") -> Object:
        """Make the fields of the object so."""

    async def create(self, obj: Object) -> Object:
        """A new object."""


class Announcer:
    """Writes only what is news."""

    def __init__(self, api: API, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._api, self._clock = api, clock

    async def tell(self, resource: Object, status: Status) -> None:
        """Write the status when it differs from the resource's, and an Event for each condition that changed."""
        meta = resource["metadata"]
        metrics.show_conditions(meta["namespace"], meta["name"], status.body["conditions"])
        if is_same(resource.get("status") or {}, status.body):
            return
        await self._write(resource, status)
        for condition in status.changes:
            await self._tell_change(meta, condition)

    async def _write(self, resource: Object, status: Status) -> None:
        meta = resource["metadata"]
        body = {
            "apiVersion": API_VERSION,
            "kind": "SupportBot",
            # With the uid a status can never get to a bot that was made again under the name.
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "status": status.body,
        }
        try:
            written = await self._api.apply(body, subresource="status")
        except NotFoundError:  # Deleted meanwhile; the watch will say so.
            return
        resource["status"] = written.get("status", status.body)

    async def _tell_change(self, meta: Object, condition: Object) -> None:
        log.info(
            "condition_changed",
            namespace=meta["namespace"],
            bot=meta["name"],
            condition=condition["type"],
            status=condition["status"],
            reason=condition["reason"],
        )
        event = condition_event(meta["namespace"], meta["name"], meta["uid"], condition, self._clock())
        try:
            await self._api.create(event)
        except (PermanentError, TemporaryError) as exc:  # The status has it; an Event is a convenience.
            log.warning("event_not_posted", error=str(exc))


def is_same(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a status says the same; when its counts were taken does not matter."""
    return _without_time(stored) == _without_time(wanted)


def _without_time(status: Mapping[str, Any]) -> dict[str, Any]:
    counters = {name: value for name, value in (status.get("counters") or {}).items() if name != "updateTime"}
    return {**status, "counters": counters}
