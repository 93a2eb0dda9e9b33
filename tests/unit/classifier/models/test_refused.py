"""Which words of a refusal mean a parameter that was sent."""

import pytest

from supportbot.classifier.models.refused import RefusedParameters, say_schema

MARKS = {"strict": r"\bstrict\b", "json_schema": r"json_schema|response_format", "temperature": "temperature"}


@pytest.fixture
def refused() -> RefusedParameters:
    return RefusedParameters("openai", "m", MARKS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Unsupported value: 'temperature' does not support 0.1 with this model.", "temperature"),
        ("`Temperature` is DEPRECATED for this model", "temperature"),
        ("unknown field `response_format`", "json_schema"),
        ("response_format.json_schema.strict: Extra inputs are not permitted", "strict"),
        ("Invalid request.", None),
        ("the temperature of the freezer is 12 degrees", None),
        ("restrictions: not allowed", None),
        ("", None),
    ],
)
def test_the_first_parameter_that_is_named_is_meant(refused: RefusedParameters, text: str, name: str | None) -> None:
    assert refused.learn(text, MARKS) == (name is not None)
    assert {one for one in MARKS if one in refused} == ({name} if name else set())


def test_what_was_not_sent_is_not_meant(refused: RefusedParameters) -> None:
    assert not refused.learn("temperature is not supported", {"strict"})
    assert "temperature" not in refused


def test_a_call_that_was_under_way_is_repeated_too(refused: RefusedParameters) -> None:
    """Two calls were refused for the same reason; both may be repeated."""
    assert refused.learn("temperature is not supported", {"temperature"})
    assert refused.learn("temperature is not supported", {"temperature"})


def test_the_schema_is_said_word_for_word() -> None:
    assert say_schema({"enum": ["facturación"]}).endswith('\n{"enum": ["facturación"]}')
