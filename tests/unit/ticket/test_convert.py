"""Golden tables: incidents and messages in, bodies of Zoho Desk out."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ticket.incidents import ANA, AT, BETO, LID, make_incident, make_message, make_ref

from supportbot.contracts import Evidence, Media, Person, Priority
from supportbot.ids import make_short_mark
from supportbot.ticket.convert import (
    Portal,
    TicketFields,
    choose_priority,
    describe_growth,
    make_attachment_name,
    make_comment,
    make_contact,
    make_evidence,
    make_subject,
    make_ticket,
    make_ticket_text,
)
from supportbot.ticket.words import get_words

ES = get_words("es")
INCIDENT = make_incident()
MARK = make_short_mark(INCIDENT.incident_id)
PORTAL = Portal(
    picklists={
        "priority": ("Low", "Medium", "High"),
        "category": ("General", "Technical"),
        "channel": ("Email", "WhatsApp"),
    },
    custom_fields=frozenset({"cf_incident_id", "cf_brand"}),
)
PHOTO = Media(kind="image", mime_type="image/jpeg", sha256="0" * 64, size_bytes=10)
FIELDS = TicketFields(department_id="987", contact_id="555", custom_fields={"cf_brand": "Norte"})


def test_description_tells_who_when_and_what() -> None:
    photo = Evidence(message_ref=make_ref(9), sender=ANA, sent_at=AT, media=PHOTO)
    lost = Media(kind="video", missing="too large")
    messages = (photo, make_evidence(make_message(2, "la 909 no puede\n<recepcionar>", media=lost)))
    text = make_ticket_text(make_incident(affected=(BETO, LID), sites=("909", "305")), messages, ES)
    assert text.subject == f"la 909 no puede recepcionar (+ 305) {MARK}"
    assert text.description == (
        "<b>Reporta:</b> Ana Pérez Soto (+525550100001)<br/>"
        "<b>Abierto:</b> 2026-03-04 15:30 UTC<br/>"
        "<b>Sitios:</b> 909, 305<br/>"
        "<b>También afectados:</b> Beto (+525550100002), Contacto de WhatsApp cccccc<br/>"
        "<b>Categoría:</b> technical<br/>"
        "<b>Prioridad:</b> High<br/>"
        f"<b>Referencia:</b> {INCIDENT.incident_id}<br/>"
        "<p><b>Ana Pérez Soto (+525550100001) · 2026-03-04 15:30 UTC</b><br/>Adjunto: image-ajqqqqqqqq.jpg</p>"
        "<p><b>Ana Pérez Soto (+525550100001) · 2026-03-04 15:31 UTC</b><br/>"
        "la 909 no puede<br/>&lt;recepcionar&gt;<br/>Falta el adjunto: video (too large)</p>"
    )


def test_rebuilt_ticket_says_so() -> None:
    assert ES.rebuilt in make_ticket_text(INCIDENT, (), ES, rebuilt=True).description
    assert ES.rebuilt not in make_ticket_text(INCIDENT, (), ES).description


@dataclass(frozen=True)
class SubjectCase:
    name: str
    subject: str
    sites: tuple[str, ...]
    expected: str


@pytest.mark.parametrize(
    "case",
    [
        SubjectCase("site is in it", "la 909 no cobra", ("909",), f"la 909 no cobra {MARK}"),
        SubjectCase("further sites", "la 909 no cobra", ("909", "410"), f"la 909 no cobra (+ 410) {MARK}"),
        SubjectCase("part of a number is another site", "la 9091 falla", ("909",), f"la 9091 falla (+ 909) {MARK}"),
        SubjectCase("lines and controls", "no\ncobra\x00 \u202eya", (), f"no cobra ya {MARK}"),
        SubjectCase("nothing", "", (), MARK),
    ],
    ids=lambda case: case.name,
)
def test_subject(case: SubjectCase) -> None:
    assert make_subject(make_incident(subject=case.subject, sites=case.sites)) == case.expected


@given(subject=st.text(max_size=400), sites=st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), max_size=100))
def test_subject_fits_and_keeps_its_mark(subject: str, sites: list[str]) -> None:
    made = make_subject(make_incident(subject=subject, sites=tuple(sites)))
    assert len(made) <= 255
    assert made.endswith(MARK)


@given(texts=st.lists(st.text(max_size=16_384), max_size=4))
def test_description_fits_and_is_escaped(texts: list[str]) -> None:
    messages = [make_evidence(make_message(number, text)) for number, text in enumerate(texts, start=1)]
    description = make_ticket_text(INCIDENT, messages, ES).description
    assert len(description) <= 30_000
    assert INCIDENT.incident_id in description
    assert set(re.findall(r"<[^>]*>", description)) <= {"<b>", "</b>", "<br/>", "<p>", "</p>", "<i>", "</i>"}


def test_longest_message_is_cut_not_dropped() -> None:
    message = make_evidence(make_message(1, "&" * 16_384))
    assert html.escape("&" * 2_000) in make_ticket_text(INCIDENT, (message,), ES).description


@dataclass(frozen=True)
class TicketCase:
    name: str
    portal: Portal
    expected: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)


CF = {"cf_brand": "Norte", "cf_incident_id": INCIDENT.incident_id}
TICKETS = (
    TicketCase("all known", PORTAL, {"priority": "High", "category": "Technical", "channel": "WhatsApp", "cf": CF}),
    TicketCase("portal says nothing", Portal(), {"priority": "High", "cf": {"cf_brand": "Norte"}}),
    TicketCase(
        "unknown category and channel are left out",
        Portal(picklists={"priority": ("High",), "category": ("General",), "channel": ("Email",)}),
        {"priority": "High", "cf": {"cf_brand": "Norte"}},
    ),
    TicketCase(
        "urgent becomes high",
        Portal(picklists={"priority": ("Low", "Medium", "High")}),
        {"priority": "High", "cf": {"cf_brand": "Norte"}},
        {"priority": Priority.URGENT},
    ),
    TicketCase(
        "demanded picklists get their first value",
        Portal(
            picklists={"category": ("General", "Other"), "language": ("English",), "status": ("Open",)},
            mandatory=frozenset({"category", "language", "subject", "status"}),
        ),
        {"priority": "High", "category": "General", "language": "English", "cf": {"cf_brand": "Norte"}},
    ),
    TicketCase(
        "custom field that the portal lacks",
        Portal(custom_fields=frozenset({"cf_other"})),
        {"priority": "High"},
    ),
)


@pytest.mark.parametrize("case", TICKETS, ids=lambda case: case.name)
def test_ticket_body(case: TicketCase) -> None:
    incident = make_incident(**case.changes)
    text = make_ticket_text(incident, (), ES)
    fixed = {
        "subject": text.subject,
        "description": text.description,
        "departmentId": "987",
        "contactId": "555",
    }
    assert make_ticket(incident, text, FIELDS, case.portal) == fixed | case.expected


def test_unfillable_fields_are_named() -> None:
    portal = Portal(
        picklists={"category": ("General",)},
        mandatory=frozenset({"subject", "category", "cf_store", "cf_brand", "email"}),
    )
    assert portal.unfillable({"cf_brand"}) == ("cf_store", "email")


@pytest.mark.parametrize(
    ("priority", "allowed", "expected"),
    [
        (Priority.URGENT, ("Low", "High", "Urgent"), "Urgent"),
        (Priority.URGENT, ("low", "HIGH"), "HIGH"),
        (Priority.URGENT, ("P1", "P2"), None),
        (Priority.MEDIUM, ("Low", "High"), None),
    ],
)
def test_priority(priority: Priority, allowed: tuple[str, ...], expected: str | None) -> None:
    assert choose_priority(priority, Portal(picklists={"priority": allowed})) == expected


def test_comment_tells_what_is_new() -> None:
    before, now = INCIDENT, make_incident(sites=("909", "305"), affected=(BETO,))
    message = make_evidence(make_message(3, "mismo caso en la 305 <b>", sender=BETO, media=PHOTO))
    news = describe_growth(before, now, ES)
    assert make_comment(ES.follow_up, (message,), ES, ref=make_ref(3), news=news) == (
        "Seguimiento en el grupo\n"
        "Beto (+525550100002) · 2026-03-04 15:32 UTC\n"
        "mismo caso en la 305 <b>\n"
        "Adjunto: image-adqqqqqqqq.jpg\n"
        "Se suman los sitios: 305\n"
        "Se suman como afectados: Beto (+525550100002)\n"
        f"Referencia: {make_ref(3)}"
    )


def test_longest_comment_keeps_its_reference() -> None:
    messages = [make_evidence(make_message(number, "x" * 16_000)) for number in (1, 2, 3)]
    comment = make_comment(ES.follow_up, messages, ES, ref=make_ref(3))
    assert len(comment) == 32_000
    assert comment.endswith(f"Referencia: {make_ref(3)}")


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (ANA, {"firstName": "Ana Pérez", "lastName": "Soto", "phone": ANA.phone, "mobile": ANA.phone}),
        (BETO, {"lastName": "Beto", "phone": BETO.phone, "mobile": BETO.phone}),
        (LID, {"lastName": "Contacto de WhatsApp cccccc"}),
        (
            Person(ref="d" * 16, phone="+525550100003", push_name=" \u200e\n"),
            {"lastName": "+525550100003", "phone": "+525550100003", "mobile": "+525550100003"},
        ),
        (
            Person(ref="d" * 16, push_name=f"{'a' * 60} {'b' * 300}"),
            {"firstName": "a" * 40, "lastName": "b" * 200},
        ),
    ],
)
def test_contact(person: Person, expected: dict[str, str]) -> None:
    assert make_contact(person, ES) == expected


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (PHOTO, "image-aaqqqqqqqq.jpg"),
        (Media(kind="audio", mime_type="audio/ogg; codecs=opus"), "audio-aaqqqqqqqq.ogg"),
        (Media(kind="document", filename="Factura año 2026.PDF"), "Factura_año_2026-aaqqqqqqqq.pdf"),
        (Media(kind="document", filename="../../etc/passwd"), "etc_passwd-aaqqqqqqqq.bin"),
        (Media(kind="document", filename="x" * 200 + ".xlsx"), "x" * 84 + "-aaqqqqqqqq.xlsx"),
        (Media(kind="document", filename="..."), "document-aaqqqqqqqq.bin"),
    ],
)
def test_attachment_name(media: Media, expected: str) -> None:
    assert make_attachment_name(media, make_ref(0)) == expected


@given(filename=st.text(max_size=300))
def test_attachment_name_is_safe(filename: str) -> None:
    name = make_attachment_name(Media(kind="document", filename=filename), make_ref(0))
    assert len(name) <= 100
    assert re.fullmatch(r"[\w-]+\.[a-z0-9]+", name)


def test_languages() -> None:
    assert {get_words(tag).follow_up for tag in ("es", "es-MX", "en", "pt-BR", "fr")} == {
        "Seguimiento en el grupo",
        "Follow-up in the group",
        "Acompanhamento no grupo",
    }
