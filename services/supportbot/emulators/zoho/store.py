"""Everything that the portal holds, in memory: contacts, tickets, comments, threads, files.

Records are JSON objects in Zoho's shape that are replaced, never changed, so that the history of a record is the list
of its versions: the searches read an older version while the index lags. Callers check what they write beforehand.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from .answers import Record
from .clock import Clock
from .settings import Settings


class Table:
    """Records by id, in creation order, with their versions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions: dict[str, list[tuple[float, Record]]] = {}

    def put(self, record: Record) -> Record:
        """Store a new version of the record with that id."""
        self._versions.setdefault(record["id"], []).append((self._clock.now(), record))
        return record

    def get(self, record_id: object) -> Record | None:
        """The newest version."""
        versions = self._versions.get(record_id) if isinstance(record_id, str) else None
        return versions[-1][1] if versions else None

    def __iter__(self) -> Iterator[Record]:
        return (versions[-1][1] for versions in self._versions.values())

    def __reversed__(self) -> Iterator[Record]:
        return (versions[-1][1] for versions in reversed(self._versions.values()))

    def __len__(self) -> int:
        return len(self._versions)

    def indexed(self, lag_s: float) -> Iterator[Record]:
        """What the search index knows: each record as it was `lag_s` ago, without those that did not exist yet."""
        if lag_s <= 0:
            yield from self
            return
        until = self._clock.now() - lag_s
        for versions in self._versions.values():
            known = next((record for at, record in reversed(versions) if at <= until), None)
            if known is not None:
                yield known


class Children:
    """What hangs on tickets: comments, threads or attachments; by id and by ticket, in creation order."""

    def __init__(self) -> None:
        self._by_id: dict[str, Record] = {}
        self._by_ticket: dict[str, list[Record]] = {}

    def add(self, record: Record) -> Record:
        """Store a record that has `id` and `ticketId`."""
        self._by_id[record["id"]] = record
        self._by_ticket.setdefault(record["ticketId"], []).append(record)
        return record

    def get(self, record_id: str) -> Record | None:
        """The record with that id."""
        return self._by_id.get(record_id)

    def of(self, ticket_id: str) -> list[Record]:
        """The records of a ticket."""
        return list(self._by_ticket.get(ticket_id, ()))

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_id.values())


class Store:
    """The portal's data and the operations that change it; each change raises `revision`."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._ids = itertools.count(1001)
        self._agent_ids: dict[str, str] = {}
        self._blobs: dict[str, bytes] = {}
        self._expiry: dict[str, float] = {}
        self.revision = 0
        self.contacts = Table(clock)
        self.tickets = Table(clock)
        self.comments = Children()
        self.threads = Children()
        self.attachments = Children()
        self.uploads: dict[str, Record] = {}
        self.me = self.agent("supportbot")

    def agent(self, name: str) -> Record:
        """The agent of that name, hired on first sight."""
        if name not in self._agent_ids:
            self._agent_ids[name] = self._new_id()
        email = "".join(letter for letter in name.lower().replace(" ", ".") if letter.isascii()) + "@desk.example"
        return {"id": self._agent_ids[name], "name": name, "email": email, "type": "AGENT"}

    def _new_id(self) -> str:
        # 18 digits: too long for a float, as Zoho's are.
        return f"4170000{next(self._ids):011d}"

    # Contacts

    def create_contact(self, fields: Record) -> Record:
        """A new contact; phones are not unique."""
        self.revision += 1
        now = self._clock.iso()
        blank = dict.fromkeys(("firstName", "lastName", "email", "phone", "mobile"))
        own = {"id": self._new_id(), "createdTime": now, "modifiedTime": now, "isDeleted": False}
        return self.contacts.put({**blank, "cf": {}, **fields, **own})

    def update_contact(self, contact: Record, changes: Record) -> Record:
        """A new version of the contact."""
        self.revision += 1
        cf = {**contact["cf"], **changes.get("cf", {})}
        return self.contacts.put({**contact, **changes, "cf": cf, "modifiedTime": self._clock.iso()})

    def contact_by_email(self, email: str) -> Record | None:
        """The contact with that e-mail address, in any case."""
        wanted = email.casefold()
        return next((one for one in self.contacts if (one["email"] or "").casefold() == wanted), None)

    # Tickets

    def create_ticket(self, fields: Record, upload_ids: Sequence[str] = ()) -> Record:
        """A new ticket with the files of the uploads."""
        self.revision += 1
        now = self._clock.iso()
        own = {
            "id": self._new_id(),
            "ticketNumber": str(101 + len(self.tickets)),
            "createdTime": now,
            "modifiedTime": now,
            "closedTime": now if fields["statusType"] == "Closed" else None,
            "threadCount": 0,
            "commentCount": 0,
            "attachmentCount": 0,
            "lastThread": None,
            "recentTime": now,
            "tags": (),
            "isTrashed": False,
            "mergedInto": None,
        }
        ticket = self.tickets.put({**fields, **own})
        for upload_id in upload_ids:
            self._take_upload(upload_id, ticket["id"], None)
        return self._touch(ticket, attachmentCount=len(upload_ids)) if upload_ids else ticket

    def update_ticket(self, ticket: Record, changes: Record) -> Record:
        """A new version of the ticket; `statusType` in the changes moves closedTime."""
        self.revision += 1
        now = self._clock.iso()
        changed = {**ticket, **changes, "cf": {**ticket["cf"], **changes.get("cf", {})}, "modifiedTime": now}
        if changed["statusType"] != "Closed":
            changed["closedTime"] = None
        elif ticket["statusType"] != "Closed":
            changed["closedTime"] = now
        return self.tickets.put(changed)

    def set_tags(self, ticket: Record, tags: Sequence[str]) -> Record:
        """Add tags to the ticket."""
        self.revision += 1
        return self._touch(ticket, tags=tuple(dict.fromkeys((*ticket["tags"], *tags))))

    def trash(self, ticket: Record, merged_into: str | None = None) -> Record:
        """Take the ticket out of the portal's sight."""
        self.revision += 1
        return self._touch(ticket, isTrashed=True, mergedInto=merged_into)

    def _touch(self, ticket: Record, **changes: Any) -> Record:
        touched = {"modifiedTime": self._clock.iso()} if self._settings.activity_touches_ticket else {}
        return self.tickets.put({**ticket, **changes, **touched})

    # Conversations

    def add_comment(self, ticket: Record, fields: Record, author: Record, upload_ids: Sequence[str] = ()) -> Record:
        """A comment with the files of the uploads. `fields`: content, contentType, isPublic."""
        self.revision += 1
        comment_id = self._new_id()
        files = [self._take_upload(upload_id, ticket["id"], comment_id)["id"] for upload_id in upload_ids]
        own = {"id": comment_id, "ticketId": ticket["id"], "commentedTime": self._clock.iso(), "modifiedTime": None}
        author_part = {"commenterId": author["id"], "commenter": author}
        comment = self.comments.add({**fields, **own, **author_part, "attachmentIds": files})
        self._touch(ticket, commentCount=ticket["commentCount"] + 1)
        return comment

    def add_thread(self, ticket: Record, fields: Record, author: Record) -> Record:
        """A thread. `fields`: content, contentType, channel, direction, visibility, status."""
        self.revision += 1
        now = self._clock.iso()
        own = {"id": self._new_id(), "ticketId": ticket["id"], "createdTime": now, "isDescriptionThread": False}
        thread = self.threads.add({**fields, **own, "isForward": False, "author": author})
        last = {key: fields[key] for key in ("channel", "direction")} | {"isDraft": False, "isForward": False}
        self._touch(ticket, threadCount=ticket["threadCount"] + 1, lastThread=last, recentTime=now)
        return thread

    # Files

    def add_attachment(self, ticket: Record, file: Record, data: bytes) -> Record:
        """A file on the ticket itself. `file`: name, contentType, isPublic."""
        self.revision += 1
        attachment = self._keep(file, data, ticket["id"], None)
        self._touch(ticket, attachmentCount=ticket["attachmentCount"] + 1)
        return attachment

    def attachments_of(self, ticket_id: str, comment_id: str | None = None) -> list[Record]:
        """Files of the ticket itself, or of one of its comments."""
        return [one for one in self.attachments.of(ticket_id) if one["commentId"] == comment_id]

    def add_upload(self, file: Record, data: bytes) -> Record:
        """A file that belongs to nothing yet. `file`: name, contentType, isPublic."""
        self.revision += 1
        upload = {"id": self._new_id(), **file, **self._digest(data), "createdTime": self._clock.iso()}
        self._expiry[upload["id"]] = self._clock.now() + self._settings.upload_life_s
        self.uploads[upload["id"]] = upload
        return upload

    def upload_is_usable(self, upload_id: object) -> bool:
        """Whether there is such an upload and it has not expired."""
        return isinstance(upload_id, str) and self._expiry.get(upload_id, 0.0) > self._clock.now()

    def content(self, attachment: Record) -> bytes:
        """The bytes of an attachment."""
        return self._blobs[attachment["sha256"]]

    def _take_upload(self, upload_id: str, ticket_id: str, comment_id: str | None) -> Record:
        upload = self.uploads[upload_id]
        file = {key: upload[key] for key in ("name", "contentType", "isPublic")}
        return self._keep(file, self._blobs[upload["sha256"]], ticket_id, comment_id)

    def _keep(self, file: Record, data: bytes, ticket_id: str, comment_id: str | None) -> Record:
        place = {"ticketId": ticket_id, "commentId": comment_id, "createdTime": self._clock.iso()}
        return self.attachments.add({"id": self._new_id(), **file, **self._digest(data), **place})

    def _digest(self, data: bytes) -> Record:
        digest = hashlib.sha256(data).hexdigest()
        self._blobs[digest] = data
        return {"size": len(data), "sha256": digest}
