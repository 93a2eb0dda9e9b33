"""Wrong values are refused with path and reason, and everything that is documented is so."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from charts.supportbot.make_values_table import SOURCE, TARGET, described, values_table, with_table
from tests.unit.chart.render import CHART, Object, RefusedError, template

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Refusal:
    """Values, and what helm says to them."""

    values: Object = field(repr=False)
    says: str


REFUSED = (
    # What the schema refuses.
    Refusal({"imagePullPolicy": "Always"}, "at '': additional properties 'imagePullPolicy' not allowed"),
    Refusal({"nats": {"replica": 3}}, "at '/nats': additional properties 'replica' not allowed"),
    Refusal({"nats": {"replicas": 2}}, "at '/nats/replicas': value must be one of 1, 3, 5"),
    Refusal({"nats": {"replicas": "3"}}, "at '/nats/replicas': value must be one of 1, 3, 5"),
    Refusal({"nats": {"storage": {"size": "10GB"}}}, "at '/nats/storage/size': '10GB' does not match pattern"),
    Refusal({"nats": {"storage": {"size": 10}}}, "at '/nats/storage/size': got number, want string"),
    Refusal({"nats": {"enabled": False, "url": "nats.example:4222"}}, "at '/nats/url': 'nats.example:4222' does not"),
    Refusal({"nats": {"enabled": False, "url": "tls://nats.example"}}, "at '/nats/url': 'tls://nats.example' does not"),
    Refusal({"nats": {"existingSecret": "Shared"}}, "at '/nats/existingSecret': 'Shared' does not match pattern"),
    Refusal({"image": {"digest": "sha256:abc"}}, "at '/image/digest': 'sha256:abc' does not match pattern"),
    Refusal({"image": {"tag": "latest"}}, "at '/image/tag': 'not' failed"),
    Refusal({"image": {"repository": ""}}, "at '/image/repository': minLength: got 0, want 1"),
    Refusal({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy': value must be one of 'Always'"),
    Refusal({"imagePullSecrets": ["registry"]}, "at '/imagePullSecrets/0': got string, want object"),
    Refusal({"rbac": {"scope": "Namespace"}}, "at '/rbac/scope': value must be one of 'cluster', 'namespace'"),
    Refusal({"watchNamespaces": ["shop.one"]}, "at '/watchNamespaces/0': 'shop.one' does not match pattern"),
    Refusal({"watchNamespaces": ["a", "a"]}, "at '/watchNamespaces': items at 0 and 1 are equal"),
    Refusal({"watchNamespaces": "shops"}, "at '/watchNamespaces': got string, want array"),
    Refusal({"operator": {"replicas": 0}}, "at '/operator/replicas': minimum: got 0, want 1"),
    Refusal({"operator": {"logLevel": "INFO"}}, "at '/operator/logLevel': value must be one of 'debug'"),
    Refusal({"operator": {"resources": {"limit": {}}}}, "at '/operator/resources': additional properties 'limit'"),
    Refusal(
        {"operator": {"resources": {"limits": {"memory": "1 Gi"}}}},
        "at '/operator/resources/limits/memory': 'anyOf' failed",
    ),
    Refusal({"bots": {"streams": {"lanes": 65}}}, "at '/bots/streams/lanes': maximum: got 65, want 64"),
    Refusal(
        {"bots": {"streams": {"keepOrphansHours": 8761}}},
        "at '/bots/streams/keepOrphansHours': maximum: got 8,761, want 8,760",
    ),
    Refusal({"bots": {"nodeSelector": {"a": 1}}}, "at '/bots/nodeSelector/a': got number, want string"),
    Refusal({"bots": {"streams": {"bytes": "1Gi"}}}, "at '/bots/streams/bytes': got string, want integer"),
    Refusal({"commonLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName 'app.kubernetes.io/name'"),
    Refusal({"commonLabels": {"team": "a b"}}, "at '/commonLabels/team': 'a b' does not match pattern"),
    Refusal({"fullnameOverride": "x" * 41}, "at '/fullnameOverride': maxLength: got 41, want 40"),
    Refusal({"fullnameOverride": "1st"}, "at '/fullnameOverride': '1st' does not match pattern"),
    Refusal({"metrics": {"renderMode": "always"}}, "at '/metrics/renderMode': value must be one of 'skipIfMissing'"),
    Refusal({"metrics": {"podMonitor": {"interval": "30"}}}, "at '/metrics/podMonitor/interval': '30' does not match"),
    Refusal({"tracing": {"otlpEndpoint": "collector:4318"}}, "at '/tracing/otlpEndpoint': 'collector:4318' does not"),
    Refusal({"networkPolicy": {"dnsPeers": [{}]}}, "at '/networkPolicy/dnsPeers/0': minProperties: got 0, want 1"),
    Refusal(
        {"networkPolicy": {"metricsPeers": [{"namespaceselector": {}}]}},
        "at '/networkPolicy/metricsPeers/0': additional properties 'namespaceselector' not allowed",
    ),
    Refusal({"networkPolicy": {"apiServerPorts": [0]}}, "at '/networkPolicy/apiServerPorts/0': minimum: got 0, want 1"),
    Refusal({"jaeger": {"maxTraces": 0}}, "at '/jaeger/maxTraces': minimum: got 0, want 1"),
    Refusal({"demo": True}, "at '/demo': got boolean, want object"),
    Refusal(
        {"extraObjects": [{"apiVersion": "supportbot.dev/v1alpha1", "kind": "SupportBot"}]},
        "at '/extraObjects/0': 'anyOf' failed",
    ),
    # What does not fit together.
    Refusal({"nats": {"enabled": False}}, "nats.url: is required with nats.enabled=false"),
    Refusal({"nats": {"url": "nats://a:4222"}}, "nats.url: is of an external NATS; set nats.enabled=false too"),
    Refusal({"nats": {"existingSecret": "a"}}, "nats.existingSecret: is of an external NATS"),
    Refusal({"nats": {"replicas": 3, "tls": {"enabled": False}}}, "nats.tls.enabled: must be true with more than one"),
    Refusal({"bots": {"streams": {"replicas": 3}}}, "bots.streams.replicas: 3 copies need as many servers"),
    Refusal(
        {"nats": {"storage": {"size": "3Gi"}}},
        "nats.storage.size: one bot reserves 3087007744 bytes, and nine tenths of 3Gi are 2899102924",
    ),
    Refusal({"otelCollector": {"enabled": True}}, "otelCollector.exporters: the collector has nowhere to send traces"),
    Refusal({"serviceAccount": {"create": False}}, "serviceAccount.name: is required with serviceAccount.create=false"),
    Refusal(
        {"demo": {"enabled": True}, "watchNamespaces": ["shops"]},
        'watchNamespaces: must contain the release\'s namespace "helpdesk"',
    ),
    Refusal(
        {"metrics": {"renderMode": "failIfMissing", "podMonitor": {"enabled": True}}},
        "metrics.renderMode: the cluster has no PodMonitor",
    ),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: re.split("[:;]", case.says)[0].removeprefix("at "))
def test_refused(case: Refusal) -> None:
    with pytest.raises(RefusedError) as refused:
        template(values=case.values)
    assert case.says in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        template(values={"nats": {"enabled": False}, "otelCollector": {"enabled": True}})
    assert "nats.url: is required" in str(refused.value)
    assert "otelCollector.exporters:" in str(refused.value)


def test_values_of_the_previous_version_still_do() -> None:
    """0.1.0 knew no others."""
    assert template(values={"crds": {"enabled": True, "keep": True}, "global": {}}) == template()


def _resolved(schema: Object) -> Object:
    reference = schema.get("$ref")
    return SCHEMA["definitions"][reference.rpartition("/")[2]] if reference else schema


def _closed(schema: Object, path: str = "") -> list[tuple[str, Object]]:
    """Path and schema of every object whose fields are fixed, and of the values in it."""
    schema = _resolved(schema)
    found = [(path, schema)]
    for name, part in schema.get("properties", {}).items():
        found += _closed(part, f"{path}.{name}" if path else name)
    return found


def _leaves(values: Any, path: str = "") -> dict[str, Any]:
    """Path and value of everything that `values.yaml` has, down to the maps that are one value."""
    documented = {".".join(keys) for keys, _ in described(SOURCE.read_text(encoding="utf-8"))}
    if path in documented or not isinstance(values, dict):
        return {path: values}
    return {
        leaf: value
        for name, part in values.items()
        for leaf, value in _leaves(part, f"{path}.{name}" if path else name).items()
    }


def test_schema_and_values_have_the_same_fields() -> None:
    """Every value is described in both, so that nothing is accepted that does nothing."""
    leaves = set(_leaves(VALUES))
    paths = {path for path, _ in _closed(SCHEMA) if path and path != "global"}
    inside = {path for path in paths if any(path.startswith(f"{leaf}.") for leaf in leaves)}
    groups = {path for path in paths if any(leaf.startswith(f"{path}.") for leaf in leaves)}
    assert paths - inside - groups == leaves


def test_every_value_has_a_comment() -> None:
    documented = {".".join(keys) for keys, _ in described(SOURCE.read_text(encoding="utf-8"))}
    assert documented == set(_leaves(VALUES))
    assert all(words.endswith(".") for _, words in described(SOURCE.read_text(encoding="utf-8")))


def test_every_group_is_closed() -> None:
    """A misspelt field is refused everywhere but in maps that are Kubernetes' own."""
    for path, schema in _closed(SCHEMA):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path


def test_the_table_is_generated() -> None:
    """`python charts/supportbot/make_values_table.py` writes it."""
    readme = TARGET.read_text(encoding="utf-8")
    assert readme == with_table(readme, values_table(SOURCE.read_text(encoding="utf-8")))


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="values: begin"):
        with_table("# Chart\n", "")
