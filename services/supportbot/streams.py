"""Makes, finds and deletes the streams, consumers and buckets that `topology` describes: the one place that does.

`supportbot up`, `replay`, the operator and tests call it; services only bind to what exists.
"""

import asyncio
import re
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from supportbot.errors import UserError
from supportbot.nats_errors import StreamMissingError, broker_errors
from supportbot.topology import (
    BOT_LABEL,
    EVENTS_STREAM,
    LIVE,
    MAX_LANES,
    ORIGIN_LABEL,
    Profile,
    Stage,
    consumer_configs,
    janitor_consumer,
    stream_configs,
    stream_name,
)

log = structlog.get_logger(__name__)

ORPHANED_LABEL = "supportbot.dev/orphaned-at"
"""Metadata of one stream of a bot that its maker no longer finds: since when, in RFC 3339."""

_BOT = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_NAME_IN_USE = 10058


@dataclass(frozen=True, kw_only=True)
class BotStreams:
    """What the streams of a bot say about it."""

    origin: str = ""
    """Of the profile that they were made with."""
    orphaned_at: datetime | None = None
    """Since when their maker no longer finds the bot; None while it does."""


async def ensure_topology(js: JetStreamContext, bot: str, lanes: int, profile: Profile = LIVE) -> None:
    """Create all streams, consumers and buckets of a bot, or update them to what this version wants.

    A bot that was marked as orphaned is so no longer.

    Raises:
        PermanentError: The broker refuses; `broker_full` when the reservations exceed its `max_file`.
        UnavailableError: The broker is away.
        UserError: A bad name or number of lanes, a number that differs from what the bot was created with, or streams
            of another origin.
    """
    if not _BOT.match(bot):
        raise UserError(f"the bot's name is {bot!r}; use lower-case letters, digits and hyphens")
    if not 1 <= lanes <= MAX_LANES:
        raise UserError(f"lanes is {lanes!r}; use 1 to {MAX_LANES}")
    with broker_errors():
        await _check_origin(js, bot, profile.origin)
        await check_lanes(js, bot, Stage.CLASSIFIER, lanes)
        await asyncio.gather(*(_ensure_stream(js, config) for config in stream_configs(bot, lanes, profile)))
        consumers = consumer_configs(bot, lanes, profile)
        await asyncio.gather(*(js.add_consumer(stream, config) for stream, config in consumers))


async def delete_topology(js: JetStreamContext, bot: str, origin: str = "") -> tuple[str, ...]:
    """Delete all streams, buckets and consumers of a bot with what is in them; what is gone already is no error.

    Args:
        js: Of the account.
        bot: The key on the bus.
        origin: Delete only what says that it is of this origin; empty deletes whatever has the bot's names.

    Returns:
        The streams that were left because they are of another origin, or say none.

    Raises:
        PermanentError: The broker refuses.
        UnavailableError: The broker is away; call it again.
    """
    with broker_errors():
        origins = await _read_origins(js, bot)
        left = tuple(name for name, owner in origins.items() if origin and owner != origin)
        deleting = [_delete(js.delete_stream(name)) for name in origins if name not in left]
        if left:
            log.warning("streams_of_others_left", bot=bot, origin=origin, streams=left)
        else:
            deleting.append(_delete(js.delete_consumer(EVENTS_STREAM, janitor_consumer(bot))))
        await asyncio.gather(*deleting)
    return left


async def mark_orphaned(js: JetStreamContext, bot: str, at: datetime) -> None:
    """Note at the bot's streams since when (aware) nobody finds it, for `list_bots`; `ensure_topology` takes it back.

    Raises:
        StreamMissingError: The bot has no streams.
        UnavailableError: The broker is away.
    """
    with broker_errors():
        for name in _own_streams(bot):  # One is enough; which ones there are depends on how far a deletion got.
            info = await _find_stream(js, name)
            if info is not None:
                config = info.config
                config.metadata = {**(config.metadata or {}), ORPHANED_LABEL: at.isoformat()}
                await js.update_stream(config)
                return
    raise StreamMissingError(f"the bot {bot!r} has no streams")


async def list_bots(js: JetStreamContext) -> dict[str, BotStreams]:
    """By their keys all bots that have a stream, were it only one that a deletion left behind.

    Raises:
        UnavailableError: The broker is away.
    """
    bots: dict[str, BotStreams] = {}
    offset = 0
    with broker_errors():
        while page := await js.streams_info(offset=offset):
            offset += len(page)
            for info in page:
                metadata = info.config.metadata or {}
                if bot := metadata.get(BOT_LABEL):
                    known = bots.get(bot, BotStreams())
                    bots[bot] = BotStreams(
                        origin=known.origin or metadata.get(ORIGIN_LABEL, ""),
                        orphaned_at=known.orphaned_at or _read_time(metadata.get(ORPHANED_LABEL, "")),
                    )
    return bots


def _read_time(text: str) -> datetime | None:
    """What `mark_orphaned` wrote; None for what somebody else did."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _own_streams(bot: str) -> list[str]:
    """The names of a bot's streams, without the account's."""
    names = [config.name or "" for config in stream_configs(bot, 1)]
    return [name for name in names if name != EVENTS_STREAM]


async def _find_stream(js: JetStreamContext, name: str) -> api.StreamInfo | None:
    with suppress(NotFoundError):
        return await js.stream_info(name)
    return None


async def _read_origins(js: JetStreamContext, bot: str) -> dict[str, str]:
    """The origin of each stream of a bot that exists; empty where it says none."""
    names = _own_streams(bot)
    found = await asyncio.gather(*(_find_stream(js, name) for name in names))
    pairs = zip(names, found, strict=True)
    return {name: (info.config.metadata or {}).get(ORIGIN_LABEL, "") for name, info in pairs if info is not None}


async def _check_origin(js: JetStreamContext, bot: str, origin: str) -> None:
    if not origin:
        return
    for name, owner in (await _read_origins(js, bot)).items():
        if owner not in {"", origin}:
            raise UserError(
                f"the stream {name!r} belongs to {owner!r}, not to {origin!r}: let this installation use a NATS "
                "account of its own, or delete the bot's streams there if nobody needs them"
            )


async def _delete(deleting: Awaitable[bool]) -> None:
    with suppress(NotFoundError):
        await deleting


async def check_lanes(js: JetStreamContext, bot: str, stage: Stage, lanes: int) -> bool:
    """Whether the stage's stream exists; its lanes are fixed at creation, since a change would break the order.

    Raises:
        UserError: It has another number of lanes.
    """
    try:
        info = await js.stream_info(stream_name(bot, stage))
    except NotFoundError:
        return False
    transform = info.config.subject_transform
    if transform is not None and f"partition({lanes},1)" not in transform.dest:
        raise UserError(f"{bot!r} was created with other lanes ({transform.dest}), not {lanes}; keep SUPPORTBOT_LANES")
    return True


async def _ensure_stream(js: JetStreamContext, config: api.StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except APIError as exc:
        if exc.err_code != _NAME_IN_USE:
            raise
        await js.update_stream(config)
