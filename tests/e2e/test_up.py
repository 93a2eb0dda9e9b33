"""`supportbot up bot.yaml`: the bot on a laptop, as a person starts, watches, interrupts and kills it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.support import BOT, Desk, Up, await_that, run_command, run_desk, up

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]

REPORT = "buen día, la tienda 909 no puede facturar el pedido 70001, su apoyo por favor"
SERVICES = ("supportbot.whatsapp", "supportbot.classifier", "supportbot.ticket", "nats-server")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with run_desk() as running:
        yield running


def opened(bot: Up) -> list[str]:
    """The texts of the answers so far."""
    return [entry["text"] for entry in bot.answers if entry["kind"] == "message"]


def test_a_report_becomes_a_ticket_and_one_answer_that_quotes_it(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        assert set(bot.addresses) == {"whatsapp", "classifier", "ticket", "nats"}
        report = bot.say(REPORT)
        bot.say("gracias")
        answer = await_that(lambda: bot.answers)[0]
        (ticket,) = desk.tickets
        assert "70001" in ticket["description"]
        assert answer["quoted"] == report
        assert f"#{ticket['ticketNumber']}" in answer["text"]
        time.sleep(1)  # A second answer would come about now.
        assert len(bot.answers) == 1
        assert bot.interrupt() == 0


def test_the_state_survives_a_restart(tmp_path: Path, desk: Desk) -> None:
    """What is said about an incident after the restart becomes a comment of the ticket from before."""
    with up(tmp_path, desk) as bot:
        report = bot.say(REPORT)
        await_that(lambda: bot.answers)
        assert bot.interrupt() == 0
    with up(tmp_path, desk) as bot:
        bot.say("¿alguna novedad del folio 70002?", quoted=report)
        (comment,) = await_that(lambda: desk.state["comments"])
        assert "70002" in comment["content"]
        assert [ticket["id"] for ticket in desk.tickets] == [comment["ticketId"]]
        assert len(opened(bot)) == 1
        assert bot.interrupt() == 0


def test_a_second_up_on_the_same_data_is_refused(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as first:
        assert first.addresses
        with up(tmp_path, desk) as second:
            assert second.process.wait(20) == 2
            assert f"process {first.process.pid} uses the data folder" in second.said
        assert first.process.poll() is None


def test_what_is_killed_is_started_again_and_said_so(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        assert bot.addresses
        for name in SERVICES:
            before = bot.pid_of(name)
            os.kill(before, signal.SIGKILL)
            short = name.removeprefix("supportbot.").removesuffix("-server")
            await_that(lambda short=short: f"{short}: started again" in bot.said)  # type: ignore[misc]
            assert f"{short}: ended (killed by SIGKILL); starting again" in bot.said
            assert bot.pid_of(name) != before
        await_that(lambda: _takes(bot), 60)
        await_that(lambda: desk.tickets, 60)
        await_that(lambda: opened(bot), 60)
        assert bot.interrupt() == 0


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        assert bot.addresses
        assert sorted(name for name in SERVICES for command in bot.children.values() if name in command) == sorted(
            SERVICES
        )
        started = time.monotonic()
        assert bot.interrupt(15) == 0
        assert time.monotonic() - started < 15
        assert bot.children == {}
        assert bot.said.rstrip().endswith("stopped")


def test_ctrl_c_during_the_start_leaves_nothing_behind(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        await_that(lambda: len(bot.children) >= 2)
        assert bot.interrupt(15) == 0
        assert bot.children == {}


def test_a_killed_up_leaves_no_orphan(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        assert bot.addresses
        assert len(bot.children) == len(SERVICES)
        bot.process.kill()
        bot.process.wait()
        await_that(lambda: not bot.children, 25)
    with up(tmp_path, desk) as again:  # Neither ports nor locks nor the store are held.
        assert again.addresses
        assert again.interrupt() == 0


def test_every_fault_of_a_bot_file_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bot.yaml"
    text = BOT.replace("language: es", "language: xx").replace("@g.us", "@nowhere").replace('"123456789"', '"ours"')
    file.write_text(text.replace("refresh-token", "refesh-token"))
    result = run_command("up", str(file), "--data", str(tmp_path / "data"))
    assert result.returncode == 2
    for path in ("spec.language", "spec.whatsapp.groups[0].jid", "spec.zoho.organizationID", "refresh-token"):
        assert path in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_bot_file_is_one_sentence(tmp_path: Path) -> None:
    result = run_command("up", str(tmp_path / "none.yaml"), "--data", str(tmp_path / "data"))
    assert result.returncode == 2
    assert "none.yaml" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_while_zoho_is_away_the_group_gets_a_folio_and_later_the_number(tmp_path: Path, desk: Desk) -> None:
    """In order, and each ticket once."""
    with up(tmp_path, desk) as bot:
        assert bot.addresses
        desk.go_away()
        first = bot.say(REPORT)
        second = bot.say(
            "hola, en la tienda 118 no abre el sistema de ventas, factura 70009, nos ayudan?",
            sender={"phone": "+529985550003", "name": "Carla"},
        )
        folio = await_that(lambda: opened(bot), 30)[0]
        assert bot.answers[0]["quoted"] == first
        assert desk.tickets == []
        desk.come_back()
        await_that(lambda: len(desk.tickets) == 2, 60)
        await_that(lambda: len({entry["quoted"] for entry in bot.answers}) == 2, 30)
        numbers = [ticket["ticketNumber"] for ticket in desk.tickets]
        assert ["70001" in desk.tickets[0]["description"], "70009" in desk.tickets[1]["description"]] == [True, True]
        about_first = [entry["text"] for entry in bot.answers if entry["quoted"] == first]
        assert len(about_first) == 2
        assert about_first[0] == folio
        assert f"#{numbers[0]}" in about_first[1]
        (word,) = {word.strip("*:") for word in folio.split() if word.startswith("*")}
        assert word in about_first[1]
        assert f"#{numbers[1]}" in [entry["text"] for entry in bot.answers if entry["quoted"] == second][-1]
        assert bot.interrupt() == 0


def _takes(bot: Up) -> bool:
    """Post the report, with an id that makes a repeat harmless."""

    try:
        bot.say(REPORT, id="REPORT")
    except (httpx.TransportError, httpx.HTTPStatusError):
        return False
    return True
