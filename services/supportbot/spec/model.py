"""The SupportBot resource: what a support team decides about its bot. `crds/supportbots.yaml` says the same.

Both accept and refuse the same files and fill in the same defaults; `tests/unit/spec` holds them equal. Names are
snake_case here and camelCase in the file.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic_core import InitErrorDetails

from supportbot.contracts import Priority
from supportbot.spec import scalars as s
from supportbot.spec.faults import line_error, shown
from supportbot.spec.part import Part, Rule, requires, unique


class Metadata(Part):
    """The resource's name and labels."""

    DROPPED = frozenset(
        [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "ownerReferences",
            "finalizers",
            "selfLink",
        ]
    )

    name: s.BotName
    """The bot's name, such as stores; it prefixes everything that belongs to the bot."""
    namespace: s.Namespace | None = None
    """The namespace in the cluster; means nothing on a laptop."""
    labels: dict[str, s.LabelValue] = Field(default_factory=dict)
    """Labels, for the cluster's tools."""
    annotations: dict[str, s.Text] = Field(default_factory=dict)
    """Annotations, for the cluster's tools."""


class SecretKeyRef(Part):
    """One key of a Secret in the bot's own namespace."""

    name: s.SecretName
    """The Secret's name."""
    key: s.SecretKeyName
    """The key in the Secret."""


class SecretRef(Part):
    """A Secret in the bot's own namespace."""

    name: s.SecretName
    """The Secret's name."""


class Group(Part):
    """A WhatsApp group that the bot listens to."""

    jid: s.GroupJID
    """The group's id, such as 120363025246125486@g.us."""
    language: s.Language | None = None
    """The language of the bot's words in this group, when it is not the bot's."""
    department_id: s.ZohoID | None = None
    """The Zoho Desk department of this group's tickets, when it is not the bot's."""


class Pairing(Part):
    """How the bot becomes a linked device of its phone."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        requires(
            "phoneNumber",
            unless=lambda part: part.get("method") != s.PairingMethod.CODE,
            message="is required when method is Code",
        ),
    )

    method: s.PairingMethod = s.PairingMethod.QR
    """QR shows a code to scan, Code gives eight characters to type on the phone."""
    phone_number: s.PhoneNumber | None = None
    """The bot's own number in E.164; required when method is Code."""
    log_qr: s.Flag = False
    """Also draw the QR code in the gateway's log."""


class Storage(Part):
    """The volume of the gateway: its WhatsApp session and its journal."""

    size: s.StorageSize = "1Gi"
    """How much to ask for, such as 1Gi; it can grow, never shrink."""
    storage_class_name: Annotated[s.Text, Field(max_length=253)] | None = None
    """The storage class; the cluster's default when absent."""


def _hours_differ(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    start, end = part.get("start"), part.get("end")
    if isinstance(start, str) and start == end:
        yield line_error(f"must differ from start; both are {shown(end)}", "end")


class QuietHours(Part):
    """When the bot says nothing in its groups; what it has to say waits."""

    RULES: ClassVar[tuple[Rule, ...]] = (_hours_differ,)

    start: s.TimeOfDay
    """When silence begins, such as '22:00'."""
    end: s.TimeOfDay
    """When it ends, such as '07:00'; before start means the next morning."""
    time_zone: s.TimeZone = "UTC"
    """Whose clock it is, such as America/Mexico_City."""


class Limits(Part):
    """What the bot allows itself, so that WhatsApp does not take its account for a machine's."""

    per_day: Annotated[s.Int, Field(ge=1, le=5000)] = 300
    """Messages and reactions that the bot sends in any 24 hours; a fifth of it in the first 24 hours after linking."""
    quiet_hours: QuietHours | None = None
    """When the bot says nothing in its groups; what it has to say waits."""


class WhatsApp(Part):
    """The groups, and how the bot gets into them."""

    RULES: ClassVar[tuple[Rule, ...]] = (unique("groups", key="jid"), unique("staff"))

    gateway: s.Gateway = s.Gateway.NEONIZE
    """Neonize links to WhatsApp; Simulator is a group of its own for trying out, with no phone."""
    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=50)]
    """The groups that the bot listens to, such as [{jid: 120363025246125486@g.us}]."""
    pairing: Pairing = Field(default_factory=Pairing)
    """How the bot becomes a linked device of its phone."""
    limits: Limits = Field(default_factory=Limits)
    """What the bot allows itself, so that WhatsApp does not take its account for a machine's."""
    staff: Annotated[tuple[s.PhoneNumber, ...], Field(max_length=200)] = ()
    """Numbers of the people who solve: their messages are answers, never incidents."""
    storage: Storage = Field(default_factory=Storage)
    """The volume for the WhatsApp session and the journal."""


class Model(Part):
    """One language model and the key to it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        requires(
            "baseURL",
            unless=lambda part: part.get("provider") != s.Provider.OPENAI_COMPATIBLE,
            message="is required when provider is OpenAICompatible, such as http://models:8000/v1",
        ),
        requires(
            "apiKeySecretRef",
            unless=lambda part: part.get("provider") in (s.Provider.OPENAI_COMPATIBLE, None),
            message="is required for this provider, such as {name: ai, key: openai}",
        ),
    )

    provider: s.Provider
    """Who serves the model: Anthropic, Gemini, OpenAI or OpenAICompatible."""
    model: s.ModelName
    """The provider's name of the model, such as gpt-6-luna."""
    base_url: s.HTTPURL | None = None
    """Where the API is, when it is not the provider's own; required for OpenAICompatible."""
    api_key_secret_ref: SecretKeyRef | None = None
    """The Secret and key that hold the API key; optional only for OpenAICompatible."""
    temperature: s.Temperature = "0"
    """A decimal from 0 to 2 in quotes; left out of the call where the model does not take it."""
    max_tokens: Annotated[s.Int, Field(ge=1, le=32768)] = 512
    """The most tokens that an answer may have."""
    timeout: s.Timeout = "20s"
    """The longest wait for one answer, from 1s to 120s; a message waits 8 s at most for all models together."""

    @property
    def timeout_s(self) -> float:
        """`timeout` in seconds."""
        return s.duration_s(self.timeout)

    @property
    def temperature_value(self) -> float:
        """`temperature` as a number."""
        return float(self.temperature)


def _budget_has_a_limit(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    if part.get("tokens") is None and part.get("usd") is None:
        yield line_error("needs tokens or usd, such as {usd: '1.50'}")


class DailyBudget(Part):
    """What all replicas together may use of the models in a day (UTC); the first limit that is reached counts."""

    RULES: ClassVar[tuple[Rule, ...]] = (_budget_has_a_limit,)

    tokens: Annotated[s.Int, Field(ge=1, le=2_000_000_000)] | None = None
    """Tokens of questions and answers a day."""
    usd: s.Dollars | None = None
    """US dollars a day, in quotes; a model whose price is not known is then asked only if tokens is given as well."""

    @property
    def usd_value(self) -> float | None:
        """`usd` as a number."""
        return None if self.usd is None else float(self.usd)


class Models(Part):
    """The chain of models, tried in order; empty means that the local tiers work alone."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        requires(
            "primary", unless=lambda part: not part.get("fallbacks"), message="is required when there are fallbacks"
        ),
    )

    primary: Model | None = None
    """The model that is asked first."""
    fallbacks: Annotated[tuple[Model, ...], Field(max_length=4)] = ()
    """The models that are asked, in this order, when those before are away."""
    daily_budget: DailyBudget | None = None
    """What the models may use a day; at its end the local tiers go on alone until midnight UTC."""

    @property
    def chain(self) -> tuple[Model, ...]:
        """All models in the order in which they are asked."""
        return (self.primary, *self.fallbacks) if self.primary else ()


class Category(Part):
    """One kind of incident."""

    RULES: ClassVar[tuple[Rule, ...]] = (unique("keywords"),)

    name: s.Word
    """Its name in tickets and metrics, such as technical."""
    description: Annotated[s.Text, Field(max_length=512)] = ""
    """What belongs to it, for the models."""
    keywords: Annotated[tuple[Annotated[s.Text, Field(min_length=1, max_length=64)], ...], Field(max_length=50)] = ()
    """Words and stems that speak for it, matched without accents at the start of a word."""
    priority: Priority = Priority.MEDIUM
    """The priority of its incidents when nothing says otherwise."""


def _default_category_exists(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    chosen, categories = part.get("defaultCategory"), part.get("categories")
    if not isinstance(chosen, str) or not isinstance(categories, list | tuple | None):
        return
    listed = default_categories() if categories is None else categories
    names = [entry.get("name") if isinstance(entry, Mapping) else getattr(entry, "name", None) for entry in listed]
    if chosen not in names:
        known = ", ".join(name for name in names if isinstance(name, str))
        yield line_error(f"must name one of the categories ({known}); it is {shown(chosen)}", "defaultCategory")


def default_categories() -> tuple[Category, ...]:
    """The categories of a bot that names none of its own; their keywords are Spanish, English and Portuguese."""
    # Here, because the set is made of the class above.
    from supportbot.spec.categories import DEFAULT_CATEGORIES

    return DEFAULT_CATEGORIES


class Classification(Part):
    """What the bot sorts incidents into, and how sure it has to be."""

    RULES: ClassVar[tuple[Rule, ...]] = (unique("categories", key="name"), _default_category_exists)

    categories: Annotated[tuple[Category, ...], Field(min_length=1, max_length=50)] = Field(
        default_factory=default_categories
    )
    """The kinds of incidents; a set that fits most support teams when absent."""
    default_category: s.Word | None = None
    """The category of an incident that fits no other; must be one of the categories."""
    min_confidence_percent: s.Percent = 60
    """Below this confidence a person decides instead of the bot."""


class CustomField(Part):
    """A field of the Zoho Desk ticket that always gets the same value."""

    name: s.CustomFieldName
    """The API name of the field, such as cf_store."""
    value: Annotated[s.Text, Field(max_length=512)]
    """The value."""


class Zoho(Part):
    """Where tickets go."""

    RULES: ClassVar[tuple[Rule, ...]] = (unique("customFields", key="name"),)

    data_center: s.DataCenter = s.DataCenter.US
    """The data centre of the organization; cannot be changed later."""
    organization_id: s.ZohoID
    """The Zoho Desk organization, such as '123456789'; cannot be changed later."""
    department_id: s.ZohoID
    """The department that tickets are opened in, such as '987654321'."""
    credentials_secret_ref: SecretRef
    """The Secret with client-id, client-secret and refresh-token, such as {name: zoho}."""
    contact_policy: s.ContactPolicy = s.ContactPolicy.PER_SENDER
    """Whether a ticket's contact is the person who reported or the group."""
    custom_fields: Annotated[tuple[CustomField, ...], Field(max_length=30)] = ()
    """Fields that every ticket gets."""


class Templates(Part):
    """The bot's own wording instead of the texts that ship. Braces hold a field, such as {ticket_number}."""

    ticket_created: s.Template | None = None
    """Said when the ticket exists."""
    ticket_updated: s.Template | None = None
    """Said when the ticket has news for the group."""
    ticket_closed: s.Template | None = None
    """Said when the ticket is closed."""
    ticket_delayed: s.Template | None = None
    """Said when Zoho is away and the ticket comes later; {folio} is the number until then."""


class Replies(Part):
    """What the bot says in the group."""

    mode: s.ReplyMode = s.ReplyMode.ACKNOWLEDGE
    """Acknowledge tells the group about its tickets; None keeps silent."""
    templates: Templates = Field(default_factory=Templates)
    """The bot's own wording instead of the texts that ship."""
    ask_when_unsure: s.Flag = True
    """React with a question mark when a message may be an incident or not."""


def _requests_within_limits(part: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    match part.get("resources"):
        case {"requests": Mapping() as requests, "limits": Mapping() as limits}:
            for name, amount in requests.items():
                asked, limit = s.quantity(amount), s.quantity(limits.get(name))
                if asked is not None and limit is not None and asked > limit:
                    message = f"must not be more than the limit {shown(limits[name])}; it is {shown(amount)}"
                    yield line_error(message, "resources", "requests", name)


class Component(Part):
    """How one service runs in the cluster."""

    RULES: ClassVar[tuple[Rule, ...]] = (_requests_within_limits,)

    resources: s.Resources = Field(default_factory=dict)
    """The container's resources, as in a Pod: requests and limits."""


class ScaledComponent(Component):
    """How a service runs in the cluster that can have several replicas."""

    replicas: Annotated[s.Int, Field(ge=1, le=32)] = 1
    """How many of it run; more than lanes help nothing."""


class Components(Part):
    """How the services run in the cluster; means nothing on a laptop."""

    whatsapp: Component = Field(default_factory=Component)
    """The gateway: always exactly one."""
    classifier: ScaledComponent = Field(default_factory=ScaledComponent)
    """The classifier."""
    ticket: ScaledComponent = Field(default_factory=ScaledComponent)
    """The ticket service."""


class Tracing(Part):
    """OpenTelemetry traces."""

    sampling_percent: s.Percent = 100
    """How many of the messages are traced."""


class Spec(Part):
    """What a support team decides about its bot."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        requires(
            "zoho",
            unless=lambda part: part.get("mode") == s.Mode.SHADOW,
            message="is required unless mode is Shadow: dataCenter, organizationID, departmentID, credentialsSecretRef",
        ),
    )

    mode: s.Mode = s.Mode.AUTO
    """Auto acts; Shadow decides and records, but opens no ticket and says nothing."""
    language: s.Language = s.Language.ES
    """The language of the bot's own words: es, en or pt."""
    whatsapp: WhatsApp
    """The groups, such as {groups: [{jid: 120363025246125486@g.us}]}."""
    models: Models = Field(default_factory=Models)
    """The chain of language models; empty means that the local tiers work alone."""
    classification: Classification = Field(default_factory=Classification)
    """What the bot sorts incidents into, and how sure it has to be."""
    zoho: Zoho | None = None
    """Where tickets go; required unless mode is Shadow."""
    replies: Replies = Field(default_factory=Replies)
    """What the bot says in the group."""
    components: Components = Field(default_factory=Components)
    """How the services run in the cluster."""
    tracing: Tracing = Field(default_factory=Tracing)
    """OpenTelemetry traces."""
    paused: s.Flag = False
    """Stop the bot without deleting it; messages wait at WhatsApp."""


class SupportBot(Part):
    """A bot: the whole resource."""

    DROPPED = frozenset({"status"})

    api_version: Literal["supportbot.dev/v1alpha1"]
    """supportbot.dev/v1alpha1."""
    kind: Literal["SupportBot"]
    """SupportBot."""
    metadata: Metadata
    """The bot's name, such as {name: stores}."""
    spec: Spec
    """What the bot is to do."""
