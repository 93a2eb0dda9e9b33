"""Every name of a bot's streams, subjects, consumers and buckets, and how each is configured (pure).

`streams` makes them. A stream hashes the conversation into a lane, and each lane has one durable consumer that hands
out one message at a time: that keeps a conversation in order whoever handles it.
"""

from dataclasses import dataclass
from enum import StrEnum

from nats.js import api

from supportbot.contracts import INBOX_EVENTS, TICKET_EVENTS, Event

MAX_LANES = 64
BOT_LABEL = "supportbot.dev/bot"
"""Metadata of every stream of a bot; the value is its key on the bus."""
ORIGIN_LABEL = "supportbot.dev/origin"
"""Metadata beside it: which bot that is to whoever made the streams."""
EVENTS_STREAM = "EVENTS"
"""One per account: the server's advisories. Two streams with the same subjects are refused."""

_HOUR_S, _DAY_S = 3600.0, 86_400.0
_KEEP_S = 30 * _DAY_S
"""What waits, its attachments, and dead letters. The janitor removes what is settled; what is older and still not
settled, say of a bot that was paused for so long, is lost, and the trail tells so for another week."""
_ADVISORY = "$JS.EVENT.ADVISORY.CONSUMER"


class Stage(StrEnum):
    """Who consumes: the classifier the inbox, the ticket service the tickets, the gateway the replies."""

    WHATSAPP = "whatsapp"
    CLASSIFIER = "classifier"
    TICKET = "ticket"


class Bucket(StrEnum):
    """The key-value buckets of a bot, by their short names."""

    EFFECTS = "effects"
    MEMORY = "memory"
    BREAKERS = "breakers"
    STATE = "state"
    TOKENS = "tokens"
    LABELS = "labels"
    USAGE = "usage"


@dataclass(frozen=True)
class Route:
    """How events get to a stage."""

    stream: str
    published: str
    """First token of the subject that is published to."""
    stored: str
    """First token of the subject that the lanes filter by."""
    destination: str
    """The logical name in spans: it holds no bot, lane or group."""


_ROUTES = {
    Stage.CLASSIFIER: Route("inbox", "in", "inbox", "supportbot.inbound"),
    Stage.TICKET: Route("tickets", "cls", "ticket", "supportbot.classified"),
    Stage.WHATSAPP: Route("replies", "out", "reply", "supportbot.reply"),
}

_BUCKET_TTL_S = {
    Bucket.EFFECTS: 75 * _DAY_S,  # Longer than an event may wait, and after it its dead letter.
    Bucket.MEMORY: 0.0,
    Bucket.BREAKERS: _DAY_S,
    Bucket.STATE: _HOUR_S,
    Bucket.TOKENS: 0.0,
    Bucket.LABELS: 400 * _DAY_S,
    Bucket.USAGE: 40 * _DAY_S,
}


_MAX_LABELS = 10_000
"""The oldest give way, so that keeping one never holds a message; each has a few kilobytes at most."""
_MAX_LABEL_BYTES = 16 * 1024


@dataclass(frozen=True)
class Profile:
    """Limits of a bot's streams and consumers. Streams reserve their bytes when they are created."""

    stream_bytes: int = 256 * 1024**2
    """Of the inbox, the tickets and the trail; replies and dead letters get a quarter."""
    media_bytes: int = 2 * 1024**3
    duplicate_window_s: float = _DAY_S
    """How long the broker knows an id; it must exceed the longest retry of a publish."""
    ack_wait_s: float = 30.0
    """Silence after which a message goes to another worker."""
    max_deliver: int = 20
    """The backstop behind the bus's own dead letters."""
    replicas: int = 1
    origin: str = ""
    """Kept beside the streams, so that their maker finds those of bots that are gone and leaves those of others alone;
    empty where nobody else makes streams, as on a laptop."""


LIVE = Profile()
REPLAY = Profile(duplicate_window_s=_HOUR_S, media_bytes=4 * 1024**3)
"""For a run over a file on one machine: it is over within the hour."""


def route(stage: Stage) -> Route:
    """The way of events to a stage."""
    return _ROUTES[stage]


def stage_of(event: Event) -> Stage:
    """The stage that consumes an event."""
    if isinstance(event, INBOX_EVENTS):
        return Stage.CLASSIFIER
    return Stage.TICKET if isinstance(event, TICKET_EVENTS) else Stage.WHATSAPP


def stream_name(bot: str, stage: Stage) -> str:
    """The stream that `stage` consumes."""
    return f"{bot}-{_ROUTES[stage].stream}"


def dead_letter_stream(bot: str) -> str:
    """The stream of what could not be processed."""
    return f"{bot}-dlq"


def trail_stream(bot: str) -> str:
    """The stream of what every stage decided."""
    return f"{bot}-trail"


def publish_subject(bot: str, stage: Stage, group_ref: str) -> str:
    """Where an event for `stage` is published."""
    return f"{_ROUTES[stage].published}.{bot}.{group_ref}"


def event_subject(bot: str, event: Event) -> str:
    """Where `event` is published."""
    return publish_subject(bot, stage_of(event), event.group_ref)


def dead_letter_subject(bot: str, stage: Stage, group_ref: str) -> str:
    """Where a dead letter of `stage` is published."""
    return f"dlq.{bot}.{stage}.{group_ref}"


def trail_subject(bot: str, group_ref: str) -> str:
    """Where a trail entry is published."""
    return f"trail.{bot}.{group_ref}"


def consumer_name(stage: Stage, lane: int) -> str:
    """The durable of a lane."""
    return f"{stage}-{lane}"


def lane_subject(bot: str, stage: Stage, lane: int | str = "*") -> str:
    """What a lane's durable filters by."""
    return f"{_ROUTES[stage].stored}.{bot}.{lane}.*"


def advisory_subject(bot: str, stage: Stage) -> str:
    """The server's word that a message of the stage used up its deliveries."""
    return f"{_ADVISORY}.MAX_DELIVERIES.{stream_name(bot, stage)}.*"


def janitor_consumer(bot: str) -> str:
    """The durable of the bot's janitor on the advisories."""
    return f"janitor-{bot}"


def inbox_prefix(bot: str, service: str) -> str:
    """First token of the subjects on which a service of a bot gets its answers, and nobody else."""
    return f"_INBOX_{service}_{bot}"


def bucket_name(bot: str, name: str) -> str:
    """The full name of a bot's bucket, such as `tiendas_effects`. Raises ValueError for an unknown short name."""
    return f"{bot}_{Bucket(name)}"


def media_bucket(bot: str) -> str:
    """The object store of attachments."""
    return f"{bot}_media"


def stream_configs(bot: str, lanes: int, profile: Profile = LIVE) -> list[api.StreamConfig]:
    """All streams of a bot, buckets and the account's advisories included."""
    quarter = profile.stream_bytes // 4
    sizes = {Stage.CLASSIFIER: profile.stream_bytes, Stage.TICKET: profile.stream_bytes, Stage.WHATSAPP: quarter}
    dlq, trail = dead_letter_stream(bot), trail_stream(bot)
    own = [
        *(_lane_stream(bot, stage, lanes, size, profile) for stage, size in sizes.items()),
        _stream(dlq, [f"dlq.{bot}.*.*"], age_s=_KEEP_S, max_bytes=quarter, profile=profile),
        # The trail gives up its oldest entries rather than hold the pipeline.
        _stream(
            trail,
            [f"trail.{bot}.*"],
            age_s=_KEEP_S + 7 * _DAY_S,
            max_bytes=profile.stream_bytes,
            profile=profile,
            discard=api.DiscardPolicy.OLD,
        ),
        *(_bucket_stream(bot, bucket, profile) for bucket in Bucket),
        _media_stream(bot, profile),
    ]
    for config in own:
        config.metadata = {BOT_LABEL: bot, **({ORIGIN_LABEL: profile.origin} if profile.origin else {})}
    events = api.StreamConfig(
        name=EVENTS_STREAM,
        subjects=[f"{_ADVISORY}.MAX_DELIVERIES.>", f"{_ADVISORY}.MSG_TERMINATED.>"],
        max_age=7 * _DAY_S,
        max_bytes=64 * 1024**2,
        num_replicas=profile.replicas,
    )
    return [*own, events]


def consumer_configs(bot: str, lanes: int, profile: Profile = LIVE) -> list[tuple[str, api.ConsumerConfig]]:
    """All durables of a bot with their streams: a lane each, and the janitor's."""
    durables = [
        (
            stream_name(bot, stage),
            api.ConsumerConfig(
                name=consumer_name(stage, lane),
                durable_name=consumer_name(stage, lane),
                filter_subject=lane_subject(bot, stage, lane),
                max_ack_pending=1,
                ack_wait=profile.ack_wait_s,
                max_deliver=profile.max_deliver,
            ),
        )
        for stage in Stage
        for lane in range(lanes)
    ]
    janitor = api.ConsumerConfig(
        name=janitor_consumer(bot),
        durable_name=janitor_consumer(bot),
        filter_subjects=[advisory_subject(bot, stage) for stage in Stage],
        ack_wait=profile.ack_wait_s,
        max_ack_pending=1,
    )
    return [*durables, (EVENTS_STREAM, janitor)]


def _lane_stream(bot: str, stage: Stage, lanes: int, max_bytes: int, profile: Profile) -> api.StreamConfig:
    path = _ROUTES[stage]
    published = f"{path.published}.{bot}.*"
    config = _stream(stream_name(bot, stage), [published], age_s=_KEEP_S, max_bytes=max_bytes, profile=profile)
    stored = f"{path.stored}.{bot}.{{{{partition({lanes},1)}}}}.{{{{wildcard(1)}}}}"
    config.subject_transform = api.SubjectTransform(src=published, dest=stored)
    return config


def _stream(
    name: str,
    subjects: list[str],
    *,
    age_s: float,
    max_bytes: int,
    profile: Profile,
    discard: api.DiscardPolicy = api.DiscardPolicy.NEW,
) -> api.StreamConfig:
    # Retention by limits: a work queue forgets the id of an acked message at a restart (nats-server#3272).
    return api.StreamConfig(
        name=name,
        subjects=subjects,
        retention=api.RetentionPolicy.LIMITS,
        discard=discard,
        max_age=age_s,
        max_bytes=max_bytes,
        duplicate_window=profile.duplicate_window_s,
        num_replicas=profile.replicas,
        allow_direct=True,
    )


def _bucket_stream(bot: str, bucket: Bucket, profile: Profile) -> api.StreamConfig:
    name, ttl_s = bucket_name(bot, bucket), _BUCKET_TTL_S[bucket]
    bounded = bucket is Bucket.LABELS
    return api.StreamConfig(
        name=f"KV_{name}",
        subjects=[f"$KV.{name}.>"],
        max_msgs_per_subject=1,
        max_age=ttl_s,
        max_msgs=_MAX_LABELS if bounded else None,
        max_msg_size=_MAX_LABEL_BYTES if bounded else None,
        discard=api.DiscardPolicy.OLD if bounded else api.DiscardPolicy.NEW,
        duplicate_window=120.0,
        deny_delete=True,
        # No roll-up: its header would let whoever may write one key purge all of them.
        allow_msg_ttl=True,
        # Reads go to the leader: none may miss what was written. And the answer to a direct read has headers and value
        # of whoever wrote the key, delivered to any reply subject: an event for another bot, say.
        allow_direct=False,
        num_replicas=profile.replicas,
    )


def _media_stream(bot: str, profile: Profile) -> api.StreamConfig:
    name = media_bucket(bot)
    return api.StreamConfig(
        name=f"OBJ_{name}",
        subjects=[f"$O.{name}.C.>", f"$O.{name}.M.>"],
        max_age=_KEEP_S,
        max_bytes=profile.media_bytes,
        discard=api.DiscardPolicy.NEW,
        allow_direct=True,
        num_replicas=profile.replicas,
    )
