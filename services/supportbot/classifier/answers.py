"""Reads a text that does nothing but answer the question whether an earlier message is a report. Pure.

Spanish, English and Portuguese. A text that says more than an answer is none: its words go their usual way.
"""

import re
from enum import StrEnum

from supportbot.classifier.normalise import fold
from supportbot.classifier.signs import NO, YES, base_of

MAX_CHARS = 80


class Answer(StrEnum):
    """What an answer says of the message that was asked about."""

    YES = "yes"
    NO = "no"
    """It is no report."""
    OVER = "over"
    """It needs no ticket any more."""


_A = "(?:(?:un|una|um|uma|a|an|el|o) )?"
_REPORT = (
    "(?:reporte|incidente|incidencia|ticket|problema|falla|caso|solicitud|report|incident|issue|problem|request|"
    "chamado|relato|defeito)"
)
_JOKE = "(?:broma|chiste|brincadeira|zoeira|piada|joke|prueba|teste?)"
_COURTESY = (
    "por favor|(?:(?:muchas|mil|muito|many) )?(?:gracias|thanks|thank you|obrigad[oa]|valeu)|perdon|disculp[ae]n?|"
    "sorry|desculp[ae]m?|(?:ja){2,}j?|(?:ha){2,}h?|(?:ka){2,}|k{2,}|(?:rs)+|lol|que(?=$)|pues|amig[oa]s?|equipo|bot|"
    "ya|mas|mais|nada mas"
)
_OVER = (
    "ya no(?: (?:hace falta|es necesario))?",
    "ya (?:quedo|esta|paso|funciona|funciono|jala|jalo|salio|entro|pude|pudimos)(?: (?:listo|bien|resuelto))?",
    "ya se (?:arreglo|resolvio|soluciono)",
    "ya lo (?:resolvi|arregle|solucione|resolvimos|arreglamos|solucionamos|resolvieron|arreglaron)",
    "quedo (?:listo|resuelto|arreglado)|resuelto|solucionado|resolvido",
    "(?:it )?works(?: again)? now|(?:(?:it is|it's|its|already|all) )?(?:fixed|solved|sorted)(?: now| already)?",
    "ja (?:resolveu|resolvi|resolvemos|funcionou|foi resolvido|deu certo|voltou|esta funcionando|consegui)",
    "falsa alarma|false alarm|falso alarme|alarme falso|olvid(?:alo|enlo|ate|ense)|never ?mind|forget it",
    "esquece|deixa pra la|no (?:hace falta|es necesario)|not (?:needed|necessary)|no need|nao precisa(?: mais)?",
)
_NO = (
    f"(?:no|nao) (?:lo )?(?:es|era|fue|e|foi)(?: {_A}{_REPORT}| nada)?",
    f"(?:it is|it's|its|that's|this is) not {_A}{_REPORT}|not {_A}{_REPORT}",
    f"(?:(?:solo|so|just|only|it|that) )?(?:es|era|fue|foi|is|was)(?: (?:solo|so|just))? {_A}{_JOKE}",
    "(?:just )?(?:kidding|joking)|nop|nope|nel|nah|negativo|nada",
    "me equivoque(?: de (?:grupo|chat))?|grupo equivocado|wrong (?:group|chat)|errei o grupo",
    # Before other words "no" denies them, and nothing is answered: "no quedó", "no era broma".
    f"(?:no|nao)(?=$| ,| (?:ya |ja |(?:{_COURTESY})(?: |$)))",
)
_YES = (
    f"(?:(?:si|yes|sim|claro) )?(?:es|e|seria|it is|it's|its|that's|this is) {_A}{_REPORT}",
    "(?:yes|sim|(?:si+)+)(?: (?:lo es|es|it is|e))?|sip|simon|claro(?: que si)?|yep|yeah|yup",
    f"(?:abr[aeo]n?|abram|levant[ae]n?|gener[ae]n?|crea|creen|crie|open|create) {_A}{_REPORT}",
    "correcto|exacto|afirmativo|asi es|en efecto|efectivamente|correct|exactly|indeed",
    "isso(?: mesmo)?|exato|com certeza",
)
_PATTERNS = tuple(
    (answer, re.compile(f"(?:{unit})(?= |$)"))
    for answer, units in ((Answer.OVER, _OVER), (Answer.NO, _NO), (Answer.YES, _YES), (None, (f",|{_COURTESY}",)))
    for unit in units
)
_YES_AND_MORE = re.compile(r"(?:si|sip|sim|yes|yeah|yep)[,.;:]+ \S")
_POLITE = frozenset("🙏👌💯")
"""Answers as reactions; as messages they are thanks as well."""
_PUNCTUATION = re.compile(r"[.,;:/#$%-]+")


def read_answer(text: str) -> Answer | None:
    """What a text answers; None for one that says more, asks, or contradicts itself."""
    folded = fold(text)
    if not folded:
        return _read_emoji(text)
    if "?" in folded or len(folded) > MAX_CHARS:
        return None
    said: set[Answer] = set()
    rest = " ".join(_PUNCTUATION.sub(" , ", folded).split()).strip(" ,")
    while rest:
        found = [(match.end(), answer) for answer, unit in _PATTERNS if (match := unit.match(rest))]
        if not found:
            return None
        end, answer = max(found, key=lambda one: one[0])
        said |= {answer} if answer is not None else set()
        rest = rest[end:].strip()
    if {Answer.YES, Answer.NO} <= said:
        return None
    return next((one for one in (Answer.OVER, Answer.NO, Answer.YES) if one in said), None)


def says_yes_and_more(text: str) -> bool:
    """Whether a text begins with a clear yes and goes on."""
    return _YES_AND_MORE.match(fold(text)) is not None


def _read_emoji(text: str) -> Answer | None:
    signs = {base for char in text if (base := base_of(char)) and base != "\u200d"}
    if signs and signs <= YES - _POLITE:
        return Answer.YES
    return Answer.NO if signs and signs <= NO else None
