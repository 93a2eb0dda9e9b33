from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from supportbot.cli.replay.times import find_zone, parse_limit, to_moments
from supportbot.errors import UserError
from supportbot.export.moments import spread

MADRID = ZoneInfo("Europe/Madrid")

local = datetime.fromisoformat


def test_local_times_get_the_offset_of_their_day() -> None:
    winter, summer = to_moments([local("2026-01-05T09:00"), local("2026-07-05T09:00")], MADRID)
    assert winter.isoformat() == "2026-01-05T09:00:00+01:00"
    assert summer.isoformat() == "2026-07-05T09:00:00+02:00"


def test_the_second_of_two_equal_hours_is_the_second() -> None:
    """On 25 October 2026 Madrid had 02:50 twice, an hour apart; between them lies 02:10 of the second hour."""
    naive = [local("2026-10-25T02:50"), local("2026-10-25T02:10"), local("2026-10-25T02:50")]
    moments = [at.astimezone(UTC) for at in to_moments(naive, MADRID)]
    assert [at.strftime("%H:%M") for at in moments] == ["00:50", "01:10", "01:50"]


def test_a_clock_that_was_wrong_stays_as_it_is() -> None:
    naive = [local("2026-02-02T09:05"), local("2026-02-02T09:01")]
    assert [at.replace(tzinfo=None) for at in to_moments(naive, MADRID)] == naive


def test_equal_moments_are_spread_in_the_order_of_the_file() -> None:
    minute = datetime(2026, 2, 2, 9, 0, tzinfo=MADRID)
    later = minute + timedelta(minutes=1)
    base = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
    assert spread([minute, minute, minute, later, later]) == [
        base,
        base + timedelta(milliseconds=1),
        base + timedelta(milliseconds=2),
        base + timedelta(minutes=1),
        base + timedelta(minutes=1, milliseconds=1),
    ]


@pytest.mark.parametrize(
    ("text", "end", "limit"),
    [
        (None, False, None),
        ("2026-02-02", False, local("2026-02-02")),
        ("2026-02-02", True, local("2026-02-02T23:59:59.999999")),
        ("2026-02-02T09:30", True, local("2026-02-02T09:30")),
        ("2026-02-02 09:30", False, local("2026-02-02T09:30")),
    ],
)
def test_limits(text: str | None, end: bool, limit: datetime | None) -> None:
    assert parse_limit(text, "--until", end=end) == limit


@pytest.mark.parametrize("text", ["2/2/2026", "yesterday", "2026-02-30", "2026-02-02T09:00Z"])
def test_wrong_limits_are_refused_by_name(text: str) -> None:
    with pytest.raises(UserError, match="--since") as refusal:
        parse_limit(text, "--since", end=False)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_wrong_zones_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="--timezone"):
        find_zone(name)


def test_no_zone_is_the_machines_own() -> None:
    assert find_zone(None) is None
    moment = to_moments([local("2026-02-02T09:00")], None)[0]
    assert moment.tzinfo is not None
    assert moment.replace(tzinfo=None) == local("2026-02-02T09:00")
