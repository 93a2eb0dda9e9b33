"""What every service does with its bus: connect, work while there is one, tell how it is, and begin again."""

import asyncio
from collections.abc import Awaitable, Callable

from supportbot.bus import Bus
from supportbot.cancellation import end_for_sure
from supportbot.errors import UnavailableError
from supportbot.health import Health, State
from supportbot.nats_connection import Access
from supportbot.nats_errors import AccessError, StreamMissingError
from supportbot.service import Service
from supportbot.topology import Bucket

WATCH_INTERVAL_S = 0.5
INSIST_AFTER_S = 5.0
"""Longer than the bus needs to close; a handler that finishes is not disturbed."""


async def run_with_bus(
    service: Service, bot: str, work: Callable[[Bus], Awaitable[None]], *, away: str, paused: bool = False
) -> None:
    """Run `work` with a bus until cancelled, again whenever the bus or one of its buckets is not there (yet).

    HTTP, journal and gateway go on meanwhile: they are not run in here.

    Args:
        service: Whose health has the check `bus`, on which readiness depends.
        bot: Its name, which is its key on the bus where the settings name no other.
        work: Runs until cancelled; raises UnavailableError when something of the bus is missing.
        away: What happens to messages while the broker is away, for `/health`.
        paused: `work` consumes nothing; otherwise the process is ready only once its lanes are.
    """
    service.health.declare("bus", gates=True)
    await end_for_sure(_keep_working(service, bot, work, away, paused), again_s=INSIST_AFTER_S)


async def _keep_working(
    service: Service, bot: str, work: Callable[[Bus], Awaitable[None]], away: str, paused: bool
) -> None:
    settings = service.settings
    access = Access(credentials=settings.nats_credentials_file, ca=settings.nats_ca_file)
    bus: Bus | None = None
    while True:
        try:
            async with (
                Bus.connect(settings.nats_url, bot=settings.bot_key or bot, service=service.name, access=access) as bus,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(end_for_sure(_watch(service.health, bus, away, paused)))
                tasks.create_task(end_for_sure(_report(service.health, bus)))
                # With lanes it gives running handlers their time; before, it may lose a cancellation.
                tasks.create_task(end_for_sure(_call(work, bus), is_finishing=lambda: bool(bus and bus.lanes)))
        except* UnavailableError as missing:
            complaint = bus.connection.complaint if bus else ""
            _tell_missing(service.health, _first_leaf(missing), complaint, away)
        await asyncio.sleep(WATCH_INTERVAL_S)


async def _call(work: Callable[[Bus], Awaitable[None]], bus: Bus) -> None:
    await work(bus)


def _tell_missing(health: Health, error: BaseException, complaint: str, away: str) -> None:
    """Say what keeps the service from working at all."""
    if complaint:  # A refused request looks like a lost one.
        health.set("bus", State.DOWN, f"{complaint}; {away}", "PermissionDenied")
        return
    match error:
        case AccessError():
            reason = error.reason
        case StreamMissingError():
            reason = "StreamsMissing"
        case _:
            reason = "NATSUnreachable"
    health.set("bus", State.DOWN, f"{error}; {away}", reason)


async def _watch(health: Health, bus: Bus, away: str, paused: bool) -> None:
    """Tell how the bus is, until cancelled.

    A refused publish is repeated for ever, so that nothing is lost; the check says so until the credentials change.
    """
    while True:
        complaint, shut_out = bus.connection.complaint, bus.connection.shut_out
        if shut_out is not None and not bus.nc.is_connected:
            health.set("bus", State.DOWN, f"{shut_out}; {away}", shut_out.reason)
        elif complaint:
            state = State.DEGRADED if bus.is_ready and (bus.lanes or paused) else State.DOWN
            health.set("bus", state, complaint, "PermissionDenied")
        elif bus.is_ready and (bus.lanes or paused):
            health.set("bus", State.OK, reason="Connected")
        elif bus.is_ready:
            health.set("bus", State.DOWN, "the service is starting to consume", "Starting")
        else:
            health.set("bus", State.DOWN, f"NATS does not answer; {away}", "NATSUnreachable")
        await asyncio.sleep(WATCH_INTERVAL_S)


async def _report(health: Health, bus: Bus) -> None:
    """Keep the process's state in its bucket, for the operator and others to read."""
    await health.report(await bus.bucket(Bucket.STATE))


def _first_leaf(error: BaseException) -> BaseException:
    """What went wrong first, inside of all groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
