"""What the operator does when the API server, NATS, another replica or itself fails."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.cluster.api.bots import condition, is_ready, make_bot, reason
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.faulty_api import Fault, FaultyAPI, faulty_api
from tests.cluster.api.kube import Kube, Object
from tests.cluster.api.platform import Operator, Platform, installed
from tests.cluster.api.rollouts import rollouts
from tests.cluster.api.services import ready_bot, running

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]


@asynccontextmanager
async def at_work(
    plane: ControlPlane, admin: Kube, namespace: str, folder: Path, values: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Platform, Operator]]:
    async with installed(plane, admin, namespace, folder, values or {}) as platform:
        operator = await platform.start_operator()
        await platform.start_nats()
        await operator.until_ready()
        yield platform, operator


@asynccontextmanager
async def behind_proxy(
    plane: ControlPlane, admin: Kube, namespace: str, folder: Path
) -> AsyncIterator[tuple[Platform, Operator, FaultyAPI]]:
    """An operator that speaks to the API server through the test."""
    async with (
        faulty_api(plane.url, plane.tls) as api,
        installed(plane, admin, namespace, folder, {}) as platform,
    ):
        config = yaml.safe_load(platform.kubeconfig.read_text())
        config["clusters"][0]["cluster"] = {"server": api.url}
        platform.kubeconfig = folder / "kubeconfig.yaml"
        platform.kubeconfig.write_text(yaml.safe_dump(config))
        operator = await platform.start_operator()
        await platform.start_nats()
        await operator.until_ready()
        yield platform, operator, api


async def scaled(admin: Kube, namespace: str, replicas: int, *, timeout_s: float = 20.0) -> None:
    """A change of the spec reaches the Deployment."""
    await admin.apply(make_bot(namespace, components={"ticket": {"replicas": replicas}}))
    await admin.until(
        "Deployment", "tiendas-ticket", namespace, lambda one: one["spec"]["replicas"] == replicas, timeout_s=timeout_s
    )


async def test_the_standby_takes_over_at_once_when_the_leader_ends_well(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with at_work(control_plane, admin, namespace, tmp_path) as (platform, first):
        second = await platform.start_operator()
        await second.until_ready()
        async with ready_bot(platform, admin, namespace):
            assert (await first.metric("supportbot_operator_leader"), second.said("leader_elected")) == (1.0, False)
            assert await first.stop() == 0
            await scaled(admin, namespace, 2, timeout_s=8)
            assert second.said("leader_elected")


async def test_the_standby_takes_over_after_the_lease_when_the_leader_is_killed(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with at_work(control_plane, admin, namespace, tmp_path) as (platform, first):
        second = await platform.start_operator()
        await second.until_ready()
        async with ready_bot(platform, admin, namespace):
            await first.stop(signal.SIGKILL)
            begun = time.monotonic()
            await scaled(admin, namespace, 2, timeout_s=30)
            assert 5 < time.monotonic() - begun < 25


async def test_a_leader_that_cannot_renew_stops_before_another_may_begin(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    """A server that hangs looks alive; the own clock decides."""
    async with behind_proxy(control_plane, admin, namespace, tmp_path) as (_, operator, api):
        api.is_hanging = True
        begun = time.monotonic()
        async with asyncio.timeout(30):
            assert await operator.process.wait() == 1
        assert time.monotonic() - begun < 15
        assert operator.said("leadership_lost")


async def test_refusals_that_may_pass_are_tried_again(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with behind_proxy(control_plane, admin, namespace, tmp_path) as (platform, operator, api):

        def is_write(method: str, path: str) -> bool:
            return method == "PATCH" and "/namespaces/" in path

        api.faults = [
            Fault(429, 2, is_write, {"Retry-After": "1"}),
            Fault(500, 3, is_write),
            Fault(409, 2, is_write),
            Fault(503, 2, lambda method, path: method == "GET" and "/secrets/" in path),
        ]
        async with ready_bot(platform, admin, namespace):
            assert [fault.count for fault in api.faults] == [0, 0, 0, 0]
        assert operator.process.returncode is None


async def test_cut_watches_are_begun_again_and_miss_nothing(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with (
        behind_proxy(control_plane, admin, namespace, tmp_path) as (platform, _, api),
        ready_bot(platform, admin, namespace),
    ):
        for replicas in (2, 3, 4):
            api.cut()
            await scaled(admin, namespace, replicas)


async def test_an_api_server_that_restarts_is_found_again(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with at_work(control_plane, admin, namespace, tmp_path) as (platform, operator):
        async with ready_bot(platform, admin, namespace):
            pass
        await control_plane.stop_api_server()
        await control_plane.start_api_server()
        if operator.process.returncode is not None:
            # It may have lost its Lease; Kubernetes starts it again.
            operator = await platform.start_operator()
        async with running(platform, admin, namespace, "tiendas"):
            await scaled(admin, namespace, 2, timeout_s=60)


async def test_while_nats_is_away_bots_are_reconciled_and_say_so(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with at_work(control_plane, admin, namespace, tmp_path) as (platform, _):
        async with ready_bot(platform, admin, namespace):
            await platform.nats.stop()
        await scaled(admin, namespace, 2)
        bot = await admin.until(
            "SupportBot", "tiendas", namespace, lambda one: reason(one, "PipelineHealthy") == "NATSUnreachable"
        )
        assert condition(bot, "Ready")["status"] == "False"
        await platform.nats.start()
        async with rollouts(admin, namespace), running(platform, admin, namespace, "tiendas"):
            await admin.until("SupportBot", "tiendas", namespace, is_ready, timeout_s=40)


async def test_with_namespace_scope_it_works_in_its_namespaces_and_nowhere_else(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    values = {"rbac": {"scope": "namespace"}, "watchNamespaces": [namespace]}
    other = f"{namespace}-other"
    await admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    async with at_work(control_plane, admin, namespace, tmp_path, values) as (platform, operator):
        await admin.apply(make_bot(other, "elsewhere"))
        async with ready_bot(platform, admin, namespace):
            pass
        assert (await admin.get("SupportBot", "elsewhere", other)).get("status") is None
        assert not [line for line in operator.log if "forbidden" in str(line).lower()]
    await admin.delete("SupportBot", "elsewhere", other)


async def test_a_wrong_configuration_ends_the_start_with_all_faults(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with installed(control_plane, admin, namespace, tmp_path, {}) as platform:
        bad = tmp_path / "bad.yaml"
        bad.write_text(yaml.safe_dump({**yaml.safe_load(platform.config.read_text()), "release": "", "typo": 1}))
        operator = await platform.start_operator(config=bad)
        async with asyncio.timeout(20):
            assert await operator.process.wait() == 2
        words = operator.log_file.read_text()
    assert "release: " in words
    assert "typo: " in words


async def test_probes_tell_a_standby_from_a_process_that_has_not_seen_everything(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    async with behind_proxy(control_plane, admin, namespace, tmp_path) as (platform, _, api):
        api.faults = [Fault(403, 1_000_000, lambda method, path: method == "GET" and path.endswith("/supportbots"))]
        second = await platform.start_operator()
        async with httpx.AsyncClient() as client, asyncio.timeout(20):
            while not second.said("lists_unavailable"):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
            assert (await client.get(f"{second.url}/livez")).status_code == 200
            assert (await client.get(f"{second.url}/readyz")).status_code == 503
        api.faults.clear()
        await second.until_ready()
        assert await second.metric("supportbot_operator_leader") == 0.0
