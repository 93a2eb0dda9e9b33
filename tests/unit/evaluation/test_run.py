"""What became of a conversation, from the classifier's decisions; and the plain rule."""

from datetime import timedelta
from typing import Any

from tests.unit.evaluation.talk import START, make_row, make_talk

from supportbot.classifier.assembly import Assembly
from supportbot.contracts import Decision, Kind, MessageClassified
from supportbot.evaluation.outcome import Outcome, Prediction
from supportbot.evaluation.plain_rule import decide_plainly
from supportbot.evaluation.run import Course, to_outcome
from supportbot.ids import make_incident_id

TALK = make_talk(*(make_row(number, "chatter") for number in (1, 2, 3)))
PHOTO, QUESTION, OTHER = (one.message.message_ref for one in TALK.messages)
INCIDENT = make_incident_id(PHOTO)
OPENS = Decision(kind=Kind.INCIDENT, incident_id=INCIDENT, opens=True, opened_on=QUESTION)


def outcome(**decisions: Decision) -> Outcome:
    refs = {"photo": PHOTO, "question": QUESTION, "other": OTHER}
    return to_outcome(TALK, Course({refs[name]: one for name, one in decisions.items()}, {}, {INCIDENT}))


def test_a_photo_opens_on_the_question_that_is_asked_about_it() -> None:
    asked = Decision(kind=Kind.STAFF, incident_id=INCIDENT)
    assert outcome(photo=OPENS, question=asked).predictions == {
        "1": Prediction(incident=INCIDENT),
        "2": Prediction(incident=INCIDENT, opens=True),
    }


def test_a_photo_that_opens_when_somebody_speaks_of_other_things_opens_itself_later() -> None:
    assert outcome(photo=OPENS, question=Decision(kind=Kind.CHATTER)).predictions == {
        "1": Prediction(incident=INCIDENT, opens=True, opened_on="2"),
        "2": Prediction(),
    }


def test_a_ticket_whose_opening_went_elsewhere_is_counted() -> None:
    moved = Decision(kind=Kind.EVIDENCE, incident_id=make_incident_id(OTHER))
    assert (outcome(photo=moved).emptied, outcome(photo=OPENS).emptied) == (1, 0)


def test_a_course_keeps_the_last_word_on_each_message() -> None:
    course = Course()
    message = TALK.messages[0].message
    late = MessageClassified(message_ref=PHOTO, group_ref=message.group_ref, message=message, decision=OPENS)
    course.add(PHOTO, Assembly(Decision(kind=Kind.EVIDENCE)))
    course.add(QUESTION, Assembly(Decision(kind=Kind.STAFF), late=(late,)))
    moved = Decision(kind=Kind.EVIDENCE, incident_id=make_incident_id(OTHER))
    course.add(OTHER, Assembly(Decision(kind=Kind.CHATTER), earlier={PHOTO: moved}))
    assert (course.decisions[PHOTO], course.opened) == (moved, {INCIDENT})


def told(*said: tuple[float, str, str]) -> list[str]:
    """`(minute, author, text)` by the rule; an author with a star is staff, an empty text is a photo."""
    rows = []
    for number, (minute, author, text) in enumerate(said):
        more: dict[str, Any] = {"author": author.strip("*"), "staff": author.startswith("*"), "text": text}
        if not text:
            more["media"] = "image"
        rows.append(make_row(number, "chatter", at=START + timedelta(minutes=minute), **more))
    talk = make_talk(*rows)
    names: dict[str, str] = {}
    made = to_outcome(talk, decide_plainly(talk)).predictions
    story = []
    for number in range(len(said)):
        one = made[str(number)]
        if one.opens and one.incident:
            names[one.incident] = "ABCD"[len(names)]
        story.append(f"{'!' * one.opens}{names.get(one.incident or '', '') or (one.incident and '?') or '-'}")
    return story


def test_the_plain_rule_does_what_it_says() -> None:
    assert told(
        (0, "Ana", ""),
        (1, "Ana", "buen día, la 909 no puede recepcionar"),
        (2, "Ana", ""),
        (3, "Carla", "la 410 no imprime"),
        (4, "*Berta", "¿folio de la 909?"),
        (5, "Ana", "sigue igual"),
        (6, "Ana", "error"),
        (7, "Ana", "buenas, en la 305 me ayudan por favor, marca error al cobrar"),
        (8, "Hugo", "gracias"),
        (9, "Hugo", "necesito cambio"),
        (45, "Carla", ""),
        (46, "Hugo", "¿alguna novedad?"),
    ) == ["?", "!A", "A", "!B", "A", "A", "A", "!C", "-", "-", "-", "C"]
