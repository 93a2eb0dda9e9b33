"""What the bot says in the group, rendered from committed state. Pure.

One short message per occasion, in the language of the group; the spec may bring its own wording.
"""

import re
from collections.abc import Mapping

from supportbot.contracts import Priority, TicketDelayed, TicketOpened
from supportbot.spec import Language, Templates
from supportbot.whatsapp.convert import clean_text

MAX_SUBJECT_CHARS = 90

DONE = "✅"
"""Reaction: the message was noted as the resolution."""
UNSURE = "❓"
"""Reaction: is this an incident?"""

_TEXTS: Mapping[Language, Mapping[str, str]] = {
    Language.ES: {
        "opened": "Listo, tu solicitud quedó registrada 🎫\n*Ticket #{ticket_number}*: {subject}\nTe aviso por aquí.",
        "promoted": "Ya tienes ticket: tu folio {folio} es ahora el *ticket #{ticket_number}* 🎫\n{subject}",
        "delayed": "Recibí tu solicitud, pero el sistema de tickets no responde por ahora.\n"
        "Tu folio es *{folio}*: {subject}\nEn cuanto vuelva, el ticket se crea solo y te paso el número.",
    },
    Language.EN: {
        "opened": "Done, your request has been registered 🎫\n*Ticket #{ticket_number}*: {subject}\n"
        "I'll keep you posted here.",
        "promoted": "You have a ticket now: your folio {folio} became *ticket #{ticket_number}* 🎫\n{subject}",
        "delayed": "I got your request, but the ticket system isn't answering right now.\n"
        "Your folio is *{folio}*: {subject}\nOnce it's back the ticket is created by itself and I'll send the number.",
    },
    Language.PT: {
        "opened": "Pronto, sua solicitação foi registrada 🎫\n*Ticket #{ticket_number}*: {subject}\nAviso por aqui.",
        "promoted": "Você já tem ticket: seu protocolo {folio} agora é o *ticket #{ticket_number}* 🎫\n{subject}",
        "delayed": "Recebi sua solicitação, mas o sistema de tickets não está respondendo agora.\n"
        "Seu protocolo é *{folio}*: {subject}\nQuando ele voltar, o ticket é criado sozinho e eu mando o número.",
    },
}

_PRIORITIES: Mapping[Language, Mapping[Priority, str]] = {
    Language.ES: {Priority.LOW: "baja", Priority.MEDIUM: "media", Priority.HIGH: "alta", Priority.URGENT: "urgente"},
    Language.EN: {Priority.LOW: "low", Priority.MEDIUM: "medium", Priority.HIGH: "high", Priority.URGENT: "urgent"},
    Language.PT: {Priority.LOW: "baixa", Priority.MEDIUM: "média", Priority.HIGH: "alta", Priority.URGENT: "urgente"},
}


def render_opened(event: TicketOpened, language: Language, templates: Templates, *, folio_told: bool) -> str:
    """The text that names the ticket.

    Args:
        event: The ticket.
        language: The group's.
        templates: The spec's wording.
        folio_told: The group has been given the local folio before.
    """
    fields = {
        "ticket_number": event.ticket_number,
        "folio": event.folio if event.folio and folio_told else "",
        "subject": one_line(event.subject),
        "category": event.category,
        "priority": _PRIORITIES[language][event.priority],
    }
    shipped = _TEXTS[language]["promoted" if fields["folio"] else "opened"]
    return fill(templates.ticket_created or shipped, fields)


def render_delayed(event: TicketDelayed, language: Language, templates: Templates) -> str:
    """The text that names the local folio while Zoho is away."""
    fields = {"folio": event.folio, "subject": one_line(event.subject)}
    return fill(templates.ticket_delayed or _TEXTS[language]["delayed"], fields)


def fill(template: str, fields: Mapping[str, str]) -> str:
    """A template with its fields; one that the occasion does not have becomes empty. Values are never templates."""
    return re.sub(r"\{([a-z_]+)\}", lambda match: fields.get(match[1], ""), template).strip()


def one_line(subject: str) -> str:
    """A subject in the group's own words, fit for one line: no line breaks, none of WhatsApp's formatting marks."""
    line = " ".join(re.sub(r"[*_~`]", "", clean_text(subject)).split())
    return line if len(line) <= MAX_SUBJECT_CHARS else line[: MAX_SUBJECT_CHARS - 1].rstrip() + "…"
