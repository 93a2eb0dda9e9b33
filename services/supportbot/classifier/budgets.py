"""How much one author and one group may set off, in conversation time, by what the memory holds. Pure.

A flood, or a text that talks a model into anything, must not open hundreds of tickets or cost hundreds of calls. Who
really reports stays below: in the labelled conversations nobody opens more than 2 incidents in 10 minutes and 3 a day,
or writes more than 4 texts in 10 minutes.
What is beyond is never lost: it waits for a person, or is judged by the local tiers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from supportbot.classifier.memory import Memory
from supportbot.contracts import MessageReceived


class Limit(NamedTuple):
    """At most so many within a time."""

    most: int
    within: timedelta


AUTHOR_OPENINGS: Final = (Limit(6, timedelta(minutes=10)), Limit(40, timedelta(days=1)))
GROUP_OPENINGS: Final = (Limit(25, timedelta(minutes=10)), Limit(80, timedelta(hours=4)))
AUTHOR_TEXTS: Final = (Limit(20, timedelta(minutes=10)), Limit(100, timedelta(days=1)))
GROUP_TEXTS: Final = (Limit(80, timedelta(minutes=10)),)
"""The memory holds 140 messages and 90 incidents of a group, so no larger number can be counted."""


def opening_limit(memory: Memory, message: MessageReceived) -> str | None:
    """Why the message may open no incident of its own; None when it may.

    A message that a person confirmed is not asked about here; the people of the staff list have no limit of their own.

    Args:
        memory: Of the message's group, before it.
        message: Its `sent_at` is the only clock.
    """
    opened = [one.state for one in memory.incidents if one.ticket]
    own = [state.opened_at for state in opened if state.reporter.ref == message.sender.ref]
    if not message.sender.staff and (limit := _reached(AUTHOR_OPENINGS, own, message.sent_at)):
        return f"its author has opened {limit.most} incidents within {_words(limit.within)}"
    if limit := _reached(GROUP_OPENINGS, [state.opened_at for state in opened], message.sent_at):
        return f"the group has opened {limit.most} incidents within {_words(limit.within)}"
    return None


def call_limit(memory: Memory, message: MessageReceived) -> str | None:
    """Why no model is asked about the message, `author_busy` or `group_busy`; None when one may be.

    Texts are counted, whoever judged them: what is decided otherwise later no longer tells that a model was asked.
    """
    texts = [one for one in memory.recent if one.text]
    own = [one.at for one in texts if one.author == message.sender.ref]
    if _reached(AUTHOR_TEXTS, own, message.sent_at):
        return "author_busy"
    return "group_busy" if _reached(GROUP_TEXTS, [one.at for one in texts], message.sent_at) else None


def _reached(limits: Sequence[Limit], times: Sequence[datetime], now: datetime) -> Limit | None:
    """The first limit that these times have used up."""
    return next((limit for limit in limits if sum(now - at < limit.within for at in times) >= limit.most), None)


def _words(within: timedelta) -> str:
    if within == timedelta(days=1):
        return "a day"
    minutes = round(within.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hours"
