"""Handlers about the portal itself: organizations, the token's user, departments, fields."""

from .answers import Answer, Record, listing, not_found, unprocessable
from .call import Call
from .queries import parse_flag, parse_names
from .rows import field_rows

_MODULES = ("tickets", "contacts")


def accessible_organizations(call: Call) -> Answer:
    """Every portal of the user; the first one is not the token's."""
    other = {
        "id": "100000001",
        "companyName": "Another company",
        "portalName": "another",
        "edition": "FREE",
        "isDefault": True,
    }
    return Answer(200, {"data": [other, _own(call)]})


def organizations(call: Call) -> Answer:
    """The token's portal."""
    return Answer(200, {"data": [_own(call)]})


def _own(call: Call) -> Record:
    settings = call.portal.settings
    own = {"id": settings.organization_id, "companyName": settings.organization_name, "portalName": "demo"}
    return own | {"edition": settings.edition, "isDefault": False}


def myinfo(call: Call) -> Answer:
    """The agent on whose behalf the client acts."""
    me = call.portal.store.me
    return Answer(200, {"id": me["id"], "name": me["name"], "emailId": me["email"], "status": "ACTIVE"})


def departments(call: Call) -> Answer:
    """A page of the departments."""
    enabled = parse_flag(call.query, "isEnabled")
    known = call.portal.settings.departments
    rows = [
        one.model_dump() | {"isDefault": one is known[0]}
        for one in known
        if enabled is None or one.isEnabled is enabled
    ]
    return listing(call.page.of(rows))


def department(call: Call) -> Answer:
    """One department."""
    one = call.portal.settings.department(call.ids["department_id"])
    if one is None:
        raise not_found()
    return Answer(200, one.model_dump() | {"isDefault": one is call.portal.settings.departments[0]})


def fields(call: Call) -> Answer:
    """The newer description of a module's fields."""
    if not call.portal.settings.serve_fields:
        raise not_found()
    return _fields(call, "pickListValues")


def organization_fields(call: Call) -> Answer:
    """The older description of a module's fields."""
    return _fields(call, "allowedValues")


def _fields(call: Call, values_key: str) -> Answer:
    module = call.query.get("module")
    if module not in _MODULES:
        raise unprocessable(f"The value passed for field 'module' is invalid: {module!r}.")
    rows = field_rows(call.portal.settings, module, values_key)
    names = parse_names(call.query, "apiNames", [row["apiName"] for row in rows], maximum=50)
    return listing([row for row in rows if not names or row["apiName"] in names])
