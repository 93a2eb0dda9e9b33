"""Which ticket belongs to which incident, and what was written into it."""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from supportbot.contracts import Evidence, IncidentState
from supportbot.ticket.convert import TicketText
from supportbot.ticket.records import Records

_INCIDENT: Final = "desk.incident."
_TICKET: Final = "desk.ticket."
_MAX_MESSAGES: Final = 60
_MAX_CHARS: Final = 60_000
"""Of all texts of a page together: twice a description, and far less than a value of the bucket may have."""


class Page(BaseModel):
    """What is known of an incident's ticket."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ticket_id: str
    ticket_number: str
    opened_by: str
    """The message whose arrival made the ticket."""
    incident: IncidentState
    """As it was when the ticket was last brought up to date."""
    messages: tuple[Evidence, ...]
    """What the description tells, oldest first."""
    rebuilt: bool = False
    """The first messages are missing, because their processing failed."""
    text: TicketText
    as_of: AwareDatetime | None = None
    """When the message was received that brought the ticket up to date."""


class Book:
    """The pages of all incidents."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def find(self, incident_id: str) -> Page | None:
        """The page of an incident; None while it has no ticket."""
        record = await self._records.get(_INCIDENT + incident_id)
        return Page.model_validate(record.value) if record else None

    async def write(self, page: Page) -> None:
        """Store a page."""
        await self.claim(page.ticket_id)
        await self._records.put(_INCIDENT + page.incident.incident_id, page.model_dump(mode="json"))

    async def claim(self, ticket_id: str) -> None:
        """Note that a ticket is of this installation."""
        await self._records.put(_TICKET + ticket_id, {})

    async def is_ours(self, ticket_id: str) -> bool:
        """Whether a ticket was made by this installation."""
        return await self._records.get(_TICKET + ticket_id) is not None


def shorten(messages: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Messages in a size that fits a page."""
    kept: list[Evidence] = []
    left = _MAX_CHARS
    for one in messages[:_MAX_MESSAGES]:
        text = one.text if len(one.text) <= left else one.text[:left] + "…"
        left -= min(len(one.text), left)
        kept.append(one.model_copy(update={"text": text}))
    return tuple(kept)
