"""The operator reads what the chart renders for it, and gets what the values mean."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.chart.render import PROFILES, Object, one, profile, render

from supportbot_operator.config import OperatorConfig, load_config


def config_of(objects: Any, folder: Path) -> OperatorConfig:
    """The operator's view of a rendered chart."""
    file = folder / "operator.yaml"
    file.write_text(one(objects, "ConfigMap", "supportbot-operator")["data"]["operator.yaml"], encoding="utf-8")
    return load_config(file)


def peer(component: str) -> Object:
    """The platform's own pods, for other namespaces' policies."""
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "helpdesk"}},
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "supportbot",
                "app.kubernetes.io/instance": "supportbot",
                "app.kubernetes.io/component": component,
            }
        },
    }


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_a_configuration(name: str, tmp_path: Path) -> None:
    config = config_of(profile(name), tmp_path)
    assert config.release == "supportbot"
    assert (config.lease_name, config.deployment) == ("supportbot-operator", "supportbot-operator")
    assert config.image.reference == "supportbot:0.1.0"


def test_the_default(tmp_path: Path) -> None:
    config = config_of(profile("default"), tmp_path)
    assert config.watch_namespaces == ()
    assert config.nats.model_dump() == {
        "url": "tls://supportbot-nats.helpdesk.svc:4222",
        "auth_secret": "supportbot-nats-auth",
        "tls_secret": None,
        "managed": True,
        "server_names": (
            "supportbot-nats",
            "supportbot-nats.helpdesk",
            "supportbot-nats.helpdesk.svc",
            "*.supportbot-nats-headless.helpdesk.svc",
        ),
        "check_secret": "supportbot-nats-check",
        "peers": (peer("nats"),),
    }
    assert config.streams.model_dump() == {"lanes": 4, "replicas": 1, "bytes": 2**28, "media_bytes": 2**31}
    assert config.orphans.keep_hours == 24
    assert config.pods.model_dump() == {
        "node_selector": {},
        "tolerations": (),
        "priority_class_name": "",
        "affinity": {},
    }
    assert config.otlp.endpoint == ""
    assert config.demo.bot == ""


def test_several_servers_mean_several_copies(tmp_path: Path) -> None:
    assert config_of(profile("ha"), tmp_path).streams.replicas == 3


def test_some_namespaces(tmp_path: Path) -> None:
    assert config_of(profile("namespaced"), tmp_path).watch_namespaces == ("shops", "clinics")


def test_the_release_namespace_only(tmp_path: Path) -> None:
    objects = render(values={"rbac": {"scope": "namespace"}})
    assert config_of(objects, tmp_path).watch_namespaces == ("helpdesk",)


def test_an_external_nats(tmp_path: Path) -> None:
    config = config_of(profile("external-nats"), tmp_path)
    assert config.nats.managed is False
    assert config.nats.auth_secret == "shared-nats"
    assert config.nats.server_names == ()
    assert config.nats.ports == (4222,)
    assert config.streams.replicas == 3
    assert config.nats.peers == ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "messaging"}}},)


def test_an_external_nats_without_credentials(tmp_path: Path) -> None:
    objects = render(values={"nats": {"enabled": False, "url": "nats://nats.example:4222"}})
    config = config_of(objects, tmp_path)
    assert (config.nats.auth_secret, config.nats.has_tls, config.streams.replicas) == (None, False, 1)


@pytest.mark.parametrize(
    ("values", "endpoint", "peers"),
    [
        ({"jaeger": {"enabled": True}}, "http://supportbot-jaeger.helpdesk.svc:4318", (peer("jaeger"),)),
        (
            {"jaeger": {"enabled": True}, "otelCollector": {"enabled": True}},
            "http://supportbot-collector.helpdesk.svc:4318",
            (peer("collector"),),
        ),
        (
            {"jaeger": {"enabled": True}, "tracing": {"otlpEndpoint": "https://traces.example/v1"}},
            "https://traces.example/v1",
            (),
        ),
    ],
)
def test_where_traces_go(values: Object, endpoint: str, peers: tuple[Object, ...], tmp_path: Path) -> None:
    otlp = config_of(render(values=values), tmp_path).otlp
    assert (otlp.endpoint, otlp.peers) == (endpoint, peers)


def test_the_demo(tmp_path: Path) -> None:
    assert config_of(profile("demo"), tmp_path).demo.model_dump() == {
        "bot": "helpdesk/demo",
        "desk_url": "http://supportbot-demo.helpdesk.svc:4990",
        "peers": (peer("demo"),),
    }


def test_images_secrets_and_sizes(tmp_path: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    values = {
        "image": {"repository": "registry.example/support/bot", "digest": digest, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "bots": {"resources": {"ticket": {"limits": {"memory": "1Gi"}}}},
        "metrics": {"podMonitor": {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}}},
    }
    config = config_of(render(values=values), tmp_path)
    assert config.image.model_dump() == {
        "reference": f"registry.example/support/bot@{digest}",
        "pull_policy": "Always",
        "pull_secrets": ("registry",),
    }
    assert config.resources.ticket["limits"] == {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "512Mi"}
    assert config.pod_monitor.model_dump() == {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}}


def test_where_bots_run(tmp_path: Path) -> None:
    toleration = {"key": "support", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
    zones = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "1"]}]}
    placement: Object = {
        "nodeSelector": {"pool": "support", "disk": "1"},
        "tolerations": [toleration],
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [zones]}}
        },
        "priorityClassName": "support",
    }
    pods = config_of(render(values={"bots": placement}), tmp_path).pods
    assert pods.model_dump() == {
        "node_selector": placement["nodeSelector"],
        "tolerations": (toleration,),
        "affinity": placement["affinity"],
        "priority_class_name": "support",
    }


@pytest.mark.parametrize("hours", [0, 8760])
def test_how_long_streams_outlive_their_bot(hours: int, tmp_path: Path) -> None:
    objects = render(values={"bots": {"streams": {"keepOrphansHours": hours}}})
    assert config_of(objects, tmp_path).orphans.keep_hours == hours
