"""Handlers of tickets."""

from collections.abc import Iterable, Iterator
from itertools import islice

from .answers import Answer, FieldError, Record, RefusedError, invalid_data, listing
from .call import Call
from .queries import check_search_lengths, custom_field_terms, parse_flag, parse_names, parse_sort, sort_rows
from .rows import INCLUDES, LISTABLE, included, ticket_fields, ticket_found, ticket_full, ticket_row
from .search import search_tickets
from .validation import check_merge, check_tags, check_ticket, missing_on_close

_SEARCH_SORT = ("relevance", "modifiedTime", "createdTime", "customerResponseTime")
_LIST_SORT = ("createdTime", "dueDate", "recentThread")
_NOT_NULLABLE = ("departmentId", "contactId", "status")
_OPTIONAL = (
    *("subject", "description", "resolution", "priority", "category", "subCategory", "classification", "language"),
    *("email", "phone", "dueDate", "assigneeId", "teamId", "layoutId"),
)
_DEFAULTS = dict.fromkeys(_OPTIONAL)


def create(call: Call) -> Answer:
    """A new ticket. There is no idempotency: the same body twice is two tickets."""
    portal = call.portal
    _refuse(check_ticket(call.body, portal.settings, creating=True))
    _refuse(_dangling(call, call.body))
    body = {"status": portal.settings.picklists["status"][0].value} | {
        key: value for key, value in call.body.items() if value is not None
    }
    body["statusType"] = portal.settings.status_type(body["status"])
    uploads = body.pop("uploads", [])
    if "contact" in body:
        body["contactId"] = _embedded_contact(call, body.pop("contact"))
    ticket = portal.store.create_ticket({**_DEFAULTS, "channel": "Web", "cf": {}, **body}, uploads)
    return Answer(portal.settings.create_status, _full(call, ticket))


def read(call: Call) -> Answer:
    """One ticket."""
    names = parse_names(call.query, "include", INCLUDES)
    return Answer(200, _full(call, call.ticket) | _included(call, call.ticket, names))


def update(call: Call) -> Answer:
    """Change some fields of a ticket."""
    settings, ticket, body = call.portal.settings, call.ticket, call.body
    parse_flag(call.query, "disableClosureNotification")
    _refuse(check_ticket(body, settings, creating=False))
    _refuse([FieldError(f"/{name}", "invalid") for name in _NOT_NULLABLE if name in body and body[name] is None])
    _refuse([FieldError(f"/{name}", "invalid") for name in ("uploads", "contact") if name in body])
    _refuse(_dangling(call, body))
    changes = dict(body)
    if "status" in body:
        changes["statusType"] = settings.status_type(body["status"])
    if changes.get("statusType") == "Closed":
        _refuse(missing_on_close({**ticket, **changes}, settings))
    return Answer(200, _full(call, call.portal.store.update_ticket(ticket, changes)))


def listed(call: Call) -> Answer:
    """The plain list: always up to date, without cf unless `fields=` asks for it."""
    query, settings = call.query, call.portal.settings
    custom = [one.apiName for one in settings.custom_fields]
    names = parse_names(query, "fields", [*LISTABLE, *custom])
    includes = parse_names(query, "include", INCLUDES)
    key, descending = parse_sort(query, _LIST_SORT)
    page = call.page
    if key == "createdTime":
        # The table is in this order already: a page of thousands of tickets costs no more than the page.
        shown = list(islice(_listable(call, newest_first=descending), page.offset, page.offset + page.limit))
    else:
        field = "recentTime" if key == "recentThread" else key
        shown = list(page.of(sort_rows(_listable(call, newest_first=False), field, descending=descending)))
    return listing([_row(call, ticket, names) | _included(call, ticket, includes) for ticket in shown])


def _listable(call: Call, *, newest_first: bool) -> Iterator[Record]:
    query, tickets = call.query, call.portal.store.tickets
    statuses = query["status"].split(",") if "status" in query else None
    return (
        ticket
        for ticket in (reversed(tickets) if newest_first else tickets)
        if not ticket["isTrashed"]
        and ("departmentId" not in query or ticket["departmentId"] == query["departmentId"])
        and (statuses is None or ticket["status"] in statuses)
    )


def search(call: Call) -> Answer:
    """What the index knows about tickets, with cf."""
    query, settings = call.query, call.portal.settings
    check_search_lengths(query)
    key, descending = parse_sort(query, _SEARCH_SORT)
    terms = custom_field_terms(query, [one.apiName for one in settings.custom_fields])
    found = search_tickets(call.portal.store.tickets.indexed(settings.index_lag_s), query, terms)
    if not found:
        return Answer(204)
    # Nothing here ranks: by relevance is newest first.
    newest = key == "relevance"
    ordered = sort_rows(found, "createdTime" if newest else key, descending=newest or descending)
    rows = [ticket_found(ticket, settings, call.base_url) for ticket in call.page.of(ordered)]
    return Answer(200, {"data": rows, "count": str(len(found))}) if rows else Answer(204)


def associate_tags(call: Call) -> Answer:
    """Add tags to a ticket; the ticket itself never shows them."""
    _refuse(check_tags(call.body))
    call.portal.store.set_tags(call.ticket, call.body["tags"])
    return Answer(200, {"tags": [{"name": tag} for tag in call.body["tags"]]})


def tags(call: Call) -> Answer:
    """The tags of a ticket."""
    return listing([{"name": tag} for tag in call.ticket["tags"]])


def merge(call: Call) -> Answer:
    """Merge other tickets into this one; they are gone afterwards."""
    store, ticket = call.portal.store, call.ticket
    _refuse(check_merge(call.body))
    others = [store.tickets.get(one) for one in call.body["ids"]]
    wrong = [index for index, one in enumerate(others) if one is None or one["isTrashed"] or one["id"] == ticket["id"]]
    _refuse([FieldError(f"/ids/{index}", "invalid") for index in wrong])
    for other in others:
        store.trash(other or {}, merged_into=ticket["id"])
    return Answer(200, _full(call, call.ticket))


def _dangling(call: Call, body: Record) -> list[FieldError]:
    """Ids in the body that lead nowhere."""
    store = call.portal.store
    errors = [
        FieldError(f"/uploads/{index}", "invalid")
        for index, upload_id in enumerate(body.get("uploads", []))
        if not store.upload_is_usable(upload_id)
    ]
    if body.get("contactId") is not None and store.contacts.get(body["contactId"]) is None:
        errors.append(FieldError("/contactId", "invalid"))
    if body.get("departmentId") is not None:
        department = call.portal.settings.department(body["departmentId"])
        if department is None:
            errors.append(FieldError("/departmentId", "invalid"))
        elif not department.isEnabled:
            raise RefusedError(403, "FORBIDDEN", "You do not have permission to perform this operation.")
    return errors


def _embedded_contact(call: Call, contact: Record) -> str:
    store = call.portal.store
    known = store.contact_by_email(contact["email"]) or store.create_contact(contact)
    return str(known["id"])


def _full(call: Call, ticket: Record) -> Record:
    return ticket_full(ticket, call.portal.settings, call.base_url)


def _row(call: Call, ticket: Record, names: tuple[str, ...]) -> Record:
    if names:
        return ticket_fields(ticket, names, call.portal.settings, call.base_url)
    return ticket_row(ticket, call.base_url)


def _included(call: Call, ticket: Record, names: Iterable[str]) -> Record:
    contact = call.portal.store.contacts.get(ticket["contactId"])
    return included(ticket, names, contact, call.portal.settings)


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise invalid_data(errors)
