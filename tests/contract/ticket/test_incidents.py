"""Incidents become tickets of the emulated Zoho Desk, once, whatever is lost on the way."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.ticket.conftest import OTHER_GROUP, Emulator, Replica, open_replica
from tests.unit.ticket.incidents import (
    ANA,
    AT,
    BETO,
    GROUP,
    make_classified,
    make_incident,
    make_message,
    make_ref,
)

from supportbot.bus import Bus
from supportbot.contracts import (
    Change,
    ConfirmationAsked,
    ConfirmationRefused,
    ConfirmationWithdrawn,
    Decision,
    Evidence,
    IncidentCorrected,
    Kind,
    Media,
    MessageClassified,
    Outcome,
    TicketDelayed,
    TicketOpened,
    TicketUpdated,
)
from supportbot.errors import PermanentError, UnavailableError
from supportbot.ids import make_folio
from supportbot.spec import ContactPolicy
from supportbot.ticket.asked_tickets import TicketRequest

pytestmark = pytest.mark.nats

OPENING = make_classified(make_message(1, "la 909 no puede recepcionar"), incident=make_incident(), opens=True)


def follow(number: int, text: str = "", kind: Kind = Kind.FOLLOW_UP, **changes: Any) -> MessageClassified:
    """A later message of the incident that message 1 opened."""
    media = changes.pop("media", None)
    message = make_message(number, text, media=media, sender=changes.pop("sender", ANA))
    return make_classified(message, kind, incident=make_incident(**changes))


async def photo(bus: Bus, data: bytes = b"a photo", **changes: Any) -> Media:
    sha256 = await bus.media.put(data)
    media = Media(kind="image", mime_type="image/jpeg", size_bytes=len(data), sha256=sha256)
    return media.model_copy(update=changes)


def outcomes(replica: Replica) -> list[tuple[str, Outcome]]:
    return [(entry.message_ref, entry.outcome) for entry in replica.entries]


async def test_incident_becomes_a_ticket(replica: Replica, emulator: Emulator) -> None:
    opened = await replica.call(OPENING)
    state = await emulator.state()
    (ticket,) = state["tickets"]
    (contact,) = state["contacts"]
    assert opened == TicketOpened(
        message_ref=make_ref(1),
        group_ref=GROUP,
        incident_id=make_incident().incident_id,
        opening_ref=make_ref(1),
        ticket_id=ticket["id"],
        ticket_number=ticket["ticketNumber"],
        subject="la 909 no puede recepcionar",
        category="technical",
        priority=make_incident().priority,
    )
    assert ticket["cf"] == {"cf_incident_id": make_incident().incident_id}
    assert (ticket["priority"], ticket["category"]) == ("High", "Technical")
    assert ticket["contactId"] == contact["id"]
    assert (contact["lastName"], contact["phone"]) == ("Soto", ANA.phone)
    assert outcomes(replica) == [(make_ref(1), Outcome.TICKET)]


async def test_redelivery_answers_from_the_ledger(replica: Replica, emulator: Emulator) -> None:
    first = await replica.call(OPENING)
    calls = await emulator.calls("POST", "/tickets")
    assert await replica.call(OPENING) == first
    assert await emulator.calls("POST", "/tickets") == calls == 1


@dataclass(frozen=True)
class Lost:
    name: str
    fault: dict[str, Any]


LOST = (
    Lost("answer lost", {"kind": "drop_after"}),
    Lost("request lost", {"kind": "drop_before"}),
    Lost("500 but applied", {"kind": "status", "status": 500, "applied": True}),
    Lost("500 not applied", {"kind": "status", "status": 500}),
    Lost("502 HTML", {"kind": "html", "status": 502}),
    Lost("truncated answer", {"kind": "truncated"}),
    Lost("cut answer", {"kind": "cut"}),
    Lost("200 without an id", {"kind": "omit", "omit": ["id"]}),
    Lost("429 busy", {"kind": "status", "status": 429, "error_code": "TOO_MANY_REQUESTS"}),
)


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.name)
async def test_made_once(replica: Replica, emulator: Emulator, lost: Lost) -> None:
    """One contact, one ticket, one comment, one file, though each is met by the fault."""
    for path in ("/contacts$", "/tickets$", "/comments$", "/attachments$"):
        await emulator.fault(method="POST", path=path, **lost.fault)
    await replica.deliver(OPENING)
    await replica.deliver(follow(2, "¿alguna respuesta?", media=await photo(replica.bus)))
    state = await emulator.state()
    counts = {name: len(state[name]) for name in ("contacts", "tickets", "comments", "attachments")}
    assert counts == {"contacts": 1, "tickets": 1, "comments": 1, "attachments": 1}


async def test_answer_after_the_timeout(emulator: Emulator, bus: Bus) -> None:
    await emulator.fault(kind="delay", method="POST", path="/tickets$", delay_s=0.6, applied=True)
    async with open_replica(emulator, bus, timeout_s=0.3) as replica:
        await replica.deliver(OPENING)
    assert len((await emulator.state())["tickets"]) == 1


async def test_late_index_makes_no_second_ticket(replica: Replica, emulator: Emulator) -> None:
    """The search is ten minutes late; the plain list is not."""
    await emulator.set(index_lag_s=600)
    await emulator.fault(kind="drop_after", method="POST", path="/tickets$")
    await replica.deliver(OPENING)
    state = await emulator.state()
    assert (len(state["tickets"]), len(state["contacts"])) == (1, 1)


async def test_killed_between_create_and_ledger(emulator: Emulator, bus: Bus) -> None:
    """A process dies while Zoho has made the ticket and the ledger does not know; the next one finds it."""
    await emulator.fault(kind="delay", method="POST", path="/tickets$", delay_s=30, applied=True)
    async with open_replica(emulator, bus, timeout_s=60) as first:
        task = asyncio.create_task(first.call(OPENING))
        await emulator.until_made("tickets")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with open_replica(emulator, bus) as second:
        opened = await second.deliver(OPENING)
    (ticket,) = (await emulator.state())["tickets"]
    assert isinstance(opened, TicketOpened)
    assert opened.ticket_id == ticket["id"]


async def test_ticket_is_found_among_many(replica: Replica, emulator: Emulator) -> None:
    """Fifty newer tickets push it to the second page of the list."""
    await emulator.fault(kind="drop_after", method="POST", path="/tickets$")
    with pytest.raises(UnavailableError):
        await replica.call(OPENING)
    contact_id = (await emulator.state())["contacts"][0]["id"]
    for number in range(55):
        body = {"subject": f"other {number}", "departmentId": "987654321", "contactId": contact_id}
        await replica.desk.create_ticket(body)
    await replica.deliver(OPENING)
    assert len((await emulator.state())["tickets"]) == 56


async def test_revoked_token_is_renewed(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    await emulator.end_tokens()
    await replica.call(follow(2, "sigue igual", media=await photo(replica.bus)))
    state = await emulator.state()
    assert (len(state["comments"]), len(state["attachments"])) == (1, 1)
    assert await emulator.calls("POST", "/oauth/v2/token") == 2


async def test_spent_credits_pause_and_lose_nothing(replica: Replica, emulator: Emulator) -> None:
    await emulator.set(credits=2, retry_after_s=1)
    with pytest.raises(UnavailableError):
        await replica.call(OPENING)
    with pytest.raises(UnavailableError):
        await replica.call(OPENING)
    calls = len([row for row in await emulator._call("GET", "log") if row["path"].startswith("/api/")])
    with pytest.raises(UnavailableError):
        await replica.call(OPENING)
    assert len([row for row in await emulator._call("GET", "log") if row["path"].startswith("/api/")]) == calls
    await emulator.set(credits=1000)
    await replica.deliver(OPENING)
    assert len((await emulator.state())["tickets"]) == 1


async def test_two_first_reports_of_one_phone_make_one_contact(emulator: Emulator, bus: Bus) -> None:
    await emulator.set(index_lag_s=600, latency_s=0.05)
    other = make_classified(make_message(40, "otra falla"), incident=make_incident(40), opens=True)
    async with open_replica(emulator, bus) as one, open_replica(emulator, bus) as two:
        await asyncio.gather(one.deliver(OPENING), two.deliver(other))
    state = await emulator.state()
    assert (len(state["tickets"]), len(state["contacts"])) == (2, 1)


async def test_known_contact_is_reused(replica: Replica, emulator: Emulator) -> None:
    """Somebody typed the phone by hand."""
    await replica.desk.create_contact({"lastName": "Otra", "mobile": "+54 11 50100001"})
    contact = await replica.desk.create_contact({"lastName": "Pérez", "mobile": "55-50100001"})
    person = ANA.model_copy(update={"phone": "+525550100001"})
    await replica.call(make_classified(make_message(1, "x"), incident=make_incident(reporter=person), opens=True))
    assert (await emulator.state())["tickets"][0]["contactId"] == contact.id


async def test_evidence_that_joined_is_attached(replica: Replica, emulator: Emulator) -> None:
    before = Evidence(message_ref=make_ref(7), sender=ANA, sent_at=AT, media=await photo(replica.bus))
    opening = make_classified(
        make_message(1, "no puede", media=await photo(replica.bus, b"another photo")),
        incident=make_incident(),
        opens=True,
        joined=(before,),
    )
    await replica.call(opening)
    state = await emulator.state()
    assert sorted(one["size"] for one in state["attachments"]) == [7, 13]
    assert outcomes(replica) == [(make_ref(1), Outcome.TICKET), (make_ref(7), Outcome.EVIDENCE)]


async def test_photo_without_words_is_a_file_only(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    await replica.call(follow(2, kind=Kind.EVIDENCE, media=await photo(replica.bus)))
    state = await emulator.state()
    assert (len(state["comments"]), len(state["attachments"])) == (0, 1)
    assert outcomes(replica)[-1] == (make_ref(2), Outcome.EVIDENCE)


async def test_growth_is_told_and_kept_current(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    await replica.call(follow(2, "mismo caso en la 305", sender=BETO, sites=("909", "305"), affected=(BETO,)))
    state = await emulator.state()
    (ticket,) = state["tickets"]
    assert "(+ 305)" in ticket["subject"]
    assert "Beto" in ticket["description"]
    assert "Se suman los sitios: 305" in state["comments"][0]["content"]
    patches = await emulator.calls("PATCH", ticket["id"])
    await replica.call(follow(3, "sigue", sites=("909", "305"), affected=(BETO,)))
    assert await emulator.calls("PATCH", ticket["id"]) == patches == 1


async def test_resolution_is_noted_and_closes_nothing(replica: Replica, emulator: Emulator) -> None:
    opened = await replica.call(OPENING)
    assert isinstance(opened, TicketOpened)
    updated = await replica.call(follow(2, "ya quedó, gracias", Kind.RESOLUTION, resolved=True))
    assert updated == TicketUpdated(
        message_ref=make_ref(2),
        group_ref=GROUP,
        incident_id=make_incident().incident_id,
        opening_ref=make_ref(1),
        ticket_number=opened.ticket_number,
        what="resolution_noted",
    )
    state = await emulator.state()
    assert state["tickets"][0]["status"] == "Open"
    assert state["comments"][0]["content"].startswith("El grupo lo da por resuelto")


async def test_file_that_is_lost_or_refused_is_named(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    gone = Media(kind="image", mime_type="image/jpeg", sha256="0" * 64)
    await replica.call(follow(2, kind=Kind.EVIDENCE, media=gone))
    blocked = await photo(replica.bus, kind="document", filename="tool.exe")
    await replica.call(follow(3, kind=Kind.EVIDENCE, media=blocked))
    await replica.call(follow(4, kind=Kind.EVIDENCE, media=Media(kind="video", missing="too large")))
    comments = [one["content"].splitlines()[0] for one in (await emulator.state())["comments"]]
    assert comments[0] == "Falta el adjunto: image-acqqqqqqqq.jpg (media_missing)"
    assert comments[1].startswith("Falta el adjunto: tool-adqqqqqqqq.exe")
    assert comments[2] == "Evidencia del grupo"
    assert [outcome for _, outcome in outcomes(replica)] == [Outcome.TICKET, *[Outcome.EVIDENCE] * 3]


async def test_follow_up_without_a_ticket_opens_it(replica: Replica, emulator: Emulator) -> None:
    """The opening message is a dead letter; what follows is not lost. Its replay is a comment then."""
    opened = await replica.call(follow(2, "¿alguna respuesta?"))
    assert isinstance(opened, TicketOpened)
    assert opened.opening_ref == make_ref(1)
    assert await replica.call(OPENING) is None
    state = await emulator.state()
    assert "primero no pudo procesarse" in state["tickets"][0]["description"]
    assert len(state["tickets"]) == len(state["comments"]) == 1
    assert outcomes(replica) == [(make_ref(2), Outcome.TICKET), (make_ref(1), Outcome.COMMENT)]


async def test_corrections_are_comments(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    for number, change in ((2, "edited"), (3, "deleted"), (4, "rejected")):
        event = IncidentCorrected(
            message_ref=make_ref(number),
            group_ref=GROUP,
            target_ref=make_ref(1),
            sender=ANA,
            sent_at=AT,
            change=change,
            text="la 910, perdón" if change == "edited" else "",
            incident=make_incident(),
        )
        await replica.call(event)
    state = await emulator.state()
    comments = [one["content"] for one in state["comments"]]
    assert "la 910, perdón" in state["tickets"][0]["description"]
    assert [text.splitlines()[0][:20] for text in comments] == [
        "Se corrigió un mensa",
        "Se eliminó en el gru",
        "En el grupo indican ",
    ]
    assert "la 910, perdón" in comments[0]
    assert [outcome for _, outcome in outcomes(replica)[1:]] == [Outcome.CORRECTION] * 3


def correct(number: int, change: Change, target: int = 1, **fields: Any) -> IncidentCorrected:
    """What staff says by reaction `number` to message `target`."""
    fields = {"incident": make_incident(), "text": "🔁", **fields}
    return IncidentCorrected(
        message_ref=make_ref(number),
        group_ref=GROUP,
        target_ref=make_ref(target),
        sender=BETO,
        sent_at=AT,
        change=change,
        **fields,
    )


async def test_a_solution_by_reaction_is_noted_as_one_in_words_and_can_be_taken_back(
    replica: Replica, emulator: Emulator
) -> None:
    opened = await replica.call(OPENING)
    assert isinstance(opened, TicketOpened)
    told = [
        await replica.call(correct(5, "solved", text="✅", incident=make_incident(resolved=True))),
        await replica.call(correct(6, "reopened", text="")),
    ]
    state = await emulator.state()
    assert told == [
        TicketUpdated(
            message_ref=make_ref(number),
            group_ref=GROUP,
            incident_id=make_incident().incident_id,
            opening_ref=make_ref(1),
            ticket_number=opened.ticket_number,
            what=what,
            target_ref=make_ref(1),
        )
        for number, what in ((5, "resolution_noted"), (6, "resolution_withdrawn"))
    ]
    assert state["tickets"][0]["status"] == "Open"
    assert [one["content"].splitlines()[0] for one in state["comments"]] == [
        "El grupo lo da por resuelto",
        "En el grupo retiran lo dicho: esto aún no está resuelto",
    ]


SECOND = make_classified(make_message(2, "la 305 tampoco"), incident=make_incident(2, reporter=BETO), opens=True)


async def test_a_merge_brings_everything_to_the_other_ticket_and_closes_nothing(
    replica: Replica, emulator: Emulator
) -> None:
    shown = Evidence(message_ref=make_ref(3), sender=BETO, sent_at=AT, media=await photo(replica.bus))
    await replica.call(OPENING)
    await replica.call(SECOND.model_copy(update={"joined": (shown,)}))
    whole = make_incident(sites=("909", "305"), affected=(BETO,))
    merged = correct(9, "merged", 2, incident=make_incident(2, reporter=BETO), other=whole)
    for _ in range(2):
        assert await replica.call(merged) is None
    state = await emulator.state()
    first, second = state["tickets"]
    comments = {one["ticketId"]: one["content"] for one in state["comments"]}
    assert len(state["comments"]) == 2
    assert comments[first["id"]].startswith(
        f"En el grupo indican que este otro incidente es parte de este: Ticket #{second['ticketNumber']}\n"
    )
    assert "la 305 tampoco" in comments[first["id"]]
    assert f"siguen en él: Ticket #{first['ticketNumber']}" in comments[second["id"]]
    assert [one["ticketId"] for one in state["attachments"]] == [second["id"], first["id"]]
    assert "(+ 305)" in first["subject"]
    assert [one["status"] for one in state["tickets"]] == ["Open", "Open"]
    assert outcomes(replica)[-1] == (make_ref(9), Outcome.CORRECTION)


async def test_a_merge_of_what_has_no_ticket_yet_opens_the_one_that_goes_on(
    replica: Replica, emulator: Emulator
) -> None:
    told = Evidence(message_ref=make_ref(2), sender=BETO, sent_at=AT, text="la 305 tampoco")
    merged = correct(9, "merged", 2, incident=make_incident(2), other=make_incident(), moved=(told,))
    opened = [await replica.call(merged) for _ in range(2)]
    (ticket,) = (await emulator.state())["tickets"]
    assert "la 305 tampoco" in ticket["description"]
    assert opened[0] == opened[1]
    assert isinstance(opened[0], TicketOpened)


async def test_a_split_is_a_comment_that_names_the_new_ticket(replica: Replica, emulator: Emulator) -> None:
    await replica.call(OPENING)
    await replica.call(SECOND)
    for _ in range(2):
        await replica.call(correct(9, "split", 2, text="🆕", other=make_incident(2)))
    state = await emulator.state()
    (comment,) = state["comments"]
    first, second = state["tickets"]
    assert comment["ticketId"] == first["id"]
    assert comment["content"].startswith(
        f"En el grupo indican que este mensaje es un incidente aparte: Ticket #{second['ticketNumber']}\n"
    )
    assert "la 305 tampoco" in comment["content"]


async def test_a_refused_question_is_withdrawn(replica: Replica, emulator: Emulator) -> None:
    refused = ConfirmationRefused(message_ref=make_ref(2), group_ref=GROUP, target_ref=make_ref(1))
    withdrawn = ConfirmationWithdrawn(message_ref=make_ref(2), group_ref=GROUP, target_ref=make_ref(1))
    assert await replica.call(refused) == withdrawn
    assert outcomes(replica) == [(make_ref(2), Outcome.CORRECTION)]


async def test_a_question_about_an_edited_text_is_put_to_the_message(replica: Replica) -> None:
    message = make_message(1, "¿?")
    event = MessageClassified(
        message_ref=make_ref(2), group_ref=GROUP, message=message, decision=Decision(kind=Kind.INCIDENT, asks=True)
    )
    assert await replica.call(event) == ConfirmationAsked(message_ref=make_ref(1), group_ref=GROUP)


async def test_unsure_asks_and_opens_nothing(replica: Replica, emulator: Emulator) -> None:
    message = make_message(1, "¿?")
    event = MessageClassified(
        message_ref=message.message_ref,
        group_ref=GROUP,
        message=message,
        decision=Decision(kind=Kind.INCIDENT, asks=True),
    )
    assert await replica.call(event) == ConfirmationAsked(message_ref=make_ref(1), group_ref=GROUP)
    assert (await emulator.state())["tickets"] == []
    assert outcomes(replica) == [(make_ref(1), Outcome.REVIEW)]


async def test_group_is_told_of_a_long_outage_once(replica: Replica, emulator: Emulator) -> None:
    await emulator.fault(kind="down", path="^/api/")
    for _ in range(4):
        with pytest.raises(UnavailableError):
            await replica.call(OPENING)
        await asyncio.sleep(0.11)
    folio = make_folio(make_incident().incident_id)
    assert [(type(event), getattr(event, "folio", None)) for event in replica.published] == [(TicketDelayed, folio)]
    await emulator.clear_faults()
    opened = await replica.deliver(OPENING)
    assert isinstance(opened, TicketOpened)
    assert opened.folio == folio


async def test_blip_is_no_news(replica: Replica, emulator: Emulator) -> None:
    await emulator.fault(kind="down", path="^/api/", times=1)
    opened = await replica.deliver(OPENING)
    assert isinstance(opened, TicketOpened)
    assert opened.folio is None
    assert replica.published == []


async def test_outage_while_files_are_attached_does_not_delay_the_answer(replica: Replica, emulator: Emulator) -> None:
    await emulator.fault(kind="down", path="/attachments$")
    opening = make_classified(
        make_message(1, "no puede", media=await photo(replica.bus)), incident=make_incident(), opens=True
    )
    with pytest.raises(UnavailableError):
        await replica.call(opening)
    assert [type(event) for event in replica.published] == [TicketOpened]
    await emulator.clear_faults()
    assert await replica.deliver(opening) == replica.published[0]
    assert len((await emulator.state())["attachments"]) == 1


async def test_picklist_value_that_is_refused_is_left_out(replica: Replica, emulator: Emulator) -> None:
    """The portal's lists changed since they were read."""
    await replica.call(OPENING)
    await emulator.set(picklists={"priority": [{"value": "P1"}], "category": [{"value": "Misc"}]})
    await replica.deliver(make_classified(make_message(40, "otra"), incident=make_incident(40), opens=True))
    tickets = (await emulator.state())["tickets"]
    assert tickets[1]["priority"] is None


async def test_refused_ticket_is_a_dead_letter_that_can_be_replayed(replica: Replica, emulator: Emulator) -> None:
    await emulator.set(mandatory=["resolution"])
    with pytest.raises(PermanentError) as refused:
        await replica.call(OPENING)
    assert "resolution" in str(refused.value)
    await emulator.set(mandatory=[])
    assert isinstance(await replica.call(OPENING), TicketOpened)


async def test_trashed_ticket_is_a_dead_letter(replica: Replica, emulator: Emulator) -> None:
    opened = await replica.call(OPENING)
    assert isinstance(opened, TicketOpened)
    await emulator.act(action="trash", ticket=opened.ticket_id)
    with pytest.raises(PermanentError) as gone:
        await replica.call(follow(2, "¿alguna respuesta?"))
    assert gone.value.reason == "not_found"


async def test_portal_without_fields_and_with_older_shapes(replica: Replica, emulator: Emulator) -> None:
    await emulator.set(serve_fields=False, list_from_base=1, create_status=201, custom_fields=[])
    await emulator.fault(kind="drop_after", method="POST", path="/tickets$")
    await replica.deliver(OPENING)
    (ticket,) = (await emulator.state())["tickets"]
    assert make_incident().incident_id in ticket["description"]


async def test_group_as_one_contact(emulator: Emulator, bus: Bus) -> None:
    """Two people, one contact; a ticket of another group goes to that group's department."""
    other = make_incident(40, reporter=BETO)
    second = make_classified(make_message(40, "otra", sender=BETO), incident=other, opens=True)
    elsewhere = second.model_copy(update={"group_ref": OTHER_GROUP, "incident": make_incident(50)})
    async with open_replica(emulator, bus, contact_policy=ContactPolicy.PER_GROUP) as replica:
        for event in (OPENING, second, elsewhere):
            await replica.call(event)
    tickets = (await emulator.state())["tickets"]
    contacts = [ticket["contactId"] for ticket in tickets]
    assert contacts[0] == contacts[1] != contacts[2]
    assert [ticket["departmentId"] for ticket in tickets] == ["987654321", "987654321", "987654322"]


async def test_queued_request_that_is_refused_holds_up_nobody(replica: Replica, emulator: Emulator) -> None:
    contact = await replica.desk.create_contact({"lastName": "Soto"})
    requests = [
        TicketRequest(
            subject=f"falla {number}",
            description="x",
            classification="technical",
            contact_id=contact_id,
            department_id="987654321",
            whatsapp_message_id=f"M{number}",
        )
        for number, contact_id in enumerate(("404", contact.id))
    ]
    await emulator.fault(kind="down", path="^/api/")
    queued = [await replica.asked.submit(request) for request in requests]
    await emulator.clear_faults()
    assert await replica.asked.process() == 2
    found = [await replica.asked.find(one.ticket_id) for one in queued]
    assert [one.state for one in found if one] == ["failed", "completed"]
    again = await replica.asked.submit(requests[1])
    assert again.ticket_id == (await emulator.state())["tickets"][0]["id"]


async def test_contact_that_was_deleted_is_replaced(replica: Replica, emulator: Emulator) -> None:
    """Zoho refuses the stored contact: it is dropped and made anew, for the same ticket."""
    await replica.call(OPENING)
    rows = [{"fieldName": "/contactId", "errorType": "invalid"}]
    body = {"errorCode": "INVALID_DATA", "message": "x", "errors": rows}
    await emulator.set(index_lag_s=600)
    await emulator.fault(kind="status", status=422, method="POST", path="/tickets$", body=body)
    await replica.call(make_classified(make_message(40, "otra"), incident=make_incident(40), opens=True))
    state = await emulator.state()
    assert [ticket["contactId"] for ticket in state["tickets"]] == [one["id"] for one in state["contacts"]]
    assert len(state["contacts"]) == 2


async def test_photo_that_moves_to_another_incident_is_attached_there_too(replica: Replica, emulator: Emulator) -> None:
    """The author's last photo was taken for evidence of the older incident, whose ticket has it by now."""
    media = await photo(replica.bus)
    await replica.call(OPENING)
    await replica.call(follow(2, kind=Kind.EVIDENCE, media=media))
    moved = Evidence(message_ref=make_ref(2), sender=ANA, sent_at=AT, media=media)
    second = make_classified(make_message(40, "otra falla"), incident=make_incident(40), opens=True, joined=(moved,))
    await replica.call(second)
    state = await emulator.state()
    assert [one["ticketId"] for one in state["attachments"]] == [ticket["id"] for ticket in state["tickets"]]


async def test_replayed_opening_keeps_what_came_since(replica: Replica, emulator: Emulator) -> None:
    """Its attachment failed, so the opening is replayed when the incident has gained a site."""
    await replica.call(OPENING)
    await replica.call(follow(2, "también la 305", sites=("909", "305")))
    await replica.call(OPENING)
    page = await replica.book.find(make_incident().incident_id)
    assert page is not None
    assert page.incident.sites == ("909", "305")


async def test_use_renews_what_the_bucket_would_forget(replica: Replica) -> None:
    """The bucket forgets what nobody wrote for 75 days; an incident that is still talked about keeps its ticket."""
    await replica.call(OPENING)
    bucket = await replica.bus.bucket("effects")
    before = await bucket.items("desk.")
    await replica.call(follow(2, "¿alguna respuesta?"))
    await replica.call(make_classified(make_message(40, "otra falla"), incident=make_incident(40), opens=True))
    after = await bucket.items("desk.")
    lasting = [key for key in before if not key.endswith(".lock")]
    assert len(lasting) == 3
    assert all(after[key].revision > before[key].revision for key in lasting)


async def test_confirmed_message_is_accounted_for_beside_the_reaction(replica: Replica) -> None:
    confirmed = make_classified(make_message(1, "la 909"), incident=make_incident(), opens=True)
    opened = await replica.call(confirmed.model_copy(update={"message_ref": make_ref(9)}))
    assert isinstance(opened, TicketOpened)
    assert outcomes(replica) == [(make_ref(1), Outcome.TICKET), (make_ref(9), Outcome.CORRECTION)]


async def test_replayed_follow_up_takes_nothing_back(replica: Replica, emulator: Emulator) -> None:
    """A dead letter tells the incident as it was then: it becomes a comment, and the ticket stays as it is now."""
    await replica.call(OPENING)
    await replica.call(follow(3, "también la 305", sites=("909", "305")))
    await replica.call(follow(2, "sigue igual"))
    state = await emulator.state()
    assert "(+ 305)" in state["tickets"][0]["subject"]
    assert len(state["comments"]) == 2


async def test_edit_of_an_incident_without_ticket_tells_the_number(replica: Replica, emulator: Emulator) -> None:
    """Its opening is a dead letter. A repeat after a crash says the same."""
    edit = IncidentCorrected(
        message_ref=make_ref(2),
        group_ref=GROUP,
        target_ref=make_ref(1),
        sender=ANA,
        sent_at=AT,
        change="edited",
        text="la 910 no puede recepcionar",
        incident=make_incident(),
    )
    opened = await replica.call(edit)
    assert isinstance(opened, TicketOpened)
    assert await replica.call(edit) == opened
    state = await emulator.state()
    assert (len(state["tickets"]), len(state["comments"])) == (1, 0)
    assert "la 910" in state["tickets"][0]["description"]
