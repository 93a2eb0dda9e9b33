"""The scorer counts as it says, and the decisions on the invented conversations do not get worse."""

import pytest
from tests.benchmarks.conversations import SPLITS, Labelled
from tests.benchmarks.judgement import CONVERSATIONS, judge_decisions, score
from tests.unit.classifier.group import Group

from supportbot.contracts import Decision, Kind
from supportbot.ids import make_incident_id


def label(number: int, role: str, *incidents: str) -> Labelled:
    group = Group()
    group.messages = [group.make("Ana", "x")] * number
    return Labelled(id=str(number), name="Ana", message=group.make("Ana", "x"), role=role, incidents=incidents)


def decide(messages: list[Labelled], *words: str) -> dict[str, Decision]:
    """`!A` opens predicted incident A, `A` belongs to it, `-` is left alone."""
    pairs = list(zip(messages, words, strict=True))
    opened = {word[1:]: make_incident_id(one.message.message_ref) for one, word in pairs if word[0] == "!"}
    return {
        one.id: Decision(kind=Kind.INCIDENT, opens=word[0] == "!", incident_id=opened.get(word.lstrip("!")))
        for one, word in pairs
    }


MESSAGES = [
    label(1, "open", "A"),
    label(2, "evidence", "A"),
    label(3, "open", "B"),
    label(4, "chatter"),
    label(5, "followup", "A", "B"),
]


def test_perfect_decisions_are_perfect() -> None:
    judged = judge_decisions(MESSAGES, decide(MESSAGES, "!A", "A", "!B", "-", "A"))
    assert (judged.f1, judged.duplicates, judged.false, judged.missed, judged.chatter_attached) == (1.0, 0, 0, (), 0)
    assert judged.b3[2] == 4


@pytest.mark.parametrize(
    ("words", "right", "duplicates", "false", "missed", "attached"),
    [
        (("!A", "!C", "-", "-", "-"), 1, 1, 0, ("B",), 0),
        (("-", "-", "-", "!D", "-"), 0, 0, 1, ("A", "B"), 1),
        (("-", "!A", "!B", "A", "A"), 2, 0, 0, (), 1),
        (("!A", "A", "-", "-", "!E"), 2, 0, 0, (), 0),
    ],
)
def test_duplicates_false_and_missed_are_told_apart(
    words: tuple[str, ...], right: int, duplicates: int, false: int, missed: tuple[str, ...], attached: int
) -> None:
    judged = judge_decisions(MESSAGES, decide(MESSAGES, *words))
    counted = (judged.right, judged.duplicates, judged.false, judged.missed, judged.chatter_attached)
    assert counted == (right, duplicates, false, missed, attached)


def test_messages_left_alone_count_as_threads_of_their_own() -> None:
    judged = judge_decisions(MESSAGES[:2], decide(MESSAGES[:2], "-", "-"))
    precision, recall, count = judged.b3
    assert (precision / count, recall / count) == (1.0, 0.5)


FLOORS = {"train": (0.95, 0.90, 0.0), "tune": (0.92, 0.88, 0.03), "held-out": (0.87, 0.82, 0.06)}
"""By split: least F1 of tickets, least B3 of threads, largest share of chatter that opens one."""


@pytest.mark.parametrize("staff_known", [True, False])
@pytest.mark.parametrize("split", sorted(SPLITS))
def test_the_conversations_are_judged_well(split: str, staff_known: bool) -> None:
    """Floors below what is measured; a real group is harder than these."""
    paths = [CONVERSATIONS / f"{name}.jsonl" for name in SPLITS[split]]
    ours, rule = score(paths, staff_known=staff_known), score(paths, staff_known=staff_known, plain=True)
    tickets, threads, opens = FLOORS[split]
    assert ours.f1 >= tickets
    assert ours.b3_f1 >= threads
    assert ours.chatter_opens <= opens * ours.chatter
    assert (ours.f1 > rule.f1, ours.b3_f1 > rule.b3_f1) == (True, True)


def test_every_conversation_has_a_split() -> None:
    named = [name for names in SPLITS.values() for name in names]
    assert sorted(named) == sorted(path.stem for path in CONVERSATIONS.glob("*.jsonl"))
