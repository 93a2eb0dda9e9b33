"""The two searches over what the index knows. Pure: rows in, rows out.

The query is turned into tests once, so that a search over thousands of records stays within milliseconds.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from .answers import Record
from .queries import parse_range

Test = Callable[[Record], bool]
_STATUS_TYPES = {"${OPEN}": "Open", "${ONHOLD}": "On Hold", "${CLOSED}": "Closed"}
_EXACT_TICKET_FIELDS = ("email", "id", "ticketNumber", "contactId", "departmentId", "priority", "channel")
_CONTACT_TEXT = ("firstName", "lastName", "email", "phone", "mobile")


def matcher(wanted: str, *, front: bool = False) -> Callable[[object], bool]:
    """A test whether a stored value matches one of the comma-separated alternatives, in any case.

    A `*` at the end matches any rest; in front it only works where `front` says so. Stored phones are compared as they
    were typed: punctuation hides a hit.
    """
    patterns = [_pattern(one.strip(), front) for one in wanted.split(",") if one.strip(" *")]
    whole = re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL) if patterns else None
    return lambda value: whole is not None and value is not None and whole.fullmatch(str(value)) is not None


def _pattern(text: str, front: bool) -> str:
    before = ".*" if front and text.startswith("*") else ""
    after = ".*" if text.endswith("*") else ""
    middle = text[1 if before else 0 : -1 if after else None]
    return f"{before}{re.escape(middle)}{after}"


def words_matcher(wanted: str) -> Callable[[object], bool]:
    """A test whether each wanted word is a word of a text, in any case; `*` at its end makes it a prefix."""
    patterns = [
        re.compile(rf"\b{re.escape(word.rstrip('*'))}" + (r"" if word.endswith("*") else r"\b"), re.IGNORECASE)
        for word in re.findall(r"\w+\*?", wanted)
    ]
    return lambda text: all(pattern.search(str(text or "")) for pattern in patterns)


def _field_test(name: str, wanted: str, *, front: bool = False) -> Test:
    fits = matcher(wanted, front=front)
    return lambda record: fits(record[name])


def _custom_test(api_name: str, wanted: str) -> Test:
    fits = matcher(wanted)
    return lambda record: fits(record["cf"].get(api_name))


def _text_test(text_of: Callable[[Record], object], wanted: str) -> Test:
    fits = words_matcher(wanted)
    return lambda record: fits(text_of(record))


def search_contacts(
    contacts: Iterable[Record], query: Mapping[str, str], custom: Iterable[tuple[str, str]]
) -> list[Record]:
    """The contacts that meet all parameters, newest first."""
    tests = [_field_test(name, query[name], front=True) for name in ("phone", "mobile") if name in query]
    tests += [_field_test(name, query[name]) for name in ("email", "lastName") if name in query]
    tests += [_custom_test(*term) for term in custom]
    if "fullName" in query:
        fits = matcher(query["fullName"])
        tests.append(lambda one: fits(f"{one['firstName'] or ''} {one['lastName'] or ''}".strip()))
    if "_all" in query:
        tests.append(_text_test(_contact_text, query["_all"]))
    return _meeting(contacts, tests)[::-1]


def search_tickets(
    tickets: Iterable[Record], query: Mapping[str, str], custom: Iterable[tuple[str, str]]
) -> list[Record]:
    """The tickets that meet all parameters, in creation order.

    Raises:
        RefusedError: 422; a time range that cannot be read.
    """
    tests = [_field_test(name, query[name]) for name in _EXACT_TICKET_FIELDS if name in query]
    tests += [_custom_test(*term) for term in custom]
    tests += [_range_test(query, "created"), _range_test(query, "modified")]
    if "phone" in query:
        tests.append(_field_test("phone", query["phone"], front=True))
    if "status" in query:
        tests.append(_status_test(query["status"]))
    if "subject" in query:
        tests.append(_text_test(lambda one: one["subject"], query["subject"]))
    if "tag" in query:
        fits = matcher(query["tag"])
        tests.append(lambda one: any(fits(tag) for tag in one["tags"]))
    if "_all" in query:
        tests.append(_text_test(_ticket_text, query["_all"]))
    return _meeting((one for one in tickets if not one["isTrashed"]), tests)


def _meeting(records: Iterable[Record], tests: Iterable[Test]) -> list[Record]:
    found = list(records)
    for test in tests:
        found = [one for one in found if test(one)]
    return found


def _range_test(query: Mapping[str, str], name: str) -> Test:
    span = parse_range(query, f"{name}TimeRange")
    if span is None:
        return lambda _: True
    field, (start, end) = f"{name}Time", span
    return lambda record: start <= record[field] <= end


def _status_test(wanted: str) -> Test:
    types = {_STATUS_TYPES[one] for one in wanted.split(",") if one in _STATUS_TYPES}
    fits = matcher(wanted)
    return lambda ticket: ticket["statusType"] in types or fits(ticket["status"])


def _contact_text(contact: Record) -> str:
    return " ".join(str(contact[name] or "") for name in _CONTACT_TEXT)


def _ticket_text(ticket: Record) -> str:
    custom = " ".join(str(value) for value in ticket["cf"].values() if value is not None)
    return f"{ticket['ticketNumber']} {ticket['subject'] or ''} {ticket['description'] or ''} {custom}"
