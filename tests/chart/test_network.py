"""Who may talk to whom, computed from the manifests of chart and operator, is exactly the table of docs/network.md."""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.judges import bots_of, judge, run, write
from tests.unit.chart.render import PROFILES, ROOT, Object, pod_templates, profile, render

PAGE = ROOT / "docs" / "network.md"
WITH_POLICIES = tuple(name for name in PROFILES if name != "minimal")
NOWHERE = {"stranger", "any address"}
"""Pods and addresses that have nothing to do with us."""

_LINE = re.compile(r"^(?P<source>\S+) => (?P<target>\S+) : (?P<ports>.*)$")
_PORTS = re.compile(r"\{protocols:(?P<protocols>[A-Z, ]+),dst_ports:(?P<ports>[\d,-]+)\}")


@dataclass(frozen=True, order=True)
class Flow:
    """One pod may open connections to another."""

    source: str
    target: str
    port: str


def surroundings() -> list[Object]:
    """The rest of a cluster: DNS, Prometheus, another NATS, a collector, and pods that nobody told us about."""
    pods = {
        "kube-system": {"kube-dns": {"k8s-app": "kube-dns"}},
        "openshift-dns": {"dns-default": {"dns.operator.openshift.io/daemonset-dns": "default"}},
        "monitoring": {
            "prometheus": {"app.kubernetes.io/name": "prometheus"},
            "stranger": {"app.kubernetes.io/name": "grafana"},
        },
        "messaging": {"other-nats": {"app": "nats"}},
        "observability": {"other-collector": {"app": "collector"}},
        "helpdesk": {"stranger": {"app": "stranger"}},
        "shops": {"stranger": {"app.kubernetes.io/name": "supportbot"}},
        "clinics": {"stranger": {"app": "stranger"}},
        "elsewhere": {"stranger": {"app": "stranger"}},
    }
    found: list[Object] = []
    for namespace, names in pods.items():
        labels = {"kubernetes.io/metadata.name": namespace}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
        for name, own in names.items():
            meta = {"name": name, "namespace": namespace, "labels": own}
            spec = {"containers": [{"name": "a", "image": "a"}]}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    return found


def flows(name: str, folder: Path) -> set[Flow]:
    """What network-config-analyzer computes for a profile with its bots."""
    return flows_of(profile(name), name, folder)


def flows_of(platform: Iterable[Object], name: str, folder: Path) -> set[Flow]:
    """The same for any manifests of the chart, with the bots of a profile."""
    objects = [*surroundings(), *(obj for obj in platform if obj["kind"] != "CustomResourceDefinition")]
    file = write(folder / "all.yaml", [*objects, *_members(objects), *bots_of(name, folder)])
    done = run(judge("nca"), "--connectivity", "-r", file, "--output_format", "txt_no_fw_rules")
    found = set(_parse(done.stdout))
    assert found, done.stderr
    return {flow for flow in found if _tells(flow, found)}


def _members(objects: list[Object]) -> Iterator[Object]:
    """Two pods of each set of several: the tool takes a set for one endpoint, which may always talk to itself."""
    for obj in objects:
        if obj["kind"] == "StatefulSet" and obj["spec"]["replicas"] > 1:
            for number in range(2):
                meta = {**obj["spec"]["template"]["metadata"], "namespace": obj["metadata"]["namespace"]}
                meta["name"] = f"{obj['metadata']['name']}-{number}"
                yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": obj["spec"]["template"]["spec"]}


def _parse(text: str) -> Iterator[Flow]:
    for line in text.splitlines():
        if match := _LINE.match(line):
            source, target = _node(match["source"]), _node(match["target"])
            for port in _ports(match["ports"]):
                yield Flow(source, target, port)


def _ports(text: str) -> Iterator[str]:
    if "All connections" in text:
        yield "all"
        return
    found = list(_PORTS.finditer(text))
    assert found, text
    for match in found:
        for protocol in match["protocols"].split(","):
            for port in match["ports"].split(","):
                yield f"{protocol.strip()} {port}"


def _node(endpoint: str) -> str:
    """The name of a pod, or of an address, in the table."""
    address = {"169.254.20.10": "DNS", "192.0.2.10": "API server"}
    if re.match(r"^[\d.-]+$", endpoint):
        return address.get(endpoint, "any address")
    namespace, _, rest = endpoint.partition("/")
    name = rest.partition("[")[0]
    known = {"kube-dns": "DNS", "dns-default": "DNS", "prometheus": "Prometheus", "stranger": "stranger"}
    if name in known:
        return known[name]
    if namespace in {"messaging", "observability"}:
        return {"other-nats": "external NATS", "other-collector": "external collector"}[name]
    if bot := re.match(r"^(tiendas|consultas|demo)-(whatsapp|classifier|ticket)$", name):
        return f"bot's {bot[2]}"
    assert name.startswith("supportbot-"), endpoint
    return re.sub(r"-([0-9a-f]{8}|\d)$", "", name.removeprefix("supportbot-"))


def _tells(flow: Flow, found: set[Flow]) -> bool:
    """Whether a flow belongs into the table: one of ours takes part, and it is not said already.

    Who may reach any address on a port may reach every pod on it that has no policy of its own.
    """
    ours = not {flow.source, flow.target} <= {*NOWHERE, "DNS", "Prometheus", "external NATS", "external collector"}
    outside = flow.target in {"stranger", "DNS", "Prometheus", "external NATS", "external collector", "API server"}
    return ours and not (outside and Flow(flow.source, "any address", flow.port) in found)


def table() -> list[tuple[Flow, str]]:
    """Every flow of the page, and the profiles that it is for."""
    _, _, text = PAGE.read_text(encoding="utf-8").partition(
        "| from | to | port | profiles |\n| --- | --- | --- | --- |\n"
    )
    found: list[tuple[Flow, str]] = []
    for row in itertools.takewhile(lambda line: line.startswith("| "), text.splitlines()):
        source, target, ports, profiles = (cell.strip() for cell in row.strip("|").split("|"))
        protocol = ""
        for port in ports.split(","):
            *named, number = port.split()
            protocol = named[0] if named else protocol
            found.append((Flow(source, target, f"{protocol} {number}"), profiles))
    return found


def expected(name: str) -> set[Flow]:
    """What the page says about a profile."""
    return {flow for flow, profiles in table() if profiles == "all" or name in profiles.replace(",", " ").split()}


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_POLICIES)
def test_the_table_is_true(name: str, tmp_path: Path) -> None:
    assert sorted(flows(name, tmp_path)) == sorted(expected(name))


@pytest.mark.slow
def test_dns_whose_pods_listen_on_another_port(tmp_path: Path) -> None:
    """With the values of the page whoever needs DNS reaches it there; without them nobody does."""
    (values,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    asking = {flow.source for flow in expected("default") if flow.target == "DNS"}
    other = {Flow(source, "DNS", f"{protocol} 5353") for source in asking for protocol in ("UDP", "TCP")}
    assert other <= flows_of(render(values=yaml.safe_load(values)), "default", tmp_path)
    assert not other & flows("default", tmp_path)


def test_the_table_names_profiles_that_exist() -> None:
    named = {word for _, profiles in table() for word in profiles.replace(",", " ").split()}
    assert named <= {"all", *WITH_POLICIES}


@pytest.mark.parametrize("name", WITH_POLICIES)
def test_the_table_names_every_pod(name: str, tmp_path: Path) -> None:
    """A pod that may do nothing at all would be a mistake too."""
    pods: list[Any] = [where for where, _ in pod_templates(profile(name))]
    ends = {end for flow in expected(name) for end in (flow.source, flow.target)}
    named = {re.sub(r"-[0-9a-f]{8}$", "", where.partition("/supportbot-")[2]) for where in pods}
    assert named <= ends


@pytest.mark.slow
def test_without_policies_everybody_may(tmp_path: Path) -> None:
    """The tool does find something: a stranger reaches NATS when policies are off."""
    assert Flow("stranger", "nats", "all") in flows("minimal", tmp_path)
