"""Records as the API shows them: which fields, counts and sizes as strings. Pure."""

from collections.abc import Iterable, Sequence

from .answers import Record
from .settings import CustomField, PickValue, Settings

TICKET_ROW = (
    "id",
    "ticketNumber",
    "subject",
    "status",
    "statusType",
    "contactId",
    "departmentId",
    "priority",
    "channel",
    "createdTime",
    "closedTime",
    "webUrl",
    "threadCount",
    "commentCount",
    "lastThread",
)
_MORE_TICKET_FIELDS = (
    "modifiedTime",
    "category",
    "subCategory",
    "classification",
    "language",
    "email",
    "phone",
    "dueDate",
    "assigneeId",
    "teamId",
    "layoutId",
    "attachmentCount",
    "isTrashed",
)
_TEXT_FIELDS = ("description", "resolution")
LISTABLE = (*TICKET_ROW, *_MORE_TICKET_FIELDS)
INCLUDES = ("contacts", "assignee", "departments", "team")
_CONTACT_BRIEF = ("id", "firstName", "lastName", "email", "phone", "mobile")


def ticket_full(ticket: Record, settings: Settings, base_url: str) -> Record:
    """A ticket as its own call answers it: with cf and modifiedTime, without tags."""
    fixed = {"isDeleted": False, "isArchived": False, "isSpam": False}
    return _shown(ticket, base_url, (*LISTABLE, *_TEXT_FIELDS)) | fixed | {"cf": _cf(ticket, settings.custom_fields)}


def ticket_row(ticket: Record, base_url: str) -> Record:
    """A row of the plain list: no cf, no modifiedTime."""
    return _shown(ticket, base_url, TICKET_ROW)


def ticket_found(ticket: Record, settings: Settings, base_url: str) -> Record:
    """A row of the search: with cf."""
    return ticket_row(ticket, base_url) | {
        "modifiedTime": ticket["modifiedTime"],
        "cf": _cf(ticket, settings.custom_fields),
    }


def ticket_fields(ticket: Record, names: Sequence[str], settings: Settings, base_url: str) -> Record:
    """A row of the plain list with `fields=`: the id and the named fields, custom ones inside `cf`."""
    row = _shown(ticket, base_url, ("id", *(name for name in names if not name.startswith("cf_"))))
    custom = {name: value for name, value in _cf(ticket, settings.custom_fields).items() if name in names}
    return row | ({"cf": custom} if custom else {})


def included(ticket: Record, names: Iterable[str], contact: Record | None, settings: Settings) -> Record:
    """The objects that `include=` adds."""
    department = settings.department(ticket["departmentId"])
    objects: dict[str, Record] = {
        "contacts": {"contact": contact and {key: contact[key] for key in _CONTACT_BRIEF}},
        "departments": {"department": department and {"id": department.id, "name": department.name}},
        "assignee": {"assignee": None},
        "team": {"team": None},
    }
    return {key: value for name in names for key, value in objects[name].items()}


def _shown(ticket: Record, base_url: str, names: Iterable[str]) -> Record:
    counts = {name: str(ticket[name]) for name in ("threadCount", "commentCount", "attachmentCount")}
    view = ticket | counts | {"webUrl": f"{base_url}/tickets/{ticket['id']}"}
    return {name: view[name] for name in names}


def _cf(record: Record, fields: Iterable[CustomField]) -> Record:
    return {field.apiName: record["cf"].get(field.apiName) for field in fields}


def contact_full(contact: Record, settings: Settings) -> Record:
    """A contact, in every call that answers one."""
    return contact | {"cf": _cf(contact, settings.contact_custom_fields)}


def attachment_row(attachment: Record, base_url: str) -> Record:
    """An attachment of a ticket or of a comment."""
    content = f"{base_url}/api/v1/tickets/{attachment['ticketId']}/attachments/{attachment['id']}/content"
    return upload_row(attachment) | {
        "href": content,
        "isPublic": attachment["isPublic"],
        "createdTime": attachment["createdTime"],
    }


def upload_row(upload: Record) -> Record:
    """An upload that belongs to nothing yet."""
    return {"id": upload["id"], "name": upload["name"], "size": str(upload["size"])}


def comment_row(comment: Record, files: Iterable[Record], base_url: str) -> Record:
    """A comment with its files."""
    hidden = ("ticketId", "attachmentIds")
    own = {key: value for key, value in comment.items() if key not in hidden}
    author = {key: value for key, value in comment["commenter"].items() if key != "id"}
    return own | {"commenter": author, "attachments": [attachment_row(file, base_url) for file in files]}


_SUMMARY = 200


def thread_row(thread: Record) -> Record:
    """A row of the list of threads: the text is cut."""
    text = thread["content"]
    own = {key: value for key, value in thread.items() if key not in {"content", "ticketId"}}
    return own | {"summary": text[:_SUMMARY], "isContentTruncated": len(text) > _SUMMARY}


def thread_full(thread: Record, *, plain_text: bool) -> Record:
    """A thread as its own call answers it."""
    own = {key: value for key, value in thread.items() if key != "ticketId"}
    return own | ({"plainText": thread["content"]} if plain_text else {})


def field_rows(settings: Settings, module: str, values_key: str) -> list[Record]:
    """The fields of a module; `values_key` names their values: `/fields` and `/organizationFields` differ."""
    if module == "contacts":
        names = ("lastName", "firstName", "email", "phone", "mobile")
        plain = [_field(name, mandatory=name == "lastName") for name in names]
        return plain + [_custom(one, values_key) for one in settings.contact_custom_fields]
    mandatory = {"departmentId", "contactId", *settings.mandatory}
    plain = [_field(name, mandatory=name in mandatory) for name in ("departmentId", "contactId", "subject")]
    picks = [
        _field(name, mandatory=name in mandatory, kind="Picklist") | {values_key: [_pick(pick) for pick in values]}
        for name, values in settings.picklists.items()
    ]
    return plain + picks + [_custom(one, values_key) for one in settings.custom_fields]


def _field(name: str, *, mandatory: bool, kind: str = "Text") -> Record:
    shape = {"apiName": name, "displayLabel": name, "type": kind, "isCustomField": False}
    return shape | {"isMandatory": mandatory, "maxLength": 255}


def _custom(field: CustomField, values_key: str) -> Record:
    shape = {"apiName": field.apiName, "displayLabel": field.displayLabel, "type": field.type, "isCustomField": True}
    values = {values_key: [{"value": value} for value in field.values]} if field.type == "Picklist" else {}
    return shape | {"isMandatory": False, "maxLength": field.maxLength} | values


def _pick(pick: PickValue) -> Record:
    return pick.model_dump(exclude_none=True)
