"""Stands in for controllers and kubelets: says that workloads are rolled out, as if their pods were running."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx
from tests.cluster.api.kube import Kube, Object, Refused

KINDS = ("Deployment", "StatefulSet")
_NEVER = "2026-01-01T00:00:00Z"


@asynccontextmanager
async def rollouts(
    kube: Kube, namespace: str = "", *, only: Callable[[Object], bool] = lambda _: True
) -> AsyncIterator[None]:
    """Within it every Deployment and StatefulSet becomes ready at once, also after each change.

    Args:
        kube: An administrator.
        namespace: The namespace; all when empty.
        only: Which workloads; of the others a test may tell by `report` what it likes.
    """
    tasks = [asyncio.create_task(_follow(kube, kind, namespace, only)) for kind in KINDS]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    if faults := [error for error in ended if isinstance(error, Exception)]:
        raise ExceptionGroup("the stand-in for controllers failed", faults)


async def report(kube: Kube, workload: Object, *, ready: bool) -> None:
    """Writes the status of one workload."""
    metadata = workload["metadata"]
    patch = {"status": status_of(workload, ready=ready)}
    await kube.merge(workload["kind"], metadata["name"], metadata["namespace"], patch, subresource="status")


def status_of(workload: Object, *, ready: bool) -> dict[str, Any]:
    """What the controllers would write once all pods of the current generation run; none of them is ready else."""
    wanted = workload["spec"].get("replicas", 1)
    running = wanted if ready else 0
    status: dict[str, Any] = {
        "observedGeneration": workload["metadata"]["generation"],
        "replicas": wanted,
        "updatedReplicas": wanted,
        "readyReplicas": running,
        "availableReplicas": running,
    }
    if workload["kind"] == "StatefulSet":
        revision = f"{workload['metadata']['name']}-{workload['metadata']['generation']}"
        return status | {"currentReplicas": wanted, "currentRevision": revision, "updateRevision": revision}
    available = ("True", "MinimumReplicasAvailable") if ready else ("False", "MinimumReplicasUnavailable")
    conditions = {"Available": available, "Progressing": ("True", "NewReplicaSetAvailable")}
    return status | {
        "conditions": [
            {
                "type": kind,
                "status": state,
                "reason": reason,
                "message": "",
                "lastTransitionTime": _NEVER,
                "lastUpdateTime": _NEVER,
            }
            for kind, (state, reason) in conditions.items()
        ]
    }


async def _follow(kube: Kube, kind: str, namespace: str, only: Callable[[Object], bool]) -> None:
    """Until it is cancelled; a watch that the server ends is begun anew."""
    while True:
        with suppress(httpx.TransportError):
            async with aclosing(kube.watch(kind, namespace)) as events:
                async for event in events:
                    workload: Object = {"kind": kind, **event["object"]}
                    if event["type"] in ("ADDED", "MODIFIED") and only(workload) and not _is_ready(workload):
                        with suppress(Refused):  # Gone, or changed since: then another event follows.
                            await report(kube, workload, ready=True)
        await asyncio.sleep(0.1)


def _is_ready(workload: Object) -> bool:
    status, expected = workload.get("status", {}), status_of(workload, ready=True)
    # The API server leaves out what is zero.
    return all(status.get(key, 0) == value for key, value in expected.items() if key != "conditions")
