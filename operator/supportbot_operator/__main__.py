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
from kubernetes.aio.config import ConfigException

from supportbot.cancellation import end_for_sure
from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot.health import Health, State
from supportbot.http import create_probe_app, serve
from supportbot.logs import configure_logging, describe_error
from supportbot.metrics import start_counters
from supportbot.telemetry import configure_tracing, shutdown_tracing
from supportbot_operator import metrics
from supportbot_operator.broker import Broker
from supportbot_operator.config import OperatorConfig, load_config
from supportbot_operator.installation import Installation, prepare
from supportbot_operator.kube import API_VERSION, Cluster, connect
from supportbot_operator.lag import Lag
from supportbot_operator.lease import Lease
from supportbot_operator.reconcile import Reconciler
from supportbot_operator.store import BotName, Store
from supportbot_operator.sweep import sweep
from supportbot_operator.watch import run_watches
from supportbot_operator.workers import Workers
from supportbot_operator.workqueue import WorkQueue

OK, FAILED, MISCONFIGURED = 0, 1, 2
PORT = 8088
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


async def _operate(config: OperatorConfig, place: Place, listen_for_signals: Callable[[], None]) -> None:
    health = Health("operator", instance=place.pod)
    health.declare("watches", gates=True)
    health.set("process", State.OK)
    store, queue = Store(), WorkQueue[BotName]()
    async with connect() as cluster, asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(create_probe_app(health), place.host, place.port, setting="--port"), name="probes")
        await _until_served(cluster)
        # kopf takes the signals for itself when it starts.
        watching = run_watches(store, queue.add, config.watch_namespaces, started=listen_for_signals)
        tasks.create_task(watching, name="watches")
        lag = Lag(cluster, store, config.watch_namespaces)
        await _insist(lag.until_complete, "lists_unavailable")
        health.set("watches", State.OK)
        tasks.create_task(_watch_lag(lag, health), name="watch lag")
        tasks.create_task(_lead(cluster, config, place, store, queue, health), name="leader")


async def _lead(
    cluster: Cluster, config: OperatorConfig, place: Place, store: Store, queue: WorkQueue[BotName], health: Health
) -> None:
    """Wait for the Lease, work while it is held, and end the process when it is lost."""
    identity = f"{place.pod}_{uuid4().hex[:8]}"
    lease = Lease(cluster, namespace=place.namespace, name=config.lease_name, identity=identity)
    await lease.acquire()
    metrics.LEADER.set(1)
    try:
        keeping = asyncio.create_task(lease.keep(), name="lease")
        working = asyncio.create_task(_work(cluster, config, place, store, queue, health), name="work")
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            raise TemporaryError("the Lease is lost: another replica may be working")
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)
    finally:
        await lease.release()


async def _work(
    cluster: Cluster, config: OperatorConfig, place: Place, store: Store, queue: WorkQueue[BotName], health: Health
) -> None:
    installation: Installation = await _insist(
        lambda: prepare(cluster, config, place.namespace), "installation_not_prepared"
    )
    _log.info("operator_working", namespaces=list(config.watch_namespaces) or "all")

    def look_at_all() -> None:
        for bot in store.bots():
            queue.add(bot)

    async with Broker.open(config, installation, changed=queue.add, connected=look_at_all) as broker:
        reconciler = Reconciler(
            api=cluster,
            store=store,
            streams=broker,
            authority=installation.authority,
            keys=installation.keys,
            config=config,
        )
        workers = Workers(queue, reconciler.reconcile, store, health)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end_for_sure(broker.run()), name="broker")
            tasks.create_task(workers.run(), name="workers")
            tasks.create_task(sweep(broker, cluster, store, queue.add, config.watch_namespaces), name="sweep")


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
    try:
        raise SystemExit(main())
    except ConfigException as exc:
        sys.stderr.write(f"supportbot operator: neither in a cluster nor with a KUBECONFIG: {exc}\n")
        raise SystemExit(MISCONFIGURED) from exc
