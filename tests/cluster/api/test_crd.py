"""The CRD in the hands of people: applied, explained, listed and upgraded, on the oldest Kubernetes at hand.

An API server emulates the three minors before its own. That the rules compile from 1.29 on is held by tests/unit/spec.
"""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import yaml
from tests.cluster.api.conftest import serve
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube, Object, Refused
from tests.unit.spec.corpus import GOOD, document

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]

OLDEST_EMULATED = "1.32"
NAME = "supportbots.supportbot.dev"


@pytest.fixture(scope="module")
def older_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of its own, on which the CRD may come and go."""
    with ControlPlane(tmp_path_factory.mktemp("older"), emulated=OLDEST_EMULATED) as plane:
        yield plane


@pytest_asyncio.fixture
async def older(older_plane: ControlPlane) -> AsyncIterator[Kube]:
    """Without the CRD."""
    async with Kube(older_plane.url, older_plane.tls, older_plane.admin_token) as kube:
        yield kube
        await older_plane.kubectl("delete", "crd", NAME, "--ignore-not-found")


async def apply(plane: ControlPlane, kube: Kube, definition: Object) -> str:
    """As people do; a warning is an error."""
    told = await plane.kubectl("apply", "--warnings-as-errors", "-f", "-", stdin=json.dumps(definition))
    await serve(kube, definition)
    return told


async def test_older_kubernetes_takes_it_without_complaint(
    older_plane: ControlPlane, older: Kube, definition: Object
) -> None:
    assert (await older.request("GET", "/version"))["emulationMinor"] == OLDEST_EMULATED.partition(".")[2]
    assert (
        await apply(older_plane, older, definition) == f"customresourcedefinition.apiextensions.k8s.io/{NAME} created\n"
    )
    assert (
        await apply(older_plane, older, definition)
        == f"customresourcedefinition.apiextensions.k8s.io/{NAME} unchanged\n"
    )
    stored = await older.get("CustomResourceDefinition", NAME)
    states = {condition["type"]: condition["status"] for condition in stored["status"]["conditions"]}
    assert states == {"NamesAccepted": "True", "Established": "True"}


def unchecked(definition: Object) -> Object:
    """The CRD as it was when anything passed for a component's resources and zoho could be removed."""
    earlier = copy.deepcopy(definition)
    spec = earlier["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = [
        rule for rule in spec["x-kubernetes-validations"] if "oldSelf" not in rule["rule"]
    ]
    for component in spec["properties"]["components"]["properties"].values():
        component["properties"]["resources"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return earlier


async def test_bots_outlive_an_upgrade_of_the_crd(older_plane: ControlPlane, older: Kube, definition: Object) -> None:
    await apply(older_plane, older, unchecked(definition))
    before = [await older.create(named(document(path), f"bot-{number}")) for number, path in enumerate(GOOD)]
    assert "configured" in await apply(older_plane, older, definition)
    after = {bot["metadata"]["name"]: bot for bot in await older.list_all("SupportBot", "default")}
    assert [after[bot["metadata"]["name"]] for bot in before] == before
    for bot in before:
        paused = {"spec": {"paused": not bot["spec"]["paused"]}}
        changed = await older.merge("SupportBot", bot["metadata"]["name"], "default", paused)
        assert changed["spec"] == bot["spec"] | paused["spec"]


async def test_value_that_is_refused_now_does_not_hold_up_what_else_changes(
    older_plane: ControlPlane, older: Kube, definition: Object
) -> None:
    """Ratcheting, in Kubernetes from 1.30 on: without it the operator could not even write the status."""
    await apply(older_plane, older, unchecked(definition))
    bot = named(document(GOOD[0]), "bot")
    bot["spec"]["components"] = {"ticket": {"resources": {"limits": {"memory": "512MB"}}}}
    await older.create(bot)
    await apply(older_plane, older, definition)
    await older.merge("SupportBot", "bot", "default", {"status": {"observedGeneration": 1}}, subresource="status")
    changed = await older.merge("SupportBot", "bot", "default", {"spec": {"paused": True}})
    assert changed["spec"]["components"]["ticket"]["resources"] == {"limits": {"memory": "512MB"}}
    worse = {"spec": {"components": {"ticket": {"resources": {"limits": {"memory": "1GB"}}}}}}
    with pytest.raises(Refused) as refused:
        await older.merge("SupportBot", "bot", "default", worse)
    assert refused.value.places == {"spec.components.ticket.resources.limits.memory"}


def named(bot: Object, name: str) -> Object:
    return {**bot, "metadata": {"name": name, "namespace": "default"}}


def condition(kind: str, state: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": state,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


async def test_columns_tell_how_a_bot_is(control_plane: ControlPlane, admin: Kube, crd: object, namespace: str) -> None:
    for name in ("fresh", "stores"):
        bot = document(GOOD[0])
        await admin.apply({**bot, "metadata": {"name": name, "namespace": namespace}})
    status = {
        "observedGeneration": 1,
        "activeModel": "openai/gpt-6-luna",
        "counters": {"ticketsCreated": 42},
        "conditions": [
            condition("Ready", "False", "PairingRequired", "Scan the QR code in Secret stores-pairing."),
            condition("WhatsAppLinked", "False", "PairingRequired", "No device is linked."),
        ],
    }
    await admin.merge("SupportBot", "stores", namespace, {"status": status}, subresource="status")
    table = (await control_plane.kubectl("get", "sbot", namespace=namespace)).splitlines()
    assert [line.split()[:-1] for line in table] == [
        ["NAME", "READY", "STATUS", "WHATSAPP", "MODEL", "TICKETS"],
        ["fresh"],
        ["stores", "False", "PairingRequired", "False", "openai/gpt-6-luna", "42"],
    ]
    assert max(map(len, table)) <= 100
    wide = await control_plane.kubectl("get", "supportbots", "-o", "wide", namespace=namespace)
    assert "Scan the QR code in Secret stores-pairing." in wide


async def test_kubectl_explains_fields(control_plane: ControlPlane, crd: object) -> None:
    told = await control_plane.kubectl("explain", "sbot.spec.components.ticket.resources.limits")
    assert "The most that it may use." in told
    assert "ephemeral-storage" in told
    told = await control_plane.kubectl("explain", "supportbot.spec.zoho.dataCenter")
    assert "ENUM:\n    US\n    EU\n" in told


async def test_misspelt_field_is_told_by_kubectl(control_plane: ControlPlane, crd: object, namespace: str) -> None:
    bot = document(GOOD[0])
    bot["spec"]["whatsApp"] = {}
    with pytest.raises(AssertionError, match=r'unknown field "spec.whatsApp"'):
        await control_plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(bot), namespace=namespace)
