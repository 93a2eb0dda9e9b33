"""The order of an export as times: what the phone wrote with the same minute or second still has its order. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_STEP = timedelta(milliseconds=1)


def spread(moments: Iterable[datetime]) -> list[datetime]:
    """The moments in UTC, those that are alike a millisecond apart: Android exports whole minutes, but has an order."""
    result: list[datetime] = []
    last, repeats = None, 0
    for moment in moments:
        at = moment.astimezone(UTC)
        repeats = repeats + 1 if at == last else 0
        last = at
        result.append(at + repeats * _STEP)
    return result
