"""The way to a gateway in a cluster, with a stand-in for kubectl on the PATH that writes down what it was asked."""

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supportbot.cli.whatsapp.client import make_place
from supportbot.cli.whatsapp.kubectl import Cluster, forward
from supportbot.errors import UserError

KEY = "sb_invented"
PROGRAM = """#!{python}
import os, sys, time
folder = {folder!r}
with open(os.path.join(folder, "asked"), "a") as asked:
    print(*sys.argv[1:], file=asked)
if "get" in sys.argv:
    sys.stdout.write({secret!r})
    sys.stderr.write({complaint!r})
    sys.exit(1 if {complaint!r} else 0)
open(os.path.join(folder, "pid"), "w").write(str(os.getpid()))
{forwarding}
"""
FORWARDS = 'print("Forwarding from 127.0.0.1:40123 -> 3001", flush=True)\ntime.sleep(60)'
REFUSES = 'sys.exit("error: unable to forward port because pod is not running. Current status=Pending")'


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def put(
        *, forwarding: str = FORWARDS, secret: str = base64.b64encode(KEY.encode()).decode(), complaint: str = ""
    ) -> Path:
        text = PROGRAM.format(
            python=sys.executable, folder=str(tmp_path), secret=secret, complaint=complaint, forwarding=forwarding
        )
        (tmp_path / "kubectl").write_text(text)
        (tmp_path / "kubectl").chmod(0o700)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path

    return put


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_it_fetches_the_key_forwards_a_port_and_ends_with_its_use(install: Install) -> None:
    folder = install()
    cluster = Cluster(bot="tiendas", namespace="shops", context="prod", kubeconfig=Path("/tmp/kubeconfig"))

    async with forward(cluster) as (url, key):
        pid = int((folder / "pid").read_text())
        assert runs(pid)

    assert (url, key) == ("http://127.0.0.1:40123", KEY)
    assert not runs(pid)
    options = "--kubeconfig /tmp/kubeconfig --context prod --namespace shops"
    assert (folder / "asked").read_text().splitlines() == [
        f"{options} get secret tiendas-api-key --output jsonpath={{.data.api-key}}",
        f"{options} port-forward --address 127.0.0.1 service/tiendas-whatsapp :3001",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"complaint": 'Error from server (NotFound): secrets "tiendas-api-key" not found\n'},
            "kubectl: Error from server",
        ),
        ({"secret": ""}, "has no api-key yet; is the operator running"),
        ({"forwarding": REFUSES}, "pod is not running"),
    ],
)
async def test_what_kubectl_refuses_is_said_in_its_words(install: Install, options: dict[str, str], words: str) -> None:
    install(**options)
    with pytest.raises(UserError, match=words):
        async with forward(Cluster(bot="tiendas")):
            pass


async def test_without_kubectl_there_is_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="kubectl is not on the PATH; install it, or forward the port yourself"):
        async with forward(Cluster(bot="tiendas")):
            pass


NOWHERE: dict[str, Any] = dict.fromkeys(("url", "key_file", "bot", "namespace", "context", "kubeconfig"))


def test_places() -> None:
    in_a_cluster = make_place(**{**NOWHERE, "bot": "tiendas", "namespace": "shops"})

    assert in_a_cluster.cluster == Cluster(bot="tiendas", namespace="shops")
    assert make_place(**{**NOWHERE, "url": "http://127.0.0.1:9"}).cluster is None
    with pytest.raises(UserError, match="want --bot"):
        make_place(**{**NOWHERE, "namespace": "shops"})
    with pytest.raises(UserError, match="either --url, or --bot"):
        make_place(**{**NOWHERE, "url": "http://127.0.0.1:9", "bot": "tiendas"})
