"""Rows become messages as the gateway would publish them; wrong lines are told by number."""

import pytest
from tests.unit.evaluation.talk import START, make_row

from supportbot.errors import UserError
from supportbot.evaluation.conversation import Role, dump_row, make_conversation, make_person, parse_rows
from supportbot.evaluation.faults import find_faults

ROWS = [
    make_row(1, "evidence", "A", text="", media="image"),
    make_row(2, "open", "A", text="la 909 no imprime ", category="technical", priority="High", sites=("909",)),
    make_row(3, "agent", "A", author="Berta", staff=True, quoted="2", mentions=("Ana",), forwarded=True),
    make_row(4, "chatter"),
]


def test_rows_survive_their_lines() -> None:
    assert parse_rows("".join(dump_row(row) + "\n" for row in ROWS), "x") == ROWS
    assert dump_row(ROWS[3]) == (
        '{"id": "4", "at": "2026-03-02T09:04:00+00:00", "author": "Ana", "text": "x", "role": "chatter"}'
    )


def test_a_message_quotes_mentions_and_knows_its_staff() -> None:
    photo, _, answer, _ = make_conversation("t", ROWS).messages
    assert photo.message.media is not None
    assert answer.message.quoted_ref == make_conversation("t", ROWS).messages[1].message.message_ref
    assert answer.message.sender == make_person("Berta", staff=True)
    assert (answer.message.mentions, answer.message.forwarded) == ((make_person("Ana"),), True)
    assert not make_conversation("t", ROWS, staff_known=False).messages[2].message.sender.staff


def test_messages_of_one_minute_keep_their_order() -> None:
    rows = [make_row(number, "chatter", at=START) for number in (1, 2)]
    first, second = (one.message.sent_at for one in make_conversation("t", rows).messages)
    assert first < second


def test_a_number_is_no_name() -> None:
    assert make_person("+52 998 555 0101").push_name is None
    assert make_person("~ Ana").push_name == "Ana"


def test_the_line_of_an_export_is_in_the_id() -> None:
    rows = [make_row(1, "chatter", id="L12"), make_row(2, "chatter", id="2")]
    assert [one.line for one in make_conversation("t", rows).messages] == [12, None]


def test_wrong_lines_are_told_by_number_and_without_their_text() -> None:
    good = dump_row(ROWS[3])
    bad = good.replace('"role": "chatter"', '"role": "incident", "colour": "red"').replace('"x"', '"secret"')
    with pytest.raises(UserError) as caught:
        parse_rows(f"{good}\n\n{bad}\nnot JSON\n", "x.jsonl")
    title, *faults = str(caught.value).split("\n")
    assert title == "'x.jsonl' has 2 faults:"
    assert [fault.strip().split(":")[0] for fault in faults] == ["line 3", "line 4"]
    assert "colour: Extra inputs" in faults[0]
    assert "secret" not in str(caught.value)


def test_labels_that_hold_together_have_no_faults() -> None:
    assert find_faults(ROWS, ["technical"]) == []


@pytest.mark.parametrize(
    ("place", "change", "fault"),
    [
        (3, {"role": Role.CHATTER, "incidents": ("A",)}, "4: is chatter and belongs to 'A'"),
        (1, {"incidents": ()}, "2: opens an incident and names none"),
        (2, {"quoted": "9"}, "3: quotes '9', which is no earlier message"),
        (3, {"id": "3"}, "3: an earlier message has the same id"),
        (3, {"author": "Berta"}, "4: 'Berta' is staff on some messages and not on others"),
        (0, {"role": Role.AGENT}, "1: belongs to 'A' as agent before that is opened"),
        (2, {"category": "technical"}, "3: has a category, which belongs on the message that opens the incident"),
        (1, {"category": "printers"}, "2: there is no category 'printers'; there are technical"),
        (1, {"affected": ("Zoe",)}, "2: 'Zoe' is affected and wrote nothing"),
        (0, {"media": None}, "1: has neither text nor attachment"),
        (3, {"at": START}, "4: is from 2026-03-02T09:00:00+00:00, which is before the message above it"),
    ],
)
def test_faults_are_told_with_their_message(place: int, change: dict[str, object], fault: str) -> None:
    rows = [row.model_copy(update=change) if number == place else row for number, row in enumerate(ROWS)]
    assert fault in find_faults(rows, ["technical"])


def test_an_export_may_have_the_times_of_a_wrong_clock() -> None:
    rows = [make_row(2, "chatter", id="L1"), make_row(1, "chatter", id="L2")]
    assert find_faults(rows) == []
