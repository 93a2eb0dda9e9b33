"""`up` with a bot that nobody has linked, and the commands around it, as a person at a terminal has them."""

import json
import signal
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.e2e.support import GROUP, SUPPORTBOT, Up, await_that, make_env, run_command, run_desk, up

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Up]:
    with run_desk() as desk, up(tmp_path, desk, terminal=True) as running:
        await_that(lambda: "is ready" in running.said, 60)
        yield running


def whatsapp(bot: Up, method: str, path: str, **body: Any) -> httpx.Response:
    return httpx.request(method, f"{bot.addresses['whatsapp']}{path}", json=body or None).raise_for_status()


def offer_of(bot: Up) -> dict[str, Any] | None:
    offer: dict[str, Any] | None = whatsapp(bot, "GET", "/pairing").json()["offer"]
    return offer


def scan(bot: Up) -> None:
    """The phone takes the code that is offered now."""
    offer = await_that(lambda: offer_of(bot))
    whatsapp(bot, "POST", "/simulator/phone", shown=offer["payload"] or offer["code"])


def test_up_shows_the_code_of_an_unlinked_bot_and_messages_come_once_it_is_linked(bot: Up) -> None:
    whatsapp(bot, "POST", "/simulator/faults", unpaired=True)
    bot.say("buen día, la tienda 909 no puede facturar el pedido 70001, su apoyo por favor")
    await_that(lambda: "scan this code on the bot's phone" in bot.said)
    assert "█ ▄▄▄▄▄ █" in bot.said
    scan(bot)
    await_that(lambda: "linked as +10" in bot.said)
    await_that(lambda: bot.answers)
    assert "linked_devices" not in bot.said
    assert bot.interrupt() == 0


def test_up_shows_no_code_where_no_person_is_at_a_terminal(tmp_path: Path) -> None:
    """What it says goes into the log of whatever started it."""
    with run_desk() as desk, up(tmp_path, desk) as bot:
        whatsapp(bot, "POST", "/simulator/faults", unpaired=True)
        await_that(lambda: "whatsapp is degraded: not linked" in bot.said)
        assert offer_of(bot) is None
        assert bot.interrupt() == 0


def test_unpair_pair_and_groups(bot: Up) -> None:
    url = ("--url", bot.addresses["whatsapp"])
    kept = subprocess.run([SUPPORTBOT, "unpair", *url], input="n\n", capture_output=True, text=True, env=make_env("x"))
    linked = run_command("pair", *url)
    groups = run_command("groups", *url)
    listed = json.loads(run_command("groups", "--json", *url).stdout)

    assert (kept.returncode, "nothing was changed" in kept.stderr) == (2, True)
    assert (linked.returncode, linked.stdout.startswith("already linked as +10")) == (0, True)
    assert yaml.safe_load(groups.stdout)["groups"] == [{"jid": GROUP}]
    assert [(group["jid"], group["configured"]) for group in listed] == [(GROUP, True)]

    unpaired = run_command("unpair", "--yes", *url)
    assert (unpaired.returncode, unpaired.stdout) == (0, "unlinked\n")
    with subprocess.Popen([SUPPORTBOT, "pair", *url], stdout=subprocess.PIPE, text=True, env=make_env("x")) as pairing:
        scan(bot)
        said, _ = pairing.communicate(timeout=30)
    assert (pairing.returncode, "linked as +10" in said) == (0, True)
    assert bot.interrupt() == 0


def test_ctrl_c_takes_a_code_back(tmp_path: Path) -> None:
    """Of a bot behind keys, where `up` shows no code by itself and says why."""
    keys = tmp_path / "keys"
    keys.write_text(f"lead {sha256(b'an-invented-key').hexdigest()}\n")
    key_file = tmp_path / "key"
    key_file.write_text("an-invented-key\n")
    headers = {"authorization": "Bearer an-invented-key"}
    env = {"SUPPORTBOT_API_KEYS_FILE": str(keys)}
    with run_desk() as desk, up(tmp_path, desk, env=env, terminal=True) as bot:
        url = bot.addresses["whatsapp"]
        with httpx.Client(base_url=url, headers=headers) as client:
            client.post("/simulator/faults", json={"unpaired": True}).raise_for_status()
            await_that(lambda: "no pairing code is shown here" in bot.said)
            refused = run_command("pair", "--url", url)
            command = [str(SUPPORTBOT), "pair", "--url", url, "--key-file", str(key_file)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=make_env("x")) as pairing:
                await_that(lambda: client.get("/pairing").json()["offer"])
                pairing.send_signal(signal.SIGINT)
                pairing.communicate(timeout=30)
            after = client.get("/pairing").json()
        page = httpx.get(f"{url}/pairing/page")
        assert bot.interrupt() == 0

    assert (refused.returncode, "give one that may write in SUPPORTBOT_API_KEY" in refused.stderr) == (2, True)
    assert (after["state"], after["offer"]) == ("unpaired", None)
    assert (page.status_code, "sha256-" in page.headers["content-security-policy"]) == (200, True)
