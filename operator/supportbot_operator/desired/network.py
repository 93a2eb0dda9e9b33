"""Who may talk to a bot's pods and whom they may reach: everything else is refused."""

from collections.abc import Iterator, Sequence

from supportbot.spec import Gateway
from supportbot_operator.config import port_of
from supportbot_operator.desired.bot import Bot, Component, Inputs
from supportbot_operator.kube import Object

_KIND = ("networking.k8s.io/v1", "NetworkPolicy")
HTTPS = 443


def network_policies(bot: Bot, inputs: Inputs) -> Iterator[Object]:
    """A refusal of everything, and for each service what it needs."""
    if not inputs.config.network_policy.enabled:
        return
    refusal = bot.child(*_KIND, f"{bot.name}-default-deny")
    refusal["spec"] = {"podSelector": {"matchLabels": bot.selector()}, "policyTypes": ["Ingress", "Egress"]}
    yield refusal
    for component in Component:
        policy = bot.child(*_KIND, bot.child_name(component), component)
        policy["spec"] = {
            "podSelector": {"matchLabels": bot.selector(component)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": list(_ingress(bot, component, inputs)),
            "egress": list(_egress(bot, component, inputs)),
        }
        yield policy


def _ingress(bot: Bot, component: Component, inputs: Inputs) -> Iterator[Object]:
    policy = inputs.config.network_policy
    if policy.metrics_peers:
        yield {"from": list(policy.metrics_peers), "ports": _tcp(component.metrics_port)}
    callers = list(policy.api_peers)
    if component is Component.WHATSAPP and inputs.is_demo(bot):
        callers += inputs.config.demo.peers
    if callers:
        yield {"from": callers, "ports": _tcp(component.port)}


def _egress(bot: Bot, component: Component, inputs: Inputs) -> Iterator[Object]:
    config = inputs.config
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    yield _to(config.network_policy.dns_peers, dns)
    yield _to(config.nats.peers, _tcp(*config.nats.ports))
    if config.otlp.endpoint:
        yield _to(config.otlp.peers, _tcp(config.otlp.port))
    if component is Component.TICKET and inputs.is_demo(bot):
        yield _to(config.demo.peers, _tcp(port_of(config.demo.desk_url)))
    elif ports := _outside(bot, component):
        # NetworkPolicies know addresses, not names, and the vendors' addresses change.
        yield {"ports": _tcp(*ports)}


def _outside(bot: Bot, component: Component) -> Sequence[int]:
    """The ports of what a service calls on the internet."""
    if component is Component.WHATSAPP:
        return [HTTPS] if bot.spec.whatsapp.gateway is Gateway.NEONIZE else []
    if component is Component.TICKET:
        return [HTTPS] if bot.spec.zoho is not None else []
    return sorted({port_of(model.base_url) if model.base_url else HTTPS for model in bot.spec.models.chain})


def _to(peers: Sequence[Object], ports: list[Object]) -> Object:
    return {"to": list(peers), "ports": ports} if peers else {"ports": ports}


def _tcp(*ports: int) -> list[Object]:
    return [{"protocol": "TCP", "port": port} for port in ports]
