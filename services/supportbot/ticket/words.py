"""The fixed words in tickets and comments, in the languages of the product. Agents of the help desk read them."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from supportbot.contracts import Change


@dataclass(frozen=True, kw_only=True)
class Words:
    """Labels of one language; none of them holds a placeholder."""

    reporter: str
    opened: str
    sites: str
    affected: str
    category: str
    priority: str
    reference: str
    staff: str
    follow_up: str
    evidence: str
    resolution: str
    new_sites: str
    new_affected: str
    attachment: str
    missing: str
    rebuilt: str
    """Why a ticket begins with a later message."""
    cut: str
    edited: str
    deleted: str
    rejected: str
    restored: str
    reopened: str
    merged: str
    """On the ticket of the incident that is part of another one; a ticket number may follow."""
    taken_in: str
    """On the ticket of that other one; a ticket number may follow."""
    split: str
    """On the ticket whose incident a message is taken out of; a ticket number may follow."""
    ticket: str
    unnamed: str
    """A participant without a name, followed by a short reference."""
    group: str

    def name_ticket(self, heading: str, number: str | None) -> str:
        """A heading with the number of the ticket that it speaks of, if there is one."""
        return f"{heading}: {self.ticket} #{number}" if number else heading

    def changed(self, change: Change) -> str:
        """The heading of a correction."""
        return {
            "edited": self.edited,
            "deleted": self.deleted,
            "rejected": self.rejected,
            "restored": self.restored,
            "solved": self.resolution,
            "reopened": self.reopened,
            "merged": self.merged,
            "split": self.split,
        }[change]


_ES: Final = Words(
    reporter="Reporta",
    opened="Abierto",
    sites="Sitios",
    affected="También afectados",
    category="Categoría",
    priority="Prioridad",
    reference="Referencia",
    staff="Respuesta de soporte en el grupo",
    follow_up="Seguimiento en el grupo",
    evidence="Evidencia del grupo",
    resolution="El grupo lo da por resuelto",
    new_sites="Se suman los sitios",
    new_affected="Se suman como afectados",
    attachment="Adjunto",
    missing="Falta el adjunto",
    rebuilt="Este ticket se abrió con un mensaje posterior: el primero no pudo procesarse.",
    cut="(texto recortado)",
    edited="Se corrigió un mensaje del grupo; ahora dice",
    deleted="Se eliminó en el grupo un mensaje de este incidente",
    rejected="En el grupo indican que esto no es un incidente",
    restored="En el grupo retiran lo dicho: esto sí es un incidente",
    reopened="En el grupo retiran lo dicho: esto aún no está resuelto",
    merged="En el grupo indican que este incidente es parte de otro, y siguen en él",
    taken_in="En el grupo indican que este otro incidente es parte de este",
    split="En el grupo indican que este mensaje es un incidente aparte",
    ticket="Ticket",
    unnamed="Contacto de WhatsApp",
    group="Grupo de WhatsApp",
)
_EN: Final = Words(
    reporter="Reported by",
    opened="Opened",
    sites="Sites",
    affected="Also affected",
    category="Category",
    priority="Priority",
    reference="Reference",
    staff="Answer of support in the group",
    follow_up="Follow-up in the group",
    evidence="Evidence from the group",
    resolution="The group says that it is solved",
    new_sites="Further sites",
    new_affected="Further people affected",
    attachment="Attachment",
    missing="Missing attachment",
    rebuilt="This ticket begins with a later message: the first one could not be processed.",
    cut="(text cut)",
    edited="A message of the group was corrected; it now says",
    deleted="A message of this incident was deleted in the group",
    rejected="The group says that this is no incident",
    restored="The group takes it back: this is an incident",
    reopened="The group takes it back: this is not solved yet",
    merged="The group says that this incident is part of another one, and goes on there",
    taken_in="The group says that this other incident is part of this one",
    split="The group says that this message is an incident of its own",
    ticket="Ticket",
    unnamed="WhatsApp contact",
    group="WhatsApp group",
)
_PT: Final = Words(
    reporter="Relatado por",
    opened="Aberto",
    sites="Unidades",
    affected="Também afetados",
    category="Categoria",
    priority="Prioridade",
    reference="Referência",
    staff="Resposta do suporte no grupo",
    follow_up="Acompanhamento no grupo",
    evidence="Evidência do grupo",
    resolution="O grupo dá o caso como resolvido",
    new_sites="Novas unidades",
    new_affected="Novos afetados",
    attachment="Anexo",
    missing="Falta o anexo",
    rebuilt="Este ticket começa com uma mensagem posterior: a primeira não pôde ser processada.",
    cut="(texto cortado)",
    edited="Uma mensagem do grupo foi corrigida; agora diz",
    deleted="Uma mensagem deste incidente foi apagada no grupo",
    rejected="O grupo indica que isto não é um incidente",
    restored="O grupo volta atrás: isto é um incidente",
    reopened="O grupo volta atrás: isto ainda não está resolvido",
    merged="O grupo indica que este incidente faz parte de outro, e continua nele",
    taken_in="O grupo indica que este outro incidente faz parte deste",
    split="O grupo indica que esta mensagem é um incidente à parte",
    ticket="Ticket",
    unnamed="Contato do WhatsApp",
    group="Grupo do WhatsApp",
)
_WORDS: Final = MappingProxyType({"es": _ES, "en": _EN, "pt": _PT})


def get_words(language: str) -> Words:
    """The words of a language tag such as `es` or `pt-BR`; English where there are none."""
    return _WORDS.get(language.partition("-")[0].lower(), _EN)
