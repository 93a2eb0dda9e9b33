"""The API server gives the verdict of the pydantic model and of `tests/crd_judge.py` on every spec."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from tests.cluster.api.control_plane import ControlPlane
from tests.cluster.api.kube import Kube, Refused
from tests.crd_judge import crd_judge
from tests.unit.spec.corpus import BAD, CHANGES, GOOD, Change, altered_specs, document

from supportbot.spec import SpecError, parse_bot

pytestmark = [pytest.mark.api, pytest.mark.xdist_group("api")]

JUDGE = crd_judge()
NAMESPACE = "default"
"""Where nothing is stored, as these are dry runs; it is always there."""
BOTS = f"/apis/supportbot.dev/v1alpha1/namespaces/{NAMESPACE}/supportbots"


def created(spec: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Without what the API server writes itself."""
    metadata = {key: spec["metadata"][key] for key in ("name", "labels", "annotations") if key in spec["metadata"]}
    return {**spec, "metadata": {**metadata, "namespace": namespace}}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
async def test_good_spec_is_stored_with_the_same_defaults(admin: Kube, crd: object, path: Path) -> None:
    expected = JUDGE.defaulted(document(path))["spec"]
    spec = created(document(path), NAMESPACE)
    assert (await admin.create(spec, dryRun="All"))["spec"] == expected
    # To server-side apply a null is a value, which the schema refuses; elsewhere it counts as absent.
    assert (await admin.apply(without_nulls(spec), dryRun="All"))["spec"] == expected


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def place_of(path: Path) -> str:
    """Where it is refused, by its first line."""
    return path.read_text().splitlines()[0].removeprefix("# ").partition(": ")[0]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
async def test_bad_spec_is_refused_at_the_same_place(admin: Kube, crd: object, path: Path) -> None:
    place = place_of(path)
    with pytest.raises(Refused) as refused:
        await admin.request("POST", BOTS, document(path), fieldValidation="Strict", dryRun="All")
    assert refused.value.status in (400, 422)
    if place.startswith("spec"):
        # Of an object where a list belongs, the API server names the first thing in it.
        assert {found[: len(place)] for found in refused.value.places} == {place}, refused.value


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
async def test_changes(admin: Kube, crd: object, namespace: str, change: Change) -> None:
    stored = await admin.create(created(change.old(), namespace))
    replacement = {**stored, "spec": change.new()["spec"]}
    if not change.place:
        assert (await admin.replace(replacement))["spec"] == JUDGE.defaulted(change.new())["spec"]
        return
    with pytest.raises(Refused) as refused:
        await admin.replace(replacement)
    assert refused.value.status == 422
    assert refused.value.places == {change.place}
    assert change.message in refused.value.message


@pytest.fixture
def connection(control_plane: ControlPlane) -> Iterator[httpx.Client]:
    """Not of the event loop, in which hypothesis does not run tests."""
    headers = {"Authorization": f"Bearer {control_plane.admin_token}"}
    with httpx.Client(base_url=control_plane.url, headers=headers, verify=control_plane.tls, trust_env=False) as client:
        yield client


@given(changed=altered_specs())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_altered_spec_gets_one_verdict(connection: httpx.Client, crd: object, changed: dict[str, Any]) -> None:
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    answer = connection.post(BOTS, params=query, json=created(copy.deepcopy(changed), NAMESPACE))
    assert answer.status_code in (201, 400, 422)
    assert answer.is_success == accepted(changed) == (JUDGE.refusals(changed) == []), answer.text
    if answer.is_success:
        assert answer.json()["spec"] == JUDGE.defaulted(changed)["spec"]


def accepted(changed: dict[str, Any]) -> bool:
    try:
        parse_bot(changed, source="altered")
    except SpecError:
        return False
    return True
