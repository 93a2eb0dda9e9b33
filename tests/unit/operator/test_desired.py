"""What a bot's objects are: golden files, Kubernetes' own schemas, and what a change of anything restarts.

`SUPPORTBOT_WRITE_GOLDEN=1 pytest tests/unit/operator` writes the golden files anew; read their diff.
"""

import base64
import copy
import hashlib
import os
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.operator.bots import MINIMAL, SECRETS, TYPICAL, make_bot, make_config, make_inputs

from supportbot.auth import parse_api_keys
from supportbot_operator.desired import Component, Desired, desired
from supportbot_operator.desired.pods import CONFIG_HASH

GOLDEN = Path(__file__).parent / "golden"
MINORS = ("1.33", "1.35", "1.37")
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "minimal": (MINIMAL, {}),
    "typical": (TYPICAL, {}),
    "observed": (
        TYPICAL,
        {
            "otlp": {"endpoint": "http://collector.platform.svc:4318"},
            "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
            "networkPolicy": {"enabled": True, "apiPeers": [{"podSelector": {"matchLabels": {"app": "scripts"}}}]},
            "image": {"reference": "registry.example/supportbot@sha256:" + "0" * 64, "pullSecrets": ["registry"]},
        },
    ),
    "demo": (
        {**TYPICAL, "models": {}, "whatsapp": MINIMAL["whatsapp"]},
        {
            "demo": {
                "bot": "support/tiendas",
                "deskURL": "http://supportbot-demo.platform.svc:4990",
                "peers": [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "demo"}}}],
            }
        },
    ),
}


def make(case: str) -> Desired:
    spec, changes = CASES[case]
    return desired(make_bot(spec), make_inputs(make_config(**changes)))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    text = yaml.safe_dump_all(make(case).all, sort_keys=False, allow_unicode=True, width=120)
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("SUPPORTBOT_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_schemas_take_every_object(case: str, minor: str) -> None:
    for obj in make(case).all:
        if obj["kind"] != "PodMonitor":
            kubernetes_validate.validate(copy.deepcopy(obj), minor, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_every_child_belongs_to_the_bot_and_is_found_by_its_labels(case: str) -> None:
    bot = make_bot(CASES[case][0])
    names = [(obj["kind"], obj["metadata"]["name"]) for obj in make(case).all]
    assert len(names) == len(set(names))
    for obj in make(case).all:
        (owner,) = obj["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["blockOwnerDeletion"]) == (bot.uid, False)
        assert obj["metadata"]["namespace"] == bot.namespace
        assert obj["metadata"]["labels"].items() >= bot.labels().items()


@pytest.mark.parametrize("case", CASES)
def test_pods_are_restricted(case: str) -> None:
    for template in templates(make(case)).values():
        pod, (container,) = template["spec"], template["spec"]["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_no_secret_is_in_an_environment_or_a_config_map() -> None:
    """Secrets are files of Secrets, whatever else an object holds."""
    values = [value.decode() for keys in SECRETS.values() for value in keys.values()]
    values += ["sb_invented", "creds of", "11" * 32]
    for obj in make("typical").all:
        text = yaml.safe_dump(obj)
        if obj["kind"] != "Secret":
            assert not [value for value in values if value in text]


def test_own_files_are_what_the_services_read() -> None:
    (secret,) = (
        obj for obj in make("typical").first if (obj["kind"], obj["metadata"]["name"]) == ("Secret", "tiendas-ticket")
    )
    files = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert files.keys() == {"install-key", "api-keys", "nats.creds", "ca.crt"}
    (key,) = parse_api_keys(files["api-keys"], where="the test").keys
    assert (key.name, key.digest, key.right) == ("tiendas", hashlib.sha256(b"sb_invented").digest(), "write")


def test_a_pairing_code_is_in_its_secret_alone_and_restarts_nothing() -> None:
    offer = {"qr": "https://wa.me/settings/linked_devices#2@invented", "expires-at": "2026-01-31T15:01:00+00:00"}
    made = desired(make_bot(TYPICAL), make_inputs(pairing=offer))
    encoded = base64.b64encode(offer["qr"].encode()).decode()
    held = [obj for obj in made.all if encoded in yaml.safe_dump(obj, width=1000) or offer["qr"] in yaml.safe_dump(obj)]
    (secret,) = [obj for obj in made.first if obj["metadata"]["name"] == "tiendas-pairing"]
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == offer
    assert held == [secret]
    assert restarted(TYPICAL, {"pairing": offer}) == set()
    assert "linked_devices" not in repr(make_inputs(pairing=offer))


def test_a_missing_secret_holds_back_its_users_only() -> None:
    made = desired(make_bot(TYPICAL), make_inputs(secrets={"ai": SECRETS["ai"]}))
    assert [obj["metadata"]["name"] for obj in made.held] == ["tiendas-ticket"]
    assert {(ref.name, ref.key) for ref in made.missing} == {("zoho", key) for key in SECRETS["zoho"]}
    names = {obj["metadata"]["name"] for obj in made.workloads if obj["kind"] in {"Deployment", "StatefulSet"}}
    assert names == {"tiendas-whatsapp", "tiendas-classifier"}


def test_a_secret_that_cannot_be_read_holds_back_its_users_and_is_not_called_missing() -> None:
    made = desired(make_bot(TYPICAL), make_inputs(secrets={"ai": SECRETS["ai"]}, unread=frozenset({"zoho"})))
    assert ([obj["metadata"]["name"] for obj in made.held], made.missing) == (["tiendas-ticket"], ())


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}),
        (
            {"limits": {"memory": "1Gi"}},
            {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "1Gi"}},
        ),
        ({"limits": {"memory": "64Mi"}}, {"requests": {"cpu": "50m"}, "limits": {"memory": "64Mi"}}),
        ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "1", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}),
    ],
)
def test_a_bot_says_only_what_differs_of_its_resources(own: dict[str, Any], expected: dict[str, Any]) -> None:
    made = templates(desired(make_bot(changed("components.ticket", {"resources": own})), make_inputs()))
    assert made["ticket"]["spec"]["containers"][0]["resources"] == expected


def test_the_volume_claim_template_stays_what_it_was() -> None:
    """It can never change; a larger claim is patched instead."""
    made = desired(make_bot(TYPICAL), make_inputs(storage="1Gi"))
    (gateway,) = (obj for obj in made.workloads if obj["kind"] == "StatefulSet")
    (claim,) = gateway["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"


def templates(made: Desired) -> dict[str, Any]:
    return {
        obj["metadata"]["labels"]["app.kubernetes.io/component"]: obj["spec"]["template"]
        for obj in (*made.workloads, *made.held)
        if obj["kind"] in {"Deployment", "StatefulSet"}
    }


def restarted(spec: dict[str, Any], inputs: dict[str, Any] | None = None) -> set[str]:
    """The services whose pods differ from those of the typical bot."""
    before = templates(desired(make_bot(TYPICAL), make_inputs()))
    after = templates(desired(make_bot(spec), make_inputs(**(inputs or {}))))
    return {name for name in before if before[name] != after[name]}


def changed(path: str, value: Any) -> dict[str, Any]:
    spec = copy.deepcopy(TYPICAL)
    *parents, last = path.split(".")
    part = spec
    for parent in parents:
        part = part.setdefault(parent, {})
    part[last] = value
    return spec


ALL = {"whatsapp", "classifier", "ticket"}


@pytest.mark.parametrize(
    ("path", "value", "services"),
    [
        ("zoho.departmentID", "3", {"ticket"}),
        ("models.primary.model", "other", {"classifier"}),
        ("classification", {"minConfidencePercent": 70}, {"classifier"}),
        ("replies", {"mode": "None"}, {"whatsapp", "classifier"}),
        ("whatsapp.staff", [], ALL),
        ("mode", "Shadow", ALL),
        ("paused", True, ALL),
        ("components.classifier.replicas", 3, set()),
        ("components.ticket", {"resources": {"limits": {"memory": "1Gi"}}}, {"ticket"}),
    ],
)
def test_a_change_restarts_who_reads_it(path: str, value: Any, services: set[str]) -> None:
    assert restarted(changed(path, value)) == services


@pytest.mark.parametrize(
    ("secret", "key", "services"),
    [("zoho", "refresh-token", {"ticket"}), ("ai", "openai", {"classifier"}), ("other", "key", set())],
)
def test_a_rotated_secret_restarts_exactly_its_users(secret: str, key: str, services: set[str]) -> None:
    rotated = {**SECRETS, secret: {**SECRETS.get(secret, {}), key: b"rotated"}}
    assert restarted(TYPICAL, {"secrets": rotated}) == services


def test_the_fingerprint_says_nothing_without_the_key() -> None:
    one = templates(desired(make_bot(TYPICAL), make_inputs()))["ticket"]
    other = templates(desired(make_bot(TYPICAL), make_inputs(install_key="22" * 32)))["ticket"]
    assert one["metadata"]["annotations"][CONFIG_HASH] != other["metadata"]["annotations"][CONFIG_HASH]


@settings(deadline=None, max_examples=15)
@given(
    replicas=st.integers(1, 32),
    paused=st.booleans(),
    gateway=st.sampled_from(["Neonize", "Simulator"]),
    size=st.sampled_from(["1Gi", "500Mi", "10Gi"]),
    name=st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True),
)
def test_any_spec_gives_valid_objects_and_always_the_same(
    replicas: int, paused: bool, gateway: str, size: str, name: str
) -> None:
    spec = copy.deepcopy(TYPICAL)
    spec["components"] = {"classifier": {"replicas": replicas}, "ticket": {"replicas": replicas}}
    spec |= {"paused": paused, "whatsapp": {**spec["whatsapp"], "gateway": gateway, "storage": {"size": size}}}
    bot = make_bot(spec, name=name)
    made = desired(bot, make_inputs())
    assert made == desired(bot, make_inputs())
    for obj in made.all:
        kubernetes_validate.validate(copy.deepcopy(obj), MINORS[1], strict=True)
        assert len(obj["metadata"]["name"]) <= 63
    assert set(templates(made)) == {component.value for component in Component}
