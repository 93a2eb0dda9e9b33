"""The frame of a service's main program: configuration, logs, traces, probes, signals, and a clean end.

A service's `__main__` is wiring only:

    async def main(service: Service) -> None:
        async with Bus.connect(...) as bus, asyncio.TaskGroup() as tasks:
            tasks.create_task(service.serve(create_ticket_app(...)))
            tasks.create_task(service.health.report(await bus.bucket("state")))
            tasks.create_task(bus.consume(...))

    if __name__ == "__main__":
        raise SystemExit(run_service("ticket", load_settings, main))
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp

from supportbot.auth import APIKeys, read_api_keys
from supportbot.errors import UserError
from supportbot.health import Health, State
from supportbot.http import create_probe_app, serve
from supportbot.logs import configure_logging, describe_error
from supportbot.metrics import ERRORS, start_counters
from supportbot.settings import Settings, variable
from supportbot.telemetry import configure_tracing, shutdown_tracing

OK, FAILED, MISCONFIGURED = 0, 1, 2
"""Exit codes. A supervisor restarts after 1; after 2 a person has to change something first."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service's main coroutine gets."""

    name: str
    settings: Settings
    health: Health
    keys: APIKeys

    async def serve(self, app: ASGIApp) -> None:
        """Run the application on the service's HTTP port until cancelled."""
        await serve(app, self.settings.host, self.settings.port, setting=variable("port"))


Main = Callable[[Service], Awaitable[None]]
"""Runs until cancelled. Cancelled, it ends what it has begun and returns or lets the cancellation through."""


def run_service(name: str, settings: Callable[[str], Settings], main: Main) -> int:
    """Run a service to its end and return the process's exit code.

    Args:
        name: `whatsapp`, `classifier`, `ticket`…
        settings: `load_settings`, mostly.
        main: The service.

    Returns:
        0 after SIGTERM or SIGINT, 2 when the configuration is wrong (all faults on standard error), 1 when anything
        else ended the service; the log then has one line `service_failed`.
    """
    try:
        loaded = settings(name)
        keys = read_api_keys(loaded)
        loaded.data.mkdir(parents=True, exist_ok=True)
    except (UserError, OSError) as exc:
        return _complain(name, exc)
    configure_logging(name, loaded)
    configure_tracing(name, instance=loaded.instance)
    start_counters(name)
    try:
        return asyncio.run(_run(name, loaded, keys, main))
    finally:
        shutdown_tracing()


async def _run(name: str, settings: Settings, keys: APIKeys, main: Main) -> int:
    health = Health(name, instance=settings.instance)
    service = Service(name=name, settings=settings, health=health, keys=keys)
    task = asyncio.create_task(_supervise(service, main), name=name)
    stopping = _stop_on_signals(task, health)
    await asyncio.wait({task})
    if task.cancelled() or (stopping.is_set() and task.exception() is None):
        _log.info("service_stopped")
        return OK
    return _explain(name, task.exception())


async def _supervise(service: Service, main: Main) -> None:
    """The service and its metrics port; the end of either is the end of both."""
    _log.info("service_starting", pid=os.getpid())
    service.health.set("process", State.OK)
    settings = service.settings
    async with asyncio.TaskGroup() as tasks:
        if settings.metrics_port:
            probes = serve(
                create_probe_app(service.health),
                settings.host,
                settings.metrics_port,
                setting=variable("metrics_port"),
            )
            background = tasks.create_task(probes, name="metrics")
            await main(service)
            background.cancel()
        else:
            await main(service)


def _stop_on_signals(task: asyncio.Task[None], health: Health) -> asyncio.Event:
    """The first SIGTERM or SIGINT cancels the task, the second ends the process at once."""
    stopping = asyncio.Event()

    def stop(number: int) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()
        _log.info("service_stopping", signal=signal.Signals(number).name)
        health.set("process", State.DEGRADED, "stopping")
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping


def _explain(name: str, error: BaseException | None) -> int:
    """One log line for whatever ended the service, or plain words if it is the configuration."""
    causes = list(_leaves(error)) if error is not None else []
    misuse = [cause for cause in causes if isinstance(cause, UserError)]
    if misuse:
        return max(_complain(name, cause) for cause in misuse)
    if not causes:
        _log.error("service_failed", reason="its main coroutine returned")
        return FAILED
    for cause in causes:
        ERRORS.labels(name, type(cause).__name__).inc()
    _log.error("service_failed", others=[type(cause).__name__ for cause in causes[1:]], **describe_error(causes[0]))
    return FAILED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _complain(name: str, error: BaseException) -> int:
    sys.stderr.write(f"supportbot {name}: {error}\n")
    return MISCONFIGURED
