from datetime import UTC, datetime

import pytest
from nats.js.api import ConsumerConfig, ConsumerInfo, SequenceInfo

from supportbot.cli.replay.pipeline import count_waiting


@pytest.mark.parametrize(
    ("last_seq", "delivered", "ack_pending", "num_pending", "waiting"),
    [
        pytest.param(32, 0, 0, 0, 32, id="published, but not yet counted by the server"),
        pytest.param(32, 5, 1, 20, 28, id="one in hand, and the count lags"),
        pytest.param(32, 32, 1, 0, 1, id="the last one in hand"),
        pytest.param(32, 32, 0, 0, 0, id="all settled"),
        pytest.param(0, 0, 0, 0, 0, id="nothing published"),
        pytest.param(32, 33, 1, 0, 1, id="one came after the stream was asked"),
    ],
)
def test_the_stream_knows_what_waits(
    last_seq: int, delivered: int, ack_pending: int, num_pending: int, waiting: int
) -> None:
    lane = ConsumerInfo(
        name="classifier-0",
        stream_name="stores-inbox",
        config=ConsumerConfig(),
        created=datetime(2026, 1, 31, tzinfo=UTC),
        delivered=SequenceInfo(consumer_seq=delivered, stream_seq=delivered),
        num_ack_pending=ack_pending,
        num_pending=num_pending,
    )
    assert count_waiting(last_seq, lane) == waiting
