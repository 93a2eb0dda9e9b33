"""People correct the bot by reactions, in a running bot: the group, Zoho Desk and the exported labels show it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.benchmarks.conversations import POLICY
from tests.e2e.support import ANA, BRUNO, Desk, Up, await_that, run_command, run_desk, up
from tests.unit.classifier.group import find_grey

from supportbot.classifier.examples import read_examples
from supportbot.evaluation.conversation import Role, Row, make_conversation
from supportbot.evaluation.run import decide
from supportbot.evaluation.tiers import available_tiers, make_judge

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]

DANI = {"phone": "+529985550003", "name": "Dani"}
REFUSAL = "no, era broma"


@pytest.fixture(scope="module")
def grey() -> str:
    """The first text that the bot asks about, and asks about again when it was refused and somebody else says it."""
    judge = make_judge(available_tiers()[0], POLICY)

    def asks(text: str) -> bool:
        rows = [make_row("1", "Ana", text), make_row("2", "Ana", REFUSAL, quoted="1"), make_row("3", "Dani", text)]
        courses = [decide(make_conversation("grey", said), judge, POLICY) for said in (rows[:1], rows)]
        return all(list(course.decisions.values())[-1].asks for course in courses)

    return find_grey(asks)


def make_row(row_id: str, author: str, text: str, quoted: str | None = None) -> Row:
    at = datetime(2026, 3, 2, 9, int(row_id), tzinfo=UTC)
    return Row(id=row_id, at=at, author=author, text=text, quoted=quoted, role=Role.CHATTER)


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


def test_people_correct_the_bot(tmp_path: Path, desk: Desk, grey: str) -> None:
    with up(tmp_path, desk) as bot:
        # A question, refused in words; another one, confirmed by a reaction.
        joke = bot.say(grey)
        await_that(lambda: reactions_of(bot, joke) == ["❓"])
        bot.say(REFUSAL, quoted=joke)
        await_that(lambda: reactions_of(bot, joke) == ["❓", ""])
        again = bot.say(grey, sender=DANI)
        await_that(lambda: reactions_of(bot, again) == ["❓"])
        assert desk.tickets == []
        react(bot, again, "👍🏽", DANI)
        await_that(lambda: reactions_of(bot, again) == ["❓", ""])
        assert [ticket["subject"].startswith(grey) for ticket in desk.tickets] == [True]

        # A second report; staff merges it into the first one, and then says that it is solved.
        report = bot.say("buen día, la tienda 305 no puede facturar el pedido 70001, su apoyo por favor", sender=ANA)
        await_that(lambda: len(desk.tickets) == 2)
        for target in (report, again):
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
