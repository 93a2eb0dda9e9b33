"""What the bot allows itself beyond its pace, so that WhatsApp does not take its account for a machine's (pure).

A day has a limit, nights may be silent, no text goes out again and again, and after a warning sign nothing is sent for
an hour or longer. The figures are those that users of unofficial clients report as harmless; WhatsApp names none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from supportbot.errors import PermanentError, UserError
from supportbot.spec import Limits

DAY = timedelta(hours=24)
NEW_LINK = timedelta(hours=24)
"""A device that was linked less than so long ago is watched more closely."""
NEW_LINK_SHARE = 0.2
SAME_TEXT_WITHIN = timedelta(minutes=10)
SAME_TEXT_TIMES = 3
"""So often may the same text go out within that time; WhatsApp has a ban of its own for more (code 104)."""
REJECTIONS = 3
"""So many refused messages in a row are a warning sign."""
FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=24)
PAUSE_FORGOTTEN_AFTER = timedelta(hours=24)
"""After so long without a sign the next pause is a short one again."""


class Limit(StrEnum):
    """What a message waits for; the reason that the check `sends` gives."""

    PAUSED = "SendsPaused"
    QUIET_HOURS = "QuietHours"
    DAY_FULL = "DailyLimitReached"
    SAME_TEXT = "SameTextTooOften"


class Sign(StrEnum):
    """By what WhatsApp shows that it does not like what it gets."""

    SEND_LIMITED = "send_limited"
    """It refuses a message for being too much, too fast or to strangers (420, 429, 463, 479); the error's reason."""
    BANNED = "banned"
    REJECTIONS = "rejections"
    """It refused several messages in a row, whatever for."""


@dataclass(frozen=True, kw_only=True)
class QuietTime:
    """The hours without a word."""

    start: time
    end: time
    zone: ZoneInfo

    def end_after(self, now: datetime) -> datetime | None:
        """When the silence in which `now` lies ends; None when it lies in none."""
        local = now.astimezone(self.zone)
        for days in (-1, 0):
            day = local.date() + timedelta(days=days)
            end_day = day if self.start < self.end else day + timedelta(days=1)
            start = datetime.combine(day, self.start, self.zone)
            end = datetime.combine(end_day, self.end, self.zone)
            if start <= local < end:
                return end.astimezone(now.tzinfo)
        return None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The limits of one bot; without a day's limit and quiet time only the signs count."""

    per_day: int | None
    quiet: QuietTime | None = None
    same_text: bool = True


UNLIMITED = Policy(per_day=None, same_text=False)
"""Nobody bans the simulator."""


@dataclass(frozen=True)
class Sent:
    """A message or reaction that went out, or may have."""

    at: datetime
    digest: bytes = b""
    """Of its text; empty for a reaction."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """The silence after a warning sign."""

    sign: Sign
    until: datetime
    in_row: int = 1


@dataclass(frozen=True, kw_only=True)
class History:
    """What is known of the account."""

    sent: Sequence[Sent] = ()
    """Oldest first; at least those of the last 24 hours."""
    linked_at: datetime | None = None
    pause: Pause | None = None
    rejections: int = 0
    """In a row."""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Why a message may not go now."""

    limit: Limit
    until: datetime
    message: str
    """For people; without a time."""


def make_policy(limits: Limits) -> Policy:
    """The limits that a spec asks for.

    Raises:
        UserError: There is no such time zone.
    """
    quiet = limits.quiet_hours
    if quiet is None:
        return Policy(per_day=limits.per_day)
    try:
        zone = ZoneInfo(quiet.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        place = "spec.whatsapp.limits.quietHours.timeZone"
        raise UserError(f"{place}: there is no time zone {quiet.time_zone!r}; say one such as Europe/Madrid") from exc
    hours = QuietTime(start=time.fromisoformat(quiet.start), end=time.fromisoformat(quiet.end), zone=zone)
    return Policy(per_day=limits.per_day, quiet=hours)


def day_limit(policy: Policy, history: History, now: datetime) -> int | None:
    """How many messages the 24 hours before `now` may hold; None: any number."""
    if policy.per_day is None:
        return None
    is_new = history.linked_at is not None and now - history.linked_at < NEW_LINK
    return max(1, int(policy.per_day * NEW_LINK_SHARE)) if is_new else policy.per_day


def count_day(history: History, now: datetime) -> int:
    """How many messages went out in the 24 hours before `now`."""
    return sum(one.at > now - DAY for one in history.sent)


def find_wait(policy: Policy, history: History, now: datetime, digest: bytes = b"") -> Wait | None:
    """Why a message with the text of `digest` may not go now; what lasts longest in practice comes first."""
    if history.pause is not None and now < history.pause.until:
        return Wait(limit=Limit.PAUSED, until=history.pause.until, message=_PAUSE_WORDS[history.pause.sign])
    if policy.quiet is not None and (end := policy.quiet.end_after(now)) is not None:
        return Wait(limit=Limit.QUIET_HOURS, until=end, message="these are the bot's quiet hours")
    return _find_full_day(policy, history, now) or _find_same_text(policy, history, now, digest)


def after_sign(pause: Pause | None, sign: Sign, now: datetime, *, at_least_until: datetime | None = None) -> Pause:
    """The pause after a warning sign: an hour, and twice as long for each further sign, up to a day.

    A sign during a pause is of a message that was on its way, and lengthens nothing.
    """
    floor = at_least_until or now
    if pause is not None and now < pause.until:
        return replace(pause, until=max(pause.until, floor))
    is_recent = pause is not None and now - pause.until < PAUSE_FORGOTTEN_AFTER
    in_row = pause.in_row + 1 if pause is not None and is_recent else 1
    length = min(FIRST_PAUSE * 2 ** min(in_row - 1, 8), LONGEST_PAUSE)
    return Pause(sign=sign, until=max(now + length, floor), in_row=in_row)


def read_sign(error: PermanentError, rejections: int) -> Sign | None:
    """The warning sign in a refusal that is the last of so many in a row."""
    if error.reason == Sign.SEND_LIMITED:
        return Sign.SEND_LIMITED
    return Sign.REJECTIONS if rejections >= REJECTIONS else None


def _find_full_day(policy: Policy, history: History, now: datetime) -> Wait | None:
    limit = day_limit(policy, history, now)
    if limit is None:
        return None
    today = [one.at for one in history.sent if one.at > now - DAY]
    if len(today) < limit:
        return None
    message = f"the limit of {limit} messages in 24 hours is reached"
    if policy.per_day is not None and limit < policy.per_day and history.linked_at is not None:
        message += ", which is low for the first day after linking"
        return Wait(limit=Limit.DAY_FULL, until=min(today[-limit] + DAY, history.linked_at + NEW_LINK), message=message)
    return Wait(limit=Limit.DAY_FULL, until=today[-limit] + DAY, message=message)


def _find_same_text(policy: Policy, history: History, now: datetime, digest: bytes) -> Wait | None:
    if not digest or not policy.same_text:
        return None
    same = [one.at for one in history.sent if one.digest == digest and one.at > now - SAME_TEXT_WITHIN]
    if len(same) < SAME_TEXT_TIMES:
        return None
    message = f"the same text went out {SAME_TEXT_TIMES} times within ten minutes"
    return Wait(limit=Limit.SAME_TEXT, until=same[-SAME_TEXT_TIMES] + SAME_TEXT_WITHIN, message=message)


_PAUSE_WORDS = {
    Sign.SEND_LIMITED: "WhatsApp has refused a message as too much, too fast or unwanted",
    Sign.BANNED: "WhatsApp has banned the account for a time",
    Sign.REJECTIONS: f"WhatsApp refused {REJECTIONS} messages in a row",
}
