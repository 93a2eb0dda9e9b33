"""What the objects of a bot are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from supportbot.settings import PORTS
from supportbot.spec import SecretKey, Spec, parse_bot, secret_refs
from supportbot_operator.config import OperatorConfig
from supportbot_operator.keys import bot_key
from supportbot_operator.kube import API_VERSION, Object
from supportbot_operator.store import BOT_LABEL, MANAGED_BY

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"


class Component(StrEnum):
    """The services of a bot."""

    WHATSAPP = "whatsapp"
    CLASSIFIER = "classifier"
    TICKET = "ticket"

    @property
    def port(self) -> int:
        """Of its HTTP endpoints."""
        return PORTS[self.value][0]

    @property
    def metrics_port(self) -> int:
        """Of probes and metrics."""
        return PORTS[self.value][1]


@dataclass(frozen=True, kw_only=True)
class Bot:
    """A SupportBot whose spec has been read."""

    namespace: str
    name: str
    uid: str
    generation: int
    created_at: int
    """Seconds since 1970; the time at which its credentials count as issued."""
    spec: Spec
    document: Mapping[str, Any]
    """What the services get as their spec file."""

    @property
    def key(self) -> str:
        """Its name in streams and subjects."""
        return bot_key(self.namespace, self.name)

    def child_name(self, component: Component) -> str:
        """Of the objects of one service."""
        return f"{self.name}-{component}"

    @property
    def pairing_secret(self) -> str:
        """The Secret with what links the device, while something is offered."""
        return f"{self.name}-pairing"

    def labels(self, component: Component | None = None) -> dict[str, str]:
        """Of every child."""
        labels = {
            "app.kubernetes.io/name": "supportbot",
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/part-of": "supportbot",
            MANAGED_BY_LABEL: MANAGED_BY,
            BOT_LABEL: self.name,
        }
        return labels | ({"app.kubernetes.io/component": component.value} if component else {})

    def selector(self, component: Component | None = None) -> dict[str, str]:
        """By which pods are found; it can never change."""
        names = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", BOT_LABEL}
        return {name: value for name, value in self.labels(component).items() if name in names}

    def child(self, api_version: str, kind: str, name: str, component: Component | None = None) -> Object:
        """The head of a child: kind, name, labels and owner."""
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": self.labels(component),
                "ownerReferences": [self.owner_reference()],
            },
        }

    def owner_reference(self) -> Object:
        """By which an object goes with the bot."""
        return {
            "apiVersion": API_VERSION,
            "kind": "SupportBot",
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }

    def secret_refs(self, component: Component) -> tuple[SecretKey, ...]:
        """The secret values that one service needs."""
        part = {Component.CLASSIFIER: "spec.models", Component.TICKET: "spec.zoho"}.get(component)
        return tuple(ref for ref in secret_refs(self.spec) if part and ref.path.startswith(part))


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything else that the objects follow from."""

    config: OperatorConfig
    secrets: Mapping[str, Mapping[str, bytes]]
    """The Secrets that the spec refers to and that exist: name → key → value."""
    unread: frozenset[str] = frozenset()
    """Those of which nobody knows whether they exist: the API server does not say."""
    install_key: str = field(repr=False)
    """32 bytes in hex."""
    api_key: str = field(repr=False)
    """The bearer token of the bot's endpoints."""
    credentials: Mapping[Component, str] = field(repr=False)
    """The text of each service's NATS credentials; empty where the broker wants none."""
    ca: str = ""
    """The certificate by which the broker is known, PEM; empty where the system's do."""
    storage: str = ""
    """The size that the gateway's volume was first asked for: a volume claim template can never change."""

    pairing: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the gateway offers to link the device by; empty mostly."""

    def missing(self, bot: Bot, component: Component) -> tuple[SecretKey, ...]:
        """What a service needs and nobody has made yet."""
        return tuple(
            ref
            for ref in bot.secret_refs(component)
            if ref.name not in self.unread and not self.secrets.get(ref.name, {}).get(ref.key, b"").strip()
        )

    def is_complete(self, bot: Bot, component: Component) -> bool:
        """Whether everything that a service needs is known."""
        is_unread = any(ref.name in self.unread for ref in bot.secret_refs(component))
        return not is_unread and not self.missing(bot, component)

    def is_demo(self, bot: Bot) -> bool:
        """Whether it is the bot that speaks to the emulated Zoho Desk."""
        return self.config.demo.bot == f"{bot.namespace}/{bot.name}"


def read_bot(resource: Object) -> Bot:
    """A SupportBot as the API server has it. Raises SpecError."""
    meta = resource["metadata"]
    document = {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": resource["spec"],
    }
    parsed = parse_bot(document, source=f"{meta['namespace']}/{meta['name']}")
    return Bot(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=meta["generation"],
        created_at=int(datetime.fromisoformat(meta["creationTimestamp"]).timestamp()),
        spec=parsed.spec,
        document=document,
    )
