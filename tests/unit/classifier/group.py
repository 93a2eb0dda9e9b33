"""A small group to try conversations on: lines go in, decisions come out."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import ascii_uppercase

from supportbot.classifier.assembly import Assembly
from supportbot.classifier.incidents import assemble
from supportbot.classifier.keywords import Category
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn, judge_by_keywords, make_turn
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Decision, Media, MessageReceived, Person
from supportbot.spec.categories import DEFAULT_CATEGORIES

POLICY = Policy(
    categories=tuple(Category(one.name, tuple(one.keywords), one.priority) for one in DEFAULT_CATEGORIES),
    default_category="operations",
)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAFF = frozenset({"Berta", "Bruno"})
PHOTO = "[photo]"
UNSURE = (
    *("el sistema anda raro", "vino otro pedido", "ya no sale el reporte", "revisar caja", "ticket sin iva"),
    *(
        "factura con otro rfc",
        "cambio de precio en leche",
        "pedido que no era",
        "se acabó el rollo",
        "no sale el corte",
    ),
)
"""Texts that may or may not report something, said out of the blue; the weights say of which the bot is unsure."""


def make_ref(number: int) -> str:
    return "m_" + base64.b32encode(hashlib.sha256(f"message {number}".encode()).digest()).decode().lower()[:20]


def make_person(name: str, *, staff: bool = False) -> Person:
    return Person(ref=hashlib.sha256(name.encode()).hexdigest()[:16], push_name=name, staff=staff)


@dataclass
class Group:
    """Says lines and keeps what became of them."""

    memory: Memory = field(default_factory=Memory)
    now: datetime = START
    messages: list[MessageReceived] = field(default_factory=list)
    assemblies: list[Assembly] = field(default_factory=list)
    final: dict[str, Decision] = field(default_factory=dict)
    staff: frozenset[str] = STAFF
    judge: Callable[[Turn], Verdict] = field(default_factory=lambda: judge_by_words)

    def make(self, name: str, text: str, *, quotes: int | None = None, forwarded: bool = False) -> MessageReceived:
        media = None
        if text.startswith("["):
            word, _, text = text[1:].partition("]")
            kind = {"photo": "image", "voice": "audio", "file": "document"}.get(word, word)
            media = Media.model_validate({"kind": kind, "sha256": "0" * 64})
        return MessageReceived(
            message_ref=make_ref(len(self.messages)),
            group_ref="0" * 16,
            sender=make_person(name, staff=name in self.staff),
            sent_at=self.now,
            received_at=self.now,
            text=text.strip(),
            media=media,
            quoted_ref=self.messages[quotes].message_ref if quotes is not None else None,
            mentions=tuple(make_person(word[1:]) for word in text.split() if word.startswith("@")),
            forwarded=forwarded,
        )

    def say(
        self, after_s: float, name: str, text: str, *, quotes: int | None = None, forwarded: bool = False
    ) -> Assembly:
        """`text` may begin with `[photo]`, `[sticker]`, `[voice]` or `[file]`."""
        self.now += timedelta(seconds=after_s)
        message = self.make(name, text, quotes=quotes, forwarded=forwarded)
        verdict = self.judge(make_turn(self.memory, message))
        assembly, self.memory = assemble(self.memory, message, verdict, POLICY)
        self.messages.append(message)
        self.assemblies.append(assembly)
        self.final[message.message_ref] = assembly.decision
        self.final |= assembly.earlier
        return assembly

    @property
    def story(self) -> list[str]:
        """Each message as `kind incident`, incidents lettered in the order of their opening message; `!` opens."""
        letters: dict[str, str] = {}
        for message in self.messages:
            decision = self.final[message.message_ref]
            if decision.opens and decision.incident_id:
                letters[decision.incident_id] = ascii_uppercase[len(letters)]
        return [
            f"{'!' if decision.opens else ''}{decision.kind.value}"
            + (f" {letters[decision.incident_id]}" if decision.incident_id else "")
            for decision in (self.final[message.message_ref] for message in self.messages)
        ]


def judge_by_words(turn: Turn) -> Verdict:
    """The keyword tier's verdict."""
    return judge_by_keywords(turn, POLICY)


def tell(
    *lines: tuple[float, str, str], staff: frozenset[str] = STAFF, judge: Callable[[Turn], Verdict] = judge_by_words
) -> Group:
    """A conversation of `(seconds since the line before, name, text)`."""
    group = Group(staff=staff, judge=judge)
    for after_s, name, text in lines:
        group.say(after_s, name, text)
    return group


def find_grey(asks: Callable[[str], bool] | None = None) -> str:
    """The first of the `UNSURE` texts that the bot asks about; by default when it is the first word in a group."""
    asks = asks or (lambda text: Group().say(0, "Ana", text).decision.asks)
    grey = next((text for text in UNSURE if asks(text)), None)
    assert grey is not None, "the bot is sure of all these texts; name others"
    return grey
