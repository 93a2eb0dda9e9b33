"""The public face of the export parser: `read_chat`. Used by `supportbot replay`."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from supportbot.errors import UserError
from supportbot.export import dates, notices, wordings
from supportbot.export.archive import Media, open_export
from supportbot.export.authors import split_authors
from supportbot.export.kinds import is_call, read_content
from supportbot.export.lines import Header, find_headers, split_lines
from supportbot.export.marks import plain, without_direction
from supportbot.export.mentions import MentionFinder

_HINT_LINES = 2_000
"""Lines from which the phone's language is guessed."""


@dataclass(frozen=True, kw_only=True)
class ExportedMessage:
    """One message or notice of an exported chat."""

    line: int
    """1-based line of the text file at which the message starts."""
    at: datetime
    """Naive local time of the phone that exported; whole minutes on Android."""
    author: str | None
    """As the phone shows it: a contact's name, a number, or `~ Name` of somebody unknown; `None` for a notice."""
    text: str
    """All lines, without WhatsApp's own words and invisible marks. A poll's options follow it as `- option`."""
    media: str | None
    """`image`, `video`, `audio`, `document`, `sticker`, `contact`, `location`, or `unknown` when it is not said."""
    filename: str | None
    """Of an attached file, when the export names it."""
    edited: bool
    """Whether the text is a later version of what was sent."""
    deleted: bool
    """Whether the message was deleted; its text is lost."""
    system: bool
    """Whether WhatsApp wrote it: somebody joined, the subject changed, a call was missed."""
    mentions: tuple[str, ...]
    """Names or numbers after `@`, as they stand in the text, without the `@`."""


@dataclass(frozen=True, kw_only=True)
class ExportedChat:
    """An exported chat, in the order of the file."""

    title: str | None
    """The group's name (or the other person's), when the file says it."""
    messages: tuple[ExportedMessage, ...] = field(repr=False)
    form: str
    """`ios` or `android`: the phone that exported."""
    date_order: str
    """`DMY`, `MDY` or `YMD`, as inferred from the whole file."""
    media: Media = field(repr=False, compare=False)

    def open_media(self, filename: str) -> bytes | None:
        """The bytes of an attached file, from the zip or the folder beside the text.

        `None` when it is absent, damaged, protected by a password, or above `archive.MEDIA_LIMIT_BYTES`. Folders in
        `filename` are ignored. Beside a .txt, any file of that name in the folder counts: the text is not evidence that
        WhatsApp put it there.
        """
        return self.media.read(filename)


def read_chat(path: Path) -> ExportedChat:
    """Read a chat that WhatsApp exported.

    Raises:
        UserError: With one sentence that says what is wrong and what to do.
    """
    opened = open_export(path)
    chat = parse_chat(opened.text, title=notices.title_of(opened.stem), media=opened.media)
    if chat is None:
        raise UserError(f"{str(path)!r} holds no WhatsApp message: use 'Export chat' in WhatsApp and give that file.")
    return chat


def parse_chat(text: str, *, title: str | None, media: Media) -> ExportedChat | None:
    """The chat in a text; `None` when no line of it is a message. Pure but for `media`, which is only passed on."""
    lines = split_lines(text)
    headers = find_headers(lines)
    if not headers:
        return None
    order = _order(headers)
    headers = [header for header in headers if dates.to_date(header.date, order) is not None]
    if not headers:
        return None
    split = split_authors([header.rest for header in headers])
    ends = [header.row for header in headers[1:]] + [len(lines)]
    bodies = [
        "\n".join([first, *lines[header.row + 1 : end]])
        for header, (_, first), end in zip(headers, split, ends, strict=True)
    ]
    form = headers[0].shape.form
    title = title or _title(form, split)
    finder = MentionFinder(author for author, _ in split if author is not None)
    messages = tuple(
        _message(header, order, author, body, title=title if form == "ios" else None, finder=finder)
        for header, (author, _), body in zip(headers, split, bodies, strict=True)
    )
    return ExportedChat(title=title, messages=messages, form=form, date_order=order, media=media)


def _order(headers: list[Header]) -> str:
    fields = [header.date for header in headers]
    if all(len(first) == 4 for first, _, _ in fields):
        return "YMD"
    hint = dates.order_hint(
        fields,
        separator=headers[0].shape.separator,
        half=headers[0].shape.half,
        language=notices.language_of(header.rest for header in headers[:_HINT_LINES]),
    )
    return dates.infer_order(fields, named=[dates.named_date(header.rest) for header in headers], hint=hint)


def _title(form: str, split: list[tuple[str | None, str]]) -> str | None:
    """The author of iOS's encryption notice, which is the chat itself; else the name the group was created with."""
    for author, body in split[:20]:
        if form == "ios" and author is not None and wordings.ENCRYPTION.search(plain(body)):
            return author
    for author, body in split:
        created = wordings.GROUP_NAME.search(without_direction(body)) if author is None or form == "ios" else None
        if created is not None:
            return created["name"]
    return None


def _message(
    header: Header, order: str, author: str | None, body: str, *, title: str | None, finder: MentionFinder
) -> ExportedMessage:
    day = dates.to_date(header.date, order)
    assert day is not None, "headers without a date are left out before"
    at = datetime.combine(day, header.at)
    line = header.row + 1
    if author is None or is_call(body):
        return _notice(line, at, body)
    content = read_content(body)
    ordinary = content.media is None and not content.deleted and not content.edited
    if ordinary and notices.is_notice(body, author=author, title=title):
        return _notice(line, at, body)
    return ExportedMessage(
        line=line,
        at=at,
        author=author,
        text=content.text,
        media=content.media,
        filename=content.filename,
        edited=content.edited,
        deleted=content.deleted,
        system=False,
        mentions=finder.find(body),
    )


def _notice(line: int, at: datetime, body: str) -> ExportedMessage:
    return ExportedMessage(
        line=line,
        at=at,
        author=None,
        text=without_direction(body).strip(),
        media=None,
        filename=None,
        edited=False,
        deleted=False,
        system=True,
        mentions=(),
    )
