import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind
from supportbot.classifier.models.request import MAX_ANSWER_CHARS, Opinion, make_schema, parse_opinion

CATEGORIES = ("technical", "billing")
ANSWER: dict[str, Any] = {
    "evidence": "la 909 no imprime",
    "kind": "incident",
    "category": "technical",
    "language": "es",
    "priority": "high",
    "subject": "La 909 no imprime",
    "summary": "No imprime etiquetas.",
    "entities": {"site": "909", "device": None, "error_code": None, "system": None},
    "follow_up_of": None,
    "confidence": 0.85,
    "needs_review": False,
}
TEXT = json.dumps(ANSWER)


def changed(**fields: Any) -> str:
    return json.dumps(ANSWER | fields)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"  {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}```",
        f"<think>They say {{}} about the 909.</think>\n{TEXT}",
        f"The reporter writes…</think>\n\n```json\n{TEXT}\n```",
        f"<thinking>a</thinking>{TEXT}",
        json.dumps(ANSWER, indent=2),
    ],
)
def test_reads_the_object_alone_fenced_or_behind_thoughts(text: str) -> None:
    assert parse_opinion(text) == Opinion.model_validate(ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot help with that.",
        "{}",
        "[]",
        "null",
        TEXT[:-2],
        f"{TEXT} {TEXT}",
        f"Sure, here it is: {TEXT}",
        f"<think>{TEXT}",
        f"```json\n{TEXT}",
        json.dumps([ANSWER]),
        changed(kind="ticket"),
        changed(kind="evidence"),
        changed(priority="Urgent!"),
        changed(confidence=1.5),
        changed(confidence=85),
        TEXT.replace("0.85", "NaN"),
        TEXT.replace("0.85", "1e999"),
        changed(entities=None),
        changed(entities={"site": "909"}),
        changed(tickets=5),
        changed(follow_up_of=["I1", "I2"]),
        TEXT.replace('"La 909', '"\\ud800'),
        TEXT.replace("La 909", "\ud800"),
        '{"a":' * 5_000,
        "[" * 10_000,
        "9" * 6_000,
        " " * MAX_ANSWER_CHARS + TEXT,
        *(json.dumps({name: value for name, value in ANSWER.items() if name != gone}) for gone in ANSWER),
    ],
)
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(BadOutput) as failed:
        parse_opinion(text)
    assert failed.value.outcome is OutcomeKind.BAD_OUTPUT


def test_says_which_field_is_wrong_and_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(BadOutput) as failed:
        parse_opinion(changed(kind="my secret", **{"my other secret": 1}))
    assert str(failed.value) == "the answer is not an opinion: kind literal_error, ? extra_forbidden"


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_fails_in_one_way_only(text: str) -> None:
    with pytest.raises(BadOutput):
        parse_opinion(text)


def test_schema_is_closed_and_has_evidence_and_kind_first() -> None:
    schema = make_schema(CATEGORIES)
    for node in (schema, schema["properties"]["entities"]):
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert list(schema["properties"])[:2] == ["evidence", "kind"]
    assert list(schema["properties"]) == list(Opinion.model_fields)
    assert schema["properties"]["category"]["enum"] == list(CATEGORIES)
    assert schema["properties"]["follow_up_of"]["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_schema_holds_only_words_that_every_vendor_takes() -> None:
    allowed = {"type", "properties", "required", "additionalProperties", "enum", "anyOf", "description"}

    def words_of(node: Any) -> set[str]:
        if isinstance(node, list):
            return {word for one in node for word in words_of(one)}
        if not isinstance(node, dict):
            return set()
        below = [*node.get("properties", {}).values(), *(value for key, value in node.items() if key != "properties")]
        return set(node) | {word for one in below for word in words_of(one)}

    assert words_of(make_schema(CATEGORIES)) <= allowed


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (TEXT, True),
        (changed(category="other"), False),
        (changed(kind="evidence"), False),
        (changed(extra=1), False),
        (changed(entities={"site": "909"}), False),
        (changed(follow_up_of="I1"), True),
    ],
)
def test_schema_is_a_schema(text: str, fits: bool) -> None:
    schema = make_schema(CATEGORIES)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(json.loads(text)) is fits
