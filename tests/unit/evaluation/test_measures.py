"""The measures count as `docs/labelling.md` says."""

import pytest
from tests.unit.evaluation.talk import make_row, make_talk

from supportbot.evaluation.measures import MEASURES, Found, Scores, figures, measure
from supportbot.evaluation.outcome import Facts, Outcome, Prediction

TALK = make_talk(
    make_row(1, "open", "A"),
    make_row(2, "evidence", "A", text="", media="image"),
    make_row(3, "open", "B", text="", media="image"),
    make_row(4, "chatter"),
    make_row(5, "followup", "A", "B"),
    make_row(6, "agent"),
)


def made(*words: str) -> Outcome:
    """`!A` opens predicted incident A, `A` belongs to it, `-` is left alone."""
    return Outcome(
        predictions={
            str(number): Prediction(incident=word.lstrip("!-") or None, opens=word.startswith("!"))
            for number, word in enumerate(words, 1)
        }
    )


def counted(*words: str) -> dict[str, float | None]:
    found = figures(measure(TALK, made(*words)))
    return {name: found[name] for name in ("right", "duplicates", "false", "missed", "missed_photos")}


def test_perfect_tickets_are_perfect() -> None:
    found = figures(measure(TALK, made("!A", "A", "!B", "-", "A", "-")))
    assert (found["precision"], found["recall"], found["f1"], found["f1_text"]) == (1.0, 1.0, 1.0, 1.0)
    assert (found["chatter_opens"], found["chatter_attached"], found["b3_precision"]) == (0.0, 0.0, 1.0)
    assert list(found) == list(MEASURES)


@pytest.mark.parametrize(
    ("words", "right", "duplicates", "false", "missed", "photos"),
    [
        (("!A", "!C", "-", "-", "-", "-"), 1, 1, 0, 1, 1),
        (("-", "-", "-", "!D", "-", "-"), 0, 0, 1, 2, 1),
        (("-", "!A", "!B", "A", "A", "-"), 2, 0, 0, 0, 0),
        (("!A", "A", "-", "-", "!E", "-"), 2, 0, 0, 0, 0),
        (("!A", "A", "!B", "-", "!E", "!F"), 2, 1, 1, 0, 0),
    ],
    ids=["duplicate", "false", "opened by evidence", "claims what is free", "about what was before"],
)
def test_right_duplicate_false_and_missed_are_told_apart(
    words: tuple[str, ...], right: int, duplicates: int, false: int, missed: int, photos: int
) -> None:
    assert counted(*words) == {
        "right": right, "duplicates": duplicates, "false": false, "missed": missed, "missed_photos": photos
    }  # fmt: skip


def test_an_incident_from_before_has_threads_but_no_ticket() -> None:
    talk = make_talk(make_row(1, "followup", "Z"), make_row(2, "agent", "Z"))
    found = figures(measure(talk, made("!Z", "Z")))
    assert (found["labelled"], found["false"], found["b3"]) == (0, 1, 1.0)


def test_photo_reports_are_left_out_of_the_text_figure() -> None:
    found = figures(measure(TALK, made("!A", "A", "-", "-", "A", "-")))
    assert (found["recall"], found["f1_text"]) == (0.5, 1.0)


def test_threads_by_hand() -> None:
    """Message 1 and 2 are together, 3 is put to them; 5 may be either's and is alone."""
    found = figures(measure(TALK, made("!A", "A", "A", "-", "-", "-")))
    # Precision: 1 and 2 see 2 of 3, message 3 sees itself of 3, message 5 is alone and right.
    assert found["b3_precision"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    # Recall: 1 and 2 see 2 of their 3 (1, 2, 5), 3 sees itself of 2 (3, 5), 5 sees itself of all 4.
    assert found["b3_recall"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 2 + 1 / 4) / 4)


def test_chatter_that_opens_is_attached_too() -> None:
    found = figures(measure(TALK, made("-", "-", "-", "!D", "-", "-")))
    assert (found["chatter_opens"], found["chatter_attached"]) == (1.0, 1.0)


def test_fields_count_on_right_tickets_with_labels() -> None:
    talk = make_talk(
        make_row(1, "open", "A", category="billing", priority="High", sites=("909", "305")),
        make_row(2, "open", "B", category="billing"),
        make_row(3, "open", "C", category="access"),
    )
    outcome = Outcome(
        predictions=made("!A", "!B", "-").predictions,
        incidents={
            "A": Facts(category="billing", priority="Low", sites=("909", "7781")),
            "B": Facts(category="technical", priority="Low"),
        },
    )
    found = figures(measure(talk, outcome))
    assert (found["category"], found["priority"]) == (0.5, 0.0)
    assert (found["sites_precision"], found["sites_recall"], found["affected_recall"]) == (0.5, 0.5, None)


def test_delay_is_from_the_labelled_opening_to_the_message_that_made_it_open() -> None:
    outcome = Outcome(
        predictions={
            "1": Prediction(incident="A", opens=True, opened_on="4"),
            "2": Prediction(incident="B"),
            "3": Prediction(incident="B", opens=True),
        }
    )
    scores = measure(TALK, outcome)
    assert [(one.delay_messages, one.delay_min) for one in scores.incidents] == [(3, 3.0), (0, 0.0)]
    early = measure(make_talk(make_row(1, "evidence", "A"), make_row(2, "open", "A")), made("!A", "A"))
    assert early.incidents[0].delay_messages == 0


def test_scores_of_conversations_add_up() -> None:
    one, other = measure(TALK, made("!A", "A", "!B", "-", "A", "-")), measure(TALK, made(*"------"))
    both = figures(one + other)
    assert (both["labelled"], both["right"], both["recall"]) == (4, 2, 0.5)
    assert one + Scores() == one


def test_nothing_to_measure_is_none_and_no_zero() -> None:
    assert {name for name, value in figures(Scores()).items() if value is not None} == {
        "labelled", "right", "duplicates", "false", "missed", "missed_photos", "emptied"
    }  # fmt: skip
    assert Found().labelled == 0
