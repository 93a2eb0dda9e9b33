"""The watches: kopf keeps them, every event ends in the store and its bot in the queue. There are no other handlers.

With `on.event` alone kopf writes nothing: no annotation, no finalizer, so nothing can hang on us.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

import kopf
import structlog

from supportbot.logs import describe_error
from supportbot_operator.kube import API_VERSION, Object
from supportbot_operator.store import BOT_LABEL, MANAGED_BY, BotName, Store


@dataclass(frozen=True)
class Watched:
    """A kind that is watched."""

    api_version: str
    kind: str
    plural: str

    @property
    def resource(self) -> tuple[str, str]:
        """As kopf takes it: group and version, plural."""
        return self.api_version, self.plural


BOTS = Watched(API_VERSION, "SupportBot", "supportbots")
CHILDREN = (
    Watched("v1", "ConfigMap", "configmaps"),
    Watched("v1", "Service", "services"),
    Watched("v1", "ServiceAccount", "serviceaccounts"),
    Watched("apps/v1", "Deployment", "deployments"),
    Watched("apps/v1", "StatefulSet", "statefulsets"),
    Watched("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Watched("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
)
"""Kinds whose drift is undone at once. Secrets are not among them: the operator may not list them."""

WATCHED_KINDS = frozenset(kind.kind for kind in CHILDREN)

SELECTOR = f"app.kubernetes.io/managed-by={MANAGED_BY},{BOT_LABEL}"
"""Of children; the API server filters by it."""
REQUEST_TIMEOUT_S = 30
EXIT_TIMEOUT_S = 10
AGAIN_S = 30.0
"""Between two tries to watch a namespace that cannot be watched."""

log = structlog.get_logger(__name__)


def make_registry(store: Store, seen: Callable[[BotName], None]) -> kopf.OperatorRegistry:
    """The handlers: into the store, and tell `seen`."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        # kopf's default would import the synchronous client.
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    # A coroutine, though it awaits nothing: kopf runs plain functions in threads.
    async def take(event: kopf.RawEvent, **_: Any) -> None:
        bot = store.see(event["type"], cast("Object", event["object"]))
        if bot is not None:
            seen(bot)

    for kind in (BOTS, *CHILDREN):
        kopf.on.event(*kind.resource, registry=registry)(take)
    return registry


def make_settings() -> kopf.OperatorSettings:
    """No peering, no CRD watch, no events and no finalizers of kopf's own."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.networking.request_timeout = REQUEST_TIMEOUT_S
    for kind in CHILDREN:
        settings.watching.label_selectors[kind.resource] = SELECTOR
    settings.process.ultimate_exiting_timeout = EXIT_TIMEOUT_S
    settings.persistence.finalizer = "supportbot.dev/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="supportbot.dev", v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="supportbot.dev")
    return settings


async def run_watches(
    store: Store, seen: Callable[[BotName], None], namespaces: Collection[str], *, started: Callable[[], None]
) -> None:
    """Watch until cancelled.

    Namespaces are watched one by one: where one is gone, and its Role with it, the others go on.

    Args:
        store: Takes every object.
        seen: Is told the bot of every event.
        namespaces: Where to watch; empty means everywhere.
        started: Is called whenever kopf has begun.

    Raises:
        RuntimeError: The watches ended by themselves; the process must end too, or it would live on without them.
    """
    if len(namespaces) <= 1:
        await _watch(store, seen, namespaces, started)
        raise RuntimeError("the watches ended by themselves")
    async with asyncio.TaskGroup() as tasks:
        for namespace in namespaces:
            tasks.create_task(_keep_watching(store, seen, namespace, started), name=f"watch {namespace}")


async def _keep_watching(
    store: Store, seen: Callable[[BotName], None], namespace: str, started: Callable[[], None]
) -> None:
    while True:
        try:
            await _watch(store, seen, [namespace], started)
        except Exception as exc:  # noqa: BLE001 - whatever ended it, the other namespaces go on
            log.warning("watches_ended", namespace=namespace, **describe_error(exc))
        await asyncio.sleep(AGAIN_S)


async def _watch(
    store: Store, seen: Callable[[BotName], None], namespaces: Collection[str], started: Callable[[], None]
) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        kopf.operator(
            registry=make_registry(store, seen),
            settings=make_settings(),
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            # Only peering uses it; kopf's own would ask for the name of a user that an image need not know.
            identity=cast("Any", MANAGED_BY),
            stop_flag=stop,
            ready_flag=ready,
        ),
        name="kopf",
    )
    try:
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        started()
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({running}, timeout=EXIT_TIMEOUT_S)
        raise
