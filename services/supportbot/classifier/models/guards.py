"""What an opinion has to stand before it counts: it repeats no instructions and rests on what was really said. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

from supportbot.classifier.models.instructions import canary_of
from supportbot.classifier.models.outcomes import BadOutput
from supportbot.classifier.models.redact import PLACEHOLDER
from supportbot.classifier.models.request import Entities, Opinion, Request
from supportbot.classifier.models.spelling import clean, plain

MAX_SUBJECT = 90
MAX_SUMMARY = 400
MAX_REPEATED = 32
"""Letters and digits in a row; with the spaces between them about 40 characters of the instructions."""
MIN_GROUNDED = 0.6
"""Share of a subject's longer words that the turn, or the incident it goes on with, has to hold."""

_LINK = re.compile(
    r"\S*(?:://|www\.)\S*|(?<![\w@])[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|io|ly|me|app|link|xyz|mx|co|br|es|ar|cl|pe|uk|us|example)(?:/\S*)?(?!\w)",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<!\w)@\s?(?!<)[\w+~.-]*")
_TAG = re.compile(r"<[^<>]{1,200}>")
_WORDS = re.compile(r"[^\W\d_]{4,}")
_NO_LETTERS = re.compile(r"[\W_]+")
_REF = re.compile(r"[\s\"'`]*(I\d{1,3})[\s\"'`]*", re.IGNORECASE)


def check(opinion: Opinion, request: Request) -> Opinion:
    """The opinion with what it may not hold taken out.

    Raises:
        BadOutput: It repeats the instructions, quotes what the turn does not hold, or names what was not offered.
    """
    _refuse_leak(opinion, request)
    _refuse_ungrounded(opinion, request)
    category = _known_category(opinion.category, request)
    ref = _offered_ref(opinion, request)
    return opinion.model_copy(
        update={
            "category": category,
            "subject": _checked_subject(opinion, request),
            "summary": cut_words(_without_foreign(_one_line(opinion.summary), request), MAX_SUMMARY),
            "entities": _grounded_entities(opinion.entities, request.turn_text),
            "follow_up_of": ref,
        }
    )


def _letters(text: str) -> str:
    """Letters and digits alone, in lower case without accents: what stays of a quote however it is written."""
    return _NO_LETTERS.sub("", plain(clean(text)))


def _strings(opinion: Opinion) -> Iterable[str]:
    entities = opinion.entities.model_dump().values()
    return (one for one in (*opinion.model_dump(exclude={"entities"}).values(), *entities) if isinstance(one, str))


def _refuse_leak(opinion: Opinion, request: Request) -> None:
    canary = _letters(canary_of(request.system))
    known = _letters(request.user)
    pieces = _pieces(request.system)
    for text in map(_letters, _strings(opinion)):
        if canary and canary not in known and (canary in text or canary in text[::-1]):
            raise BadOutput("the answer holds the mark of the instructions")
        for start in range(len(text) - MAX_REPEATED + 1):
            piece = text[start : start + MAX_REPEATED]
            if piece in pieces and piece not in known:
                raise BadOutput("the answer repeats the instructions")


@lru_cache(maxsize=8)
def _pieces(system: str) -> frozenset[str]:
    letters = _letters(system)
    return frozenset(letters[start : start + MAX_REPEATED] for start in range(len(letters) - MAX_REPEATED + 1))


def _refuse_ungrounded(opinion: Opinion, request: Request) -> None:
    turn = _letters(request.turn_text)
    quotes = [letters for piece in re.split(r"\.{3,}|…|\[\.+\]", opinion.evidence) if (letters := _letters(piece))]
    if not quotes:
        if opinion.kind != "chatter" and turn:
            raise BadOutput("the answer quotes nothing of the turn")
        return
    start = 0
    for quote in quotes:
        found = turn.find(quote, start)
        if found < 0:
            raise BadOutput("the answer quotes what the turn does not hold")
        start = found + len(quote)


def _known_category(category: str, request: Request) -> str:
    names: list[str] = request.schema["properties"]["category"]["enum"]
    for name in names:
        if plain(category).strip() == plain(name):
            return name
    raise BadOutput("the answer names a category that is not configured")


def _offered_ref(opinion: Opinion, request: Request) -> str | None:
    """The ref as it was offered; an incident and chatter go on with nothing."""
    if opinion.follow_up_of is None or not opinion.follow_up_of.strip(" \"'`"):
        return None
    match = _REF.fullmatch(opinion.follow_up_of)
    ref = match[1].upper() if match else ""
    if ref not in request.offered:
        raise BadOutput("the answer names an incident that was not offered")
    return ref if opinion.kind in {"follow_up", "resolution"} else None


def _grounded_entities(entities: Entities, turn: str) -> Entities:
    letters = _letters(turn)
    values: dict[str, str | None] = entities.model_dump()
    kept = {name: _one_line(value) for name, value in values.items() if value and (_letters(value) or "?") in letters}
    return Entities(**{name: kept.get(name) for name in values})


def _checked_subject(opinion: Opinion, request: Request) -> str:
    """The subject as it may stand in a ticket and in the group; empty when it says what the turn does not."""
    if opinion.kind == "chatter":
        return ""
    text = _MENTION.sub(" ", _LINK.sub(" ", _one_line(opinion.subject).replace("@<", "<")))
    text = _TAG.sub(lambda match: match[0] if PLACEHOLDER.fullmatch(match[0]) else " ", text)
    text = _one_line(_without_foreign(text, request)).lstrip("=+-@ ")  # A sheet would take it for a formula.
    return cut_words(text, MAX_SUBJECT) if _is_grounded(text, request.turn_text) else ""


def _without_foreign(text: str, request: Request) -> str:
    """The text without placeholders of what only other messages hold."""
    return PLACEHOLDER.sub(lambda match: match[0] if match[0] in request.turn_text else "", text)


def _is_grounded(subject: str, turn: str) -> bool:
    """Whether the words of a subject are mostly those of the turn, and its numbers all."""
    subject, turn = plain(PLACEHOLDER.sub(" ", subject)), plain(clean(turn))
    if not set(re.findall(r"\d+", subject)) <= set(re.findall(r"\d+", turn)):
        return False
    stems = {word[:4] for word in _WORDS.findall(turn)}
    words = _WORDS.findall(subject)
    if not words:
        return bool(subject.strip()) and _letters(subject) in _letters(turn)
    return sum(word[:4] in stems for word in words) >= MIN_GROUNDED * len(words)


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def cut_words(text: str, limit: int) -> str:
    """The text with at most so many characters, cut between words."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head) + "…"
