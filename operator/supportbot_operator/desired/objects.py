"""All objects of a bot, in two waves: what pods need, and then the pods."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import yaml

from supportbot.spec import SecretKey
from supportbot_operator.desired.bot import Bot, Component, Inputs
from supportbot_operator.desired.network import network_policies
from supportbot_operator.desired.pods import own_files, pod_template
from supportbot_operator.kube import Object, encode_secret

DATA_CLAIM = "data"
WORKLOADS = frozenset({"Deployment", "StatefulSet"})


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What a bot needs."""

    first: tuple[Object, ...]
    """Applied before the rest."""
    workloads: tuple[Object, ...]
    """Applied when all of `first` is there."""
    held: tuple[Object, ...]
    """Workloads whose secrets are missing or unknown: neither applied nor removed, so that what runs goes on."""
    missing: tuple[SecretKey, ...]
    """Those secrets."""

    def without_workloads(self) -> "Desired":
        """The same with all workloads held."""
        pods = tuple(obj for obj in self.workloads if obj["kind"] in WORKLOADS)
        others = tuple(obj for obj in self.workloads if obj["kind"] not in WORKLOADS)
        return replace(self, workloads=others, held=self.held + pods)

    @property
    def all(self) -> tuple[Object, ...]:
        """Everything that may exist."""
        return self.first + self.workloads + self.held


def desired(bot: Bot, inputs: Inputs) -> Desired:
    """Every object of a bot."""
    missing = {component: inputs.missing(bot, component) for component in Component}
    pods = {component: _workload(bot, component, inputs) for component in Component}
    around = (*(_budget(bot, component) for component in Component), *_pod_monitors(bot, inputs))
    return Desired(
        first=(
            *_accounts(bot),
            _spec_file(bot),
            *_secrets(bot, inputs),
            *network_policies(bot, inputs),
            *_services(bot),
        ),
        workloads=(*(pods[component] for component in Component if inputs.is_complete(bot, component)), *around),
        held=tuple(pods[component] for component in Component if not inputs.is_complete(bot, component)),
        missing=tuple(dict.fromkeys(ref for refs in missing.values() for ref in refs)),
    )


def _accounts(bot: Bot) -> Iterator[Object]:
    for component in Component:
        yield {
            **bot.child("v1", "ServiceAccount", bot.child_name(component), component),
            "automountServiceAccountToken": False,
        }


def _spec_file(bot: Bot) -> Object:
    text = yaml.safe_dump(dict(bot.document), allow_unicode=True, sort_keys=False)
    return {**bot.child("v1", "ConfigMap", f"{bot.name}-spec"), "data": {"spec.yaml": text}}


def _secrets(bot: Bot, inputs: Inputs) -> Iterator[Object]:
    for component in Component:
        files = own_files(bot, component, inputs)
        yield _secret(bot, bot.child_name(component), files, component)
    yield _secret(bot, f"{bot.name}-api-key", {"api-key": inputs.api_key})
    # Emptied when it is over: the operator may not delete Secrets, of which RBAC cannot name those that are a bot's.
    yield _secret(bot, bot.pairing_secret, dict(inputs.pairing), Component.WHATSAPP)


def _secret(bot: Bot, name: str, values: dict[str, str], component: Component | None = None) -> Object:
    return {**bot.child("v1", "Secret", name, component), "type": "Opaque", "data": encode_secret(values)}


def _services(bot: Bot) -> Iterator[Object]:
    for component in Component:
        service = bot.child("v1", "Service", bot.child_name(component), component)
        port = {"name": "http", "port": component.port, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}
        service["spec"] = {"type": "ClusterIP", "selector": bot.selector(component), "ports": [port]}
        yield service


def _workload(bot: Bot, component: Component, inputs: Inputs) -> Object:
    if component is Component.WHATSAPP:
        return _gateway(bot, inputs)
    deployment = bot.child("apps/v1", "Deployment", bot.child_name(component), component)
    deployment["spec"] = {
        "replicas": getattr(bot.spec.components, component.value).replicas,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": bot.selector(component)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pod_template(bot, component, inputs),
    }
    return deployment


def _gateway(bot: Bot, inputs: Inputs) -> Object:
    """Exactly one pod: two on one WhatsApp session would replace each other.

    Its volume outlives the StatefulSet, which somebody may delete by hand, and goes with the bot (`Children`).
    """
    component = Component.WHATSAPP
    storage = bot.spec.whatsapp.storage
    claim: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": inputs.storage or storage.size}},
    }
    if storage.storage_class_name is not None:
        claim["storageClassName"] = storage.storage_class_name
    stateful_set = bot.child("apps/v1", "StatefulSet", bot.child_name(component), component)
    stateful_set["spec"] = {
        "replicas": 1,
        "revisionHistoryLimit": 3,
        "serviceName": bot.child_name(component),
        "selector": {"matchLabels": bot.selector(component)},
        # In order, a pod that never becomes ready would never be replaced by a mended one; there is only one anyway.
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": pod_template(bot, component, inputs),
        "volumeClaimTemplates": [{"metadata": {"name": DATA_CLAIM, "labels": bot.selector(component)}, "spec": claim}],
    }
    return stateful_set


def _budget(bot: Bot, component: Component) -> Object:
    """One pod at a time may be evicted; a single one too, or no node could ever be drained."""
    budget = bot.child("policy/v1", "PodDisruptionBudget", bot.child_name(component), component)
    budget["spec"] = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": bot.selector(component)},
    }
    return budget


def _pod_monitors(bot: Bot, inputs: Inputs) -> Iterator[Object]:
    wanted = inputs.config.pod_monitor
    if not wanted.enabled:
        return
    monitor = bot.child("monitoring.coreos.com/v1", "PodMonitor", bot.name)
    monitor["metadata"]["labels"] |= wanted.labels
    monitor["spec"] = {
        "selector": {"matchLabels": bot.selector()},
        "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": wanted.interval}],
        "podTargetLabels": ["app.kubernetes.io/component", "supportbot.dev/bot"],
    }
    yield monitor
