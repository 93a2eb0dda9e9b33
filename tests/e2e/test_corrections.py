"""People correct the bot by reactions, in a running bot: the group, Zoho Desk and the exported labels show it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.support import ANA, BRUNO, Desk, Up, await_that, run_command, run_desk, up

from supportbot.classifier.examples import read_examples

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]

DANI = {"phone": "+529985550003", "name": "Dani"}
GREY = "ticket sin iva"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with run_desk() as running:
        yield running


def react(bot: Up, target: str, emoji: str, sender: dict[str, str] = BRUNO) -> None:
    bot.post("reactions", target=target, emoji=emoji, sender=sender)


def reactions_of(bot: Up, target: str) -> list[str]:
    """The bot's own, oldest first; an empty one takes back."""
    return [entry["emoji"] for entry in bot.answers if entry["kind"] == "reaction" and entry["target"] == target]


def comments_of(desk: Desk, ticket: int) -> list[str]:
    """The headings of a ticket's comments."""
    state = desk.state
    owner = state["tickets"][ticket]["id"]
    return [one["content"].splitlines()[0] for one in state["comments"] if one["ticketId"] == owner]


def test_people_correct_the_bot(tmp_path: Path, desk: Desk) -> None:
    with up(tmp_path, desk) as bot:
        # A question, refused in words; another one, confirmed by a reaction.
        joke = bot.say(GREY)
        await_that(lambda: reactions_of(bot, joke) == ["❓"])
        bot.say("no, era broma", quoted=joke)
        await_that(lambda: reactions_of(bot, joke) == ["❓", ""])
        grey = bot.say(GREY, sender=DANI)
        await_that(lambda: reactions_of(bot, grey) == ["❓"])
        assert desk.tickets == []
        react(bot, grey, "👍🏽", DANI)
        await_that(lambda: reactions_of(bot, grey) == ["❓", ""])
        assert [ticket["subject"].startswith(GREY) for ticket in desk.tickets] == [True]

        # A second report; staff merges it into the first one, and then says that it is solved.
        report = bot.say("buen día, la tienda 305 no puede facturar el pedido 70001, su apoyo por favor", sender=ANA)
        await_that(lambda: len(desk.tickets) == 2)
        for target in (report, grey):
            react(bot, target, "🔁")
        await_that(lambda: comments_of(desk, 0) and comments_of(desk, 1))
        first, second = (ticket["ticketNumber"] for ticket in desk.tickets)
        assert comments_of(desk, 0) == [
            f"En el grupo indican que este otro incidente es parte de este: Ticket #{second}"
        ]
        assert comments_of(desk, 1) == [
            f"En el grupo indican que este incidente es parte de otro, y siguen en él: Ticket #{first}"
        ]
        react(bot, report, "✅")
        await_that(lambda: reactions_of(bot, report) == ["✅"])
        react(bot, report, "")
        await_that(lambda: reactions_of(bot, report) == ["✅", ""])
        assert comments_of(desk, 0)[1:] == [
            "El grupo lo da por resuelto",
            "En el grupo retiran lo dicho: esto aún no está resuelto",
        ]

        # It is one of its own after all: its old ticket goes on.
        react(bot, report, "🆕")
        await_that(lambda: len(comments_of(desk, 0)) == 4)
        assert len(desk.tickets) == 2
        assert {ticket["status"] for ticket in desk.tickets} == {"Open"}

        file = tmp_path / "labels.jsonl"
        result = run_command("labels", "tiendas", "--url", bot.addresses["nats"], "-o", str(file))
        assert "3 labels of tiendas, 1 of them certain" in result.stderr
        said = [(one.kind.value, one.source, one.trains) for one in read_examples(file.read_text())]
        assert said == [("chatter", "reporter", False), ("incident", "reporter", False), ("incident", "staff", True)]
        assert bot.interrupt() == 0
