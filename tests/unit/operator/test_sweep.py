"""Streams of bots that are gone although nobody saw their deletion."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.operator.bots import make_config

from supportbot.errors import PermanentError, TemporaryError
from supportbot_operator.kube import NotFoundError, Object
from supportbot_operator.store import BotName, Store
from supportbot_operator.sweep import Sweeper

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
GONE = BotName("support", "gone")


class Streams:
    """A broker with the streams of some bots."""

    def __init__(self, *bots: BotName) -> None:
        self.bots: dict[BotName, datetime | None] = dict.fromkeys(bots)

    async def with_streams(self) -> dict[BotName, datetime | None]:
        return dict(self.bots)

    async def mark_orphaned(self, bot: BotName, at: datetime) -> None:
        self.bots[bot] = at

    async def forget(self, bot: BotName) -> None:
        del self.bots[bot]


class Resources:
    """An API server that answers as a test says."""

    def __init__(self, answer: Exception | None) -> None:
        self.answer = answer

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        if self.answer is not None:
            raise self.answer
        return {}


def sweeper(streams: Streams, answer: Exception | None, hours: int = 24, **config: object) -> Sweeper:
    return Sweeper(streams, Resources(answer), Store(), make_config(orphans={"keepHours": hours}, **config))


MISSING = NotFoundError("no such bot", name="gone")


async def test_they_are_marked_kept_and_then_deleted() -> None:
    streams = Streams(GONE)
    sweep = sweeper(streams, MISSING)
    await sweep.look(NOW)
    assert streams.bots == {GONE: NOW}
    await sweep.look(NOW + timedelta(hours=23))
    assert streams.bots == {GONE: NOW}
    await sweep.look(NOW + timedelta(hours=24))
    assert streams.bots == {}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        NotFoundError("404 page not found"),
        NotFoundError("the server could not find the requested resource", name="other"),
        PermanentError("forbidden", reason="forbidden"),
        TemporaryError("no answer"),
    ],
)
async def test_unless_the_api_server_says_that_this_bot_is_gone_nothing_happens(answer: Exception | None) -> None:
    streams = Streams(GONE)
    await sweeper(streams, answer, hours=0).look(NOW)
    assert streams.bots == {GONE: None}


async def test_a_bot_in_a_namespace_that_is_not_watched_is_left_alone() -> None:
    streams = Streams(GONE)
    await sweeper(streams, MISSING, hours=0, watchNamespaces=["elsewhere"]).look(NOW)
    assert streams.bots == {GONE: None}
