"""The parts of Zoho Desk's resources that the service reads. Ids and counts are text there; the rest is ignored."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


ID = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
"""Text, even where a portal answers a number."""


class Resource(BaseModel):
    """Something that Zoho answers."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Department(Resource):
    """A department of the portal."""

    id: ID
    name: str = ""
    email: str | None = None
    is_enabled: bool = Field(default=True, alias="isEnabled")


class Contact(Resource):
    """A contact; phones are as somebody typed them."""

    id: ID
    last_name: str | None = Field(default=None, alias="lastName")
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None


class Ticket(Resource):
    """A ticket or a row of a list of tickets; rows have no `cf`."""

    id: ID
    number: ID = Field(alias="ticketNumber")
    subject: str = ""
    status: str | None = None
    status_type: str | None = Field(default=None, alias="statusType")
    contact_id: str | None = Field(default=None, alias="contactId")
    created_time: str | None = Field(default=None, alias="createdTime")
    modified_time: str | None = Field(default=None, alias="modifiedTime")
    description: str | None = None
    cf: dict[str, Any] | None = None


class Comment(Resource):
    """A comment of a ticket."""

    id: ID
    content: str = ""
    commenter_id: str | None = Field(default=None, alias="commenterId")


class Attachment(Resource):
    """A file of a ticket."""

    id: ID
    name: str = ""
    size: Annotated[str | None, BeforeValidator(_text)] = None


class Agent(Resource):
    """The user whom the tokens belong to."""

    id: ID
    name: str | None = None


class Organization(Resource):
    """A portal that the tokens reach."""

    id: ID
    name: str = Field(default="", alias="companyName")


class TicketField(Resource):
    """A field of the ticket layout."""

    api_name: str = Field(alias="apiName")
    is_mandatory: bool = Field(default=False, alias="isMandatory")
    values: tuple[Any, ...] = Field(default=(), alias="pickListValues")
    older_values: tuple[Any, ...] = Field(default=(), alias="allowedValues")

    @property
    def allowed(self) -> tuple[str, ...]:
        """The picklist's values; portals answer objects or bare text, under either of two names."""
        rows = self.values or self.older_values
        texts = (row.get("value") if isinstance(row, dict) else row for row in rows)
        return tuple(text for text in texts if isinstance(text, str))
