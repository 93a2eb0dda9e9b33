"""The single values of the spec. Each refuses what its counterpart in `crds/supportbots.yaml` refuses."""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, Strict, StringConstraints

from supportbot.spec.faults import PLACEHOLDER, shown

NAME = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAME_MAX_CHARS = 40
NAMESPACE = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
GROUP_JID = r"^[0-9]+(-[0-9]+)?@g\.us$"
PHONE_NUMBER = r"^\+[1-9][0-9]{6,14}$"
DIGITS = r"^[0-9]+$"
TEMPERATURE = r"^[0-2](\.[0-9]{1,2})?$"
DURATION = r"^([0-9]{1,6}(ms|s|m))+$"
DOLLARS = r"^[0-9]{1,6}(\.[0-9]{1,2})?$"
STORAGE_SIZE = r"^[1-9][0-9]{0,5}(M|G|T|Mi|Gi|Ti)$"
QUANTITY = r"^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
HTTP_URL = (
    r"^https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
    rf"(:({_PORT}))?(/[A-Za-z0-9._~!$&()*+,;=:@/-]*)?$"
)
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
REFERRED_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
REFERRED_KEY = r"^[A-Za-z0-9][-._A-Za-z0-9]*$"
"""Both become a part of a file's path, so they never hold a slash or begin with a dot."""
CUSTOM_FIELD = r"^cf_[a-z0-9_]+$"

TEMPLATE_FIELDS = ("ticket_number", "folio", "subject", "category", "priority", "status", "comment")
"""What a reply's template may mention, in braces. A field that the occasion does not have is left empty."""
TEMPLATE = r"^([^{}]|\{(" + "|".join(TEMPLATE_FIELDS) + r")\})*$"

_QUANTITY_MAX = 10**15
"""Of a number without quotes."""
_QUANTITY_WHOLE = re.compile(QUANTITY.removesuffix("$") + r"\Z")
_QUANTITY_UNITS = {"": Decimal(1), "m": Decimal("0.001")} | {
    f"{unit}{binary}": Decimal(1024 if binary else 1000) ** power
    for power, unit in enumerate("KMGTP", start=1)
    for binary in ("", "i")
}
_QUANTITY_UNITS["k"] = _QUANTITY_UNITS.pop("K")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0}


class Mode(StrEnum):
    """Whether the bot acts."""

    AUTO = "Auto"
    SHADOW = "Shadow"


class Language(StrEnum):
    """The languages that the bot's own words ship in."""

    ES = "es"
    EN = "en"
    PT = "pt"


class Gateway(StrEnum):
    """How the bot reaches its groups."""

    NEONIZE = "Neonize"
    SIMULATOR = "Simulator"


class PairingMethod(StrEnum):
    """How the bot becomes a linked device of its phone."""

    QR = "QR"
    CODE = "Code"


class Provider(StrEnum):
    """Who serves a model."""

    ANTHROPIC = "Anthropic"
    GEMINI = "Gemini"
    OPENAI = "OpenAI"
    OPENAI_COMPATIBLE = "OpenAICompatible"


class DataCenter(StrEnum):
    """Zoho's data centres: the organization lives in exactly one."""

    US = "US"
    EU = "EU"
    IN = "IN"
    AU = "AU"
    JP = "JP"
    CA = "CA"
    SA = "SA"
    CN = "CN"


class ContactPolicy(StrEnum):
    """Whose contact a ticket gets in Zoho Desk."""

    PER_SENDER = "PerSender"
    PER_GROUP = "PerGroup"


class ReplyMode(StrEnum):
    """Whether the bot writes in the group."""

    NONE = "None"
    ACKNOWLEDGE = "Acknowledge"


def shaped(pattern: str, allowed: str) -> AfterValidator:
    """A text that matches `pattern` as a whole; `allowed` says so in words, with an example."""
    # The API server matches with RE2, whose `$` is the very end; Python's also stops before a last line feed.
    whole = re.compile(pattern.removesuffix("$") + r"\Z")

    def check(value: str) -> str:
        if value.startswith(PLACEHOLDER):
            raise ValueError(f"is still a placeholder: replace it by {allowed}")
        if not whole.match(value):
            raise ValueError(f"must be {allowed}; it is {shown(value)}")
        return value

    return AfterValidator(check)


def bounded(read: Callable[[str], float], low: float, high: float, allowed: str) -> AfterValidator:
    """A text whose number, as `read` gives it, lies between `low` and `high`."""

    def check(value: str) -> str:
        if not low <= read(value) <= high:
            raise ValueError(f"must be {allowed}; it is {shown(value)}")
        return value

    return AfterValidator(check)


def duration_s(text: str) -> float:
    """The seconds of a duration such as `20s`, `1500ms` or `1m30s`."""
    return sum(int(number) * _UNIT_S[unit] for number, unit in re.findall(r"([0-9]+)(ms|s|m)", text))


def quantity(value: object) -> Decimal | None:
    """An amount of CPU or memory such as `500m`, `512Mi` or 2; None where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value) if 0 <= value <= _QUANTITY_MAX else None
    if not isinstance(value, str) or not _QUANTITY_WHOLE.match(value):
        return None
    number = value.rstrip("mkKMGTPi")
    return Decimal(number) * _QUANTITY_UNITS[value.removeprefix(number)]


def _whole(value: object) -> object:
    """The API server takes 512.0 for 512."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _quantity(value: object) -> object:
    if quantity(value) is None:
        quoted = ": put it in quotes" if isinstance(value, float) else ""
        raise ValueError(f"must be a quantity such as 500m or 512Mi; it is {shown(value)}{quoted}")
    return value


def _without_nulls(*fields: str) -> BeforeValidator:
    """The API server takes one of its fields that is null for one that is absent."""

    def prune(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if item is not None or key not in fields}

    return BeforeValidator(prune)


Text = Annotated[str, Strict()]
ModelName = Annotated[Text, StringConstraints(min_length=1, max_length=128)]
Word = Annotated[Text, StringConstraints(min_length=1, max_length=63)]
Flag = Annotated[bool, Strict()]
Int = Annotated[int, Strict(), BeforeValidator(_whole)]
Percent = Annotated[Int, Field(ge=0, le=100)]

BotName = Annotated[
    Text,
    StringConstraints(max_length=NAME_MAX_CHARS),
    shaped(NAME, "a name of lower-case letters, digits and hyphens that starts with a letter, such as stores"),
]
Namespace = Annotated[
    Text,
    StringConstraints(max_length=63),
    shaped(NAMESPACE, "a namespace of lower-case letters, digits and hyphens, such as support"),
]
LabelValue = Annotated[
    Text,
    StringConstraints(max_length=63),
    shaped(LABEL_VALUE, "letters, digits, hyphens, dots and underscores, such as retail"),
]
GroupJID = Annotated[
    Text,
    StringConstraints(max_length=64),
    shaped(GROUP_JID, "a group's id such as 120363025246125486@g.us"),
]
PhoneNumber = Annotated[
    Text,
    StringConstraints(max_length=16),
    shaped(PHONE_NUMBER, "a phone number with plus sign and country code, without spaces, such as +529980000001"),
]
ZohoID = Annotated[Text, StringConstraints(max_length=32), shaped(DIGITS, "a number in quotes, such as '987654321'")]
Temperature = Annotated[
    Text,
    StringConstraints(max_length=4),
    shaped(TEMPERATURE, "a number from 0 to 2 in quotes with at most two decimals, such as '0.1'"),
    bounded(float, 0.0, 2.0, "between 0 and 2"),
]
Timeout = Annotated[
    Text,
    StringConstraints(max_length=16),
    shaped(DURATION, "a duration such as 20s or 1500ms"),
    bounded(duration_s, 1.0, 120.0, "between 1s and 120s"),
]
Dollars = Annotated[
    Text,
    StringConstraints(max_length=9),
    shaped(DOLLARS, "an amount of USD in quotes with at most two decimals, such as '1.50'"),
    bounded(float, 0.01, 999_999.99, "at least 0.01"),
]
TimeOfDay = Annotated[
    Text, StringConstraints(max_length=5), shaped(TIME_OF_DAY, "a time of day in quotes, such as '22:00'")
]
TimeZone = Annotated[
    Text,
    StringConstraints(max_length=64),
    shaped(TIME_ZONE, "the name of a time zone, such as America/Mexico_City"),
]
StorageSize = Annotated[Text, StringConstraints(max_length=32), shaped(STORAGE_SIZE, "a quantity such as 1Gi or 500Mi")]
Quantity = Annotated[int | str, PlainValidator(_quantity)]
Resources = Annotated[
    dict[
        Literal["requests", "limits"],
        Annotated[
            dict[Literal["cpu", "memory", "ephemeral-storage"], Quantity],
            _without_nulls("cpu", "memory", "ephemeral-storage"),
        ],
    ],
    _without_nulls("requests", "limits"),
]
"""A container's resources as they stand in a Pod."""
HTTPURL = Annotated[
    Text,
    StringConstraints(max_length=512),
    shaped(HTTP_URL, "an http or https URL such as https://models.example.com/v1, with a port up to 65535 if any"),
]
SecretName = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=253),
    shaped(REFERRED_NAME, "a Secret's name of lower-case letters, digits, hyphens and dots, such as zoho"),
]
SecretKeyName = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=253),
    shaped(REFERRED_KEY, "a key of letters, digits, hyphens, dots and underscores, such as openai"),
]
CustomFieldName = Annotated[
    Text, StringConstraints(max_length=64), shaped(CUSTOM_FIELD, "the API name of a custom field, such as cf_store")
]
Template = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=1024),
    shaped(TEMPLATE, f"text in which braces hold one of {', '.join(TEMPLATE_FIELDS)}, such as {{ticket_number}}"),
]
