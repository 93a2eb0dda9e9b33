from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events import NOON, make_message

from supportbot import envelope
from supportbot.contracts import Outcome, TrailEntry, dump_event
from supportbot.delivery import Context
from supportbot.errors import PermanentError
from supportbot.topology import Stage

MESSAGE = make_message(1, text="no imprime")
OTHER = make_message(2)
HEADERS = envelope.event_headers(MESSAGE, source="tiendas/whatsapp", at=NOON)


async def nowhere(event: object) -> None:
    raise AssertionError(event)


def record(*said: tuple[Outcome, str | None]) -> list[TrailEntry]:
    context = Context(MESSAGE, stage=Stage.TICKET, publish=nowhere)
    for outcome, ref in said:
        context.record(outcome, message_ref=ref)
    return context.entries


def test_an_event_travels_as_a_cloud_event() -> None:
    assert {
        "Nats-Msg-Id": f"{MESSAGE.message_ref}:in",
        "ce-specversion": "1.0",
        "ce-id": f"{MESSAGE.message_ref}:in",
        "ce-source": "/supportbot/tiendas/whatsapp",
        "ce-type": "supportbot.message.received.v1",
        "ce-time": "2026-03-02T12:00:00.000+00:00",
        "ce-subject": MESSAGE.group_ref,
        "ce-datacontenttype": "application/json",
    } == HEADERS
    assert envelope.read_event(HEADERS, dump_event(MESSAGE)) == MESSAGE


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, b"{}", "unknown_type"),
        ({**HEADERS, "ce-type": "supportbot.message.received.v9"}, dump_event(MESSAGE), "unknown_type"),
        (HEADERS, b"{}", "invalid_event"),
        (HEADERS, b"\xff\x00", "invalid_event"),
        (HEADERS, dump_event(OTHER), "invalid_envelope"),
    ],
)
def test_poison_is_permanent_and_says_why(headers: dict[str, str], body: bytes, reason: str) -> None:
    with pytest.raises(PermanentError) as raised:
        envelope.read_event(headers, body)
    assert raised.value.reason == reason
    assert "no imprime" not in str(raised.value)


def test_what_a_stage_says_has_an_id_of_its_own_and_the_same_one_again() -> None:
    said = record((Outcome.TICKET, None), (Outcome.EVIDENCE, OTHER.message_ref), (Outcome.TICKET, None))
    ref, other = MESSAGE.message_ref, OTHER.message_ref
    assert envelope.trail_ids(said, ref) == [
        f"{ref}:trail:ticket:ticket",
        f"{other}:trail:ticket:evidence:{ref}",
        f"{ref}:trail:ticket:ticket:1",
    ]


def bury(seq: int) -> dict[str, str]:
    return envelope.dead_letter_headers(
        HEADERS | {"traceparent": "00-1-2-01"},
        stage=Stage.CLASSIFIER,
        reason="bug",
        error="KeyError: 'año'",
        attempts=6,
        stream="tiendas-inbox",
        seq=seq,
        first_at=NOON,
    )


def test_a_dead_letter_keeps_its_envelope_and_says_why() -> None:
    headers = bury(17)
    assert headers["ce-id"] == MESSAGE.event_id
    assert headers["traceparent"] == "00-1-2-01"
    assert headers["Nats-Msg-Id"] == f"{MESSAGE.message_ref}:dlq:classifier:17"
    assert envelope.decode(headers["x-dlq-error"]) == "KeyError: 'año'"


def test_a_dead_letter_that_fails_again_after_its_replay_is_another_one() -> None:
    first = bury(17)
    replayed = envelope.replay_headers(first, dlq_seq=3)
    assert replayed["ce-id"] == MESSAGE.event_id
    assert replayed["Nats-Msg-Id"] not in {HEADERS["Nats-Msg-Id"], first["Nats-Msg-Id"]}
    assert not any(key.startswith("x-dlq") for key in replayed)
    again = {**bury(18), "Nats-Msg-Id": envelope.replay_headers(bury(18), dlq_seq=4)["Nats-Msg-Id"]}
    assert len({first["Nats-Msg-Id"], bury(18)["Nats-Msg-Id"], replayed["Nats-Msg-Id"], again["Nats-Msg-Id"]}) == 4


def test_a_dead_letter_without_a_readable_envelope_is_in_no_trail() -> None:
    entry = envelope.dead_letter_entry({}, stage=Stage.TICKET, group_ref=MESSAGE.group_ref, reason="x", at=NOON)
    assert entry is None


@given(st.text())
def test_a_header_value_is_printable_ascii_and_comes_back(text: str) -> None:
    encoded = envelope.encode(text)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert envelope.decode(encoded) == text


@pytest.mark.parametrize("value", ["yesterday", "2026-03-02T12:00:00", ""])
def test_a_wrong_time_is_replaced(value: str) -> None:
    default = datetime(2026, 1, 1, tzinfo=UTC)
    assert envelope.read_time({"ce-time": value}, default) == default
