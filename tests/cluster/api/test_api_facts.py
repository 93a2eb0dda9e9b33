"""What the operator relies on in an API server. A version of Kubernetes that differs fails here first."""

import asyncio
from typing import Any

import pytest
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube, Refused

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]


def config_map(namespace: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "facts", "namespace": namespace},
        "data": data,
    }


def deployment(namespace: str, *env: dict[str, str]) -> dict[str, Any]:
    container = {"name": "main", "image": "example.com/none:1", "env": list(env)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "facts", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": "facts"}},
            "template": {"metadata": {"labels": {"app": "facts"}}, "spec": {"containers": [container]}},
        },
    }


def bot(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": "facts", "namespace": namespace},
        "spec": {"mode": "Shadow", "whatsapp": {"groups": [{"jid": "120363000000000001@g.us"}]}},
    }


async def test_forced_apply_takes_back_what_somebody_else_changed(admin: Kube, namespace: str) -> None:
    await admin.apply(config_map(namespace, a="ours"), manager="operator")
    await admin.apply(config_map(namespace, a="theirs"), manager="somebody")
    with pytest.raises(Refused) as conflict:
        await admin.apply(config_map(namespace, a="ours"), manager="operator", force=False)
    assert conflict.value.status == 409
    assert (await admin.apply(config_map(namespace, a="ours"), manager="operator"))["data"] == {"a": "ours"}


async def test_omitted_field_vanishes_and_a_foreign_one_stays(admin: Kube, namespace: str) -> None:
    await admin.apply(config_map(namespace, a="1", b="2"), manager="operator")
    theirs = {"metadata": {"labels": {"team": "retail"}}, "data": {"c": "3"}}
    await admin.merge("ConfigMap", "facts", namespace, theirs)
    stored = await admin.apply(config_map(namespace, a="1"), manager="operator")
    assert (stored["data"], stored["metadata"]["labels"]) == ({"a": "1", "c": "3"}, {"team": "retail"})


@pytest.mark.parametrize("make", [config_map, deployment, bot])
async def test_apply_that_changes_nothing_writes_nothing(admin: Kube, crd: object, namespace: str, make: Any) -> None:
    first = await admin.apply(make(namespace))
    again = await admin.apply(make(namespace))
    assert again == first
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_status_has_a_life_of_its_own(admin: Kube, crd: object, namespace: str) -> None:
    """Status does not count as a generation, is not written through the main resource, and survives its applies."""
    await admin.apply(bot(namespace))
    status = {**bot(namespace), "status": {"observedGeneration": 1}}
    del status["spec"]
    written = await admin.apply(status, manager="operator", subresource="status")
    assert (written["metadata"]["generation"], written["status"]) == (1, {"observedGeneration": 1})
    tried = await admin.apply({**bot(namespace), "status": {"observedGeneration": 7}})
    assert (tried["metadata"]["generation"], tried["status"]) == (1, {"observedGeneration": 1})
    changed = await admin.apply({**bot(namespace), "spec": {**bot(namespace)["spec"], "paused": True}})
    assert (changed["metadata"]["generation"], changed["status"]) == (2, {"observedGeneration": 1})


async def test_apply_of_an_absent_resource_by_status_is_404(admin: Kube, crd: object, namespace: str) -> None:
    """So a late status of a deleted bot cannot bring it back."""
    status = {**bot(namespace), "status": {"observedGeneration": 1}}
    with pytest.raises(Refused) as refused:
        await admin.apply(status, subresource="status")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda namespace: {**config_map(namespace), "dta": {}}, "field not declared in schema"),
        (lambda namespace: {**bot(namespace), "spce": {}}, "field not declared in schema"),
        (
            lambda namespace: deployment(namespace, {"name": "A", "value": "1"}, {"name": "A", "value": "2"}),
            "duplicate entries for key",
        ),
    ],
    ids=["unknown field", "unknown field of a custom resource", "duplicate key of a list"],
)
async def test_object_that_fits_no_schema_is_500(
    admin: Kube, crd: object, namespace: str, make: Any, words: str
) -> None:
    """The status tells of a fault of the server; it is ours, and trying again helps nothing."""
    with pytest.raises(Refused, match=words) as refused:
        await admin.apply(make(namespace))
    assert refused.value.status == 500
    assert "failed to create typed patch object" in refused.value.message


async def test_absent_kind_is_404(admin: Kube, namespace: str) -> None:
    with pytest.raises(Refused) as refused:
        await admin.request("GET", f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/podmonitors")
    assert refused.value.status == 404


async def test_immutable_field_of_a_workload_is_422(admin: Kube, namespace: str) -> None:
    await admin.apply(deployment(namespace))
    changed = deployment(namespace)
    changed["spec"]["selector"]["matchLabels"] = {"app": "other"}
    changed["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(Refused) as refused:
        await admin.apply(changed)
    assert (refused.value.status, refused.value.places) == (422, {"spec.selector"})


async def test_late_write_is_409(admin: Kube, namespace: str) -> None:
    """The Lease of the leader relies on it."""
    first = await admin.create(config_map(namespace, a="1"))
    await admin.replace({**first, "data": {"a": "2"}})
    with pytest.raises(Refused) as refused:
        await admin.replace({**first, "data": {"a": "3"}})
    assert (refused.value.status, refused.value.body["reason"]) == (409, "Conflict")


async def test_watch_begins_with_what_exists_and_tells_every_change(admin: Kube, namespace: str) -> None:
    await admin.apply(config_map(namespace, a="1"))
    seen: list[str] = []
    async with asyncio.timeout(10):
        async for event in admin.watch("ConfigMap", namespace):
            seen.append(event["type"])
            if event["type"] == "ADDED":
                await admin.apply(config_map(namespace, a="2"))
            elif event["type"] == "MODIFIED":
                await admin.delete("ConfigMap", "facts", namespace)
            else:
                break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


async def test_stored_object_outlives_the_api_server(
    control_plane: ControlPlane, admin: Kube, crd: object, namespace: str
) -> None:
    stored = await admin.apply(bot(namespace))
    await control_plane.stop_api_server()
    await control_plane.start_api_server()
    assert await admin.get("SupportBot", "facts", namespace) == stored
