"""The emulated models' rule, script and schemas, without a server."""

import json
from typing import Any

import pytest

from supportbot.emulators.models.opinions import emulated_answer
from supportbot.emulators.models.schemas import example_of, schema_in_words
from supportbot.emulators.models.script import Outcome, Script

SCHEMA = {
    "type": "object",
    "properties": {
        "evidence": {"type": "string"},
        "kind": {"type": "string", "enum": ["incident", "follow_up", "resolution", "chatter"]},
        "follow_up_of": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "entities": {"type": "object", "properties": {"site": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
    },
}
OPEN = [{"ref": "I1", "subject": "caja", "sites": ["410"]}, {"ref": "I2", "subject": "pedido", "sites": ["909"]}]


def asked(text: str, *, open_incidents: bool = True, **turn: Any) -> dict[str, Any]:
    document = {"open_incidents": OPEN if open_incidents else [], "turn": {"who": "P1", "texts": [text], **turn}}
    answer = emulated_answer(json.dumps(document), SCHEMA)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("text", "turn", "kind", "ref"),
    [
        ("la 909 no puede recepcionar", {}, "incident", None),
        ("sigue igual en la 909", {}, "follow_up", "I2"),
        ("¿alguna novedad?", {}, "follow_up", "I1"),
        ("¿alguna novedad?", {"quotes_ref": "I2"}, "follow_up", "I2"),
        ("ya quedó, gracias", {}, "resolution", "I1"),
        ("no reinicien todavía", {"role": "staff"}, "follow_up", "I1"),
        ("gracias", {}, "chatter", None),
        # What is quoted was said by somebody else.
        ("ok", {"quotes": "no abre el sistema", "note": "error"}, "chatter", None),
    ],
)
def test_what_the_rule_says(text: str, turn: dict[str, Any], kind: str, ref: str | None) -> None:
    answer = asked(text, **turn)
    assert (answer["kind"], answer["follow_up_of"], answer["evidence"]) == (kind, ref, text)


def test_the_site_is_found() -> None:
    assert asked("no abre la caja en la tienda 77, urge", open_incidents=False)["entities"] == {"site": "77"}


@pytest.mark.parametrize("user", ["hola, no abre la caja", '["a"]', "17", '{"turn": "no abre la caja"}'])
def test_any_text_gets_an_answer_of_the_schema(user: str) -> None:
    answer = emulated_answer(user, SCHEMA)
    assert answer.keys() == SCHEMA["properties"].keys()  # type: ignore[attr-defined]


def test_outcomes_wait_for_those_who_are_meant() -> None:
    script = Script()
    script.add(Outcome(kind="hang", vendor="gemini"))
    script.add(Outcome(kind="html", model="b", times=2))
    kinds = [script.take("openai", model).kind for model in ["b", "g", "b", "b"]]
    assert kinds == ["html", "ok", "html", "ok"]
    assert script.take("gemini", "x").kind == "hang"
    assert script.as_json() == []


def test_an_example_fits_its_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [3]}, "b": {"type": "array"}, "c": {"type": "number"}}}
    assert example_of(schema) == {"a": 3, "b": [], "c": 0}


def test_a_schema_is_found_at_the_end_of_the_prompt() -> None:
    assert schema_in_words('Sort.\nIts JSON schema:\n{"type": "object"}') == {"type": "object"}
    assert schema_in_words('Sort {"a"}') is None
    assert schema_in_words('Sort\n{"a": ') is None
