"""The handler: memory first, then the events; handled again, it says the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.classifier.group import PHOTO, POLICY, Group, find_grey, make_person, make_ref

from supportbot.classifier.final import final_decisions
from supportbot.classifier.handler import Classifier
from supportbot.classifier.stored import Stored
from supportbot.contracts import (
    Event,
    IncidentCorrected,
    Kind,
    MessageClassified,
    MessageDeleted,
    MessageEdited,
    Outcome,
    Priority,
    ReactionReceived,
    TicketOpened,
    dump_event,
)
from supportbot.delivery import Context
from supportbot.errors import PermanentError, UnavailableError
from supportbot.kv import ConflictError, Entry, KeyValue
from supportbot.topology import Stage

GROUP_REF = "0" * 16


class Bucket(KeyValue):
    """A bucket in memory; `writes` counts."""

    def __init__(self) -> None:  # No broker behind it.
        self.entries: dict[str, Entry] = {}
        self.writes = 0
        self.outage = ""
        """`before` or `behind` a write."""

    async def get(self, key: str) -> Entry | None:
        return self.entries.get(key)

    async def create(self, key: str, value: bytes, *, ttl_s: float | None = None) -> int:
        if key in self.entries:
            raise ConflictError(key)
        return self._write(key, value)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        if key not in self.entries or self.entries[key].revision != revision:
            raise ConflictError(key)
        return self._write(key, value)

    def _write(self, key: str, value: bytes) -> int:
        if self.outage == "before":
            raise UnavailableError("no answer", dependency="nats")
        self.writes += 1
        self.entries[key] = Entry(value, self.writes)
        if self.outage:
            raise UnavailableError("no answer", dependency="nats")
        return self.writes


class Inbox:
    """A group whose lines go through handlers."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        self.group = Group()
        self.classifier = Classifier(self.bucket, POLICY)
        self.contexts: list[Context] = []
        self.published: list[Event] = []

    async def handle(self, event: Event, classifier: Classifier | None = None) -> Event | None:
        published: list[Event] = []

        async def publish(one: Event) -> None:
            published.append(one)

        context = Context(event, stage=Stage.CLASSIFIER, publish=publish)
        result = await (classifier or self.classifier)(event, context)
        self.contexts.append(context)
        self.published = [*published, *([result] if result else [])]
        return result

    async def say(self, after_s: float, name: str, text: str) -> Event | None:
        self.group.now += timedelta(seconds=after_s)
        message = self.group.make(name, text)
        self.group.messages.append(message)
        return await self.handle(message)

    def stored(self) -> list[str]:
        """The messages that the stored memory holds."""
        memory = Stored.read(self.bucket.entries[GROUP_REF].value).memory
        return [one.ref for one in memory.recent]

    def outcomes(self) -> list[tuple[Outcome, bool]]:
        """Of the last message: each entry's outcome, and whether it is about the message itself."""
        context = self.contexts[-1]
        return [(entry.outcome, entry.message_ref == context.message_ref) for entry in context.entries]


async def test_a_report_is_classified_and_named_in_the_trail() -> None:
    inbox = Inbox()
    result = await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    assert isinstance(result, MessageClassified)
    assert result.event_id == f"{inbox.group.messages[0].message_ref}:cl"
    assert result.incident is not None
    assert (result.decision.opens, result.incident.sites) == (True, ("909",))
    assert inbox.outcomes() == [(Outcome.CLASSIFIED, True)]


async def test_chatter_ends_here() -> None:
    inbox = Inbox()
    assert await inbox.say(0, "Ana", "gracias 🙏") is None
    assert inbox.outcomes() == [(Outcome.IGNORED, True)]


async def test_a_waiting_photo_is_for_review_until_it_joins() -> None:
    inbox = Inbox()
    assert await inbox.say(0, "Ana", PHOTO) is None
    assert inbox.outcomes() == [(Outcome.REVIEW, True)]
    await inbox.say(20, "Ana", "la 909 no puede recepcionar, su apoyo")
    assert inbox.outcomes() == [(Outcome.CLASSIFIED, False), (Outcome.CLASSIFIED, True)]


async def test_a_lone_photo_opens_with_its_own_event_before_the_answer() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", PHOTO)
    await inbox.say(540, "Berta", "¿qué tienda es?")
    assert [event.message_ref for event in inbox.published] == [one.message_ref for one in inbox.group.messages]
    assert len({event.event_id for event in inbox.published}) == 2


async def test_the_final_decisions_are_those_of_the_last_word() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", PHOTO)
    await inbox.say(20, "Ana", "la 909 no puede recepcionar, su apoyo")
    entries = [entry for context in inbox.contexts for entry in context.entries]
    kinds = {ref: (one.kind, one.opens) for ref, one in final_decisions(entries).items()}
    photo, text = (one.message_ref for one in inbox.group.messages)
    assert kinds == {photo: (Kind.EVIDENCE, False), text: (Kind.INCIDENT, True)}


async def test_a_redelivered_message_gives_the_same_and_writes_nothing() -> None:
    inbox = Inbox()
    for line in ((0, "Ana", PHOTO), (540, "Berta", "¿qué tienda es?")):
        await inbox.say(*line)
    first, entries, writes = inbox.published, inbox.contexts[-1].entries, inbox.bucket.writes
    await inbox.handle(inbox.group.messages[-1], Classifier(inbox.bucket, POLICY))
    again = [
        entry.model_copy(update={"at": old.at}) for entry, old in zip(inbox.contexts[-1].entries, entries, strict=True)
    ]
    assert (inbox.published, again, inbox.bucket.writes) == (first, entries, writes)


async def test_a_message_of_long_ago_keeps_its_decision() -> None:
    inbox = Inbox()
    first = await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    for number in range(12):
        await inbox.say(30, "Caro", f"gracias {number}")
    again = await inbox.handle(inbox.group.messages[0])
    assert isinstance(first, MessageClassified)
    assert isinstance(again, MessageClassified)
    assert again.decision == first.decision


async def test_another_replica_that_wrote_in_between_is_noticed() -> None:
    inbox, other = Inbox(), Classifier(Bucket(), POLICY)
    other = Classifier(inbox.bucket, POLICY)
    await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    inbox.group.now += timedelta(seconds=60)
    message = inbox.group.make("Ana", "es el pedido 7781")
    inbox.group.messages.append(message)
    await inbox.handle(message, other)
    result = await inbox.say(60, "Ana", "sigue igual")
    assert isinstance(result, MessageClassified)
    assert result.incident is not None
    assert result.incident.opening_ref == inbox.group.messages[0].message_ref


@pytest.mark.parametrize("written", [True, False])
async def test_a_save_without_an_answer_leaves_the_memory_as_it_is_stored(written: bool) -> None:
    """Whether the broker took it is not known; the message comes again either way."""
    inbox = Inbox()
    await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    inbox.bucket.outage = "behind" if written else "before"
    with pytest.raises(UnavailableError):
        await inbox.say(60, "Ana", "es el pedido 7781")
    inbox.bucket.outage = ""
    again = await inbox.handle(inbox.group.messages[-1])
    assert isinstance(again, MessageClassified)
    assert inbox.stored() == [one.message_ref for one in inbox.group.messages]
    await inbox.say(60, "Ana", "sigue igual")
    assert inbox.stored() == [one.message_ref for one in inbox.group.messages]


def edit(inbox: Inbox, target: int, text: str, number: int = 900) -> MessageEdited:
    message = inbox.group.messages[target]
    return MessageEdited(
        message_ref=make_ref(number),
        group_ref=GROUP_REF,
        sender=message.sender,
        sent_at=inbox.group.now,
        received_at=inbox.group.now,
        target_ref=message.message_ref,
        text=text,
    )


def react(inbox: Inbox, target: int, name: str, emoji: str, number: int = 901) -> ReactionReceived:
    return ReactionReceived(
        message_ref=make_ref(number),
        group_ref=GROUP_REF,
        sender=make_person(name, staff=name == "Berta"),
        sent_at=inbox.group.now,
        received_at=inbox.group.now,
        target_ref=inbox.group.messages[target].message_ref,
        emoji=emoji,
    )


async def test_an_edited_opening_corrects_its_incident() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    result = await inbox.handle(edit(inbox, 0, "la 908 no puede recepcionar, su apoyo"))
    assert isinstance(result, IncidentCorrected)
    assert (result.change, result.incident.subject, result.incident.sites) == (
        "edited",
        "la 908 no puede recepcionar, su apoyo",
        ("908",),
    )


async def test_chatter_that_is_edited_to_a_report_opens() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", "hola")
    result = await inbox.handle(edit(inbox, 0, "hola, la 909 no puede recepcionar, su apoyo"))
    assert isinstance(result, MessageClassified)
    assert result.decision.opens


async def test_a_report_that_is_deleted_and_written_again_is_one_incident() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", "la 909 no pude resepcionar")
    opening = inbox.group.messages[0]
    deleted = MessageDeleted(
        message_ref=make_ref(902),
        group_ref=GROUP_REF,
        sender=opening.sender,
        sent_at=inbox.group.now,
        received_at=inbox.group.now,
        target_ref=opening.message_ref,
    )
    correction = await inbox.handle(deleted)
    again = await inbox.say(20, "Ana", "la 909 no puede recepcionar")
    assert isinstance(correction, IncidentCorrected)
    assert isinstance(again, MessageClassified)
    assert again.incident is not None
    assert (again.decision.opens, again.incident.incident_id, again.incident.subject) == (
        False,
        correction.incident.incident_id,
        "la 909 no puede recepcionar",
    )


async def test_staff_may_say_that_it_is_no_incident() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", "la 909 no puede recepcionar, su apoyo")
    result = await inbox.handle(react(inbox, 0, "Berta", "❌"))
    assert isinstance(result, IncidentCorrected)
    assert result.change == "rejected"
    assert await inbox.handle(react(inbox, 0, "Ana", "❌", 903)) is None


GREY = find_grey()


async def test_in_the_grey_band_the_group_is_asked() -> None:
    inbox = Inbox()
    result = await inbox.say(0, "Ana", GREY)
    assert isinstance(result, MessageClassified)
    assert (result.decision.asks, result.incident) == (True, None)


@pytest.mark.parametrize(("emoji", "opens"), [("👍", True), ("👎", False)])
async def test_a_reaction_settles_the_question(emoji: str, opens: bool) -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", GREY)
    result = await inbox.handle(react(inbox, 0, "Ana", emoji))
    assert isinstance(result, MessageClassified) == opens
    if isinstance(result, MessageClassified):
        assert result.decision.opens
        assert result.message == inbox.group.messages[0]
        assert result.event_id == f"{make_ref(901)}:cl"


async def test_somebody_else_settles_nothing() -> None:
    inbox = Inbox()
    await inbox.say(0, "Ana", GREY)
    assert await inbox.handle(react(inbox, 0, "Dani", "👍")) is None


async def test_an_event_that_is_not_of_the_inbox_is_refused() -> None:
    inbox = Inbox()
    event = TicketOpened(
        message_ref=make_ref(1),
        group_ref=GROUP_REF,
        incident_id="i_" + "a" * 20,
        opening_ref=make_ref(1),
        ticket_id="1",
        ticket_number="1",
        subject="",
        category="",
        priority=Priority.LOW,
    )
    with pytest.raises(PermanentError):
        await inbox.handle(event)


@pytest.mark.parametrize("authors", [1, 60])
async def test_a_flood_of_long_messages_leaves_a_memory_and_events_that_the_broker_takes(authors: int) -> None:
    """Each waits for more words; 16,384 joiners have 49,152 bytes."""
    inbox = Inbox()
    for number in range(60):
        await inbox.say(5, f"P{number % authors}", PHOTO + "la 909" + "\u200d" * 16_000)
        assert len(inbox.bucket.entries[GROUP_REF].value) <= 1_000_000
    await inbox.say(5, "P0", "la 909 no puede recepcionar, su apoyo")
    await inbox.say(90_000, "Nora", "la 305 no imprime, su apoyo" + "\u200d" * 16_000)
    assert len(inbox.bucket.entries[GROUP_REF].value) <= 1_000_000
    assert all(len(dump_event(event)) <= 1_000_000 for event in inbox.published)
    assert inbox.outcomes()[-1] == (Outcome.CLASSIFIED, True)


async def test_a_photo_that_was_asked_about_and_is_never_explained_opens_all_the_same() -> None:
    """The question and the incident are two events of one message: with one id the broker would drop the second."""
    inbox = Inbox()
    inbox.classifier = Classifier(inbox.bucket, replace(POLICY, open_at=99.0, ask_band=200.0))  # Unsure of everything.
    asked = await inbox.say(0, "Ana", PHOTO + "mal")
    assert isinstance(asked, MessageClassified)
    assert asked.decision.asks
    await inbox.say(3000, "Nora", "buenas tardes")
    (opened,) = inbox.published
    assert isinstance(opened, MessageClassified)
    assert (opened.message_ref, opened.decision.opens) == (asked.message_ref, True)
    assert opened.event_id != asked.event_id
