"""What people say becomes a label: redacted, weighed by who says it, and one person's opinion until another agrees."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.unit.classifier.group import POLICY, START, Group, make_person
from tests.unit.classifier.test_reactions import LabelBucket, asked

from supportbot.classifier.examples import Example, dump_examples, make_examples, read_examples
from supportbot.classifier.labels import Label, Labels, Said, Word, make_label
from supportbot.contracts import Decision, Kind

GROUP_REF = "0" * 16


def said(by: str, kind: Kind, *, staff: bool = False, minutes: int = 0) -> Said:
    at = START + timedelta(minutes=minutes)
    return Said(by=make_person(by).ref, source="staff" if staff else "reporter", at=at, kind=kind)


def make(text: str, *words: Said, number: str = "a") -> Label:
    return Label(
        message_ref="m_" + number * 20,
        group_ref=GROUP_REF,
        text=text,
        decided_at=START,
        predicted=Decision(kind=Kind.INCIDENT, asks=True),
        said=words,
    )


YES, NO = Kind.INCIDENT, Kind.CHATTER


@dataclass(frozen=True)
class Case:
    name: str
    words: tuple[Said, ...]
    kind: Kind
    trains: bool


CASES = (
    Case("the author alone is an opinion", (said("Ana", YES),), YES, False),
    Case("staff is certain", (said("Berta", NO, staff=True),), NO, True),
    Case("staff before the author", (said("Berta", NO, staff=True), said("Ana", YES, minutes=5)), NO, True),
    Case("the later of equals", (said("Berta", NO, staff=True), said("Bruno", YES, staff=True, minutes=1)), YES, True),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whose_word_holds(case: Case) -> None:
    (example,) = make_examples([make("ticket sin iva", *case.words)])
    assert (example.kind, example.trains, example.weight) == (case.kind, case.trains, 1.0 if case.trains else 0.5)


def test_one_person_has_one_word() -> None:
    label = make("ticket sin iva", said("Ana", YES)).with_said(said("Ana", NO, minutes=1))
    assert [one.kind for one in label.said] == [NO]


def test_two_people_who_say_the_same_of_the_same_text_make_it_certain() -> None:
    labels = [
        make("Ticket sin IVA", said("Ana", YES)),
        make("ticket sin iva", said("Dani", YES), number="b"),
        make("ticket sin iva", said("Caro", NO), number="c"),
    ]
    assert [(one.kind, one.trains) for one in make_examples(labels)] == [(YES, True), (YES, True), (NO, False)]


def test_one_person_twice_is_one_voice() -> None:
    labels = [make("ticket sin iva", said("Ana", YES)), make("ticket sin iva", said("Ana", YES), number="b")]
    assert [one.trains for one in make_examples(labels)] == [False, False]


def test_a_file_is_read_as_it_was_written() -> None:
    examples = make_examples([make("ticket sin iva\n<PHONE>", said("Ana", YES))])
    assert list(read_examples(dump_examples(examples) + "\n")) == examples


@pytest.mark.parametrize("line", ["{}", "no JSON", '{"text": "secret"}'])
def test_a_line_that_is_no_label_is_named_without_its_text(line: str) -> None:
    good = dump_examples(make_examples([make("x", said("Ana", YES))]))
    with pytest.raises(ValueError, match="line 2 is no label") as caught:
        list(read_examples(good + line))
    assert "secret" not in str(caught.value)


def test_a_label_holds_what_was_decided_and_nothing_personal() -> None:
    group = Group()
    group.say(0, "Marisol", "ticket sin iva, márcame al 998 123 4567 o a ana@example.com, dile a Marisol")
    word = Word(group.messages[0].message_ref, make_person("Berta", staff=True), START, NO)
    label = make_label(group.memory, word, POLICY, GROUP_REF)
    assert label is not None
    assert label.predicted == group.assemblies[0].decision
    assert label.signals["object"] > 0
    for personal in ("4567", "example.com", "Marisol", "marisol"):
        assert personal not in label.model_dump_json()
    assert "ticket sin iva" in label.text


def test_what_is_not_remembered_or_has_no_text_is_no_label() -> None:
    group = Group()
    group.say(0, "Ana", "[photo]")
    for ref in (group.messages[0].message_ref, "m_" + "z" * 20):
        assert make_label(group.memory, Word(ref, make_person("Berta"), START, NO), POLICY, GROUP_REF) is None


def test_a_label_knows_the_conversation_before_its_message_and_nothing_of_what_came_then() -> None:
    def context(*later: tuple[float, str, str]) -> dict[str, float]:
        group = Group()
        group.say(0, "Berta", "la 909 no puede recepcionar, reportan")
        group.say(300, "Dani", "la 305 no imprime etiquetas, su apoyo por favor")
        group.say(120, "Ana", "ticket sin iva")
        for line in later:
            group.say(*line)
        word = Word(group.messages[2].message_ref, make_person("Berta"), START, NO)
        label = make_label(group.memory, word, POLICY, GROUP_REF)
        assert label is not None
        return label.context

    then = context()
    assert then["staff_known"] == 1
    assert {"gap", "alive", "author_new"} <= set(then)
    now = context((60, "Dani", "sigue igual la 305"), (60, "Berta", "ya quedó la 305"), (60, "Dani", "gracias"))
    assert now == then


async def test_words_are_kept_per_message_and_taken_back_per_person() -> None:
    bucket = LabelBucket()
    labels = Labels(bucket)
    for word in (said("Ana", YES), said("Berta", NO, staff=True, minutes=1)):
        await labels.keep(make("ticket sin iva", word))
    (entry,) = bucket.entries.values()
    assert [one.kind for one in Label.model_validate_json(entry.value).said] == [YES, NO]
    await labels.take_back("m_" + "a" * 20, make_person("Dani").ref)
    assert bucket.writes == 2
    for name in ("Berta", "Ana", "Ana"):
        await labels.take_back("m_" + "a" * 20, make_person(name).ref)
    assert bucket.entries == {}


async def test_keeping_the_same_again_writes_nothing() -> None:
    bucket = LabelBucket()
    for _ in range(2):
        await Labels(bucket).keep(make("ticket sin iva", said("Ana", YES)))
    assert bucket.writes == 1


async def test_a_label_keeps_the_category_of_the_incident_that_it_opened() -> None:
    room = await asked()
    await room.react("Berta", "👍")
    label = room.label()
    assert label is not None
    (example,) = make_examples([label])
    assert isinstance(example, Example)
    opened = room.incident(0).state
    assert (example.category, example.priority, example.group) == (opened.category, opened.priority, GROUP_REF)
    assert example.predicted.asks
