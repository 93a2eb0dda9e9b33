"""`python -m supportbot_operator --config FILE`: wiring, and the order in which things begin and end.

Every replica watches; the one that holds the Lease works. Whatever ends unasked ends the process, which Kubernetes
starts again.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from supportbot.cancellation import end_for_sure
from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.health import Health, State
from supportbot.http import create_probe_app, serve
from supportbot.logs import configure_logging, describe_error
from supportbot.metrics import start_counters
from supportbot.telemetry import configure_tracing, shutdown_tracing
from supportbot_operator import metrics
from supportbot_operator.announce import Announcer
from supportbot_operator.broker import Broker
from supportbot_operator.children import Children
from supportbot_operator.config import OperatorConfig, load_config
from supportbot_operator.installation import keep_prepared, prepare
from supportbot_operator.kube import API_VERSION, Cluster, NotFoundError, Object, connect
from supportbot_operator.lag import Lag
from supportbot_operator.lease import Lease
from supportbot_operator.reconcile import Reconciler
from supportbot_operator.store import BotName, Store
from supportbot_operator.sweep import Sweeper
from supportbot_operator.watch import run_watches
from supportbot_operator.workers import Workers
from supportbot_operator.workqueue import WorkQueue

OK, FAILED, MISCONFIGURED = 0, 1, 2
PORT = 8088
STOP_S = 4.0
"""So long the work may take to stop; the Lease is taken over 5 s after it could not be renewed, at the earliest."""
RETRY_S = 1.0
"""Between two looks for what somebody else has to bring: the CRD, the chart's Secrets."""

_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this process runs, from the downward API."""

    namespace: str
    pod: str
    host: str = "0.0.0.0"  # noqa: S104 - probes and metrics only; a NetworkPolicy says who may ask
    port: int = PORT
    name: str = "operator"
    log_level: str = "info"
    log_format: str = "json"

    @property
    def instance(self) -> str:
        """The replica in logs and traces."""
        return self.pod


def main() -> int:
    """Run until SIGTERM: 0 then, 2 when the configuration is wrong, 1 when anything else ended it."""
    parser = argparse.ArgumentParser(prog="python -m supportbot_operator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the operator's configuration")
    parser.add_argument("--port", type=int, default=PORT, help="of probes and metrics (default: %(default)s)")
    options = parser.parse_args()
    try:
        config = load_config(options.config)
        place = _read_place(options.port, config)
    except UserError as exc:
        return _complain(exc)
    configure_logging("operator", place)
    logging.getLogger("kopf").setLevel(logging.WARNING)  # It tells of every event.
    configure_tracing("operator", instance=place.pod)
    start_counters("operator")
    metrics.start()
    try:
        return asyncio.run(_run(config, place))
    finally:
        shutdown_tracing()


async def _run(config: OperatorConfig, place: Place) -> int:
    stopping = asyncio.Event()

    def stop() -> None:
        stopping.set()
        task.cancel()

    def listen_for_signals() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)

    task = asyncio.create_task(_operate(config, place, listen_for_signals), name="operator")
    listen_for_signals()
    await asyncio.wait({task})
    if task.cancelled() or stopping.is_set():
        _log.info("operator_stopped")
        return OK
    error = _first_leaf(task.exception())
    if isinstance(error, UserError):
        return _complain(error)
    _log.error("operator_failed", **describe_error(error) if error else {"reason": "it ended by itself"})
    return FAILED


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What lives as long as the process."""

    config: OperatorConfig
    place: Place
    cluster: Cluster
    store: Store
    queue: WorkQueue[BotName]
    health: Health


async def _operate(config: OperatorConfig, place: Place, listen_for_signals: Callable[[], None]) -> None:
    health = Health("operator", instance=place.pod)
    health.declare("watches", gates=True)
    health.set("process", State.OK)
    async with connect() as cluster, asyncio.TaskGroup() as tasks:
        parts = Parts(
            config=config, place=place, cluster=cluster, store=Store(), queue=WorkQueue[BotName](), health=health
        )
        tasks.create_task(serve(create_probe_app(health), place.host, place.port, setting="--port"), name="probes")
        await _until_served(cluster)
        # kopf takes the signals for itself when it starts.
        watching = run_watches(parts.store, parts.queue.add, config.watch_namespaces, started=listen_for_signals)
        tasks.create_task(watching, name="watches")
        lag = Lag(cluster, parts.store, config.watch_namespaces, parts.queue.add)
        await _insist(lag.until_complete, "lists_unavailable")
        health.set("watches", State.OK)
        tasks.create_task(_watch_lag(lag, health), name="watch lag")
        tasks.create_task(_lead(parts), name="leader")


async def _lead(parts: Parts) -> None:
    """Wait for the Lease, work while it is held, and end the process when it is lost."""
    place, name = parts.place, parts.config.lease_name
    identity, owner = f"{place.pod}_{uuid4().hex[:8]}", await _insist(lambda: _find_owner(parts), "owner_unknown")
    lease = Lease(parts.cluster, namespace=place.namespace, name=name, identity=identity, owner=owner)
    await lease.acquire()
    metrics.LEADER.set(1)
    keeping = asyncio.create_task(lease.keep(), name="lease")
    working = asyncio.create_task(_work(parts), name="work")
    try:
        await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        raise TemporaryError("the Lease is lost: another replica may be working")
    finally:
        working.cancel()
        await asyncio.wait({working}, timeout=STOP_S)
        if not working.done():
            # Whoever holds the Lease next must not meet us at work.
            _log.error("operator_does_not_stop")
            os._exit(FAILED)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await lease.release()


async def _find_owner(parts: Parts) -> Object | None:
    """The reference to the operator's own Deployment; None when it is run without one."""
    name = parts.config.deployment
    if name is None:
        return None
    try:
        found = await parts.cluster.get("apps/v1", "Deployment", parts.place.namespace, name)
    except NotFoundError:
        return None
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": found["metadata"]["uid"]}


async def _work(parts: Parts) -> None:
    config, cluster, store, queue = parts.config, parts.cluster, parts.store, parts.queue
    namespace = parts.place.namespace
    installation = await _insist(lambda: prepare(cluster, config, namespace), "installation_not_prepared")
    _log.info("operator_working", namespaces=list(config.watch_namespaces) or "all")

    def look_at_all() -> None:
        for bot in store.bots():
            queue.add(bot)

    async with Broker.open(config, installation, changed=queue.add, connected=look_at_all) as broker:
        reconciler = Reconciler(
            api=cluster,
            store=store,
            children=Children(cluster, store),
            announcer=Announcer(cluster),
            streams=broker,
            authority=installation.authority,
            keys=installation.keys,
            config=config,
        )
        workers = Workers(queue, reconciler.reconcile, store, parts.health)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end_for_sure(broker.run()), name="broker")
            tasks.create_task(end_for_sure(Sweeper(broker, cluster, store, config).run()), name="sweep")
            tasks.create_task(workers.run(), name="workers")
            await keep_prepared(cluster, config, namespace, installation)
            raise TemporaryError("the installation's Secrets have changed: beginning anew")


async def _until_served(cluster: Cluster) -> None:
    """Wait for the CRD: kopf, told not to look for new kinds, would never watch one that appears later."""

    async def look() -> None:
        if not await cluster.serves(API_VERSION, "SupportBot"):
            raise TemporaryError("the kind SupportBot does not exist yet: install the CRD")

    await _insist(look, "crd_missing")


async def _insist(work: Callable[[], Awaitable[T]], event: str) -> T:
    """Try until it succeeds; the log says once why it does not."""
    said = ""
    while True:
        try:
            return await work()
        except (TemporaryError, PermanentError) as exc:
            if str(exc) != said:
                _log.warning(event, error=str(exc))
            said = str(exc)
        await asyncio.sleep(RETRY_S)


async def _watch_lag(lag: Lag, health: Health) -> None:
    await lag.watch()
    health.set("process", State.DOWN, "the watches do not follow the cluster any more")
    await asyncio.Event().wait()


def _read_place(port: int, config: OperatorConfig) -> Place:
    missing = [name for name in ("POD_NAMESPACE", "POD_NAME") if not os.environ.get(name)]
    if missing:
        raise UserError(f"{' and '.join(missing)} must be set; the chart takes them from the downward API")
    return Place(
        namespace=os.environ["POD_NAMESPACE"],
        pod=os.environ["POD_NAME"],
        host=os.environ.get("SUPPORTBOT_HOST", Place.host),
        port=port,
        log_level=config.log_level,
        log_format=config.log_format,
    )


def _first_leaf(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _complain(error: UserError) -> int:
    sys.stderr.write(f"supportbot operator: {error}\n")
    return MISCONFIGURED


if __name__ == "__main__":
    raise SystemExit(main())
