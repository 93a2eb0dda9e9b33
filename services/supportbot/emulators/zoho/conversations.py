"""Handlers of what hangs on a ticket: comments, threads, attachments; and of uploads."""

from .answers import Answer, FieldError, Record, RefusedError, bad_request, invalid_data, listing, not_found
from .call import Call, File
from .queries import parse_flag, parse_names, parse_sort, sort_rows
from .rows import attachment_row, comment_row, thread_full, thread_row, upload_row
from .validation import check_comment, check_file_name


def create_comment(call: Call) -> Answer:
    """A comment in the name of the token's user."""
    store, ticket, body = call.portal.store, call.ticket, call.body
    errors = check_comment(body) or [
        FieldError(f"/attachmentIds/{index}", "invalid")
        for index, upload_id in enumerate(body.get("attachmentIds", []))
        if not store.upload_is_usable(upload_id)
    ]
    if errors:
        raise invalid_data(errors)
    shape = {"contentType": body.get("contentType", "html"), "isPublic": body.get("isPublic", False)}
    fields = {"content": body["content"], **shape}
    comment = store.add_comment(ticket, fields, store.me, body.get("attachmentIds", []))
    return Answer(call.portal.settings.create_status, _comment(call, comment))


def comments(call: Call) -> Answer:
    """A page of a ticket's comments."""
    key, descending = parse_sort(call.query, ("commentedTime",))
    rows = call.portal.store.comments.of(call.ticket["id"])
    return listing([_comment(call, one) for one in call.page.of(sort_rows(rows, key, descending=descending))])


def comment(call: Call) -> Answer:
    """One comment."""
    found = call.portal.store.comments.get(call.ids["comment_id"])
    if found is None or found["ticketId"] != call.ticket["id"]:
        raise not_found()
    return Answer(200, _comment(call, found))


def _comment(call: Call, comment: Record) -> Record:
    files = call.portal.store.attachments_of(comment["ticketId"], comment["id"])
    return comment_row(comment, files, call.base_url)


def threads(call: Call) -> Answer:
    """A page of a ticket's threads, newest first unless asked otherwise; their texts are cut."""
    key, descending = parse_sort({"sortBy": "-sendDateTime"} | dict(call.query), ("sendDateTime",))
    rows = sort_rows(call.portal.store.threads.of(call.ticket["id"]), "createdTime", descending=descending)
    return listing([thread_row(one) | {key: one["createdTime"]} for one in call.page.of(rows)])


def thread(call: Call) -> Answer:
    """One thread, whole."""
    found = call.portal.store.threads.get(call.ids["thread_id"])
    if found is None or found["ticketId"] != call.ticket["id"]:
        raise not_found()
    return _thread(call, found)


def latest_thread(call: Call) -> Answer:
    """The newest thread, whole."""
    public = parse_flag(call.query, "needPublic")
    rows = call.portal.store.threads.of(call.ticket["id"])
    wanted = [one for one in rows if not public or one["visibility"] == "public"]
    if not wanted:
        raise not_found()
    return _thread(call, wanted[-1])


def _thread(call: Call, found: Record) -> Answer:
    plain = "plainText" in parse_names(call.query, "include", ("plainText",))
    return Answer(200, thread_full(found, plain_text=plain))


def conversations(call: Call) -> Answer:
    """Threads and comments together, newest first."""
    store, ticket_id = call.portal.store, call.ticket["id"]
    rows = [
        *((one["createdTime"], thread_row(one) | {"type": "thread"}) for one in store.threads.of(ticket_id)),
        *((one["commentedTime"], _comment(call, one) | {"type": "comment"}) for one in store.comments.of(ticket_id)),
    ]
    newest_first = sorted(rows, key=lambda pair: pair[0], reverse=True)
    return listing(call.page.of([row for _, row in newest_first]))


def create_attachment(call: Call) -> Answer:
    """A file on the ticket itself."""
    ticket, public = call.ticket, parse_flag(call.query, "isPublic", default=False)
    file = _checked(call)
    shape = {"name": file.name, "contentType": file.content_type, "isPublic": public}
    attachment = call.portal.store.add_attachment(ticket, shape, file.data)
    return Answer(call.portal.settings.create_status, attachment_row(attachment, call.base_url))


def attachments(call: Call) -> Answer:
    """A page of the ticket's own files; those of comments are listed with their comment."""
    key, descending = parse_sort(call.query, ("createdTime",))
    rows = sort_rows(call.portal.store.attachments_of(call.ticket["id"]), key, descending=descending)
    return listing([attachment_row(one, call.base_url) for one in call.page.of(rows)])


def attachment_content(call: Call) -> Answer:
    """The bytes of a file of the ticket or of one of its comments."""
    found = call.portal.store.attachments.get(call.ids["attachment_id"])
    if found is None or found["ticketId"] != call.ticket["id"]:
        raise not_found()
    return Answer(200, File(found["name"], found["contentType"], call.portal.store.content(found)))


def create_upload(call: Call) -> Answer:
    """A file for a later ticket or comment."""
    file = _checked(call)
    shape = {"name": file.name, "contentType": file.content_type, "isPublic": False}
    return Answer(call.portal.settings.create_status, upload_row(call.portal.store.add_upload(shape, file.data)))


def _checked(call: Call) -> File:
    settings, file = call.portal.settings, call.file
    if file is None:
        raise bad_request("The multipart part 'file' is missing")
    if len(file.data) > settings.max_attachment_bytes:
        raise RefusedError(413, "RESOURCE_SIZE_EXCEEDED", "The size of the file exceeds the allowed limit")
    errors = check_file_name(file.name, settings)
    if errors:
        raise invalid_data(errors)
    return file
