"""What one text says when it is read alone: the opinion that `assemble` weighs with the conversation.

Every tier makes a `Verdict`: keywords, the local embedding model, a language model. A tier that only knows
probabilities replaces `kinds`, `category` and `priority` and leaves the signals of the keyword tier in place.
"""

from pydantic import BaseModel, ConfigDict

from supportbot.contracts import Kind, Priority, Tier

INJECTION = "injection"
"""The text gives orders to the bot."""
MODEL_DISAGREES = "model_disagrees"
"""The language model and the tier before it are both sure, and of different things."""
NEEDS_REVIEW = "needs_review"
"""The language model asks for a person."""


class Signals(BaseModel):
    """How strongly a text shows each trait, 0 (not at all) to about 3; 1 is one clear mark."""

    model_config = ConfigDict(frozen=True)

    problem: float = 0.0
    """Something does not work, is missing or is wrong."""
    request: float = 0.0
    """Somebody asks for help or for an action."""
    object: float = 0.0
    """Names a thing that support deals with: order, invoice, printer, system."""
    report: float = 0.0
    """Passes on somebody else's trouble: "me reporta la 118"."""
    greeting: float = 0.0
    thanks: float = 0.0
    """Thanks, assent or good wishes."""
    insistence: float = 0.0
    """Asks how a known matter stands, or says that it is still there."""
    detail: float = 0.0
    """Adds to a known matter: a test that was made, "es el pedido …", "ya reiniciamos"."""
    resolution: float = 0.0
    answer: float = 0.0
    """Sounds like somebody who solves: asks for the store, tells what to do, says that it is being looked at."""
    announcement: float = 0.0
    same_case: float = 0.0
    """Joins a matter that somebody told: "mismo caso", "igual acá"."""
    another: float = 0.0
    """Begins a further matter: "también", "otro caso"."""
    small_talk: float = 0.0
    laughs: float = 0.0
    """Laughs, in letters or with an emoji: what it says of errors is mostly a joke; at the end it only softens."""
    to_all: bool = False
    """Speaks to everybody."""
    peers: float = 0.0
    """Asks colleagues for goods, or offers them something: "¿quién tiene…?", "vendo…"."""
    courtesy: float = 0.0
    """Share of the letters that are greeting, thanks or small talk, 0 to 1; 1 for a text without letters."""
    asks_site: bool = False
    """Asks for the store that is meant."""
    question: bool = False
    """Has a question mark or a question word at its start."""
    negated: bool = False
    """A problem word was taken back: "ya no hay error"."""


class Verdict(BaseModel):
    """One text, read alone."""

    model_config = ConfigDict(frozen=True)

    signals: Signals = Signals()
    kinds: dict[Kind, float] = {}
    """Probability of each kind; they add up to 1. The kinds that only a conversation shows may be absent."""
    category: str | None = None
    """The name of one of the bot's categories; None when nothing speaks for any."""
    categories: dict[str, float] = {}
    """Points by category where a tier counts them; the group's usual category then tips a close race."""
    priority: Priority | None = None
    """By impact; None when the text tells none, and then the category's priority holds."""
    sites: tuple[str, ...] = ()
    """Store numbers, in order of mention."""
    documents: tuple[str, ...] = ()
    """Numbers of orders, invoices, articles, tickets."""
    bare_numbers: tuple[str, ...] = ()
    """Numbers of 3 or 4 digits that may be either."""
    tokens: tuple[str, ...] = ()
    """Stems of the words that carry meaning, for overlap; at most 24."""
    length: int = 0
    """Characters of the text without space at its ends."""
    language: str | None = None
    """`es`, `en` or `pt` by its marker words; None when too few."""
    matched: tuple[str, ...] = ()
    """The words of the text that the signals rest on, strongest first."""
    tier: Tier = Tier.KEYWORDS
    degraded: bool = False
    """A better tier is configured but did not answer."""
    local: dict[Kind, float] = {}
    """The local tier's probabilities, kept beside the `kinds` of a language model that was asked after it."""
    incident_id: str | None = None
    """The remembered incident that a language model says the text goes on with."""
    similar: dict[str, float] = {}
    """How near the text is to what opened a remembered incident, by its id: cosine of the embeddings."""
    subject: str | None = None
    """One line by a language model, checked; the text's own words otherwise."""
    flags: tuple[str, ...] = ()
    """What makes a person look at the decision, such as `injection`; flags never suppress an incident."""

    @property
    def numbers(self) -> frozenset[str]:
        """All numbers that can identify something."""
        return frozenset((*self.sites, *self.documents, *self.bare_numbers))
