"""The events that services exchange, versioned in their type; built and parsed here.

An event travels as a CloudEvent in binary mode: `ce-type` names the class, the body is its JSON. A field may be added
with a default; anything else is a new version of the type. All times are aware UTC. The bodies carry message text and
phone numbers, so they stay on the bus: telemetry gets references only.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from supportbot.errors import PermanentError
from supportbot.ids import GROUP_REF_PATTERN, INCIDENT_ID_PATTERN, MESSAGE_REF_PATTERN, make_event_id

MessageRef = Annotated[str, StringConstraints(pattern=MESSAGE_REF_PATTERN)]
GroupRef = Annotated[str, StringConstraints(pattern=GROUP_REF_PATTERN)]
IncidentID = Annotated[str, StringConstraints(pattern=INCIDENT_ID_PATTERN)]

MAX_TEXT_CHARS = 16_384
"""Longer message text is cut by the gateway; WhatsApp itself allows 65,536 characters."""


class Contract(BaseModel):
    """A frozen value that refuses unknown fields, so a misspelt field is an error and not a silent loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(Contract):
    """Somebody in a group."""

    ref: GroupRef
    """`sender_ref`: keyed hash of the participant's JID."""
    phone: str | None = None
    """E.164 with plus sign; None where WhatsApp shows only a LID."""
    push_name: str | None = None
    """The name that the person gave themselves."""
    staff: bool = False
    """Listed in `spec.whatsapp.staff`: their messages are answers."""


class Media(Contract):
    """An attachment. Its bytes are in the object store under `sha256` before the event that names it is published."""

    kind: Literal["image", "video", "audio", "document", "sticker", "unknown"]
    mime_type: str = "application/octet-stream"
    filename: str | None = None
    size_bytes: int = 0
    sha256: str | None = None
    """Hex; None when the bytes could not be had, and then `missing` says why."""
    missing: str | None = None


class Event(Contract):
    """Anything that travels on the bus."""

    type: ClassVar[str]
    stage: ClassVar[str]
    """The suffix of the event's id: `<message_ref>:<stage>`."""

    message_ref: MessageRef
    """The group message that caused the event; with the stage it makes the event's id."""
    group_ref: GroupRef

    @property
    def event_id(self) -> str:
        """`<message_ref>:<stage>`, the `Nats-Msg-Id`."""
        return make_event_id(self.message_ref, self.stage)


# From the gateway (stream `<bot>-inbox`).


class InboxEvent(Event):
    """Something happened in the group."""

    stage = "in"

    sender: Person
    sent_at: AwareDatetime
    """The message's own time: all time arithmetic of the pipeline uses it, never the clock."""
    received_at: AwareDatetime


class MessageReceived(InboxEvent):
    """Somebody wrote in a group, normalised: one text or caption and at most one attachment."""

    type = "supportbot.message.received.v1"

    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)] = ""
    media: Media | None = None
    quoted_ref: MessageRef | None = None
    """The message that this one answers."""
    quoted_incident: IncidentID | None = None
    """Set when the quoted message is one of the bot's own, which was about this incident."""
    mentions: tuple[Person, ...] = ()
    mentions_bot: bool = False
    forwarded: bool = False
    note: str | None = None
    """What the message is when it is neither text nor an attachment: `location`, `contact`, `poll`, `unknown`…"""


class MessageEdited(InboxEvent):
    """The sender changed the text of an earlier message."""

    type = "supportbot.message.edited.v1"

    target_ref: MessageRef
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]


class MessageDeleted(InboxEvent):
    """The sender, or an admin, deleted an earlier message for everyone."""

    type = "supportbot.message.deleted.v1"

    target_ref: MessageRef


class ReactionReceived(InboxEvent):
    """Somebody reacted to a message; an empty emoji takes the reaction back."""

    type = "supportbot.message.reaction.v1"

    target_ref: MessageRef
    target_incident: IncidentID | None = None
    """Set when the target is one of the bot's own messages, which was about this incident."""
    emoji: Annotated[str, StringConstraints(max_length=32)]


# From the classifier (stream `<bot>-tickets`).


class Kind(StrEnum):
    """What a message is, in the words of the decisions file of `supportbot replay`."""

    INCIDENT = "incident"
    FOLLOW_UP = "follow_up"
    EVIDENCE = "evidence"
    STAFF = "staff"
    RESOLUTION = "resolution"
    CHATTER = "chatter"


class Priority(StrEnum):
    """How urgent an incident is, judged by its impact."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    URGENT = "Urgent"


class Tier(StrEnum):
    """Who decided: the model chain, the local model, the keyword tier, or the conversation's structure alone."""

    MODEL = "model"
    LOCAL = "local"
    KEYWORDS = "keywords"
    STRUCTURE = "structure"


class Decision(Contract):
    """What the classifier made of one message, with its reasons."""

    kind: Kind
    incident_id: IncidentID | None = None
    """The incident that the message belongs to; None when it belongs to none."""
    opens: bool = False
    """The message opened the incident."""
    opened_on: MessageRef | None = None
    """With `opens`: the later message on whose arrival it did, such as the question about a photo without words."""
    category: str | None = None
    priority: Priority | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    tier: Tier = Tier.STRUCTURE
    degraded: bool = False
    """A better tier is configured but did not answer."""
    asks: bool = False
    """Too unsure to open a ticket: the group is asked by a reaction, and the message waits for review."""
    reasons: tuple[str, ...] = ()
    """Short English phrases, strongest first; they hold no message text beyond site numbers and matched words."""


class Evidence(Contract):
    """An earlier message that turns out to belong to an incident, such as the photos before the sentence."""

    message_ref: MessageRef
    sender: Person
    sent_at: AwareDatetime
    text: str = ""
    media: Media | None = None


class IncidentState(Contract):
    """The incident as it stands after the message."""

    incident_id: IncidentID
    opening_ref: MessageRef
    """The message that tells the problem: what the bot's answer quotes."""
    opened_at: AwareDatetime
    reporter: Person
    subject: str
    """One line in the group's own words, at most 90 characters."""
    category: str
    priority: Priority
    sites: tuple[str, ...] = ()
    """Store or site numbers named so far, in the order of their mention."""
    affected: tuple[Person, ...] = ()
    """People with the same fault beside the reporter."""
    resolved: bool = False


class MessageClassified(Event):
    """A message that belongs to an incident, opens one, or asks for confirmation. Chatter ends in the classifier."""

    type = "supportbot.message.classified.v1"
    stage = "cl"

    message: MessageReceived
    decision: Decision
    incident: IncidentState | None = None
    """None exactly when the decision names no incident."""
    joined: tuple[Evidence, ...] = ()
    """Earlier messages that join the incident with this one, oldest first."""

    @property
    def event_id(self) -> str:
        """A question has an id of its own: what was asked about may open an incident later, as a second event."""
        return make_event_id(self.message_ref, "ask" if self.decision.asks else self.stage)


Change = Literal["edited", "deleted", "rejected", "restored", "solved", "reopened", "merged", "split"]
"""What a correction says: a message of the incident was edited or deleted; it is no incident, or is one after all; it
is solved, or is not after all; it is part of another one; a message of it is an incident of its own."""


class IncidentCorrected(Event):
    """A message of an incident was edited or deleted, or a person corrected what was decided about the incident."""

    type = "supportbot.incident.corrected.v1"
    stage = "cl"

    target_ref: MessageRef
    sender: Person
    sent_at: AwareDatetime
    change: Change
    text: str = ""
    """The new text of an edit; the emoji of a reaction."""
    incident: IncidentState
    """As it stands after the correction."""
    other: IncidentState | None = None
    """Of `merged` the incident that goes on with everything, of `split` the one that `target_ref` opens now."""
    moved: tuple[Evidence, ...] = ()
    """Of `merged` the incident's messages, of `split` what goes along with `target_ref`; as far as they are remembered,
    oldest first."""

    @property
    def event_id(self) -> str:
        """A split has an id of its own: the same reaction also opens the other incident."""
        return make_event_id(self.message_ref, "split" if self.change == "split" else self.stage)


class ConfirmationRefused(Event):
    """A person said that the message that the bot asked about needs no ticket."""

    type = "supportbot.confirmation.refused.v1"
    stage = "refused"

    target_ref: MessageRef
    """The message that was asked about."""


# From the ticket service (stream `<bot>-replies`).


class ReplyEvent(Event):
    """Committed state that the group may be told about; the gateway renders it."""

    incident_id: IncidentID
    opening_ref: MessageRef
    """The message to quote."""


class TicketOpened(ReplyEvent):
    """A ticket exists in Zoho Desk."""

    type = "supportbot.ticket.opened.v1"
    stage = "opened"

    ticket_id: str
    ticket_number: str
    subject: str
    category: str
    priority: Priority
    folio: str | None = None
    """The local folio that the group was told before, while Zoho was away."""


class TicketDelayed(ReplyEvent):
    """Zoho is away: the incident is recorded and gets its ticket later."""

    type = "supportbot.ticket.delayed.v1"
    stage = "delayed"

    folio: str
    subject: str


class TicketUpdated(ReplyEvent):
    """The ticket has something new that the group should see as a reaction on `message_ref`."""

    type = "supportbot.ticket.updated.v1"
    stage = "updated"

    ticket_number: str
    what: Literal["resolution_noted", "resolution_withdrawn"]
    target_ref: MessageRef | None = None
    """The message to react to where it is not `message_ref`: that one is a reaction itself."""


class ConfirmationAsked(Event):
    """The bot is unsure about `message_ref` and asks by a reaction."""

    type = "supportbot.confirmation.asked.v1"
    stage = "asked"


class ConfirmationWithdrawn(Event):
    """The question about `target_ref` is settled without a ticket: the bot takes its reaction back."""

    type = "supportbot.confirmation.withdrawn.v1"
    stage = "withdrawn"

    target_ref: MessageRef


# The trail (stream `<bot>-trail`).


class Outcome(StrEnum):
    """What a stage did with a message. A message is accounted for once it has a terminal outcome."""

    RECEIVED = "received"
    """In the journal and on the bus."""
    CLASSIFIED = "classified"
    """Handed on to the ticket service."""
    TICKET = "ticket"
    """Terminal: it opened a ticket, or would have in Shadow mode."""
    COMMENT = "comment"
    """Terminal: a comment of its incident's ticket."""
    EVIDENCE = "evidence"
    """Terminal: an attachment of its incident's ticket."""
    CORRECTION = "correction"
    """Terminal: an edit, deletion or reaction that changed an incident."""
    IGNORED = "ignored"
    """Terminal: left alone by a stated rule."""
    REVIEW = "review"
    """Terminal until a person answers: too unsure for a ticket, or a photo that nobody has explained yet."""
    DEAD_LETTER = "dead_letter"
    """Terminal: could not be processed; it waits in the dead letters with its reason."""
    UNDECRYPTABLE = "undecryptable"
    """Terminal: WhatsApp delivered it, but it could not be decrypted."""
    REPLIED = "replied"
    """The group was answered because of it; not terminal, since the answer is no fate of the message."""

    @property
    def terminal(self) -> bool:
        """Whether the message is accounted for."""
        return self not in {Outcome.RECEIVED, Outcome.CLASSIFIED, Outcome.REPLIED}


class TrailEntry(Contract):
    """One stage's word about one message. The last terminal entry of a message counts."""

    message_ref: MessageRef
    group_ref: GroupRef
    stage: Literal["whatsapp", "classifier", "ticket"]
    outcome: Outcome
    at: AwareDatetime
    """When the stage decided, by its clock."""
    incident_id: IncidentID | None = None
    reasons: tuple[str, ...] = ()
    decision: Decision | None = None
    """The classifier's decision in full; kept so that it can be shown and audited."""


INBOX_EVENTS: tuple[type[InboxEvent], ...] = (MessageReceived, MessageEdited, MessageDeleted, ReactionReceived)
TICKET_EVENTS: tuple[type[Event], ...] = (MessageClassified, IncidentCorrected, ConfirmationRefused)
REPLY_EVENTS: tuple[type[Event], ...] = (
    TicketOpened,
    TicketDelayed,
    TicketUpdated,
    ConfirmationAsked,
    ConfirmationWithdrawn,
)

_BY_TYPE: dict[str, type[Event]] = {event.type: event for event in (*INBOX_EVENTS, *TICKET_EVENTS, *REPLY_EVENTS)}


def parse_event(event_type: str, body: bytes) -> Event:
    """The event of a `ce-type` header and a JSON body.

    Raises:
        PermanentError: The type is unknown (`unknown_type`) or the body does not fit it (`invalid_event`).
    """
    event = _BY_TYPE.get(event_type)
    if event is None:
        raise PermanentError(f"no event has the type {event_type!r}; update this service", reason="unknown_type")
    try:
        return event.model_validate_json(body)
    except ValueError as exc:
        raise PermanentError(f"the body is no {event_type}: {_locations(exc)}", reason="invalid_event") from exc


def dump_event(event: Event) -> bytes:
    """The JSON body of an event."""
    return event.model_dump_json(exclude_defaults=True).encode()


def _locations(exc: ValueError) -> str:
    """Where a body is wrong, without its values: they may be personal."""
    errors: list[dict[str, Any]] = getattr(exc, "errors", list)()
    return ", ".join(f"{'.'.join(map(str, error['loc']))} ({error['type']})" for error in errors[:5]) or "not JSON"
