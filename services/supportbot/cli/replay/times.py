"""The local times of an export as moments, and the period that is asked for. Pure but for the system's time zone."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from supportbot.errors import UserError

_DAY_CHARS = len("2026-01-31")


def find_zone(name: str | None) -> ZoneInfo | None:
    """The time zone of that IANA name; None, the machine's own, for None.

    Raises:
        UserError: There is none of that name.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise UserError(f"--timezone: {name!r} is no time zone; use a name such as 'America/Cancun'") from exc


def to_moments(times: Iterable[datetime], zone: ZoneInfo | None) -> list[datetime]:
    """The moments of naive local times, in the order of the file, with the zone's offset.

    When a clock is set back an hour exists twice; a time that would lie before the message above it is the second one.
    """
    moments: list[datetime] = []
    for naive in times:
        moment = _localize(naive, zone)
        if moments and moment.astimezone(UTC) < moments[-1].astimezone(UTC):
            second = _localize(naive.replace(fold=1), zone)
            moment = second if second.utcoffset() != moment.utcoffset() else moment
        moments.append(moment)
    return moments


def parse_limit(text: str | None, option: str, *, end: bool) -> datetime | None:
    """A naive local time of `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`; a day means its beginning, or its end for `end`.

    Raises:
        UserError: It is neither.
    """
    if text is None:
        return None
    try:
        limit = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UserError(f"{option}: {text!r} is no date; write it as 2026-01-31 or 2026-01-31T09:00") from exc
    if limit.tzinfo is not None:
        raise UserError(f"{option}: {text!r} has a time zone; write the local time of the export")
    return datetime.combine(limit, time.max) if end and len(text) <= _DAY_CHARS else limit


def _localize(naive: datetime, zone: ZoneInfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
