"""Reads the text of one message: what media it stands for, whether it was edited or deleted. Pure."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from supportbot.export import wordings
from supportbot.export.marks import LEFT_TO_RIGHT, plain, without_direction

_GENERATED = re.compile(
    r"(?:[A-Z]{3}-\d{8}-WA\d{4,}|\d{8}-[A-Z]+-\d{4}(?:-\d\d){5}|\d{4}-\d\d-\d\d-[A-Z]+-\d{8})\.\w{1,8}"
)
_EXTENSION = re.compile(r"\.\w{1,8}$")
_PAGES = re.compile(r"\s*(?:•\s*\d+\s[^\W\d]+)?\s*$")
_PREFIX_KINDS = {
    "IMG": "image", "PHOTO": "image", "VID": "video", "VIDEO": "video", "GIF": "video", "PTT": "audio", "AUD": "audio",
    "AUDIO": "audio", "STK": "sticker", "STICKER": "sticker", "DOC": "document",
}  # fmt: skip
_EXTENSION_KINDS = {
    **dict.fromkeys(("jpg", "jpeg", "png", "heic", "heif", "gif", "bmp"), "image"),
    **dict.fromkeys(("mp4", "mov", "3gp", "mkv", "avi", "webm"), "video"),
    **dict.fromkeys(("opus", "ogg", "m4a", "mp3", "aac", "amr", "wav"), "audio"),
    "webp": "sticker", "was": "sticker", "vcf": "contact",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a message says once WhatsApp's own words are taken out of it."""

    text: str
    media: str | None = None
    filename: str | None = None
    edited: bool = False
    deleted: bool = False


def read_content(body: str) -> Content:
    """The content of a message's text (all its lines, marks kept)."""
    body, edited = _without_edited(body)
    if wordings.DELETED.fullmatch(plain(body)):
        return Content(text="", edited=edited, deleted=True)
    text, media, filename = (
        _file_attached(body) or _attached(body) or _omitted(body) or _special(body) or (body, None, None)
    )
    return Content(text=without_direction(text).strip(), media=media, filename=filename, edited=edited)


def is_call(body: str) -> bool:
    """Whether a text with WhatsApp's mark is about a call, such as `Missed voice call`."""
    return body.startswith(LEFT_TO_RIGHT) and wordings.CALL.fullmatch(plain(body)) is not None


def starts_as_content(body: str) -> bool:
    """Whether a text begins with words of WhatsApp that have a colon of their own (`<adjunto: …`, `ubicación: …`)."""
    text = without_direction(body)
    return bool(
        body.startswith(LEFT_TO_RIGHT) or text.startswith("<") or wordings.LOCATION.match(text) or "://" in text[:80]
    )


def media_kind(filename: str) -> str:
    """`image`, `video`, `audio`, `document`, `sticker` or `contact`, from the name that WhatsApp or a person gave."""
    if _GENERATED.fullmatch(filename):
        for part in filename.split("-"):
            if part in _PREFIX_KINDS:
                return _PREFIX_KINDS[part]
    return _EXTENSION_KINDS.get(PurePosixPath(filename).suffix.lstrip(".").lower(), "document")


def _without_edited(body: str) -> tuple[str, bool]:
    if not body.rstrip(" \n" + LEFT_TO_RIGHT).endswith(">"):
        return body, False
    start = body.rfind("<")
    tail = without_direction(body[start:]).strip()
    if not wordings.EDITED.fullmatch(tail):
        return body, False
    return body[:start].rstrip(" \n" + LEFT_TO_RIGHT), True


_Found = tuple[str, str | None, str | None]
"""The text that is left, the kind of media, the name of the file."""


def _file_attached(body: str) -> _Found | None:
    """Android: `IMG-20260131-WA0001.jpg (archivo adjunto)`, a caption on the lines after it."""
    line, _, caption = body.partition("\n")
    visible = without_direction(line).strip()
    if not visible.endswith((")", ">")):
        return None
    for label in wordings.FILE_ATTACHED:
        if visible.casefold().endswith(" " + label):
            name = visible[: -len(label)].strip()
            if _EXTENSION.search(name) or line.startswith(LEFT_TO_RIGHT):
                return caption, media_kind(name), name
    # Another language: only WhatsApp gives such names, and only it marks them.
    other = re.fullmatch(r"(\S+) \([^()]+\)", visible)
    if other and line.startswith(LEFT_TO_RIGHT) and _GENERATED.fullmatch(other[1]):
        return caption, media_kind(other[1]), other[1]
    return None


def _attached(body: str) -> _Found | None:
    """iOS: `<adjunto: 00000012-PHOTO-2026-01-31-09-05-33.jpg>`, a caption or the document's title around it."""
    match = wordings.ATTACHED.search(body)
    if match is None:
        return None
    name = without_direction(match["file"]).strip()
    before = without_direction(body[: match.start()])
    title = _PAGES.sub("", before)
    if title and name.endswith(title):
        before = ""
    return f"{before.rstrip()}\n{body[match.end() :].lstrip()}", media_kind(name), name


def _omitted(body: str) -> _Found | None:
    """`<Multimedia omitido>`, `‎imagen omitida`, `Factura.pdf • ‎2 páginas ‎documento omitido`; a caption around it."""
    line, _, caption = body.partition("\n")
    kind = _omitted_kind(plain(line), marked=line.startswith(LEFT_TO_RIGHT))
    if kind is not None:
        return caption, kind, None
    before, mark, tail = body.rpartition(LEFT_TO_RIGHT)
    if not mark or "\n" in tail.strip():
        return None
    kind = _omitted_kind(plain(tail), marked=True)
    if kind is None:
        return None
    if kind == "document":
        title = _PAGES.sub("", without_direction(before))
        if _EXTENSION.search(title) and "\n" not in title:
            return "", kind, title
    return before, kind, None


def _omitted_kind(line: str, *, marked: bool) -> str | None:
    match = wordings.OMITTED.fullmatch(line)
    if match is None:
        return None
    noun = match["noun"]
    if noun in wordings.MEDIA_NOUNS:
        return wordings.MEDIA_NOUNS[noun]
    if not marked and not match["open"]:
        return None  # A person may well write "documento del proveedor omitido".
    longest = max((known for known in wordings.MEDIA_NOUNS if noun.startswith(known)), key=len, default=None)
    return wordings.MEDIA_NOUNS[longest] if longest else "unknown" if match["open"] else None


def _special(body: str) -> _Found | None:
    """Locations, polls, and messages that cannot be read."""
    visible = without_direction(body).strip()
    if location := wordings.LOCATION.fullmatch(visible):
        return location["url"], "location", None
    first, _, rest = visible.partition("\n")
    line = plain(first)
    if wordings.LIVE_LOCATION.fullmatch(line):
        return rest, "location", None
    if rest and wordings.POLL.fullmatch(line):
        return _poll(rest), None, None
    if not rest and wordings.UNREADABLE.fullmatch(line):
        return "", "unknown", None
    return None


def _poll(text: str) -> str:
    """The question, then an option a line after a dash; votes are left out."""
    lines = []
    for line in text.split("\n"):
        option = wordings.POLL_OPTION.fullmatch(line.strip())
        lines.append(f"- {option['option']}" if option else line)
    return "\n".join(lines)
