"""Bots and inputs for the operator's tests."""

from typing import Any

from supportbot_operator.config import OperatorConfig
from supportbot_operator.desired import Bot, Component, Inputs, read_bot

CONFIG: dict[str, Any] = {
    "release": "supportbot",
    "image": {"reference": "registry.example/supportbot:0.1.0"},
    "keysSecret": "supportbot-keys",
    "nats": {
        "url": "tls://supportbot-nats.platform.svc:4222",
        "authSecret": "supportbot-nats-auth",
        "serverNames": ["supportbot-nats.platform.svc"],
        "peers": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "platform"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/component": "nats"}},
            }
        ],
    },
    "networkPolicy": {
        "dnsPeers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
        "metricsPeers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    },
    "resources": {
        name: {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}
        for name in ("whatsapp", "classifier", "ticket")
    },
}

MINIMAL: dict[str, Any] = {
    "mode": "Shadow",
    "whatsapp": {"gateway": "Simulator", "groups": [{"jid": "120363000000000001@g.us"}]},
}
TYPICAL: dict[str, Any] = {
    "whatsapp": {
        "gateway": "Neonize",
        "groups": [{"jid": "120363000000000001@g.us"}],
        "staff": ["+529985550201"],
        "storage": {"size": "2Gi"},
    },
    "models": {
        "primary": {"provider": "OpenAI", "model": "m", "apiKeySecretRef": {"name": "ai", "key": "openai"}},
        "fallbacks": [{"provider": "OpenAICompatible", "model": "m", "baseURL": "http://models:8000/v1"}],
    },
    "zoho": {"organizationID": "1", "departmentID": "2", "credentialsSecretRef": {"name": "zoho"}},
    "components": {"classifier": {"replicas": 2}},
    "tracing": {"samplingPercent": 25},
}
SECRETS = {
    "ai": {"openai": b"sk-invented"},
    "zoho": {
        "client-id": b"1000.invented-id",
        "client-secret": b"invented-secret",
        "refresh-token": b"1000.invented-token",
    },
}


def resource(spec: dict[str, Any], *, name: str = "tiendas", namespace: str = "support") -> dict[str, Any]:
    return {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": "6a1b0c9e-0000-4000-8000-000000000001",
            "generation": 1,
            "creationTimestamp": "2026-01-31T15:00:00Z",
        },
        "spec": spec,
    }


def make_bot(spec: dict[str, Any], **names: str) -> Bot:
    return read_bot(resource(spec, **names))


def make_config(**changes: Any) -> OperatorConfig:
    return OperatorConfig.model_validate({**CONFIG, **changes})


def make_inputs(config: OperatorConfig | None = None, **changes: Any) -> Inputs:
    values: dict[str, Any] = {
        "config": config or make_config(),
        "secrets": SECRETS,
        "install_key": "11" * 32,
        "api_key": "sb_invented",
        "credentials": {component: f"creds of {component}\n" for component in Component},
        "ca": "-----BEGIN CERTIFICATE-----\n",
    }
    return Inputs(**{**values, **changes})
