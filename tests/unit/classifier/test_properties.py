"""What holds for any conversation."""

import time
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.classifier.group import START, Group

from supportbot.classifier.incidents import assemble
from supportbot.classifier.memory import MAX_PENDING, MAX_RECENT, Memory, dump_memory, load_memory
from supportbot.classifier.verdict import Signals, Verdict
from supportbot.contracts import Kind

TEXTS = (
    "[photo]",
    "[sticker]",
    "[voice]",
    "[photo] este código no pasa en la 220",
    "buen día",
    "la 909 no puede recepcionar, su apoyo",
    "la 305 no imprime",
    "me apoyan con el pedido 7781",
    "410",
    "mismo caso en la 305",
    "¿alguna novedad?",
    "@Berta",
    "¿qué tienda es?",
    "ya quedó",
    "ya lo reviso",
    "gracias 🙏",
    "ok",
    "a las 18:00 habrá mantenimiento, no facturen",
    "sin problema",
    "",
    "xyzzy 🤷",
)
THANKS = ("gracias 🙏", "ok", "muchas gracias", "excelente día", "[sticker]", "👍")

lines = st.tuples(
    st.sampled_from((0, 1, 20, 200, 2_000, 90_000)),
    st.sampled_from(("Ana", "Caro", "Dani", "Berta", "Bruno")),
    st.sampled_from(TEXTS),
)
conversations = st.lists(lines, max_size=40)


def play(conversation: list[tuple[int, str, str]], start: datetime = START) -> Group:
    group = Group(now=start)
    for line in conversation:
        group.say(*line)
    return group


@given(conversations)
@settings(max_examples=150, deadline=None)
def test_every_message_has_a_decision_and_every_incident_one_opening(conversation: list[tuple[int, str, str]]) -> None:
    group = play(conversation)
    assert set(group.final) == {message.message_ref for message in group.messages}
    opened = [one.incident_id for one in group.final.values() if one.opens]
    assert len(opened) == len(set(opened))
    assert {one.incident_id for one in group.final.values() if one.incident_id} == set(opened)


@given(conversations)
@settings(max_examples=80, deadline=None)
def test_an_assembly_names_its_incident_in_full(conversation: list[tuple[int, str, str]]) -> None:
    for assembly in play(conversation).assemblies:
        state = assembly.incident
        assert (state is None) == (assembly.decision.incident_id is None)
        assert state is None or state.incident_id == assembly.decision.incident_id


@given(conversations, st.timedeltas(min_value=timedelta(days=-900), max_value=timedelta(days=900)))
@settings(max_examples=80, deadline=None)
def test_only_the_time_of_the_conversation_counts(conversation: list[tuple[int, str, str]], shift: timedelta) -> None:
    assert play(conversation).story == play(conversation, START + shift).story


@given(conversations)
@settings(max_examples=80, deadline=None)
def test_storing_the_memory_between_messages_changes_nothing(conversation: list[tuple[int, str, str]]) -> None:
    group = Group()
    for line in conversation:
        group.say(*line)
        group.memory = load_memory(dump_memory(group.memory))
    straight = play(conversation)
    assert (group.story, group.memory) == (straight.story, straight.memory)


@given(conversations, st.sampled_from(THANKS))
@settings(max_examples=120, deadline=None)
def test_thanks_open_nothing_and_reopen_nothing(conversation: list[tuple[int, str, str]], thanks: str) -> None:
    group = play(conversation)
    resolved = {one.incident_id for one in group.memory.incidents if one.state.resolved}
    assembly = group.say(30, "Caro", thanks)
    assert (assembly.decision.kind, assembly.decision.opens) == (Kind.CHATTER, False)
    assert resolved <= {one.incident_id for one in group.memory.incidents if one.state.resolved}


@given(conversations)
@settings(max_examples=60, deadline=None)
def test_messages_out_of_order_in_time_are_no_error(conversation: list[tuple[int, str, str]]) -> None:
    group = Group()
    for after_s, name, text in conversation:
        group.say(-after_s, name, text)
    assert len(group.final) == len(group.messages)


def long_conversation(count: int) -> Group:
    group = Group()
    texts = (
        "buen día, la {site} no puede recepcionar el pedido {order}, el proveedor espera y marca error en pantalla",
        "[photo]",
        "[photo]",
        "ya lo reviso, un momento por favor, ¿qué número de orden es la que no aparece?",
        "es la {order}",
        "sigue igual, no deja, " + "y otra vez lo mismo " * 8,
        "ya quedó, intenten de nuevo",
        "gracias",
    )
    for number in range(count):
        name = f"Person {number // 8 % 140}" if number % 8 not in {3, 6} else "Berta"
        text = texts[number % 8].format(site=100 + number // 8 % 300, order=450_000 + number // 8)
        group.say(97, name, text)
    return group


def test_the_memory_stays_small_and_quick() -> None:
    """After 3,000 messages: at most 250 KB, a few milliseconds a message (with room for a busy machine)."""
    group = long_conversation(3_000)
    document = dump_memory(group.memory)
    assert len(document) < 250_000
    assert (len(group.memory.recent), len(group.memory.pending) <= MAX_PENDING) == (MAX_RECENT, True)
    started = time.process_time()
    for _ in range(20):
        dump_memory(load_memory(document))
    stored_ms = (time.process_time() - started) * 1000 / 20
    started = time.process_time()
    for _ in range(50):
        group.say(60, "Ana", "buen día, la 909 no puede recepcionar, su apoyo")
    assert (stored_ms < 50, (time.process_time() - started) * 1000 / 50 < 10) == (True, True)


def test_a_verdict_of_another_tier_is_taken_as_it_is() -> None:
    """A better tier may put its own category and priority in; the decision names the tier."""
    group = Group()
    message = group.make("Ana", "la 909 no puede recepcionar, su apoyo")
    verdict = Verdict(signals=Signals(problem=1.4, request=1.4), length=40, sites=("909",), category="billing")
    assembly, _ = assemble(Memory(), message, verdict)
    assert (assembly.decision.opens, assembly.decision.category) == (True, "billing")


def test_times_are_those_of_the_messages() -> None:
    group = Group(now=datetime(2020, 1, 1, tzinfo=UTC))
    group.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    assert group.memory.incidents[0].state.opened_at == datetime(2020, 1, 1, tzinfo=UTC)
