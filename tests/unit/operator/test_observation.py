"""What of a bot's pipeline and reports is news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from supportbot.contracts import Outcome
from supportbot.pipeline_state import PipelineState, Queue
from supportbot.topology import Stage
from supportbot_operator.broker import find_silent, throttle, to_pipeline
from supportbot_operator.status import Pipeline, Report

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)


def state(oldest_at: datetime | None) -> PipelineState:
    queue = Queue(pending=1, ack_pending=0, redelivered=0, oldest_at=oldest_at)
    return PipelineState(
        at=NOW,
        queues=MappingProxyType(dict.fromkeys(Stage, queue)),
        dead_letters=MappingProxyType({Stage.TICKET: 2, Stage.WHATSAPP: 1}),
        received=9,
        outcomes=MappingProxyType({Outcome.TICKET: 3, Outcome.DEAD_LETTER: 1}),
        open=1,
        open_since=NOW,
        unaccounted=("m_x",),
    )


def test_the_state_of_the_streams_in_the_words_of_the_status() -> None:
    assert to_pipeline(state(None)) == Pipeline(
        received=9, tickets=3, dead_lettered=1, waiting_dead_letters=3, unaccounted=1, updated_at=NOW
    )


def test_what_waits_for_a_moment_is_no_backlog() -> None:
    """Or every busy bot would be reconciled at every look."""
    moment, long = NOW - timedelta(minutes=5), NOW - timedelta(minutes=6)
    assert [to_pipeline(state(at)).backlogged_since for at in (moment, long)] == [None, long]
    assert [to_pipeline(state(at)).unanswered_since for at in (moment, long)] == [None, long]
    only_answers = replace(
        state(None), queues={**state(None).queues, Stage.WHATSAPP: state(long).queues[Stage.WHATSAPP]}
    )
    assert (to_pipeline(only_answers).backlogged_since, to_pipeline(only_answers).unanswered_since) == (None, long)


def test_counters_move_once_a_minute_and_what_is_wrong_shows_at_once() -> None:
    first = Pipeline(received=1, updated_at=NOW)
    soon = Pipeline(received=5, waiting_dead_letters=1, updated_at=NOW + timedelta(seconds=15))
    assert throttle(first, soon) == replace(soon, received=1, updated_at=NOW)
    late = replace(soon, updated_at=NOW + timedelta(seconds=60))
    assert throttle(first, late) == late


def test_a_bot_at_rest_is_no_news() -> None:
    first = Pipeline(received=1, updated_at=NOW)
    assert throttle(first, replace(first, updated_at=NOW + timedelta(hours=1))) == first


def test_who_stops_reporting_is_noticed_once_and_forgotten_later() -> None:
    reports = {"ticket.0": Report("ticket", "0", NOW, {}), "ticket.1": Report("ticket", "1", NOW, {})}
    assert find_silent(reports, NOW + timedelta(seconds=45)) == frozenset()
    assert find_silent(reports, NOW + timedelta(seconds=46)) == {"ticket.0", "ticket.1"}
    assert find_silent(reports, NOW + timedelta(minutes=11)) == frozenset()
    assert reports == {}
