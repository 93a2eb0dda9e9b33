"""From incidents and messages to the bodies that Zoho Desk takes: pure, no I/O and no clock.

Limits of the fields: Zoho Desk API, Tickets, Contacts and Comments; the help centre shows less than the API takes, so
the smaller figure holds. Text of the group is escaped: a description is HTML there.
"""

import html
import mimetypes
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from supportbot.contracts import Evidence, IncidentState, Media, MessageReceived, Person, Priority
from supportbot.ids import make_short_mark
from supportbot.ticket.words import Words

INCIDENT_FIELD: Final = "cf_incident_id"
"""API name of the custom field that holds the incident's id, in portals whose administrator made it."""

_SUBJECT_CHARS: Final = 255
_DESCRIPTION_CHARS: Final = 30_000
_MESSAGE_CHARS: Final = (16_384, 3_000)
"""Characters of one message in a description; the second where the whole does not fit. Escaped, one can become six."""
_FACT_CHARS: Final = 1_000
_COMMENT_CHARS: Final = 32_000
_FIELD_CHARS: Final = 255
_ATTACHMENT_NAME_CHARS: Final = 100
_FIRST_NAME_CHARS: Final = 40
_LAST_NAME_CHARS: Final = 200
_DEFAULT_PRIORITIES: Final = ("Low", "Medium", "High")
_ALWAYS_FILLED: Final = frozenset({"subject", "description", "departmentId", "contactId", "status", "channel"})
_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


@dataclass(frozen=True, kw_only=True)
class Portal:
    """What one portal allows in its ticket fields. Empty means that the portal did not say."""

    picklists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The allowed values by the field's API name."""
    custom_fields: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()

    def unfillable(self, configured: Iterable[str]) -> tuple[str, ...]:
        """Mandatory fields for which there is neither a value nor a list to take one from, sorted."""
        known = {*_ALWAYS_FILLED, *configured, INCIDENT_FIELD}
        return tuple(sorted(name for name in self.mandatory - known if not self.picklists.get(name)))


@dataclass(frozen=True, kw_only=True)
class TicketText:
    """The parts of a ticket that are kept current while its incident grows."""

    subject: str
    description: str


@dataclass(frozen=True, kw_only=True)
class TicketFields:
    """The parts of a ticket that are written once."""

    department_id: str
    contact_id: str
    custom_fields: Mapping[str, str] = field(default_factory=dict)


def make_evidence(message: MessageReceived) -> Evidence:
    """A message in the form in which earlier messages join an incident."""
    text = message.text or (f"({message.note})" if message.note else "")
    return Evidence(
        message_ref=message.message_ref, sender=message.sender, sent_at=message.sent_at, text=text, media=message.media
    )


def make_ticket_text(
    incident: IncidentState, messages: Iterable[Evidence], words: Words, *, rebuilt: bool = False
) -> TicketText:
    """Subject and description of an incident that opened with `messages`, oldest first.

    `rebuilt` says that its first messages are not known, because their processing failed.
    """
    return TicketText(
        subject=make_subject(incident), description=_make_description(incident, tuple(messages), words, rebuilt)
    )


def make_subject(incident: IncidentState) -> str:
    """The incident's line, further sites and the mark by which the ticket is found again; at most 255 characters."""
    mark = make_short_mark(incident.incident_id)
    subject = " ".join(clean(incident.subject).split())
    named = set(re.findall(r"\w+", subject))
    extra = [site for site in incident.sites if site not in named]
    more = f" (+ {', '.join(extra)})" if extra else ""
    room = _SUBJECT_CHARS - len(mark) - 1
    if len(subject) + len(more) > room:
        more = _cut(more, room // 2)
        subject = _cut(subject, room - len(more))
    return f"{subject}{more} {mark}".strip()


def make_ticket(incident: IncidentState, text: TicketText, fields: TicketFields, portal: Portal) -> dict[str, Any]:
    """The body of `POST /tickets`; values that the portal's picklists do not know are substituted or left out."""
    body: dict[str, Any] = {
        "subject": text.subject,
        "description": text.description,
        "departmentId": fields.department_id,
        "contactId": fields.contact_id,
    }
    choices = {
        "priority": choose_priority(incident.priority, portal),
        "category": _choose(incident.category, portal.picklists.get("category", ())),
        "channel": _choose("WhatsApp", portal.picklists.get("channel", ())),
    }
    body |= {name: value for name, value in choices.items() if value is not None}
    body |= _forced_choices(body, portal)
    custom = {
        name: value[:_FIELD_CHARS]
        for name, value in fields.custom_fields.items()
        if name in portal.custom_fields or not portal.custom_fields
    }
    if INCIDENT_FIELD in portal.custom_fields:
        custom[INCIDENT_FIELD] = incident.incident_id
    if custom:
        body["cf"] = custom
    return body


def _forced_choices(body: Mapping[str, Any], portal: Portal) -> dict[str, str]:
    """The first value of each picklist that the portal demands and that nothing else fills."""
    missing = (name for name in portal.mandatory if name not in body and not name.startswith("cf_"))
    return {name: portal.picklists[name][0] for name in missing if name != "status" and portal.picklists.get(name)}


def choose_priority(priority: Priority, portal: Portal) -> str | None:
    """The portal's word for a priority, or for the next lower one; None where it has neither."""
    allowed = portal.picklists.get("priority", _DEFAULT_PRIORITIES)
    wanted = (priority, Priority.HIGH) if priority is Priority.URGENT else (priority,)
    found = (_choose(one.value, allowed) for one in wanted)
    return next((value for value in found if value is not None), None)


def make_comment(
    heading: str,
    messages: Sequence[Evidence],
    words: Words,
    *,
    ref: str,
    news: Sequence[str] = (),
) -> str:
    """A comment in plain text, ending with the reference by which it is found again.

    `messages` are those that it reports, oldest first; `news` are further lines, such as sites that were not named
    before; `ref` is the `message_ref` of the event that causes it.
    """
    parts = [heading]
    for message in messages:
        parts.append(f"{describe(message.sender, words)} · {_format_time(message.sent_at)}")
        parts.extend(line for line in (clean(message.text).strip(), _media_line(message, words)) if line)
    parts.extend(news)
    end = f"\n{words.reference}: {ref}"
    return _cut("\n".join(parts), _COMMENT_CHARS - len(end)) + end


def describe_growth(before: IncidentState | None, now: IncidentState, words: Words) -> tuple[str, ...]:
    """The lines that say which sites and people an incident gained."""
    if before is None:
        return ()
    sites = [site for site in now.sites if site not in before.sites]
    known = {person.ref for person in (before.reporter, *before.affected)}
    people = [describe(person, words) for person in now.affected if person.ref not in known]
    lines = [(words.new_sites, sites), (words.new_affected, people)]
    return tuple(f"{label}: {', '.join(values)}" for label, values in lines if values)


def make_contact(person: Person, words: Words) -> dict[str, Any]:
    """The body of `POST /contacts` for a participant; `lastName` is never empty."""
    first, _, last = " ".join(clean(person.push_name or "").split()).rpartition(" ")
    body: dict[str, Any] = {
        "lastName": (last or person.phone or f"{words.unnamed} {person.ref[:6]}")[:_LAST_NAME_CHARS]
    }
    if first:
        body["firstName"] = first[:_FIRST_NAME_CHARS]
    if person.phone:
        body |= {"phone": person.phone, "mobile": person.phone}
    return body


def make_group_contact(group_ref: str, words: Words) -> dict[str, Any]:
    """The body of `POST /contacts` where a whole group is one contact."""
    return {"lastName": f"{words.group} {group_ref[:6]}"}


def make_attachment_name(media: Media, message_ref: str) -> str:
    """A file name that Zoho takes and that is the message's own, so that the file is found again in the list."""
    given = unicodedata.normalize("NFC", media.filename or "")
    stem, dot, extension = given.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,8}", extension):
        stem, extension = given, ""
    suffix = f".{extension.lower()}" if extension else _guess_extension(media.mime_type)
    safe = re.sub(r"[^\w-]+", "_", stem).strip("_-") or media.kind
    end = f"-{message_ref[2:12]}{suffix}"
    return safe[: _ATTACHMENT_NAME_CHARS - len(end)] + end


def describe(person: Person, words: Words) -> str:
    """A person in one line: name and phone, as far as they are known."""
    name = " ".join(clean(person.push_name or "").split())
    if name and person.phone:
        return f"{name} ({person.phone})"
    return name or person.phone or f"{words.unnamed} {person.ref[:6]}"


def clean(text: str) -> str:
    """Text without control and direction characters; line breaks, tabs and the joiners of emoji stay."""
    kept = (char for char in text if char in "\n\t\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})
    return "".join(kept)


def _make_description(incident: IncidentState, messages: tuple[Evidence, ...], words: Words, rebuilt: bool) -> str:
    facts = [
        (words.reporter, describe(incident.reporter, words)),
        (words.opened, _format_time(incident.opened_at)),
        (words.sites, ", ".join(incident.sites)),
        (words.affected, ", ".join(describe(person, words) for person in incident.affected)),
        (words.category, incident.category),
        (words.priority, incident.priority.value),
        (words.reference, incident.incident_id),
    ]
    head = "".join(
        f"<b>{_escape(label)}:</b> {_escape(_cut(value, _FACT_CHARS))}<br/>" for label, value in facts if value
    )
    if rebuilt:
        head += f"<i>{_escape(words.rebuilt)}</i><br/>"
    cut = f"<p><i>{_escape(words.cut)}</i></p>"
    body = ""
    for message in messages:
        room = _DESCRIPTION_CHARS - len(cut) - len(head) - len(body)
        blocks = (_message_block(message, words, chars) for chars in _MESSAGE_CHARS)
        block = next((block for block in blocks if len(block) <= room), None)
        if block is None:
            return head + body + cut
        body += block
    return head + body


def _message_block(message: Evidence, words: Words, chars: int) -> str:
    title = f"{describe(message.sender, words)} · {_format_time(message.sent_at)}"
    text = _cut(clean(message.text).strip(), chars)
    lines = [line for line in (text, _media_line(message, words)) if line]
    body = _escape("\n".join(lines)).replace("\n", "<br/>")
    return f"<p><b>{_escape(title)}</b><br/>{body}</p>"


def _media_line(message: Evidence, words: Words) -> str:
    media = message.media
    if media is None or media.kind == "sticker":
        return ""
    if media.sha256 is None:
        return f"{words.missing}: {media.kind} ({media.missing or '?'})"
    return f"{words.attachment}: {make_attachment_name(media, message.message_ref)}"


def _guess_extension(mime_type: str) -> str:
    bare = mime_type.partition(";")[0].strip().lower()
    return _EXTENSIONS.get(bare) or mimetypes.guess_extension(bare) or ".bin"


def _choose(wanted: str, allowed: Iterable[str]) -> str | None:
    """The allowed value that is the wanted one but for case, accents and the form of its spaces."""
    return next((value for value in allowed if _fold(value) == _fold(wanted)), None)


def _fold(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value.casefold())
    return "".join(char for char in plain if char.isalnum())


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


def _format_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: max(0, chars - 1)] + "…"
