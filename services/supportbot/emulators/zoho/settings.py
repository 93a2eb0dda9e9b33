"""What can be set about the emulated portal, at the start (`--set`) and while it runs (`PATCH /_emulator/settings`)."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

StatusType = Literal["Open", "On Hold", "Closed"]

ALL_SCOPES = (
    "Desk.tickets.READ,Desk.tickets.CREATE,Desk.tickets.UPDATE,Desk.contacts.READ,Desk.contacts.CREATE,"
    "Desk.contacts.UPDATE,Desk.search.READ,Desk.basic.READ,Desk.basic.CREATE,Desk.settings.READ"
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Department(_Part):
    """A department of the portal."""

    id: str = Field(pattern=r"^[0-9]+$")
    name: str
    isEnabled: bool = True  # noqa: N815 - Zoho's own name


class PickValue(_Part):
    """One value of a picklist; `statusType` only in the list of statuses."""

    value: str
    statusType: StatusType | None = None  # noqa: N815 - Zoho's own name


class CustomField(_Part):
    """A custom field of the layout."""

    apiName: str = Field(pattern=r"^cf_[a-z0-9_]+$")  # noqa: N815 - Zoho's own name
    displayLabel: str  # noqa: N815 - Zoho's own name
    type: Literal["Text", "Number", "Picklist"] = "Text"
    maxLength: int = 255  # noqa: N815 - Zoho's own name
    values: tuple[str, ...] = ()


def _values(*values: str) -> tuple[PickValue, ...]:
    return tuple(PickValue(value=value) for value in values)


def _default_picklists() -> dict[str, tuple[PickValue, ...]]:
    return {
        "status": (
            PickValue(value="Open", statusType="Open"),
            PickValue(value="On Hold", statusType="On Hold"),
            PickValue(value="Escalated", statusType="Open"),
            PickValue(value="Closed", statusType="Closed"),
        ),
        "priority": _values("Low", "Medium", "High"),
        "channel": _values("Email", "Phone", "Web", "Chat", "Forums", "Twitter", "Facebook"),
        "classification": _values("Question", "Problem", "Feature", "Others"),
        "category": _values("General", "Technical", "Billing", "Access"),
        "subCategory": _values("Sub General"),
        "language": _values("English", "Spanish", "Portuguese"),
    }


class Settings(BaseModel):
    """One object for the life of the emulator; `apply` changes it, everybody sees the change at once."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    # The portal
    organization_id: str = Field("123456789", pattern=r"^[0-9]+$")
    """The portal that the tokens belong to."""
    organization_name: str = "Tiendas Demo"
    """Its company name."""
    edition: str = "ENTERPRISE"
    """Only shown; `credits` and `max_concurrent` are set on their own."""
    departments: tuple[Department, ...] = (
        Department(id="987654321", name="Soporte"),
        Department(id="987654322", name="Facturación"),
    )
    """The first one is the default department."""
    picklists: dict[str, tuple[PickValue, ...]] = Field(default_factory=_default_picklists)
    """Values per ticket field. A patch replaces the lists that it names."""
    custom_fields: tuple[CustomField, ...] = (CustomField(apiName="cf_incident_id", displayLabel="Incident id"),)
    """Custom fields of tickets; any other `cf` key is refused."""
    contact_custom_fields: tuple[CustomField, ...] = ()
    """Custom fields of contacts."""
    mandatory: tuple[str, ...] = ()
    """Ticket fields without which a ticket is refused, such as `category`."""
    mandatory_on_close: tuple[str, ...] = ()
    """Ticket fields without which closing is refused, such as `resolution`."""
    blocked_extensions: tuple[str, ...] = (".exe",)
    """File types that the portal's Attachment Control blocks."""
    max_attachment_bytes: int = Field(20 * 1024 * 1024, ge=1)
    """A larger file gets 413."""
    upload_life_s: float = 24 * 3600
    """Uploads that no ticket or comment took by then are gone."""

    # Limits
    credits: int = Field(101_000, ge=0)
    """Credits of the day. Patching it starts the count again."""
    max_concurrent: int = Field(25, ge=0)
    """Calls at the same time; one more gets 429 TOO_MANY_REQUESTS."""
    retry_after_s: int | None = None
    """Retry-After of 429 THRESHOLD_EXCEEDED; by default the seconds until the credit day ends (00:00 UTC)."""

    # Time
    index_lag_s: float = Field(0.0, ge=0)
    """Age that a change must have before the searches see it."""
    latency_s: float = Field(0.0, ge=0)
    """Added to every Desk call."""

    # OAuth
    token_life_s: int = Field(3600, ge=1)
    """Life of an access token."""
    tokens_per_window: int = Field(10, ge=1)
    """Access tokens per refresh token in 10 minutes; further requests get "Access Denied" and prolong it."""
    throttle_status: Literal[200, 400] = 200
    """HTTP status of "Access Denied"; Zoho's pages say 200, integrators have seen 400."""
    max_live_tokens: int = Field(15, ge=1)
    """Live access tokens per refresh token; one more silently ends the oldest."""
    accounts_server: str | None = None
    """`accounts-server` of the authorisation callback, if it is to lie."""

    # What Zoho's pages leave open
    create_status: Literal[200, 201] = 200
    """Status of a successful create."""
    list_from_base: Literal[0, 1] = 0
    """The `from` of the first row of lists; searches and conversations always start at 0."""
    serve_fields: bool = True
    """Whether `GET /fields` exists; without it only `GET /organizationFields` does."""
    activity_touches_ticket: bool = True
    """Whether a new comment or thread changes the ticket's modifiedTime."""

    def apply(self, patch: Mapping[str, Any]) -> None:
        """Take over the named settings, all or none.

        Raises:
            pydantic.ValidationError: A name is unknown or a value does not fit.
        """
        merged = {**self.model_dump(), **patch}
        if isinstance(patch.get("picklists"), dict):
            merged["picklists"] = {**self.model_dump()["picklists"], **patch["picklists"]}
        checked = Settings.model_validate(merged)
        for name in patch:
            setattr(self, name, getattr(checked, name))

    def department(self, department_id: object) -> Department | None:
        """The department with that id."""
        return next((one for one in self.departments if one.id == department_id), None)

    def status_type(self, status: object) -> StatusType | None:
        """The type of a status label, `None` if the label is not of this portal."""
        return next((pick.statusType or "Open" for pick in self.picklists["status"] if pick.value == status), None)


def parse_assignment(text: str) -> tuple[str, Any]:
    """`index_lag_s=60` as a name and a JSON value; what is not JSON is taken as text.

    Raises:
        ValueError: There is no `=`.
    """
    name, found, value = text.partition("=")
    if not found:
        raise ValueError(f"{text!r} is not name=value")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
