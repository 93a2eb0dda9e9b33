"""The pods of a bot: what runs, with which files and settings, and the fingerprint by which a change restarts it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from supportbot_operator.desired.bot import Bot, Component, Inputs
from supportbot_operator.kube import Object
from supportbot_operator.quantities import is_smaller

CONFIG_HASH = "supportbot.dev/config-hash"
USER = 65532
GRACE_S = {Component.WHATSAPP: 60, Component.CLASSIFIER: 30, Component.TICKET: 30}

SPEC_FOLDER = "/etc/supportbot"
OWN_FOLDER = "/run/supportbot/own"
SECRETS_FOLDER = "/run/supportbot/secrets"
DATA_FOLDER = "/var/lib/supportbot"

_NOT_READ_BY = {
    Component.WHATSAPP: ("models", "classification", "zoho", "components"),
    Component.CLASSIFIER: ("zoho", "components"),
    Component.TICKET: ("models", "classification", "replies", "components"),
}
"""Parts of the spec that a service does not look at: their change restarts only the others."""


def pod_template(bot: Bot, component: Component, inputs: Inputs) -> Object:
    """The pod of one service."""
    config = inputs.config
    spec: Object = {
        "serviceAccountName": bot.child_name(component),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S[component],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(bot, component, inputs)],
        "volumes": _volumes(bot, component),
    }
    if config.image.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in config.image.pull_secrets]
    spec |= {name: value for name, value in config.pods.model_dump(by_alias=True).items() if value}
    annotations = {CONFIG_HASH: config_hash(bot, component, inputs)}
    return {"metadata": {"labels": bot.labels(component), "annotations": annotations}, "spec": spec}


def config_hash(bot: Bot, component: Component, inputs: Inputs) -> str:
    """The fingerprint of everything that a service reads when it starts.

    Keyed, so that nobody can try guesses of a secret against the annotation.
    """
    spec = {name: value for name, value in bot.document["spec"].items() if name not in _NOT_READ_BY[component]}
    used = [
        [ref.name, ref.key, inputs.secrets.get(ref.name, {}).get(ref.key, b"").hex()]
        for ref in bot.secret_refs(component)
    ]
    config = {"spec": spec, "secrets": used, "own": own_files(bot, component, inputs)}
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hmac.digest(bytes.fromhex(inputs.install_key), canonical.encode(), hashlib.sha256).hex()[:32]


def own_files(bot: Bot, component: Component, inputs: Inputs) -> dict[str, str]:
    """What the operator itself makes for one service: name → text of the file."""
    hashed = hashlib.sha256(inputs.api_key.encode()).hexdigest()
    files = {"install-key": inputs.install_key, "api-keys": f"{bot.name} {hashed} write\n"}
    if inputs.credentials.get(component):
        files["nats.creds"] = inputs.credentials[component]
    if inputs.ca:
        files["ca.crt"] = inputs.ca
    return files


def _container(bot: Bot, component: Component, inputs: Inputs) -> Object:
    config = inputs.config
    own = getattr(bot.spec.components, component.value).resources
    return {
        "name": component.value,
        "image": config.image.reference,
        "imagePullPolicy": config.image.pull_policy,
        "command": ["python", "-m", f"supportbot.{component}"],
        "env": _environment(bot, component, inputs),
        "ports": [
            {"name": "http", "containerPort": component.port, "protocol": "TCP"},
            {"name": "metrics", "containerPort": component.metrics_port, "protocol": "TCP"},
        ],
        "startupProbe": _probe("/livez", period_s=1, failures=60),
        "livenessProbe": _probe("/livez", period_s=10, failures=3),
        "readinessProbe": _probe("/readyz", period_s=5, failures=2),
        "resources": _merged(getattr(config.resources, component.value), own),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "spec", "mountPath": SPEC_FOLDER, "readOnly": True},
            {"name": "own", "mountPath": OWN_FOLDER, "readOnly": True},
            {"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True},
            {"name": "data", "mountPath": DATA_FOLDER},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
        ],
    }


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Object:
    """Requests and limits: the bot's own word where it says one, the platform's for the rest.

    A default request above the bot's own limit is left out: Kubernetes then takes the limit for the request.
    """
    limits = {**defaults.get("limits", {}), **own.get("limits", {})}
    requests = {**defaults.get("requests", {}), **own.get("requests", {})}
    kept = {
        name: value
        for name, value in requests.items()
        if name in own.get("requests", {}) or name not in limits or not is_smaller(str(limits[name]), str(value))
    }
    return {name: values for name, values in (("requests", kept), ("limits", limits)) if values}


def _probe(path: str, *, period_s: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": "metrics"},
        "periodSeconds": period_s,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _environment(bot: Bot, component: Component, inputs: Inputs) -> list[Object]:
    config = inputs.config
    values: dict[str, str] = {
        "SUPPORTBOT_SPEC": f"{SPEC_FOLDER}/spec.yaml",
        "SUPPORTBOT_SECRETS": SECRETS_FOLDER,
        "SUPPORTBOT_DATA": DATA_FOLDER,
        "SUPPORTBOT_INSTALL_KEY_FILE": f"{OWN_FOLDER}/install-key",
        "SUPPORTBOT_API_KEYS_FILE": f"{OWN_FOLDER}/api-keys",
        "SUPPORTBOT_BOT_KEY": bot.key,
        "SUPPORTBOT_NATS_URL": config.nats.url,
        "SUPPORTBOT_LANES": str(config.streams.lanes),
        "SUPPORTBOT_HOST": "0.0.0.0",  # noqa: S104 - guarded by API keys and NetworkPolicies
        "SUPPORTBOT_PORT": str(component.port),
        "SUPPORTBOT_METRICS_PORT": str(component.metrics_port),
        "SUPPORTBOT_LOG_LEVEL": config.log_level,
        "SUPPORTBOT_LOG_FORMAT": config.log_format,
    }
    if inputs.credentials.get(component):
        values["SUPPORTBOT_NATS_CREDENTIALS_FILE"] = f"{OWN_FOLDER}/nats.creds"
    if inputs.ca:
        values["SUPPORTBOT_NATS_CA_FILE"] = f"{OWN_FOLDER}/ca.crt"
    values |= _tracing(bot, inputs)
    if component is Component.TICKET and inputs.is_demo(bot):
        values["SUPPORTBOT_ZOHO_ACCOUNTS_URL"] = config.demo.desk_url
        values["SUPPORTBOT_ZOHO_DESK_URL"] = config.demo.desk_url
    pod = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    return [
        {"name": "SUPPORTBOT_INSTANCE", "valueFrom": pod},
        *({"name": name, "value": value} for name, value in values.items()),
    ]


def _tracing(bot: Bot, inputs: Inputs) -> Mapping[str, str]:
    endpoint = inputs.config.otlp.endpoint
    if not endpoint:
        return {}
    attributes = {"k8s.namespace.name": bot.namespace, "supportbot.instance": bot.name}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{name}={value}" for name, value in attributes.items()),
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{bot.spec.tracing.sampling_percent / 100:g}",
    }


def _volumes(bot: Bot, component: Component) -> list[Object]:
    """Files are read-only for their group, which is the container's; the gateway's data is a claim of its own."""
    by_secret: dict[str, set[str]] = {}
    for ref in bot.secret_refs(component):
        by_secret.setdefault(ref.name, set()).add(ref.key)
    sources = [
        {"secret": {"name": name, "items": [{"key": key, "path": f"{name}/{key}"} for key in sorted(keys)]}}
        for name, keys in sorted(by_secret.items())
    ]
    volumes: list[dict[str, Any]] = [
        {"name": "spec", "configMap": {"name": f"{bot.name}-spec", "defaultMode": 0o440}},
        {"name": "own", "secret": {"secretName": bot.child_name(component), "defaultMode": 0o440}},
        {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}
        if sources
        else {"name": "secrets", "emptyDir": {"sizeLimit": "1Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    if component is not Component.WHATSAPP:
        volumes.append({"name": "data", "emptyDir": {"sizeLimit": "64Mi"}})
    return volumes
