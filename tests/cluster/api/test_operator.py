"""The operator as a process against a real API server and a real NATS, with the chart's ServiceAccount token."""

import asyncio
import base64
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from nats.aio.client import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.cluster.api.account import account
from tests.cluster.api.bots import (
    CHILDREN,
    ZOHO_VALUES,
    condition,
    is_ready,
    make_bot,
    make_claim,
    make_secret,
    reason,
)
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube, Object, Refused
from tests.cluster.api.platform import Platform, installed
from tests.cluster.api.rollouts import rollouts
from tests.cluster.api.services import access_of, ready_bot, running

from supportbot.http import bind, serve_on
from supportbot_operator.check import check
from supportbot_operator.keys import bot_key

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]

DRIFT_S = 1.0
"""How soon what somebody changes by hand is undone."""


@pytest_asyncio.fixture
async def platform(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> AsyncIterator[Platform]:
    """The chart with its default values, an operator at work and NATS."""
    async with installed(control_plane, admin, namespace, tmp_path, {}) as found:
        operator = await found.start_operator()
        await found.start_nats()
        await operator.until_ready()
        yield found


async def children(admin: Kube, namespace: str, kind: str, bot: str = "tiendas") -> list[Object]:
    return await admin.list_all(kind, namespace, labels=f"supportbot.dev/bot={bot}")


async def config_hashes(admin: Kube, namespace: str) -> dict[str, str]:
    """The fingerprint of each workload's pods."""
    return {
        workload["metadata"]["name"]: workload["spec"]["template"]["metadata"]["annotations"][
            "supportbot.dev/config-hash"
        ]
        for kind in ("Deployment", "StatefulSet")
        for workload in await children(admin, namespace, kind)
    }


async def generations(admin: Kube, namespace: str) -> dict[str, int]:
    return {
        workload["metadata"]["name"]: workload["metadata"]["generation"]
        for kind in ("Deployment", "StatefulSet")
        for workload in await children(admin, namespace, kind)
    }


async def test_a_bot_gets_its_objects_and_becomes_ready(platform: Platform, admin: Kube, namespace: str) -> None:
    async with ready_bot(platform, admin, namespace):
        bot = await admin.get("SupportBot", "tiendas", namespace)
        found = {kind: len(await children(admin, namespace, kind)) for kind in CHILDREN}
        events = await admin.list_all("Event", namespace)
    assert found == CHILDREN
    assert {one["type"]: (one["status"], one["reason"]) for one in bot["status"]["conditions"]} == {
        "Ready": ("True", "Reconciled"),
        "WhatsAppLinked": ("True", "Linked"),
        "ModelsAvailable": ("True", "LocalOnly"),
        "ZohoConnected": ("True", "Connected"),
        "PipelineHealthy": ("True", "Flowing"),
    }
    assert "finalizers" not in bot["metadata"]
    assert "annotations" not in bot["metadata"]
    assert {entry["manager"] for entry in bot["metadata"]["managedFields"]} == {"test", "supportbot-operator"}
    assert ("Normal", "Reconciled") in {(event["type"], event["reason"]) for event in events}


async def test_a_pairing_code_is_in_its_secret_while_it_is_offered_and_nowhere_else(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    payload, where = "https://wa.me/settings/linked_devices#2@invented", ("tiendas-pairing", namespace)
    ends = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    async with ready_bot(platform, admin, namespace) as services:
        before = await admin.get("Secret", *where)
        services.offer = {"qr": payload, "expires-at": ends}
        await services.say("whatsapp", whatsapp=("degraded", "PairingInProgress"))
        filled = await admin.until("Secret", *where, lambda one: bool(one.get("data")), timeout_s=5)
        waiting = await admin.until(
            "SupportBot", "tiendas", namespace, lambda one: reason(one) == "PairingInProgress", timeout_s=5
        )
        services.offer = {}
        await services.say("whatsapp", whatsapp=("ok", "Linked"))
        emptied = await admin.until("Secret", *where, lambda one: not one.get("data"), timeout_s=5)
        linked = await admin.until("SupportBot", "tiendas", namespace, is_ready, timeout_s=5)
        events = await admin.list_all("Event", namespace)

    assert not before.get("data")
    assert {key: base64.b64decode(value).decode() for key, value in filled["data"].items()} == {
        "qr": payload,
        "expires-at": ends,
    }
    assert emptied["metadata"]["uid"] == filled["metadata"]["uid"] == before["metadata"]["uid"]
    command = f"`supportbot pair --namespace {namespace} --bot tiendas` shows a code"
    for type_ in ("Ready", "WhatsAppLinked"):
        assert f"{command}, and so does the Secret tiendas-pairing now" in condition(waiting, type_)["message"]
    said = json.dumps([waiting, linked, events]) + "\n".join(map(str, platform.operators[0].log))
    assert "linked_devices" not in said
    assert base64.b64encode(payload.encode()).decode()[:40] not in said


async def test_the_operator_needs_no_more_than_the_role_of_the_chart(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        pass
    assert not [line for line in platform.operators[0].log if "forbidden" in str(line).lower()]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ServiceAccount", "tiendas-ticket"),
        ("ConfigMap", "tiendas-spec"),
        ("Service", "tiendas-whatsapp"),
        ("NetworkPolicy", "tiendas-default-deny"),
        ("PodDisruptionBudget", "tiendas-classifier"),
        ("Deployment", "tiendas-ticket"),
        ("StatefulSet", "tiendas-whatsapp"),
    ],
)
async def test_what_is_deleted_comes_back_within_a_second(
    platform: Platform, admin: Kube, namespace: str, kind: str, name: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        old = await admin.get(kind, name, namespace)
        await admin.delete(kind, name, namespace)
        is_new = lambda one: one.get("metadata", {}).get("uid") not in (None, old["metadata"]["uid"])  # noqa: E731
        await admin.until(kind, name, namespace, is_new, timeout_s=DRIFT_S)


async def test_what_is_edited_by_hand_goes_back_and_what_others_add_stays(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        patch = {"metadata": {"labels": {"team": "retail"}}, "spec": {"replicas": 5}}
        await admin.merge("Deployment", "tiendas-ticket", namespace, patch)
        found = await admin.until(
            "Deployment", "tiendas-ticket", namespace, lambda one: one["spec"]["replicas"] == 1, timeout_s=DRIFT_S
        )
        await admin.merge("ConfigMap", "tiendas-spec", namespace, {"data": {"spec.yaml": "broken"}})
        await admin.until(
            "ConfigMap", "tiendas-spec", namespace, lambda one: one["data"]["spec.yaml"] != "broken", timeout_s=DRIFT_S
        )
    assert found["metadata"]["labels"]["team"] == "retail"


async def test_removed_fields_disappear_and_changes_take_effect(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    resources = {"limits": {"memory": "1Gi"}, "requests": {"memory": "64Mi"}}
    async with ready_bot(platform, admin, namespace, components={"ticket": {"replicas": 3, "resources": resources}}):
        before = (await admin.get("Deployment", "tiendas-ticket", namespace))["spec"]
        await admin.apply(make_bot(namespace))
        after = (
            await admin.until(
                "Deployment", "tiendas-ticket", namespace, lambda one: one["spec"]["replicas"] == 1, timeout_s=5
            )
        )["spec"]
    memory = [spec["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] for spec in (before, after)]
    assert memory == ["1Gi", "512Mi"]


async def test_a_rotated_secret_restarts_its_users_once(platform: Platform, admin: Kube, namespace: str) -> None:
    async with ready_bot(platform, admin, namespace):
        hashes, before = await config_hashes(admin, namespace), await generations(admin, namespace)
        await admin.apply(make_secret(namespace, {**ZOHO_VALUES, "refresh-token": "1000.rotated"}))
        await nudge(admin, namespace)
        old = hashes["tiendas-ticket"]
        template = ("spec", "template", "metadata", "annotations", "supportbot.dev/config-hash")
        await admin.until("Deployment", "tiendas-ticket", namespace, lambda one: dig(one, template) != old, timeout_s=5)
        await nudge(admin, namespace)
        await admin.until("SupportBot", "tiendas", namespace, is_ready)
        after = await generations(admin, namespace)
    assert {name for name in before if before[name] != after[name]} == {"tiendas-ticket"}
    assert after["tiendas-ticket"] == before["tiendas-ticket"] + 1


async def nudge(admin: Kube, namespace: str) -> None:
    """Any event of the bot makes the operator look again, as the resync does every five minutes."""
    label = {"metadata": {"labels": {"nudged": str(time.monotonic_ns())}}}
    await admin.merge("SupportBot", "tiendas", namespace, label)


def dig(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step, {})
    return value


async def test_a_missing_secret_is_named_and_found_when_it_comes(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with rollouts(admin, namespace):
        await admin.apply(make_bot(namespace))
        bot = await admin.until(
            "SupportBot", "tiendas", namespace, lambda one: reason(one) == "InvalidReference", timeout_s=10
        )
        assert "Secret zoho lacks client-id, client-secret, refresh-token" in condition(bot, "Ready")["message"]
        assert condition(bot, "Stalled")["status"] == "True"
        names = {one["metadata"]["name"] for one in await children(admin, namespace, "Deployment")}
        assert names == {"tiendas-classifier"}
        await admin.apply(make_secret(namespace))
        async with running(platform, admin, namespace, "tiendas"):
            bot = await admin.until("SupportBot", "tiendas", namespace, is_ready, timeout_s=30)
    assert condition(bot, "Stalled") == {}


async def test_conditions_follow_the_services_and_clear_by_themselves(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace) as services:
        await services.say("ticket", zoho=("down", "InvalidGrant"))
        bot = await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "InvalidGrant")
        assert condition(bot, "ZohoConnected")["status"] == "False"
        assert condition(bot, "Ready")["message"] == "ZohoConnected: zoho is down"
        await services.say("whatsapp", whatsapp=("degraded", "LoggedOut"))
        await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "LoggedOut")
        await services.say("whatsapp")
        await services.say("ticket")
        await admin.until("SupportBot", "tiendas", namespace, is_ready)
        events = {(one["type"], one["reason"]) for one in await admin.list_all("Event", namespace)}
    assert {("Warning", "InvalidGrant"), ("Warning", "LoggedOut"), ("Normal", "Connected")} <= events


async def test_paused_says_so_and_goes_on(platform: Platform, admin: Kube, namespace: str) -> None:
    async with ready_bot(platform, admin, namespace):
        await admin.apply(make_bot(namespace, paused=True))
        await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "Paused")
        spec_file = (await admin.get("ConfigMap", "tiendas-spec", namespace))["data"]["spec.yaml"]
        assert yaml.safe_load(spec_file)["spec"]["paused"] is True
        await admin.apply(make_bot(namespace))
        await admin.until("SupportBot", "tiendas", namespace, is_ready)


async def test_the_volume_grows_by_its_claim(platform: Platform, admin: Kube, namespace: str) -> None:
    """Its template can never change, so the claim is patched; the API server refuses where the class cannot grow."""
    async with ready_bot(platform, admin, namespace):
        await admin.create(make_claim(namespace))
        whatsapp = {**make_bot(namespace)["spec"]["whatsapp"], "storage": {"size": "2Gi"}}
        await admin.apply(make_bot(namespace, whatsapp=whatsapp))
        bot = await admin.until(
            "SupportBot",
            "tiendas",
            namespace,
            lambda one: "does not grow" in condition(one, "Ready").get("message", ""),
            timeout_s=10,
        )
        gateway = await admin.get("StatefulSet", "tiendas-whatsapp", namespace)
    assert is_ready(bot)
    (template,) = gateway["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "1Gi"


async def test_an_object_that_the_cluster_refuses_is_told_and_mended(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    """As where a company's policy forbids something that a bot needs."""
    async with ready_bot(platform, admin, namespace):
        async with policy(admin, namespace, "object.spec.replicas < 2", "at most one replica here"):
            await admin.apply(make_bot(namespace, components={"ticket": {"replicas": 2}}))
            bot = await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "Refused")
            assert "at most one replica here" in condition(bot, "Ready")["message"]
            assert condition(bot, "Stalled")["status"] == "True"
        await admin.apply(make_bot(namespace))
        await admin.until("SupportBot", "tiendas", namespace, is_ready)


@asynccontextmanager
async def policy(admin: Kube, namespace: str, rule: str, message: str) -> AsyncIterator[None]:
    """Deployments in the namespace must keep the rule (CEL)."""
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": namespace}}
    operations = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    spec = {
        "matchConstraints": {"resourceRules": [operations], **here},
        "validations": [{"expression": rule, "message": message}],
    }
    await admin.apply({**head, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    binding = {"policyName": namespace, "validationActions": ["Deny"]}
    await admin.apply({**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
    await until_denied(admin, namespace, message)
    try:
        yield
    finally:
        for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
            await admin.delete(kind, namespace)


async def until_denied(admin: Kube, namespace: str, message: str) -> None:
    """The API server takes a policy up a moment after it is stored."""
    deployment = await admin.get("Deployment", "tiendas-ticket", namespace)
    probe = {"spec": {"replicas": 7}}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment['metadata']['name']}"
    async with asyncio.timeout(20):
        while True:
            try:
                await admin.request("PATCH", path, probe, content_type="application/merge-patch+json", dryRun="All")
            except Refused as exc:
                if message in exc.message:
                    return
            await asyncio.sleep(0.1)


async def test_what_the_bot_does_not_want_any_more_is_pruned_and_what_is_not_its_own_stays(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        service = (await children(admin, namespace, "Service"))[0]
        meta = {key: service["metadata"][key] for key in ("labels", "ownerReferences", "namespace")}
        old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "of-an-earlier-version"}}
        foreign_meta = {"labels": meta["labels"], "namespace": namespace, "name": "somebody-elses"}
        await admin.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": foreign_meta})
        await admin.create(old)
        await admin.until("ConfigMap", "of-an-earlier-version", namespace, lambda one: one == {}, timeout_s=5)
        names = {one["metadata"]["name"] for one in await children(admin, namespace, "ConfigMap")}
    assert names == {"tiendas-spec", "somebody-elses"}


async def test_streams_come_with_the_bot_and_go_with_it(platform: Platform, admin: Kube, namespace: str) -> None:
    key = bot_key(namespace, "tiendas")
    async with account(platform) as nc:
        async with ready_bot(platform, admin, namespace):
            assert f"{key}-inbox" in await stream_names(nc)
            await admin.delete("SupportBot", "tiendas", namespace)
            await until_no_stream(nc, key)
        assert await stream_names(nc) == {"CHECK", "EVENTS"}


async def stream_names(nc: Client) -> set[str]:
    return {info.config.name or "" for info in await nc.jetstream().streams_info()}


async def until_no_stream(nc: Client, key: str) -> None:
    async with asyncio.timeout(20):
        while any(key in name for name in await stream_names(nc)):  # noqa: ASYNC110 - NATS tells nobody
            await asyncio.sleep(0.1)


async def test_streams_of_a_bot_that_was_deleted_while_nobody_looked_go_after_their_time(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    """They wait first: with GitOps the bots come after the platform, and after a restore too."""
    key = bot_key(namespace, "tiendas")
    async with account(platform) as nc:
        async with ready_bot(platform, admin, namespace):
            await platform.operators[0].stop(signal.SIGKILL)
            await admin.delete("SupportBot", "tiendas", namespace)
            assert f"{key}-inbox" in await stream_names(nc)
        config = yaml.safe_load(platform.config.read_text())
        patient = platform.folder / "patient.yaml"
        patient.write_text(yaml.safe_dump({**config, "orphans": {"keepHours": 1}}))
        waiting = await platform.start_operator(config=patient)
        async with asyncio.timeout(40):
            while not waiting.said("streams_without_bot"):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
        assert f"{key}-inbox" in await stream_names(nc)
        await waiting.stop()
        await platform.start_operator()
        await until_no_stream(nc, key)


async def test_a_new_operator_leaves_healthy_bots_as_they_are(platform: Platform, admin: Kube, namespace: str) -> None:
    """What only it does not know yet is no news of the bots."""
    async with ready_bot(platform, admin, namespace):
        before = await admin.get("SupportBot", "tiendas", namespace)
        await platform.operators[0].stop()
        events = len(await admin.list_all("Event", namespace))
        second = await platform.start_operator()
        await second.until_ready()
        async with asyncio.timeout(20):
            while await second.metric("supportbot_operator_applies_total") < 20:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        after = await admin.get("SupportBot", "tiendas", namespace)
        assert after["status"] == before["status"]
        assert len(await admin.list_all("Event", namespace)) == events


async def test_a_secret_of_somebody_else_is_left_alone(platform: Platform, admin: Kube, namespace: str) -> None:
    theirs = make_secret(namespace, {"token": "theirs"}, name="tiendas-api-key")
    await admin.apply(theirs)
    await admin.apply(make_secret(namespace))
    await admin.apply(make_bot(namespace))
    bot = await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "Refused", timeout_s=20)
    assert "tiendas-api-key is somebody else's" in condition(bot, "Ready")["message"]
    found = await admin.get("Secret", "tiendas-api-key", namespace)
    assert (found["data"], "ownerReferences" in found["metadata"]) == (theirs["data"], False)


async def test_junk_in_the_trail_does_not_blind_the_operator(platform: Platform, admin: Kube, namespace: str) -> None:
    async with ready_bot(platform, admin, namespace) as services, account(platform) as nc:
        await nc.jetstream().publish(f"trail.{bot_key(namespace, 'tiendas')}.x", b'{"of": "a later version"}')
        await services.say("ticket", zoho=("down", "InvalidGrant"))
        await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "InvalidGrant")
        await services.say("ticket", zoho=("down", "not a reason for programs!"))
        await admin.until("SupportBot", "tiendas", namespace, lambda one: reason(one) == "NotOK")


async def test_the_volume_goes_with_the_bot_and_not_with_its_statefulset(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        await admin.create(make_claim(namespace))
        await nudge(admin, namespace)
        await admin.until(
            "PersistentVolumeClaim",
            "data-tiendas-whatsapp-0",
            namespace,
            lambda one: [owner["kind"] for owner in one["metadata"].get("ownerReferences", [])] == ["SupportBot"],
        )


async def test_helm_test_works_with_the_credentials_made_for_it(
    platform: Platform, admin: Kube, namespace: str
) -> None:
    async with ready_bot(platform, admin, namespace):
        access = await access_of(platform, admin, namespace, "supportbot-nats-check")
        assert "gave it back" in await check(platform.nats.url, access)


async def test_nothing_is_written_while_nothing_happens(platform: Platform, admin: Kube, namespace: str) -> None:
    """Short here; `tests.benchmarks.operator` measures five minutes."""
    async with ready_bot(platform, admin, namespace):
        await asyncio.sleep(3)
        before, status_before = await versions(admin, namespace), await status_of(admin, namespace)
        await nudge(admin, namespace)
        await asyncio.sleep(12)
        after, status_after = await versions(admin, namespace), await status_of(admin, namespace)
    assert after.pop("SupportBot/tiendas") != before.pop("SupportBot/tiendas"), "the nudge"
    assert (after, status_after) == (before, status_before)


async def versions(admin: Kube, namespace: str) -> dict[str, str]:
    """The resourceVersion of the bot and all its children."""
    found = {
        f"{kind}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for kind in CHILDREN
        for one in await children(admin, namespace, kind)
    }
    bot = await admin.get("SupportBot", "tiendas", namespace)
    return {**found, "SupportBot/tiendas": bot["metadata"]["resourceVersion"]}


async def status_of(admin: Kube, namespace: str) -> Object:
    found: Object = (await admin.get("SupportBot", "tiendas", namespace))["status"]
    return found


async def test_every_reconcile_is_a_span(
    control_plane: ControlPlane, admin: Kube, namespace: str, crd: Object, tmp_path: Path
) -> None:
    """A stand-in for the Collector takes what the operator exports."""
    taken: list[bytes] = []

    async def take(request: Request) -> Response:
        taken.append(await request.body())
        return Response(media_type="application/x-protobuf")

    listener = bind("127.0.0.1", 0)
    collector = Starlette(routes=[Route("/v1/traces", take, methods=["POST"])])
    serving = asyncio.create_task(serve_on(collector, listener))
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with installed(control_plane, admin, namespace, tmp_path, {}) as platform:
        operator = await platform.start_operator(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        await operator.until_ready()
        await admin.apply(make_bot(namespace))
        async with asyncio.timeout(20):
            while not any(b"reconcile SupportBot" in body for body in taken):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    spans = b"".join(taken)
    assert b"supportbot-operator" in spans
    assert namespace.encode() in spans
