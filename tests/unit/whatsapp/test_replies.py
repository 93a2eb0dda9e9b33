"""The bot's words, in the three languages that ship and in the spec's own."""

from typing import Any

import pytest

from supportbot.contracts import Priority, TicketDelayed, TicketOpened
from supportbot.ids import make_incident_id
from supportbot.spec import Language, Templates
from supportbot.whatsapp.replies import fill, one_line, render_delayed, render_opened

REF = "m_aaaaaaaaaaaaaaaaaaaa"
COMMON: dict[str, Any] = {
    "message_ref": REF,
    "group_ref": "00" * 8,
    "incident_id": make_incident_id(REF),
    "opening_ref": REF,
}
OPENED = TicketOpened(
    **COMMON,
    ticket_id="7001",
    ticket_number="1024",
    subject="la 909 no puede recepcionar",
    category="technical",
    priority=Priority.HIGH,
    folio="F-AAAAAA",
)
DELAYED = TicketDelayed(**COMMON, folio="F-AAAAAA", subject="la 909 no puede recepcionar")

GOLDEN = {
    Language.ES: (
        "Listo, tu solicitud quedó registrada 🎫\n*Ticket #1024*: la 909 no puede recepcionar\nTe aviso por aquí.",
        "Ya tienes ticket: tu folio F-AAAAAA es ahora el *ticket #1024* 🎫\nla 909 no puede recepcionar",
        (
            "Recibí tu solicitud, pero el sistema de tickets no responde por ahora.\n"
            "Tu folio es *F-AAAAAA*: la 909 no puede recepcionar\n"
            "En cuanto vuelva, el ticket se crea solo y te paso el número."
        ),
    ),
    Language.EN: (
        (
            "Done, your request has been registered 🎫\n*Ticket #1024*: la 909 no puede recepcionar\n"
            "I'll keep you posted here."
        ),
        "You have a ticket now: your folio F-AAAAAA became *ticket #1024* 🎫\nla 909 no puede recepcionar",
        (
            "I got your request, but the ticket system isn't answering right now.\n"
            "Your folio is *F-AAAAAA*: la 909 no puede recepcionar\n"
            "Once it's back the ticket is created by itself and I'll send the number."
        ),
    ),
    Language.PT: (
        "Pronto, sua solicitação foi registrada 🎫\n*Ticket #1024*: la 909 no puede recepcionar\nAviso por aqui.",
        "Você já tem ticket: seu protocolo F-AAAAAA agora é o *ticket #1024* 🎫\nla 909 no puede recepcionar",
        (
            "Recebi sua solicitação, mas o sistema de tickets não está respondendo agora.\n"
            "Seu protocolo é *F-AAAAAA*: la 909 no puede recepcionar\n"
            "Quando ele voltar, o ticket é criado sozinho e eu mando o número."
        ),
    ),
}


@pytest.mark.parametrize("language", Language)
def test_says_it_in_the_groups_language(language: Language) -> None:
    said = (
        render_opened(OPENED, language, Templates(), folio_told=False),
        render_opened(OPENED, language, Templates(), folio_told=True),
        render_delayed(DELAYED, language, Templates()),
    )

    assert said == GOLDEN[language]


def test_the_spec_may_bring_its_own_words() -> None:
    templates = Templates.model_validate(
        {
            "ticketCreated": "{ticket_number}/{priority}/{category}/{subject}{folio}{status}",
            "ticketDelayed": "{folio}: {subject}{ticket_number}",
        }
    )

    assert render_opened(OPENED, Language.ES, templates, folio_told=False) == (
        "1024/alta/technical/la 909 no puede recepcionar"
    )
    assert render_delayed(DELAYED, Language.ES, templates) == "F-AAAAAA: la 909 no puede recepcionar"


def test_a_subject_is_never_a_template() -> None:
    assert fill("#{ticket_number}: {subject}", {"ticket_number": "7", "subject": "{ticket_number} {0}"}) == (
        "#7: {ticket_number} {0}"
    )


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("no\nimprime  la\t909", "no imprime la 909"),
        ("*urgente* _ya_ ~no~ `x`", "urgente ya no x"),
        ("x" * 200, "x" * 89 + "…"),
    ],
)
def test_a_subject_fits_one_line(subject: str, wanted: str) -> None:
    assert one_line(subject) == wanted
