"""The answer when none is scripted: a small rule over the question, in place of a model. Pure.

It is no judgement worth measuring: it makes the demo and the tests run without a vendor. It knows the shape of
supportbot's own questions (a JSON document with `turn` and `open_incidents`) and fills in whatever schema is asked for.
"""

import json
import re
from typing import Any

from .call import Record
from .schemas import example_of

_RESOLVED = re.compile(
    r"\b(ya (qued|abri|funcion|jal|sali)|listo|resuelt|solucionad|solved|fixed|works now|já volt)", re.IGNORECASE
)
_INSISTS = re.compile(
    r"\b(novedad|alguna respuesta|sigue|any news|any update|continua|alguma novidade|ainda)", re.IGNORECASE
)
_TROUBLE = re.compile(
    r"\b(no (me |nos |se |le |les )?\w+|sin \w+|error|fall\w*|apoy\w*|ayud\w*|caíd\w*|help|broken|fail\w*|reject\w*"
    r"|cannot|can't|doesn't|does not|sem \w+|não \w+|travou|problema?)\b",
    re.IGNORECASE,
)
_SITE = re.compile(r"\b(?:tienda|sucursal|store|loja|la|el)\s+(\d{2,4})\b|\b(\d{3,4})\b", re.IGNORECASE)
_EVIDENCE_CHARS = 80


def emulated_answer(user: str, schema: Record) -> Any:
    """A value of the schema for this question.

    Args:
        user: The user message; supportbot's is a JSON document.
        schema: Of the answer.
    """
    document = _parse(user)
    turn = document.get("turn")
    text = " ".join(_texts(turn if turn is not None else user)).strip()
    answer = example_of(schema)
    if not isinstance(answer, dict):
        return answer
    kind = _kind(text, has_open=bool(document.get("open_incidents")), is_staff="staff" in _role(turn))
    found = _SITE.search(text)
    site = next((part for part in found.groups() if part), None) if found else None
    guess: Record = {
        "evidence": text[:_EVIDENCE_CHARS],
        "kind": kind,
        "language": document.get("group_language"),
        "priority": "medium" if kind == "incident" else "low",
        "subject": text[:_EVIDENCE_CHARS],
        "summary": text[: 4 * _EVIDENCE_CHARS],
        "follow_up_of": _ref(document, turn, site) if kind in {"follow_up", "resolution"} else None,
        "confidence": 0.8,
        "needs_review": False,
    }
    properties = schema.get("properties", {})
    answer |= {name: value for name, value in guess.items() if name in properties and _fits(value, properties[name])}
    if isinstance(answer.get("entities"), dict) and "site" in answer["entities"]:
        answer["entities"]["site"] = site
    return answer


def _parse(user: str) -> Record:
    try:
        document = json.loads(user)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


_NO_TEXT = frozenset({"who", "role", "mentions", "quotes", "quotes_ref", "note"})


def _texts(value: Any) -> list[str]:
    """All texts of a turn, in order, whatever its exact shape; not its marks, such as who speaks."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return [text for name, one in value.items() if name not in _NO_TEXT for text in _texts(one)]
    return []


def _role(turn: Any) -> str:
    return str(turn.get("role")) if isinstance(turn, dict) else ""


def _kind(text: str, *, has_open: bool, is_staff: bool) -> str:
    if _RESOLVED.search(text):
        return "resolution" if has_open else "chatter"
    if is_staff or (has_open and _INSISTS.search(text)):
        return "follow_up" if has_open else "chatter"
    return "incident" if _TROUBLE.search(text) else "chatter"


def _ref(document: Record, turn: Any, site: str | None) -> str | None:
    """The open incident that is quoted, else the one of the same site, else the first."""
    incidents = [one for one in document.get("open_incidents", []) if isinstance(one, dict)]
    quoted = turn.get("quotes_ref") if isinstance(turn, dict) else None
    refs = [one.get("ref") for one in incidents]
    if quoted in refs:
        return str(quoted)
    same = [one.get("ref") for one in incidents if site and site in json.dumps(one)]
    return next((str(ref) for ref in (*same, *refs) if ref), None)


def _fits(value: Any, schema: Record) -> bool:
    return value in schema["enum"] if "enum" in schema else value is not None or "anyOf" in schema
