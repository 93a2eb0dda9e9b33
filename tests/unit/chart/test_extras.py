"""Dashboards, alert rules, PodMonitors, further objects, collector and Jaeger."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.chart.render import CHART, MONITORING, Object, one, profile, render

RULES = """\
groups:
  - name: supportbot
    rules:
      - alert: SupportBotWatchdog
        expr: vector(1)
        annotations: {summary: "{{ $labels.instance }} is {{ $value | humanize }}"}
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A copy of the chart with a dashboard and rules, as the telemetry work brings them."""
    copy = shutil.copytree(CHART, tmp_path / "supportbot")
    (copy / "files" / "dashboards" / "overview.json").write_text('{"uid": "overview", "title": "{{instance}}"}\n')
    (copy / "files" / "alerts" / "pipeline.yaml").write_text(RULES)
    return copy


def _kinds(objects: list[Object], kind: str) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects if obj["kind"] == kind]


def test_dashboards(chart: Path) -> None:
    values = {"grafana": {"dashboards": {"enabled": True, "annotations": {"folder": "Support"}}}}
    found = one(render(chart=chart, values=values), "ConfigMap", "supportbot-dashboard-overview")
    assert json.loads(found["data"]["overview.json"]) == {"uid": "overview", "title": "{{instance}}"}
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == {"folder": "Support"}


def test_no_dashboards_by_default(chart: Path) -> None:
    assert not [name for name in _kinds(render(chart=chart), "ConfigMap") if "dashboard" in name]


def test_alert_rules_are_taken_as_they_are(chart: Path) -> None:
    metrics = {"renderMode": "alwaysRender", "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}}}
    found = one(render(chart=chart, values={"metrics": metrics}), "PrometheusRule", "supportbot-pipeline")
    assert found["spec"] == yaml.safe_load(RULES)
    assert found["metadata"]["labels"]["release"] == "prometheus"


@pytest.mark.parametrize(
    ("mode", "there", "rendered"),
    [
        ("skipIfMissing", False, False),
        ("skipIfMissing", True, True),
        ("failIfMissing", True, True),
        ("alwaysRender", False, True),
    ],
)
def test_kinds_of_the_prometheus_operator(mode: str, there: bool, rendered: bool, chart: Path) -> None:
    metrics = {"renderMode": mode, "podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
    objects = render(chart=chart, values={"metrics": metrics}, kinds=MONITORING if there else ())
    assert _kinds(objects, "PodMonitor") == (["supportbot-operator"] if rendered else [])
    assert _kinds(objects, "PrometheusRule") == (["supportbot-pipeline"] if rendered else [])


def test_pod_monitors_name_ports_that_exist() -> None:
    objects = profile("observability")
    for component in ("operator", "collector"):
        (endpoint,) = one(objects, "PodMonitor", f"supportbot-{component}")["spec"]["podMetricsEndpoints"]
        (container,) = one(objects, "Deployment", f"supportbot-{component}")["spec"]["template"]["spec"]["containers"]
        assert endpoint["port"] in {port["name"] for port in container["ports"]}


def test_further_objects_may_use_templates() -> None:
    text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-text"}\n'
    tree: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Namespace }}-tree"}}
    names = _kinds(render(values={"extraObjects": [text, tree]}), "ConfigMap")
    assert {"supportbot-text", "helpdesk-tree"} <= set(names)


def _collector(values: Object) -> Any:
    return yaml.safe_load(one(render(values=values), "ConfigMap", "supportbot-collector")["data"]["config.yaml"])


def test_the_collector_sends_everywhere() -> None:
    mine = {"otlp_http/mine": {"endpoint": "https://traces.example"}}
    config = _collector({"otelCollector": {"enabled": True, "exporters": mine}, "jaeger": {"enabled": True}})
    assert set(config["exporters"]) == {"otlp_grpc/jaeger", "otlp_http/mine"}
    pipeline = config["service"]["pipelines"]["traces"]
    assert pipeline["exporters"] == ["otlp_grpc/jaeger", "otlp_http/mine"]
    assert pipeline["processors"] == ["memory_limiter", "batch"]


def test_the_collector_without_jaeger() -> None:
    mine: Object = {"debug": {}}
    assert set(_collector({"otelCollector": {"enabled": True, "exporters": mine}})["exporters"]) == {"debug"}


@pytest.mark.parametrize("name", ["collector", "jaeger"])
def test_their_configurations_hang_together(name: str) -> None:
    """Every part that the service uses is defined, and every defined part is used."""
    config = yaml.safe_load(one(profile("observability"), "ConfigMap", f"supportbot-{name}")["data"]["config.yaml"])
    pipeline = config["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(config[kind]) == set(pipeline[kind])
    assert set(config["extensions"]) == set(config["service"]["extensions"])


def test_many_replicas_spread() -> None:
    def placed(objects: Any, kind: str, name: str) -> set[str]:
        spec = one(objects, kind, f"supportbot-{name}")["spec"]["template"]["spec"]
        return {"affinity", "topologySpreadConstraints"} & set(spec)

    for kind, name in (("Deployment", "operator"), ("StatefulSet", "nats")):
        assert placed(profile("default"), kind, name) == set()
        assert placed(profile("ha"), kind, name) == {"affinity", "topologySpreadConstraints"}


def test_only_several_servers_go_lame_first() -> None:
    """A single one would refuse its clients for half a minute before it even stops."""

    def lifecycle(objects: Any) -> Any:
        (container,) = one(objects, "StatefulSet", "supportbot-nats")["spec"]["template"]["spec"]["containers"]
        return container.get("lifecycle")

    assert lifecycle(profile("default")) is None
    assert lifecycle(profile("ha"))["preStop"]["exec"]["command"] == ["nats-server", "-sl=ldm=/var/run/nats/nats.pid"]
