"""What Zoho accepts in request bodies. Pure: a body and the portal's settings in, field errors out."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .answers import FieldError, Record
from .clock import parse_iso
from .settings import CustomField, Settings

_TICKET_TEXT = {"subject": 1000, "description": 65_535, "resolution": 65_535, "email": 150, "phone": 120}
_TICKET_IDS = ("departmentId", "contactId", "assigneeId", "teamId", "layoutId")
_TICKET_KEYS = frozenset(
    {*_TICKET_TEXT, *_TICKET_IDS, "contact", "cf", "uploads", "dueDate", "status", "priority", "channel"}
    | {"classification", "category", "subCategory", "language"}
)
_CONTACT_TEXT = {"lastName": 200, "firstName": 40, "email": 255, "phone": 50, "mobile": 50}
_COMMENT_KEYS = frozenset({"content", "isPublic", "contentType", "attachmentIds"})
_MAX_COMMENT = 32_000
_MAX_FILE_NAME = 100
_MAX_CONTACT_CF = 100
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_ticket(body: Mapping[str, Any], settings: Settings, *, creating: bool) -> list[FieldError]:
    """A body of `POST /tickets` or `PATCH /tickets/{id}`; whether ids exist is the caller's business."""
    errors = [*_unknown(body, _TICKET_KEYS), *_texts(body, _TICKET_TEXT), *_ids(body, _TICKET_IDS)]
    errors += _picks(body, settings)
    errors += check_cf(body, settings.custom_fields)
    errors += _id_list(body, "uploads")
    if not _is_time(body.get("dueDate")):
        errors.append(FieldError("/dueDate", "invalid"))
    if creating:
        errors += _missing(body, ["departmentId", *settings.mandatory])
        if "contact" in body:
            errors += _embedded_contact(body["contact"])
        else:
            errors += _missing(body, ["contactId"])
    return errors


def check_contact(body: Mapping[str, Any], custom_fields: Sequence[CustomField], *, creating: bool) -> list[FieldError]:
    """A body of `POST /contacts` or `PATCH /contacts/{id}`."""
    errors = [*_unknown(body, {*_CONTACT_TEXT, "cf"}), *_texts(body, _CONTACT_TEXT)]
    errors += check_cf(body, custom_fields, longest=_MAX_CONTACT_CF)
    if creating or "lastName" in body:
        errors += _missing(body, ["lastName"])
    if isinstance(body.get("email"), str) and not _EMAIL.fullmatch(body["email"]):
        errors.append(FieldError("/email", "invalid"))
    for name in ("phone", "mobile"):
        if isinstance(body.get(name), str) and re.search(r"[()]", body[name]):
            errors.append(FieldError(f"/{name}", "invalid", "parentheses are not allowed"))
    return errors


def check_comment(body: Mapping[str, Any]) -> list[FieldError]:
    """A body of `POST /tickets/{id}/comments`."""
    errors = [*_unknown(body, _COMMENT_KEYS), *_missing(body, ["content"]), *_texts(body, {"content": _MAX_COMMENT})]
    errors += _id_list(body, "attachmentIds")
    if not isinstance(body.get("isPublic", False), bool):
        errors.append(FieldError("/isPublic", "invalid", "a boolean is expected"))
    if body.get("contentType", "html") not in ("html", "plainText"):
        errors.append(FieldError("/contentType", "invalid"))
    return errors


def check_tags(body: Mapping[str, Any]) -> list[FieldError]:
    """A body of `POST /tickets/{id}/associateTag`."""
    tags = body.get("tags")
    if not isinstance(tags, list) or not tags:
        return [*_unknown(body, {"tags"}), FieldError("/tags", "invalid" if "tags" in body else "missing")]
    wrong = (index for index, tag in enumerate(tags) if not isinstance(tag, str) or not 3 <= len(tag) <= 100)
    return [*_unknown(body, {"tags"}), *(FieldError(f"/tags/{index}", "invalid") for index in wrong)]


def check_merge(body: Mapping[str, Any]) -> list[FieldError]:
    """A body of `POST /tickets/{id}/merge`."""
    errors = [*_unknown(body, {"ids", "source"}), *_missing(body, ["ids"]), *_id_list(body, "ids")]
    if isinstance(body.get("ids"), list) and len(body["ids"]) > 5:
        errors.append(FieldError("/ids", "invalid", "at most 5"))
    return errors


def check_file_name(name: str, settings: Settings) -> list[FieldError]:
    """The name of an attachment or an upload."""
    blocked = any(name.lower().endswith(extension) for extension in settings.blocked_extensions)
    wrong = not name or len(name) > _MAX_FILE_NAME or blocked
    return [FieldError("/file", "invalid", "file type not allowed" if blocked else "file name")] if wrong else []


def check_cf(body: Mapping[str, Any], known: Iterable[CustomField], *, longest: int = 255) -> list[FieldError]:
    """`cf`: known fields only, each with a value of its type or null."""
    cf = body.get("cf", {})
    if not isinstance(cf, dict):
        return [FieldError("/cf", "invalid")]
    fields = {one.apiName: one for one in known}
    return [
        FieldError(f"/cf/{_escape(name)}", "invalid")
        for name, value in cf.items()
        if name not in fields or not _fits(value, fields[name], longest)
    ]


def _fits(value: object, field: CustomField, longest: int) -> bool:
    if value is None:
        return True
    if field.type == "Number":
        return isinstance(value, int) and not isinstance(value, bool)
    if field.type == "Picklist":
        return value in field.values
    return isinstance(value, str) and len(value) <= min(longest, field.maxLength)


def _embedded_contact(contact: object) -> list[FieldError]:
    if not isinstance(contact, dict):
        return [FieldError("/contact", "invalid")]
    errors = [*check_contact(contact, (), creating=True), *_missing(contact, ["email"])]
    return [FieldError(f"/contact{one.field_name}", one.error_type, one.message) for one in errors]


def _unknown(body: Mapping[str, Any], known: Iterable[str]) -> list[FieldError]:
    names = sorted(set(body) - set(known))
    return [FieldError(f"/{_escape(name)}", "invalid", "an extra parameter is found") for name in names]


def _missing(body: Mapping[str, Any], names: Iterable[str]) -> list[FieldError]:
    return [FieldError(f"/{name}", "missing") for name in names if body.get(name) in (None, "", [])]


def _texts(body: Mapping[str, Any], limits: Mapping[str, int]) -> list[FieldError]:
    return _wrong(body, limits, lambda name, value: isinstance(value, str) and len(value) <= limits[name])


def _ids(body: Mapping[str, Any], names: Iterable[str]) -> list[FieldError]:
    return _wrong(body, names, lambda _, value: _is_id(value))


def _picks(body: Mapping[str, Any], settings: Settings) -> list[FieldError]:
    allowed = {name: {pick.value for pick in picks} for name, picks in settings.picklists.items()}
    return _wrong(body, sorted(allowed), lambda name, value: isinstance(value, str) and value in allowed[name])


def _wrong(body: Mapping[str, Any], names: Iterable[str], fits: Callable[[str, Any], bool]) -> list[FieldError]:
    given = (name for name in names if body.get(name) is not None)
    return [FieldError(f"/{name}", "invalid") for name in given if not fits(name, body[name])]


def _id_list(body: Mapping[str, Any], name: str) -> list[FieldError]:
    values = body.get(name, [])
    wrong = not isinstance(values, list) or not all(_is_id(value) for value in values)
    return [FieldError(f"/{name}", "invalid")] if wrong else []


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9]+", value) is not None


def _is_time(value: object) -> bool:
    if value is None:
        return True
    try:
        parse_iso(str(value))
    except ValueError:
        return False
    return True


def _escape(name: str) -> str:
    """A key as a token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def missing_on_close(ticket: Record, settings: Settings) -> list[FieldError]:
    """Fields that the portal wants before a ticket may be closed."""
    return _missing(ticket, settings.mandatory_on_close)
