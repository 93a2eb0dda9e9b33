"""What a gateway offers, as it gets from its report into the Secret: bounded, fresh, and nothing else beside it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from supportbot_operator.pairing import REASONS, read_offer
from supportbot_operator.reports import parse_report, say_same

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
SOON = (NOW + timedelta(seconds=20)).isoformat()
OFFER = {"qr": "https://wa.me/settings/linked_devices#2@invented", "expires-at": SOON}


def report_of(private: Any) -> bytes:
    return json.dumps({"checks": {}, "private": private}).encode()


def test_an_offer_is_read_and_its_change_is_news() -> None:
    first = parse_report("whatsapp.0", report_of(OFFER), NOW)
    second = parse_report("whatsapp.0", report_of({**OFFER, "qr": "another"}), NOW)

    assert read_offer([first.private], NOW) == OFFER
    assert not say_same(first, second)
    assert "linked_devices" not in repr(first)


@pytest.mark.parametrize(
    "private",
    [
        {},
        {"qr": "x"},
        {**OFFER, "expires-at": NOW.isoformat()},
        {**OFFER, "expires-at": "2026-01-31T15:10:00"},
        {**OFFER, "expires-at": "soon"},
        {**OFFER, "qr": "x" * 1025},
    ],
)
def test_what_is_over_or_odd_is_no_offer(private: dict[str, str]) -> None:
    report = parse_report("whatsapp.0", report_of(private), NOW)

    assert read_offer([report.private], NOW) == {}


def test_only_known_fields_get_into_the_secret() -> None:
    report = parse_report("whatsapp.0", report_of({**OFFER, "../../x": "y", "code": "ABCD-1234"}), NOW)

    assert read_offer([report.private], NOW) == {**OFFER, "code": "ABCD-1234"}
    with pytest.raises(ValueError, match="no report"):
        parse_report("whatsapp.0", report_of(["x"]), NOW)


def test_the_reasons_of_a_bot_that_waits_for_its_phone() -> None:
    assert {"PairingRequired", "PairingInProgress", "LoggedOut", "PasskeyRequired"} == REASONS
