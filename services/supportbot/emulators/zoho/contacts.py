"""Handlers of contacts."""

from .answers import Answer, FieldError, Record, invalid_data, listing, not_found
from .call import Call
from .queries import check_search_lengths, custom_field_terms
from .rows import contact_full
from .search import search_contacts
from .validation import check_contact


def search(call: Call) -> Answer:
    """What the index knows about contacts."""
    settings = call.portal.settings
    check_search_lengths(call.query)
    terms = custom_field_terms(call.query, [one.apiName for one in settings.contact_custom_fields])
    indexed = call.portal.store.contacts.indexed(settings.index_lag_s)
    found = call.page.of(search_contacts(indexed, call.query, terms))
    return listing([contact_full(one, settings) for one in found])


def create(call: Call) -> Answer:
    """A new contact; only the e-mail address is unique."""
    settings = call.portal.settings
    errors = check_contact(call.body, settings.contact_custom_fields, creating=True)
    _refuse(errors or _duplicate(call, None))
    contact = call.portal.store.create_contact(call.body)
    return Answer(settings.create_status, contact_full(contact, settings))


def read(call: Call) -> Answer:
    """One contact."""
    return Answer(200, contact_full(_contact(call), call.portal.settings))


def update(call: Call) -> Answer:
    """Change some fields of a contact."""
    contact, settings = _contact(call), call.portal.settings
    errors = check_contact(call.body, settings.contact_custom_fields, creating=False)
    _refuse(errors or _duplicate(call, contact["id"]))
    return Answer(200, contact_full(call.portal.store.update_contact(contact, call.body), settings))


def _contact(call: Call) -> Record:
    contact = call.portal.store.contacts.get(call.ids["contact_id"])
    if contact is None:
        raise not_found()
    return contact


def _duplicate(call: Call, own_id: str | None) -> list[FieldError]:
    email = call.body.get("email")
    other = call.portal.store.contact_by_email(email) if email else None
    return [FieldError("/email", "duplicate")] if other and other["id"] != own_id else []


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise invalid_data(errors)
