"""A question of the bot is settled by a clear word of the author or of staff, and by nothing else."""

from dataclasses import dataclass

import pytest
from tests.unit.classifier.group import Group, find_grey, tell

from supportbot.classifier.answers import Answer, read_answer, says_yes_and_more
from supportbot.classifier.assembly import Assembly, Settlement
from supportbot.classifier.signs import NO, YES, base_of
from supportbot.contracts import Kind

GREY = find_grey()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sí", Answer.YES),
        ("Siii por favor 🙏", Answer.YES),
        ("si es un reporte", Answer.YES),
        ("es un problema, sí", Answer.YES),
        ("abran ticket porfa", Answer.YES),
        ("yes please", Answer.YES),
        ("sim, é um chamado", Answer.YES),
        ("👍🏽", Answer.YES),
        ("no", Answer.NO),
        ("no, era broma", Answer.NO),
        ("no es un incidente, gracias", Answer.NO),
        ("me equivoqué de grupo, perdón", Answer.NO),
        ("nope, just kidding", Answer.NO),
        ("não, era brincadeira kkkk", Answer.NO),
        ("❌", Answer.NO),
        ("no, ya quedó", Answer.OVER),
        ("ya quedó gracias", Answer.OVER),
        ("sí, ya quedó", Answer.OVER),
        ("never mind", Answer.OVER),
        ("já resolveu, obrigado", Answer.OVER),
    ],
)
def test_an_answer(text: str, answer: Answer) -> None:
    assert read_answer(text) is answer


@pytest.mark.parametrize(
    "text",
    [
        *("", "?", "sí?", "ok", "gracias", "🙏", "👍❌", "no sí", "ya"),
        *("si no jala les aviso", "no imprime la 909", "no, no imprime", "sí, la 909 no imprime", "siempre falla"),
        # A "no" without a comma denies what follows.
        *("no quedó", "no quedó listo", "no era broma", "no resuelto", "ya no funciona", "no funciona"),
        *("es la 909", "es el pedido 7781", "correcto el folio no aparece"),
    ],
)
def test_no_answer(text: str) -> None:
    assert read_answer(text) is None


@pytest.mark.parametrize(("text", "more"), [("sí, la 909", True), ("si la 909 no abre", False), ("sí", False)])
def test_a_yes_that_goes_on(text: str, more: bool) -> None:
    assert says_yes_and_more(text) is more


@pytest.mark.parametrize("emoji", ["👍", "👍🏻", "👍🏿", "✔️", "☑️", "☑︎", "🙆🏽‍♀️"])
def test_a_yes_in_every_form(emoji: str) -> None:
    assert base_of(emoji) in YES


@pytest.mark.parametrize("emoji", ["👎🏼", "❌", "✖️", "🙅‍♂️", "🙅🏾‍♀️"])
def test_a_no_in_every_form(emoji: str) -> None:
    assert base_of(emoji) in NO


@pytest.mark.parametrize("emoji", ["", "\ufe0f", "❤️", "😂", "🏴‍☠️", "👀", "1️⃣"])
def test_other_emoji_mean_nothing(emoji: str) -> None:
    assert base_of(emoji) not in YES | NO


@dataclass(frozen=True)
class Case:
    name: str
    who: str
    text: str
    quotes: bool = False
    after_s: float = 20
    story: tuple[str, ...] = ("incident", "chatter")


SETTLED = (
    Case("its author, right after", "Ana", "sí", story=("!incident A", "chatter")),
    Case("its author, quoting", "Ana", "si es un reporte", quotes=True, story=("!incident A", "chatter")),
    Case("staff", "Berta", "sí", story=("!incident A", "staff")),
    Case("yes and more, quoting", "Ana", "sí, es la 909", quotes=True, story=("!incident A", "follow_up A")),
    Case("staff says no", "Berta", "no es un reporte", quotes=True, story=("chatter", "staff")),
    Case("no", "Ana", "no, era broma", story=("chatter", "chatter")),
    Case("over", "Ana", "no, ya quedó", story=("chatter", "chatter")),
)


@pytest.mark.parametrize("case", SETTLED, ids=lambda case: case.name)
def test_an_answer_settles_the_question(case: Case) -> None:
    group = ask()
    assembly = group.say(case.after_s, case.who, case.text, quotes=0 if case.quotes else None)
    assert assembly.settlement is not None
    assert (assembly.settlement.target_ref, tuple(group.story)) == (group.messages[0].message_ref, case.story)
    assert not group.memory.pending


UNSETTLED = (
    Case("somebody else", "Dani", "sí"),
    Case("somebody else who quotes", "Dani", "no, era broma", quotes=True),
    Case("an hour later without a quote", "Ana", "sí", after_s=3700),
    Case("yes and more without a quote", "Ana", "sí, gracias a todos"),
    Case("to a colleague", "Ana", "@Dani sí"),
    Case("with a photo", "Ana", "[photo]sí"),
)


@pytest.mark.parametrize("case", UNSETTLED, ids=lambda case: case.name)
def test_nothing_else_settles_it(case: Case) -> None:
    group = ask()
    assembly = group.say(case.after_s, case.who, case.text, quotes=0 if case.quotes else None)
    assert assembly.settlement is None


def test_the_answer_of_somebody_else_in_between_makes_a_yes_mean_something_else() -> None:
    group = ask()
    group.say(10, "Dani", "¿vienes a comer?")
    assert group.say(10, "Ana", "sí").settlement is None


def test_a_confirmed_report_is_published_as_the_message_that_was_asked_about() -> None:
    group = ask()
    (opened,) = group.say(10, "Ana", "sí, por favor", quotes=0).late
    question, answer = (one.message_ref for one in group.messages)
    assert opened.message == group.messages[0]
    assert opened.decision.reasons == ("its author says that it is a report",)
    assert (opened.decision.opens, opened.decision.opened_on) == (True, answer)
    assert opened.event_id == f"{question}:cl"


def test_who_refuses_because_it_is_over_has_not_said_that_it_was_none() -> None:
    over, refused = ask(), ask()
    assert settlement(over.say(9, "Ana", "ya quedó")) == Settlement(over.messages[0].message_ref, False, over=True)
    assert settlement(refused.say(9, "Ana", "no")) == Settlement(refused.messages[0].message_ref, False)
    assert refused.final[refused.messages[0].message_ref].kind is Kind.CHATTER


def test_a_question_is_settled_once() -> None:
    group = ask()
    group.say(9, "Ana", "sí", quotes=0)
    assert group.say(9, "Ana", "no, era broma", quotes=0).settlement is None


def ask() -> Group:
    group = tell((0, "Ana", GREY))
    assert group.assemblies[0].decision.asks
    return group


def settlement(assembly: Assembly) -> Settlement | None:
    return assembly.settlement
