"""Labelled conversations: JSON lines, one message each. The format is described in `docs/labelling.md`."""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from supportbot.contracts import MAX_TEXT_CHARS, Media, MessageReceived, Person, Priority
from supportbot.errors import UserError
from supportbot.export.moments import spread

Word = Annotated[str, StringConstraints(pattern=r"^[^\s,;|^]+$", max_length=40)]
_NUMBER = re.compile(r"\+[\d\s().\-]{6,30}")


class Role(StrEnum):
    """What a message is, as people label it."""

    OPEN = "open"
    """Tells a problem or asks for something that nobody told before; of a report by photo alone, the first photo."""
    EVIDENCE = "evidence"
    FOLLOW_UP = "followup"
    AGENT = "agent"
    """Somebody who solves answers, asks, instructs."""
    RESOLVED = "resolved"
    """Somebody says that it is over."""
    CHATTER = "chatter"
    """Belongs to no incident."""


class Row(BaseModel):
    """One message with its labels, as a line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Word
    """Of one file; `L12` for the message at line 12 of an exported chat."""
    at: AwareDatetime
    author: Annotated[str, StringConstraints(min_length=1)]
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)] = ""
    media: Literal["image", "video", "audio", "document", "sticker", "unknown"] | None = None
    filename: str | None = None
    note: Literal["location", "contact", "deleted", "poll", "unknown"] | None = None
    staff: bool = False
    """The author is one of those who solve."""
    quoted: Word | None = None
    """The id of the message that this one answers."""
    mentions: tuple[str, ...] = ()
    """Authors."""
    forwarded: bool = False
    role: Role
    incidents: tuple[Word, ...] = ()
    """Those that it may belong to, the likeliest first; of an opening first the one that it opens.

    None for chatter, and for what is about a matter from before the conversation.
    """
    category: str | None = None
    """Of the incident, on the message that opens it; so are the next three. What is not labelled is not measured."""
    priority: Priority | None = None
    sites: tuple[str, ...] | None = None
    """All that the incident touches by its end."""
    affected: tuple[str, ...] | None = None
    """Authors with the same fault, beside the reporter."""


@dataclass(frozen=True)
class Labelled:
    """A message as the pipeline gets it, with what people say about it."""

    id: str
    name: str
    """The author."""
    message: MessageReceived
    role: str
    incidents: tuple[str, ...] = ()
    category: str | None = None
    priority: str | None = None
    sites: tuple[str, ...] | None = None
    affected: tuple[str, ...] | None = None
    """References of people."""

    @property
    def line(self) -> int | None:
        """The line of the exported chat, when the id says it."""
        return int(self.id[1:]) if re.fullmatch(r"L\d+", self.id) else None


@dataclass(frozen=True)
class Conversation:
    """A labelled conversation."""

    name: str
    messages: tuple[Labelled, ...]


def parse_rows(text: str, source: str) -> list[Row]:
    """The rows of JSON lines; empty lines do not count.

    Raises:
        UserError: Lines are wrong; the first ten are told, each with its number.
    """
    rows: list[Row] = []
    faults: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError as exc:
            faults.append(f"line {number}: {explain(exc)}")
    refuse(source, faults)
    return rows


def dump_row(row: Row) -> str:
    """The row as one line of JSON; what has its default is left out."""
    values = row.model_dump(mode="json", exclude_defaults=True)
    values["at"] = row.at.isoformat()
    return json.dumps(values, ensure_ascii=False)


def make_conversation(name: str, rows: Sequence[Row], *, staff_known: bool = True, quotes: bool = True) -> Conversation:
    """The conversation of rows; without `staff_known` nobody is listed as staff, without `quotes` nobody quotes.

    Messages of one moment get times a millisecond apart, as in a replay: their order is what counts.
    """
    if not quotes:
        rows = [row.model_copy(update={"quoted": None}) for row in rows]
    staff = {row.author for row in rows if row.staff} if staff_known else set()
    quotable = {row.id: make_ref(f"{name}/{row.id}") for row in rows}
    moments = spread(row.at for row in rows)
    messages = (_labelled(row, at, name, staff, quotable) for row, at in zip(rows, moments, strict=True))
    return Conversation(name, tuple(messages))


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines.

    Raises:
        UserError: It cannot be read, or lines are wrong.
    """
    return parse_rows(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file. Raises UserError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise UserError(f"{str(path)!r} cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise UserError(f"{str(path)!r} is not UTF-8; save it so") from exc


def refuse(source: str, faults: Sequence[str]) -> None:
    """Raise a UserError with the first ten faults, if there are any."""
    if faults:
        more = [f"and {len(faults) - 10} more"] if len(faults) > 10 else []
        raise UserError("\n  ".join([f"{source!r} has {_count(len(faults))}:", *faults[:10], *more]))


def make_ref(name: str) -> str:
    """A `message_ref` that stands for that name."""
    return "m_" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:20]


def make_person(name: str, *, staff: bool = False) -> Person:
    """The person behind an author: a name, a number, or `~ Name` of somebody unknown."""
    push_name = None if _NUMBER.fullmatch(name) else name.removeprefix("~").strip() or None
    return Person(ref=hashlib.sha256(name.encode()).hexdigest()[:16], push_name=push_name, staff=staff)


def _labelled(row: Row, at: datetime, name: str, staff: Collection[str], quotable: Mapping[str, str]) -> Labelled:
    media = {"kind": row.media, "filename": row.filename} if row.media else None
    message = MessageReceived(
        message_ref=quotable[row.id],
        group_ref=hashlib.sha256(name.encode()).hexdigest()[:16],
        sender=make_person(row.author, staff=row.author in staff),
        sent_at=at,
        received_at=at,
        text=row.text,
        media=Media.model_validate(media) if media else None,
        quoted_ref=quotable.get(row.quoted) if row.quoted else None,
        mentions=tuple(make_person(one, staff=one in staff) for one in row.mentions),
        forwarded=row.forwarded,
        note=row.note,
    )
    return Labelled(
        id=row.id,
        name=row.author,
        message=message,
        role=row.role,
        incidents=row.incidents,
        category=row.category,
        priority=row.priority,
        sites=row.sites,
        affected=None if row.affected is None else tuple(make_person(one).ref for one in row.affected),
    )


def explain(exc: ValidationError) -> str:
    """What is wrong with one line, without its text."""
    parts = []
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(map(str, error["loc"]))
        parts.append(f"{place}: {error['msg']}" if place else error["msg"])
    return "; ".join(parts)


def _count(faults: int) -> str:
    return "a fault" if faults == 1 else f"{faults} faults"
