import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportbot.redaction import MAX_CHARS, REDACTED, is_private, redact, redact_text, redact_value

CANARIES = (
    "+529981234567",
    "+52 998 123 4567",
    "+52 (998) 123-4567",
    "+1.202.555.0143",
    "5219981234567",
    "5219981234567@s.whatsapp.net",
    "5219981234567:12@s.whatsapp.net",
    "120363025246125486@g.us",
    "206816402399999@lid",
    "ana.invented+shop@example.com",
    "sk-proj-Abc123def456Ghi789",
    "sk-ant-api03-Zz9_yY8-xX7",
    "AIzaSyInvented0123456789abcdefghijklmno",
    "1000.0123456789abcdef0123456789abcdef.fedcba9876543210",
    "1000.0INVENTED1CLIENT2ID3",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl",
    "Bearer abc.def-ghi",
    "Zoho-oauthtoken 1000.abc",
    "nats://user:canary-pass@10.0.0.1:4222",
)
"""Invented. Of the last three only the secret part must go."""

SECRETS = ("abc.def-ghi", "1000.abc", "canary-pass")

HARMLESS = (
    "m_abcdefghij2345672345",
    "m_abcdefghij2345672345:cl",
    "i_abcdefghij2345672345",
    "a1b2c3d4e5f60718",
    "2025-03-04T05:06:07.123456+00:00",
    "892000000012345678",  # A ticket's id in Zoho.
    "tiendas-inbox",
    "http://127.0.0.1:8003/tickets",
    "handler.py:handle:120",
    "la 909 no puede",
    "F-K3V9XQ",
    "1.2.3-rc.1",
)


def leaks(line: str, canary: str) -> bool:
    secrets = [secret for secret in SECRETS if secret in canary]
    return any(secret in line for secret in secrets or [canary])


@pytest.mark.parametrize("canary", CANARIES)
def test_what_looks_private_is_replaced(canary: str) -> None:
    assert not leaks(redact_text(canary), canary)
    assert REDACTED in redact_text(canary)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_needed_to_find_a_fault_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name",
    ["text", "Body", "push_name", "apiKey", "X-Auth-Token", "client_secret", "messageText", "phone", "jid", "cookie"],
)
def test_private_fields_are_known_by_their_name(name: str) -> None:
    assert is_private(name)


@pytest.mark.parametrize(
    "name", ["event", "attempt", "tokens", "duration_ms", "stream", "context", "filename", "keyword"]
)
def test_other_fields_are_not(name: str) -> None:
    assert not is_private(name)


def test_fields_that_are_known_to_be_harmless_stay_as_they_are() -> None:
    assert redact({"trace_id": "0" * 12, "n": "0" * 12}, keep=frozenset({"trace_id"})) == {
        "trace_id": "0" * 12,
        "n": REDACTED,
    }


def test_a_long_string_is_cut() -> None:
    assert len(redact_text("ab " * MAX_CHARS)) == MAX_CHARS


def test_what_is_nested_too_deeply_is_left_out() -> None:
    value: Any = "+529981234567"
    for _ in range(50):
        value = {"a": [value]}

    assert REDACTED in json.dumps(redact_value(value))


around = st.text(alphabet=st.sampled_from(" ,;:'\"()[]{}<>=/\n\t¿?¡!áñ\xa0\u202a\u2069"), max_size=12)
canaries = st.sampled_from(CANARIES)
fields = st.sampled_from(["event", "note", "items", "reason", "x"])


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, Any]:
    """A canary somewhere inside a value of JSON types."""
    canary = draw(canaries)
    value: Any = draw(around) + canary + draw(around)
    for _ in range(draw(st.integers(0, 6))):
        shape = draw(st.sampled_from(["list", "dict", "key", "tuple"]))
        value = {
            "list": [1, value, None],
            "dict": {draw(fields): value},
            "key": {str(value): 1},
            "tuple": (value, 2.5),
        }[shape]
    return canary, value


@settings(max_examples=500, deadline=None)
@given(planted(), fields)
def test_no_canary_passes(case: tuple[str, Any], name: str) -> None:
    canary, value = case

    line = json.dumps(redact({name: value}), ensure_ascii=False)

    assert not leaks(line, canary)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=10))
def test_redacting_twice_changes_nothing(value: Any) -> None:
    once = redact_value(value)

    assert json.dumps(redact_value(once)) == json.dumps(once)


def test_a_secret_that_the_cut_tears_apart_is_left_out() -> None:
    text = ("Bearer " + "z" * 400 + " ") * 10 + "ana.invented@example.com " * 10

    assert "ana" not in redact_text(text)


@pytest.mark.parametrize("piece", ["a", "eyJ", "1.", "+1 ", "://a:", "sk-", "a@"])
def test_the_search_takes_no_longer_for_a_hostile_text(piece: str) -> None:
    """A pattern that is tried again from every character would need hours for these."""
    assert len(redact_text(piece * 1_000_000)) <= MAX_CHARS
