"""Bots for the operator's tests, and what their services would report."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.cluster.api.kube import Object

ZOHO_VALUES = {"client-id": "1000.invented", "client-secret": "invented", "refresh-token": "1000.invented"}

CHILDREN = {
    "ServiceAccount": 3,
    "ConfigMap": 1,
    "Secret": 5,
    "Service": 3,
    "NetworkPolicy": 4,
    "PodDisruptionBudget": 3,
    "StatefulSet": 1,
    "Deployment": 2,
}
"""How many objects of each kind a bot has."""


def make_bot(namespace: str, name: str = "tiendas", **spec: Any) -> Object:
    base: dict[str, Any] = {
        "whatsapp": {"gateway": "Simulator", "groups": [{"jid": "120363000000000001@g.us"}]},
        "zoho": {"organizationID": "1", "departmentID": "2", "credentialsSecretRef": {"name": "zoho"}},
    }
    return {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**base, **spec},
    }


def make_secret(namespace: str, values: Mapping[str, str] = ZOHO_VALUES, name: str = "zoho") -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def make_claim(namespace: str, bot: str = "tiendas") -> Object:
    """The gateway's claim, which the StatefulSet's controller would make."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": f"data-{bot}-whatsapp-0", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def condition(bot: Object, type_: str) -> Object:
    """A condition of a bot; empty when it has none."""
    found: list[Object] = [one for one in bot.get("status", {}).get("conditions", []) if one["type"] == type_]
    return found[0] if found else {}


def reason(bot: Object, type_: str = "Ready") -> str:
    return str(condition(bot, type_).get("reason", ""))


def is_ready(bot: Object) -> bool:
    """Ready for the present generation, as `kubectl wait` and `helm --wait` see it."""
    ready = condition(bot, "Ready")
    generation = bot.get("metadata", {}).get("generation")
    return ready.get("status") == "True" and ready["observedGeneration"] == generation


def report(service: str, *, private: Mapping[str, str] | None = None, **checks: tuple[str, str]) -> bytes:
    """What a service writes into the bucket of states: check → (state, reason), and what is for the operator alone."""
    common = {"process": ("ok", ""), "bus": ("ok", "")}
    own = {"whatsapp": {"whatsapp": ("ok", "Linked")}, "classifier": {"models": ("ok", "LocalOnly")}}
    found = {**common, **own.get(service, {"zoho": ("ok", "Connected")}), **checks}
    return json.dumps(
        {
            "service": service,
            "instance": f"{service}-0",
            "at": datetime.now(UTC).isoformat(),
            "checks": {
                name: {"state": state, "reason": reason, "message": f"{name} is {state}"}
                for name, (state, reason) in found.items()
            },
            "private": dict(private or {}),
        }
    ).encode()
