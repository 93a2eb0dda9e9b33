import pytest
from tests.events import classify, make_message

from supportbot import topology
from supportbot.contracts import ConfirmationAsked, Event
from supportbot.topology import LIVE, REPLAY, Bucket, Profile, Stage

MESSAGE = make_message(1)
GROUP = MESSAGE.group_ref


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (MESSAGE, f"in.tiendas.{GROUP}"),
        (classify(MESSAGE), f"cls.tiendas.{GROUP}"),
        (ConfirmationAsked(message_ref=MESSAGE.message_ref, group_ref=GROUP), f"out.tiendas.{GROUP}"),
    ],
)
def test_an_event_goes_to_the_stage_that_consumes_it(event: Event, subject: str) -> None:
    assert topology.event_subject("tiendas", event) == subject


def test_names() -> None:
    names = {
        "streams": [topology.stream_name("b", stage) for stage in Stage],
        "consumer": topology.consumer_name(Stage.CLASSIFIER, 3),
        "lane": topology.lane_subject("b", Stage.CLASSIFIER, 3),
        "dlq": topology.dead_letter_subject("b", Stage.TICKET, GROUP),
        "trail": topology.trail_subject("b", GROUP),
        "bucket": topology.bucket_name("b", "effects"),
        "advisories": topology.advisory_subject("b", Stage.TICKET),
    }
    assert names == {
        "streams": ["b-replies", "b-inbox", "b-tickets"],
        "consumer": "classifier-3",
        "lane": "inbox.b.3.*",
        "dlq": f"dlq.b.ticket.{GROUP}",
        "trail": f"trail.b.{GROUP}",
        "bucket": "b_effects",
        "advisories": "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.b-tickets.*",
    }


def test_an_unknown_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="memories"):
        topology.bucket_name("b", "memories")


@pytest.mark.parametrize("profile", [LIVE, REPLAY])
def test_every_stream_keeps_what_arrives_and_knows_its_ids(profile: Profile) -> None:
    """The server refuses a duplicate window above the age, and its default of two minutes is too short."""
    for config in topology.stream_configs("b", 4, profile):
        if config.name is None or config.name.startswith(("KV_", "OBJ_", "EVENTS")):
            continue
        assert config.retention == "limits"
        assert config.duplicate_window == profile.duplicate_window_s <= (config.max_age or 0)
        assert config.discard == ("old" if config.name == "b-trail" else "new")


def test_each_stage_has_a_durable_for_each_lane_that_hands_out_one_message_at_a_time() -> None:
    durables = topology.consumer_configs("b", 3)
    lanes = [(stream, config) for stream, config in durables if stream != topology.EVENTS_STREAM]
    assert len(lanes) == len(durables) - 1 == len(Stage) * 3
    assert {config.max_ack_pending for _, config in lanes} == {1}
    assert len({(stream, config.filter_subject) for stream, config in lanes}) == 9


def test_the_ledger_outlives_every_event_and_dead_letter_and_is_read_from_the_leader() -> None:
    configs = {config.name: config for config in topology.stream_configs("b", 4)}
    ledger = configs[f"KV_{topology.bucket_name('b', Bucket.EFFECTS)}"]
    assert (ledger.max_age or 0) > (configs["b-dlq"].max_age or 0) + (configs["b-inbox"].max_age or 0)
    assert ledger.allow_direct is False


def test_a_laptop_has_room_for_one_bot() -> None:
    reserved = sum(config.max_bytes or 0 for config in topology.stream_configs("b", 64, REPLAY))
    assert reserved < 10 * 1024**3


def test_what_waits_is_kept_as_long_as_its_attachments_and_the_ledger_of_effects_outlives_it() -> None:
    ages = {config.name: config.max_age or 0.0 for config in topology.stream_configs("b", lanes=4)}
    waiting = {ages[topology.stream_name("b", stage)] for stage in Stage}
    assert waiting == {ages["OBJ_b_media"]}
    assert ages["KV_b_effects"] > max(waiting) + ages[topology.dead_letter_stream("b")]


def test_labels_are_bounded_and_give_way_to_newer_ones() -> None:
    configs = {config.name: config for config in topology.stream_configs("b", lanes=4)}
    labels, memory = configs["KV_b_labels"], configs["KV_b_memory"]
    assert (labels.discard, memory.discard) == ("old", "new")
    assert (labels.max_msgs or 0) * (labels.max_msg_size or 0) <= 200 * 1024**2
    assert (labels.max_age or 0) >= 365 * 86_400


def test_what_models_used_is_kept_for_a_month_and_their_breakers_for_the_day_that_they_matter() -> None:
    configs = {config.name: config for config in topology.stream_configs("b", 4)}
    assert (configs["KV_b_usage"].max_age or 0) >= 31 * 86_400
    assert configs["KV_b_breakers"].max_age == 86_400
