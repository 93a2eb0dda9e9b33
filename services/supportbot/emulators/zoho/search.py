"""The two searches over what the index knows. Pure: rows in, rows out."""

import re
from collections.abc import Iterable, Mapping

from .answers import Record
from .queries import in_range, parse_range

_STATUS_TYPES = {"${OPEN}": "Open", "${ONHOLD}": "On Hold", "${CLOSED}": "Closed"}
_EXACT_TICKET_FIELDS = ("email", "id", "ticketNumber", "contactId", "departmentId", "priority", "channel")
_CONTACT_TEXT = ("firstName", "lastName", "email", "phone", "mobile")


def matches(value: object, wanted: str, *, front: bool = False) -> bool:
    """Whether a stored value matches one of the comma-separated alternatives, in any case.

    A `*` at the end matches any rest; in front it only works where `front` says so. Stored phones are compared as they
    were typed: punctuation hides a hit.
    """
    text = "" if value is None else str(value).casefold()
    return any(_matches_one(text, one.strip().casefold(), front) for one in wanted.split(","))


def _matches_one(text: str, pattern: str, front: bool) -> bool:
    if not text or not pattern.strip("*"):
        return False
    if front and pattern.startswith("*"):
        rest = pattern[1:]
        return rest[:-1] in text if rest.endswith("*") else text.endswith(rest)
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def has_words(text: object, wanted: str) -> bool:
    """Whether each wanted word is a word of the text; `*` at its end makes it a prefix."""
    words = re.findall(r"\w+", str(text or "").casefold())
    return all(
        any(_matches_one(word, pattern, False) for word in words)
        for pattern in re.findall(r"\w+\*?", wanted.casefold())
    )


def _has_custom(record: Record, terms: Iterable[tuple[str, str]]) -> bool:
    return all(matches(record["cf"].get(api_name), value) for api_name, value in terms)


def _has_status(ticket: Record, wanted: str) -> bool:
    return any(
        ticket["statusType"] == _STATUS_TYPES[one] if one in _STATUS_TYPES else matches(ticket["status"], one)
        for one in wanted.split(",")
    )


def search_contacts(
    contacts: Iterable[Record], query: Mapping[str, str], custom: Iterable[tuple[str, str]]
) -> list[Record]:
    """The contacts that meet all parameters, newest first."""
    terms = list(custom)
    hits = [one for one in contacts if _contact_meets(one, query) and _has_custom(one, terms)]
    return hits[::-1]


def _contact_meets(contact: Record, query: Mapping[str, str]) -> bool:
    full_name = f"{contact['firstName'] or ''} {contact['lastName'] or ''}".strip()
    return (
        all(matches(contact[name], query[name], front=True) for name in ("phone", "mobile") if name in query)
        and all(matches(contact[name], query[name]) for name in ("email", "lastName") if name in query)
        and ("fullName" not in query or matches(full_name, query["fullName"]))
        and ("_all" not in query or has_words(" ".join(str(contact[k] or "") for k in _CONTACT_TEXT), query["_all"]))
    )


def search_tickets(
    tickets: Iterable[Record], query: Mapping[str, str], custom: Iterable[tuple[str, str]]
) -> list[Record]:
    """The tickets that meet all parameters, in creation order.

    Raises:
        RefusedError: 422; a time range that cannot be read.
    """
    terms = list(custom)
    created = parse_range(query, "createdTimeRange")
    modified = parse_range(query, "modifiedTimeRange")
    return [
        one
        for one in tickets
        if not one["isTrashed"]
        and _ticket_meets(one, query)
        and _has_custom(one, terms)
        and in_range(one["createdTime"], created)
        and in_range(one["modifiedTime"], modified)
    ]


def _ticket_meets(ticket: Record, query: Mapping[str, str]) -> bool:
    return (
        all(matches(ticket[name], query[name]) for name in _EXACT_TICKET_FIELDS if name in query)
        and ("phone" not in query or matches(ticket["phone"], query["phone"], front=True))
        and ("status" not in query or _has_status(ticket, query["status"]))
        and ("subject" not in query or has_words(ticket["subject"], query["subject"]))
        and ("tag" not in query or any(matches(tag, query["tag"]) for tag in ticket["tags"]))
        and ("_all" not in query or has_words(_ticket_text(ticket), query["_all"]))
    )


def _ticket_text(ticket: Record) -> str:
    custom = " ".join(str(value) for value in ticket["cf"].values() if value is not None)
    return f"{ticket['ticketNumber']} {ticket['subject'] or ''} {ticket['description'] or ''} {custom}"
