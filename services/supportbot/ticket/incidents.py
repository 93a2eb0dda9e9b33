"""What happens to an incident's ticket: it is opened, it gets comments and files, and its text is kept current."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from supportbot.contracts import Evidence, IncidentState
from supportbot.errors import PermanentError
from supportbot.media import MediaStore
from supportbot.spec import ContactPolicy
from supportbot.ticket.answers import NotFoundError
from supportbot.ticket.book import Book, Page, shorten
from supportbot.ticket.contacts import Who, make_group, make_sender
from supportbot.ticket.convert import describe_growth, make_attachment_name, make_comment, make_ticket_text
from supportbot.ticket.tickets import NewTicket, Tickets
from supportbot.ticket.words import Words

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the bot's spec says about tickets."""

    words: Words
    department_id: str
    departments: Mapping[str, str] = field(default_factory=dict)
    """Departments by `group_ref`, where they differ."""
    contact_policy: ContactPolicy = ContactPolicy.PER_SENDER
    install_key: bytes = b""

    def choose_department(self, group_ref: str) -> str:
        """The department of a group's tickets."""
        return self.departments.get(group_ref, self.department_id)

    def choose_contact(self, incident: IncidentState, group_ref: str) -> Who:
        """Who is the contact of an incident."""
        if self.contact_policy is ContactPolicy.PER_GROUP:
            return make_group(group_ref, self.words)
        return make_sender(incident.reporter, self.install_key, self.words)


@dataclass(frozen=True, kw_only=True)
class News:
    """What an event adds to an incident."""

    ref: str
    """The `message_ref` of the event."""
    heading: str
    incident: IncidentState
    messages: tuple[Evidence, ...]
    """Oldest first."""
    at: datetime | None = None
    """When the event's message was received; the incident is told as it was then."""
    files_suffice: bool = False
    """Without words there is no comment: the files say it."""


class Incidents:
    """Incidents and their tickets. Every method may be called again: what is done is not done twice.

    All raise UnavailableError while Zoho is away or a write is in doubt, and PermanentError when Zoho refuses.
    """

    def __init__(self, tickets: Tickets, book: Book, media: MediaStore, policy: Policy) -> None:
        self._tickets = tickets
        self._book = book
        self._media = media
        self._policy = policy

    async def find(self, incident_id: str) -> Page | None:
        """What is known of the incident's ticket; None while it has none."""
        return await self._book.find(incident_id)

    async def open(self, news: News, group_ref: str, *, rebuilt: bool) -> Page:
        """Open the ticket of an incident; `rebuilt` when it should have one already. Files come by `attach`."""
        messages = shorten(news.messages)
        text = make_ticket_text(news.incident, messages, self._policy.words, rebuilt=rebuilt)
        ticket = await self._tickets.ensure(
            NewTicket(
                incident=news.incident,
                text=text,
                who=self._policy.choose_contact(news.incident, group_ref),
                department_id=self._policy.choose_department(group_ref),
            )
        )
        page = Page(
            ticket_id=ticket.ticket_id,
            ticket_number=ticket.number,
            opened_by=news.ref,
            incident=news.incident,
            messages=messages,
            rebuilt=rebuilt,
            text=text,
            as_of=news.at,
        )
        await self._book.write(page)
        return page

    async def attach(self, page: Page, messages: Sequence[Evidence]) -> None:
        """Attach the files of messages. One that cannot be had or is refused is named in a comment instead."""
        for message in messages:
            media = message.media
            if media is None or media.sha256 is None or media.kind == "sticker":
                continue
            try:
                data = await self._media.get(media.sha256)
                await self._tickets.attach(page.ticket_id, message.message_ref, media, data)
            except NotFoundError:
                raise
            except PermanentError as exc:
                _log.warning("attachment_refused", reason=exc.reason)
                await self._tell_missing(page, message, exc)

    async def add(self, page: Page, news: News) -> None:
        """Add a comment and files, and bring subject and description up to date."""
        words = self._policy.words
        growth = describe_growth(page.incident, news.incident, words)
        silent = news.files_suffice and not growth and not any(_speaks(message) for message in news.messages)
        if not silent:
            content = make_comment(news.heading, news.messages, words, ref=news.ref, news=growth)
            await self._tickets.comment(page.ticket_id, news.ref, content)
        await self.attach(page, news.messages)
        await self._refresh(page, news)

    async def correct(self, page: Page, news: News) -> None:
        """Say in a comment that a message was edited, and show its new text where the description tells it."""
        texts = {message.message_ref: message.text for message in news.messages}
        corrected = tuple(
            message.model_copy(update={"text": texts.get(message.message_ref, message.text)})
            for message in page.messages
        )
        await self.add(page.model_copy(update={"messages": corrected}), news)

    async def _refresh(self, page: Page, news: News) -> None:
        """Bring the ticket up to date, and write the page in any case: the bucket forgets what nobody writes."""
        if news.at is not None and page.as_of is not None and news.at < page.as_of:
            await self._book.write(page)  # A replayed dead letter knows less than the ticket.
            return
        incident = news.incident
        text = make_ticket_text(incident, page.messages, self._policy.words, rebuilt=page.rebuilt)
        await self._tickets.update(page.ticket_id, page.text, text)
        as_of = news.at or page.as_of
        await self._book.write(page.model_copy(update={"incident": incident, "text": text, "as_of": as_of}))

    async def _tell_missing(self, page: Page, message: Evidence, error: PermanentError) -> None:
        media, words = message.media, self._policy.words
        name = make_attachment_name(media, message.message_ref) if media else ""
        ref = f"{message.message_ref}.missing"
        content = make_comment(f"{words.missing}: {name} ({error.reason})", (), words, ref=ref)
        await self._tickets.comment(page.ticket_id, ref, content)


def _speaks(message: Evidence) -> bool:
    """Whether a message has something to read, if only that its file is missing."""
    lost = message.media is not None and message.media.kind != "sticker" and message.media.sha256 is None
    return bool(message.text.strip()) or lost
