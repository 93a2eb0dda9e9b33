"""Leader election against an API server in memory that keeps versions as the real one does."""

import asyncio
import copy

import pytest

from supportbot.errors import TemporaryError
from supportbot_operator.kube import ConflictError, NotFoundError, Object
from supportbot_operator.lease import Lease, Timing

OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "operator", "uid": "u"}
QUICK = Timing(duration_s=1, deadline_s=0.5, retry_s=0.05, timeout_s=0.2)


class Leases:
    """One Lease, as the API server has it."""

    def __init__(self) -> None:
        self.stored: Object = {}
        self.is_failing = False
        self.is_hanging = False

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        await self._answer()
        if not self.stored:
            raise NotFoundError("no Lease", name=name)
        return copy.deepcopy(self.stored)

    async def create(self, obj: Object) -> Object:
        await self._answer()
        if self.stored:
            raise ConflictError("it exists")
        return self._store(obj, "1")

    async def replace(self, obj: Object) -> Object:
        await self._answer()
        version = self.stored["metadata"]["resourceVersion"]
        if obj["metadata"]["resourceVersion"] != version:
            raise ConflictError("it changed")
        return self._store(obj, str(int(version) + 1))

    @property
    def holder(self) -> str:
        return str(self.stored["spec"]["holderIdentity"])

    def _store(self, obj: Object, version: str) -> Object:
        self.stored = copy.deepcopy(obj)
        self.stored["metadata"]["resourceVersion"] = version
        return copy.deepcopy(self.stored)

    async def _answer(self) -> None:
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.is_failing:
            raise TemporaryError("status 500")
        await asyncio.sleep(0)


def lease(leases: Leases, identity: str) -> Lease:
    return Lease(leases, namespace="platform", name="operator", identity=identity, owner=OWNER, timing=QUICK)


async def test_of_two_who_race_for_the_first_lease_one_gets_it() -> None:
    leases = Leases()
    tasks = [asyncio.create_task(lease(leases, name).acquire(), name=name) for name in "ab"]
    done, waiting = await asyncio.wait(tasks, timeout=0.3)
    assert [task.get_name() for task in done] == [leases.holder]
    assert leases.stored["metadata"]["ownerReferences"] == [OWNER]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_released_lease_is_taken_at_once_and_a_lost_one_after_its_duration() -> None:
    leases = Leases()
    first = lease(leases, "a")
    await first.acquire()
    await first.release()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await lease(leases, "b").acquire()
    assert (leases.holder, loop.time() - begun < 0.5) == ("b", True)
    begun = loop.time()
    await lease(leases, "c").acquire()
    assert (leases.holder, loop.time() - begun >= 1) == ("c", True)
    assert leases.stored["spec"]["leaseTransitions"] == 3


@pytest.mark.parametrize("fault", ["is_failing", "is_hanging"])
async def test_who_cannot_renew_stops_before_another_may_begin(fault: str) -> None:
    leases = Leases()
    mine = lease(leases, "a")
    await mine.acquire()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    setattr(leases, fault, True)
    async with asyncio.timeout(5):
        await mine.keep()
    assert loop.time() - begun < QUICK.duration_s
    setattr(leases, fault, False)
    await mine.release()
    assert leases.holder == "a"


async def test_a_failure_that_passes_costs_nothing() -> None:
    leases = Leases()
    mine = lease(leases, "a")
    await mine.acquire()
    keeping = asyncio.create_task(mine.keep())
    leases.is_failing = True
    await asyncio.sleep(0.2)
    leases.is_failing = False
    await asyncio.sleep(0.6)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_who_sees_another_holder_stops() -> None:
    leases = Leases()
    mine = lease(leases, "a")
    await mine.acquire()
    leases.stored["spec"] |= {"holderIdentity": "b", "leaseDurationSeconds": 15}
    leases.stored["metadata"]["resourceVersion"] = "9"
    async with asyncio.timeout(0.4):
        await mine.keep()
    await mine.release()
    assert leases.holder == "b"
