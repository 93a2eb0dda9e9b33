"""What the platform decides for all bots: the file that the chart renders and `--config` names.

The resource holds what a support team owns; images, addresses and sizes stay here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError
from pydantic_core import InitErrorDetails

from supportbot.spec.faults import Fault, SpecError, line_error, path_text
from supportbot.spec.part import Part, Rule

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
Peers = tuple[dict[str, Any], ...]
"""NetworkPolicyPeers as Kubernetes has them; what they hold is checked by the API server."""

BOT_PATTERN = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z]([-a-z0-9]*[a-z0-9])?)?$"


class Image(Part):
    """The image of the bots' services."""

    reference: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^\S+$")]
    """Repository with tag or digest, such as registry.example/supportbot:0.1.0."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When kubelet pulls it."""
    pull_secrets: tuple[Name, ...] = ()
    """Names of the pull secrets; they must be in each bot's namespace."""


class NATS(Part):
    """The broker that all bots share."""

    url: Annotated[str, Field(pattern=r"^(nats|tls)://[^\s/@]+:\d+(,(nats|tls)://[^\s/@]+:\d+)*$")]
    """Where it listens, such as tls://supportbot-nats.supportbot.svc:4222; several are separated by commas."""
    auth_secret: Name | None = None
    """A Secret beside the operator. Of the own NATS: filled by the operator. Of an external one: account-seed (with
    account-id when that is a signing key), or creds that all share; and ca.crt."""
    managed: bool = True
    """Whether it is the chart's own, whose keys and certificate the operator makes."""
    server_names: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    """The names in the certificate of the own NATS."""
    tls_secret: Name | None = None
    """A Secret beside the operator with the own NATS' certificate (tls.crt, tls.key, ca.crt), when somebody else makes
    it; absent, the operator does."""
    check_secret: Name | None = None
    """The Secret that gets the credentials of `helm test`."""
    peers: Peers = ()
    """Whom bots may reach on its port; empty means any address."""

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port of the URL, each once."""
        return tuple(sorted({urlsplit(url).port or 4222 for url in self.url.split(",")}))

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted from the start of the handshake on."""
        return self.url.startswith("tls://")


class Streams(Part):
    """The streams of each bot; NATS reserves their bytes when they are created."""

    lanes: Annotated[int, Field(ge=1, le=64)] = 4
    """Conversations that a service handles side by side; cannot change while there are bots."""
    replicas: Literal[1, 3, 5] = 1
    """Copies of each stream."""
    bytes: Annotated[int, Field(ge=4 * 1024**2)] = 256 * 1024**2
    """Of the inbox, of the tickets and of the trail; replies and dead letters get a quarter."""
    media_bytes: Annotated[int, Field(ge=16 * 1024**2)] = 2 * 1024**3
    """Of attachments."""


class OTLP(Part):
    """Where traces go."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Base URL of an OTLP/HTTP receiver; empty switches tracing off."""
    peers: Peers = ()
    """Whom bots may reach on its port; empty means any address."""

    @property
    def port(self) -> int:
        """The port of the endpoint."""
        return port_of(self.endpoint)


class NetworkPolicies(Part):
    """Who may talk to the bots' pods, and whom they may reach."""

    enabled: bool = True
    """Whether the operator makes NetworkPolicies."""
    dns_peers: Peers = ()
    """Where DNS is; empty means any address on port 53."""
    metrics_peers: Peers = ()
    """Who may scrape; empty means nobody but kubelet."""
    api_peers: Peers = ()
    """Who may call the services' HTTP endpoints; empty means nobody."""


class PodMonitors(Part):
    """Scraping by the Prometheus operator."""

    enabled: bool = False
    """Whether the operator makes a PodMonitor for each bot, where the kind exists."""
    interval: Annotated[str, Field(pattern=r"^\d+(ms|s|m)$")] = "30s"
    """How often."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which Prometheus finds them."""


class Pods(Part):
    """Where bots' pods run, as in a Pod's spec."""

    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Taints that do not matter."""
    affinity: dict[str, Any] = Field(default_factory=dict)
    """Near or far from what."""
    priority_class_name: str = ""
    """The priority class."""


class Orphans(Part):
    """Streams of bots that are gone without the operator having seen their deletion."""

    keep_hours: Annotated[int, Field(ge=0, le=8760)] = 24
    """How long they are kept before they are deleted, with the messages in them."""


class Resources(Part):
    """Requests and limits of a service whose bot does not set its own."""

    whatsapp: dict[str, Any] = Field(default_factory=dict)
    """Of the gateway."""
    classifier: dict[str, Any] = Field(default_factory=dict)
    """Of the classifier."""
    ticket: dict[str, Any] = Field(default_factory=dict)
    """Of the ticket service."""


class Demo(Part):
    """The one bot that speaks to the emulated Zoho Desk."""

    bot: Annotated[str, Field(pattern=BOT_PATTERN)] = ""
    """Its namespace and name, such as supportbot/demo; empty means none."""
    desk_url: Annotated[str, Field(pattern=r"^(http://\S+)?$")] = ""
    """Base URL of the emulator."""
    peers: Peers = ()
    """The emulator's pods, which also play the people of the group."""


def _demo_is_whole(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    demo = part.get("demo")
    if isinstance(demo, Mapping) and demo.get("bot") and not demo.get("deskURL"):
        yield line_error("is required with demo.bot", "demo", "deskURL")


def _auth_is_possible(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    nats = part.get("nats")
    if isinstance(nats, Mapping) and nats.get("managed", True) and not nats.get("authSecret"):
        yield line_error("is required for the own NATS: the Secret that the operator fills", "nats", "authSecret")


class OperatorConfig(Part):
    """The whole file."""

    RULES: ClassVar[tuple[Rule, ...]] = (_demo_is_whole, _auth_is_possible)

    release: Name
    """The Helm release; the value of `app.kubernetes.io/instance` on the platform's own pods."""
    watch_namespaces: tuple[Name, ...] = ()
    """Where bots may be; empty means everywhere."""
    image: Image
    """The image of the bots' services."""
    keys_secret: Name
    """The Secret beside the operator that holds the installation's master key; filled by the operator."""
    lease_name: Name = "supportbot-operator"
    """The Lease that says which replica works."""
    deployment: Name | None = None
    """The operator's own Deployment, with which the Lease goes."""
    nats: NATS
    """The broker."""
    streams: Streams = Field(default_factory=Streams)
    """The streams of each bot."""
    otlp: OTLP = Field(default_factory=OTLP)
    """Where traces go."""
    network_policy: NetworkPolicies = Field(default_factory=NetworkPolicies)
    """Who may talk to whom."""
    pod_monitor: PodMonitors = Field(default_factory=PodMonitors)
    """Scraping."""
    resources: Resources = Field(default_factory=Resources)
    """Requests and limits of services whose bot does not set its own."""
    pods: Pods = Field(default_factory=Pods)
    """Where bots' pods run."""
    orphans: Orphans = Field(default_factory=Orphans)
    """Streams of bots that are gone."""
    demo: Demo = Field(default_factory=Demo)
    """The bot of the demo profile."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of the operator and of the services."""
    log_format: Literal["auto", "json", "console"] = "json"
    """Of the operator and of the services."""


def load_config(path: Path) -> OperatorConfig:
    """The configuration in a YAML file.

    Raises:
        SpecError: The file cannot be read, or something in it is wrong; it lists everything.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise SpecError([Fault("", f"it cannot be read: {exc}")], source=str(path)) from exc
    try:
        return OperatorConfig.model_validate(document)
    except ValidationError as error:
        faults = [Fault(path_text(e["loc"]), e["msg"]) for e in error.errors(include_url=False)]
        raise SpecError(faults, source=str(path)) from error


def port_of(url: str) -> int:
    """The port of a URL, or its scheme's."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
