"""The headers of what travels on the bus (pure): CloudEvents 1.0 in binary mode, ids for deduplication, dead letters.

Header values are percent-encoded where they are not printable ASCII: the client returns others as objects.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from supportbot.contracts import Event, Outcome, TrailEntry, parse_event
from supportbot.errors import PermanentError
from supportbot.ids import make_event_id, parse_event_id
from supportbot.topology import Stage

Headers = dict[str, str]

MSG_ID = "Nats-Msg-Id"
REPLAYED = "x-replayed"
MAX_ERROR_CHARS = 500

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def event_headers(event: Event, *, source: str, at: datetime) -> Headers:
    """The envelope of an event, published by `source` at `at`."""
    return {
        MSG_ID: event.event_id,
        "ce-specversion": "1.0",
        "ce-id": event.event_id,
        "ce-source": encode(f"/supportbot/{source}"),
        "ce-type": event.type,
        "ce-time": at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "ce-subject": event.group_ref,
        "ce-datacontenttype": "application/json",
    }


def read_event(headers: Mapping[str, str], body: bytes) -> Event:
    """The event of a delivery. Raises PermanentError (`unknown_type`, `invalid_event`, `invalid_envelope`)."""
    event = parse_event(headers.get("ce-type", ""), body)
    if headers.get("ce-id") != event.event_id:
        raise PermanentError(f"ce-id is not {event.event_id!r}, the id of the body", reason="invalid_envelope")
    return event


def read_message_ref(headers: Mapping[str, str]) -> str | None:
    """The message that even a body nobody can read is about; None when its envelope does not say."""
    try:
        return parse_event_id(headers.get("ce-id", ""))[0]
    except ValueError:
        return None


def read_time(headers: Mapping[str, str], default: datetime) -> datetime:
    """`ce-time`, or `default` where it is missing or wrong."""
    try:
        at = datetime.fromisoformat(headers["ce-time"])
    except (KeyError, ValueError):
        return default
    return at if at.tzinfo else default


def trail_id(entry: TrailEntry, *, cause: str | None = None, number: int = 0) -> str:
    """The `Nats-Msg-Id` of a trail entry, the same when its stage handles the message again.

    Args:
        entry: The entry.
        cause: What made the stage say it where that is not the message's own event: another message's
            `message_ref`, or the place of a dead letter. Without it the stage could say a thing once only.
        number: Counts entries that are otherwise alike.
    """
    parts = [make_event_id(entry.message_ref, "trail"), entry.stage, entry.outcome]
    if cause is not None and cause != entry.message_ref:
        parts.append(cause)
    if number:
        parts.append(str(number))
    return ":".join(parts)


def trail_ids(entries: list[TrailEntry], cause: str) -> list[str]:
    """One id for each entry that a handler recorded for the message `cause`."""
    ids: list[str] = []
    for entry in entries:
        number = 0
        while (name := trail_id(entry, cause=cause, number=number)) in ids:
            number += 1
        ids.append(name)
    return ids


def dead_letter_headers(
    headers: Mapping[str, str],
    *,
    stage: Stage,
    reason: str,
    error: str,
    attempts: int,
    stream: str,
    seq: int,
    first_at: datetime,
) -> Headers:
    """The envelope of a dead letter: the message's own, and why it is here.

    Its id names the place in the stream, so that a message which fails again after a replay is a dead letter again,
    and the janitor's word about the same delivery is not.
    """
    own = {key: value for key, value in headers.items() if not key.lower().startswith(("nats-", "x-"))}
    ref = read_message_ref(headers) or "m_unknown"
    return {
        **own,
        MSG_ID: make_event_id(ref, f"dlq:{stage}:{seq}"),
        "x-dlq-reason": encode(reason),
        "x-dlq-error": encode(error[:MAX_ERROR_CHARS]),
        "x-dlq-stage": stage.value,
        "x-dlq-attempts": str(attempts),
        "x-dlq-stream": stream,
        "x-dlq-seq": str(seq),
        "x-dlq-first-at": first_at.astimezone(UTC).isoformat(),
    }


def replay_headers(headers: Mapping[str, str], *, dlq_seq: int) -> Headers:
    """The envelope of a dead letter on its way again: a new `Nats-Msg-Id`, or the broker would drop it silently.

    `ce-id` stays, so the effects ledger holds. The id is made of the dead letter's place: two people who replay the
    same one make one message.
    """
    own = {key: value for key, value in headers.items() if not key.lower().startswith(("nats-", "x-"))}
    ref = read_message_ref(headers) or "m_unknown"
    return {**own, MSG_ID: make_event_id(ref, f"replay:{headers['x-dlq-stage']}:{dlq_seq}"), REPLAYED: str(dlq_seq)}


def dead_letter_entry(
    headers: Mapping[str, str], *, stage: Stage, group_ref: str, reason: str, at: datetime
) -> TrailEntry | None:
    """The trail's word about a dead letter; None when the envelope names no message."""
    ref = read_message_ref(headers)
    if ref is None:
        return None
    try:
        return TrailEntry.model_validate(
            {
                "message_ref": ref,
                "group_ref": group_ref,
                "stage": stage.value,
                "outcome": Outcome.DEAD_LETTER,
                "at": at,
                "reasons": (reason,),
            }
        )
    except ValueError:  # The last token of a foreign subject is no group_ref.
        return None


def encode(value: str) -> str:
    """A header value of printable ASCII."""
    return quote(value, safe=_PRINTABLE)


def decode(value: str) -> str:
    """What `encode` was given."""
    return unquote(value)
