"""What the bot allows itself: table cases on a clock of our own."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulated import make_bot

from supportbot.errors import PermanentError, UserError
from supportbot.whatsapp.limits import (
    DAY,
    LONGEST_PAUSE,
    UNLIMITED,
    History,
    Limit,
    Pause,
    Policy,
    QuietTime,
    Sent,
    Sign,
    after_sign,
    count_day,
    day_limit,
    find_wait,
    make_policy,
    read_sign,
)

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MEXICO = ZoneInfo("America/Mexico_City")  # UTC-6, without summer time since 2022.
NIGHT = QuietTime(start=time(22), end=time(7), zone=MEXICO)
POLICY = Policy(per_day=10)
LINKED = NOW - timedelta(days=9)


def history(*ages: timedelta, digest: bytes = b"", **fields: object) -> History:
    sent = sorted((Sent(NOW - age, digest) for age in ages), key=lambda one: one.at)
    return replace(History(sent=sent, linked_at=LINKED), **fields)  # type: ignore[arg-type]


def limit_and_end(policy: Policy, past: History, digest: bytes = b"") -> tuple[Limit, timedelta] | None:
    wait = find_wait(policy, past, NOW, digest)
    return (wait.limit, wait.until - NOW) if wait else None


def test_a_full_day_waits_until_the_oldest_is_a_day_old() -> None:
    ages = [HOUR * number for number in range(1, 11)]

    assert limit_and_end(POLICY, history(*ages[:9])) is None
    assert limit_and_end(POLICY, history(*ages)) == (Limit.DAY_FULL, DAY - 10 * HOUR)
    # Another limit than before: the message waits until there is room for it.
    assert limit_and_end(Policy(per_day=4), history(*ages)) == (Limit.DAY_FULL, DAY - 4 * HOUR)


def test_what_is_a_day_old_counts_no_more() -> None:
    past = history(*[DAY] * 10, HOUR)

    assert (count_day(past, NOW), limit_and_end(POLICY, past)) == (1, None)


def test_a_new_link_has_a_fifth_of_the_day_for_a_day() -> None:
    new = history(HOUR, 2 * HOUR, linked_at=NOW - 3 * HOUR)

    assert day_limit(POLICY, new, NOW) == 2
    assert limit_and_end(POLICY, new) == (Limit.DAY_FULL, 21 * HOUR)
    assert day_limit(POLICY, new, NOW + 21 * HOUR) == 10
    assert day_limit(Policy(per_day=1), new, NOW) == 1


@pytest.mark.parametrize(
    ("hour_utc", "minute", "ends_after"),
    [
        (3, 59, None),  # 21:59 in Mexico
        (4, 0, 9 * HOUR),
        (6, 30, 6 * HOUR + 30 * MINUTE),  # half past midnight
        (12, 59, MINUTE),
        (13, 0, None),  # 07:00
    ],
)
def test_quiet_hours_over_midnight(hour_utc: int, minute: int, ends_after: timedelta | None) -> None:
    at = NOW.replace(hour=hour_utc, minute=minute)

    wait = find_wait(Policy(per_day=10, quiet=NIGHT), history(), at)

    assert (wait and (wait.limit, wait.until - at)) == (ends_after and (Limit.QUIET_HOURS, ends_after))


def test_quiet_hours_within_a_day_and_over_a_change_of_clocks() -> None:
    lunch = QuietTime(start=time(14), end=time(16), zone=ZoneInfo("UTC"))
    night = QuietTime(start=time(22), end=time(7), zone=ZoneInfo("Europe/Madrid"))
    spring = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)  # 23:00; at 02:00 clocks go to 03:00.

    assert lunch.end_after(NOW) == NOW + HOUR
    assert lunch.end_after(NOW + HOUR) is None
    assert night.end_after(spring) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


@given(at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), start=st.times(), end=st.times())  # noqa: DTZ001
def test_silence_ends_within_a_day_and_is_over_then(at: datetime, start: time, end: time) -> None:
    start, end = (moment.replace(second=0, microsecond=0) for moment in (start, end))
    if start == end:
        return
    quiet, now = QuietTime(start=start, end=end, zone=MEXICO), at.replace(tzinfo=UTC)

    over = quiet.end_after(now)

    if over is not None:
        assert timedelta() < over - now <= DAY
        assert quiet.end_after(over) is None


def test_the_same_text_goes_out_three_times_in_ten_minutes() -> None:
    past = history(9 * MINUTE, 5 * MINUTE, MINUTE, digest=b"same")

    assert limit_and_end(POLICY, past, b"same") == (Limit.SAME_TEXT, MINUTE)
    assert limit_and_end(POLICY, past, b"other") is None
    assert limit_and_end(POLICY, past) is None
    assert limit_and_end(POLICY, history(10 * MINUTE, 5 * MINUTE, MINUTE, digest=b"same"), b"same") is None


def test_pauses_grow_from_an_hour_to_a_day_and_are_forgotten() -> None:
    pause, at, lengths = None, NOW, []
    for _ in range(7):
        pause = after_sign(pause, Sign.SEND_LIMITED, at)
        lengths.append(pause.until - at)
        at = pause.until + HOUR
    late = after_sign(pause, Sign.REJECTIONS, pause.until + DAY) if pause else None

    assert lengths == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, LONGEST_PAUSE, LONGEST_PAUSE]
    assert late is not None
    assert late.in_row == 1


def test_a_sign_during_a_pause_lengthens_nothing_but_a_ban_lasts_as_long_as_it_does() -> None:
    pause = after_sign(None, Sign.SEND_LIMITED, NOW)

    assert after_sign(pause, Sign.REJECTIONS, NOW + MINUTE) == pause
    banned = after_sign(pause, Sign.BANNED, NOW + MINUTE, at_least_until=NOW + 3 * DAY)
    assert (banned.until, banned.in_row) == (NOW + 3 * DAY, 1)


def test_a_pause_holds_everything() -> None:
    past = history(pause=Pause(sign=Sign.SEND_LIMITED, until=NOW + HOUR))

    assert limit_and_end(POLICY, past) == (Limit.PAUSED, HOUR)
    assert limit_and_end(UNLIMITED, past) == (Limit.PAUSED, HOUR)


@pytest.mark.parametrize(
    ("reason", "rejections", "sign"),
    [
        ("send_limited", 1, Sign.SEND_LIMITED),
        ("send_refused", 2, None),
        ("send_refused", 3, Sign.REJECTIONS),
    ],
)
def test_signs_in_a_refusal(reason: str, rejections: int, sign: Sign | None) -> None:
    assert read_sign(PermanentError("refused", reason=reason), rejections) is sign


def test_a_spec_becomes_a_policy() -> None:
    groups = [{"jid": "120363000000000001@g.us"}]
    hours = {"start": "22:00", "end": "07:00", "timeZone": "America/Mexico_City"}
    plain = make_bot(whatsapp={"groups": groups}).spec.whatsapp.limits
    own = make_bot(whatsapp={"groups": groups, "limits": {"perDay": 80, "quietHours": hours}}).spec.whatsapp.limits
    lost = make_bot(
        whatsapp={"groups": groups, "limits": {"quietHours": {**hours, "timeZone": "America/Atlantis"}}}
    ).spec.whatsapp.limits

    assert make_policy(plain) == Policy(per_day=300)
    assert make_policy(own) == Policy(per_day=80, quiet=NIGHT)
    with pytest.raises(UserError, match=r"quietHours\.timeZone: there is no time zone 'America/Atlantis'"):
        make_policy(lost)
