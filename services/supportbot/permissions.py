"""What each service may do on NATS (pure): exact allow-lists, made of the names of `topology`.

Whatever is not listed is refused by the broker: other stages, other bots, the stored subjects, the management of
streams. What the broker does not check is the reply subject of a permitted request: a service that was taken over can
have an answer delivered to a subject that it may not publish to. It reads nothing that way, and what arrives is the
server's own JSON, never an event: that is why no service may read a bucket directly, whose answers are the value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from supportbot import topology
from supportbot.topology import Bucket, Stage

_API = "$JS.API"


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Subjects that a user may publish to and subscribe to; everything else is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(bot: str, stage: Stage) -> Permissions:
    """The rights of the service that serves a stage of a bot; `bot` is its key on the bus."""
    publish = (*_common(bot, stage), *_lanes(bot, stage), *_OWN[stage](bot))
    return Permissions(publish=publish, subscribe=(f"{topology.inbox_prefix(bot, stage)}.>",))


def _common(bot: str, stage: Stage) -> Iterator[str]:
    """Word about messages, dead letters, and the state of the process."""
    yield topology.trail_subject(bot, "*")
    yield topology.dead_letter_subject(bot, stage, "*")
    yield from _bucket(bot, Bucket.STATE, f"{stage}.>", reads=False)


def _lanes(bot: str, stage: Stage) -> Iterator[str]:
    """Pull from the stage's durables, and settle: acks have a longer form where a domain or account is named."""
    stream = topology.stream_name(bot, stage)
    yield f"{_API}.STREAM.INFO.{stream}"
    yield f"{_API}.CONSUMER.INFO.{stream}.*"
    yield f"{_API}.CONSUMER.MSG.NEXT.{stream}.*"
    yield f"$JS.ACK.{stream}.>"
    yield f"$JS.ACK.*.*.{stream}.>"


def _whatsapp(bot: str) -> Iterator[str]:
    yield topology.publish_subject(bot, Stage.CLASSIFIER, "*")
    yield from _bucket(bot, Bucket.EFFECTS, "reply.>")
    media = topology.media_bucket(bot)
    yield from _media(media)
    yield f"$O.{media}.C.*"
    yield f"$O.{media}.M.*"


def _classifier(bot: str) -> Iterator[str]:
    yield topology.publish_subject(bot, Stage.TICKET, "*")
    yield from _bucket(bot, Bucket.MEMORY, "*")
    yield from _bucket(bot, Bucket.LABELS, "*")
    yield from _bucket(bot, Bucket.BREAKERS, "model.*")
    yield from _bucket(bot, Bucket.USAGE, "*")


def _ticket(bot: str) -> Iterator[str]:
    yield topology.publish_subject(bot, Stage.WHATSAPP, "*")
    yield from _bucket(bot, Bucket.EFFECTS, ">")
    yield from _bucket(bot, Bucket.TOKENS, ">")
    yield from _bucket(bot, Bucket.BREAKERS, "*")
    effects = topology.bucket_name(bot, Bucket.EFFECTS)
    yield from _reader(f"KV_{effects}", f"$KV.{effects}.desk.queue.>")
    media = topology.media_bucket(bot)
    yield from _media(media)
    yield from _reader(f"OBJ_{media}", f"$O.{media}.C.*")


_OWN = {Stage.WHATSAPP: _whatsapp, Stage.CLASSIFIER: _classifier, Stage.TICKET: _ticket}


def _bucket(bot: str, bucket: Bucket, keys: str, *, reads: bool = True) -> Iterator[str]:
    """Bind a bucket, read any key of it, and write those that match `keys`."""
    name = topology.bucket_name(bot, bucket)
    yield f"{_API}.STREAM.INFO.KV_{name}"
    yield f"$KV.{name}.{keys}"
    if reads:
        yield f"{_API}.STREAM.MSG.GET.KV_{name}"


def _media(bucket: str) -> Iterator[str]:
    """Bind the object store and read what is said about an object."""
    yield f"{_API}.STREAM.INFO.OBJ_{bucket}"
    yield f"{_API}.STREAM.MSG.GET.OBJ_{bucket}"


def _reader(stream: str, subject: str) -> Iterator[str]:
    """Read what matches a subject by a consumer that exists for one reading; the stream has no others."""
    yield f"{_API}.CONSUMER.CREATE.{stream}.*.{subject}"
    yield f"{_API}.CONSUMER.MSG.NEXT.{stream}.*"
    yield f"{_API}.CONSUMER.DELETE.{stream}.*"
