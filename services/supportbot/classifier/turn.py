"""What a tier is asked about: the words of one author's turn, with the conversation around it. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from supportbot.classifier.features import context_features, signal_features
from supportbot.classifier.heads import Head, shipped_weights
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Memory
from supportbot.classifier.models.injection import find_injection
from supportbot.classifier.scene import BURST, Policy, Scene
from supportbot.classifier.verdict import INJECTION, Verdict
from supportbot.contracts import Kind, MessageReceived


@dataclass(frozen=True)
class Turn:
    """A text to judge, and where it was said."""

    text: str
    """The message's own text behind the fragments of the same turn that still wait."""
    memory: Memory = field(default_factory=Memory)
    """Of the message's group, before it."""
    message: MessageReceived | None = None
    """None for a text that stands alone, outside any group."""


Judge = Callable[[Turn], Awaitable[Verdict]]
"""A tier, or several in a row."""


def make_turn(memory: Memory, message: MessageReceived) -> Turn:
    """The turn that ends with this message."""
    return Turn(turn_text(memory, message), memory, message)


def turn_text(memory: Memory, message: MessageReceived) -> str:
    """The text to judge: the message's own behind the fragments of the same turn that still wait."""
    fragments = [
        one.text for one in memory.waiting(message.sender.ref) if one.text and message.sent_at - one.sent_at <= BURST
    ]
    if not fragments or not message.text.strip() or judge(message.text).signals.courtesy > 0.7:
        return message.text  # Thanks behind a fragment are thanks.
    return "\n".join([*fragments[-3:], message.text])


def judge_by_keywords(turn: Turn, policy: Policy, head: Head | None = None) -> Verdict:
    """The verdict of the keyword tier: what the words show, and how likely each kind is where they were said.

    Args:
        turn: A turn; one without a message is read alone.
        policy: Of the spec.
        head: Tells kinds by signals and context; the one that ships by default.
    """
    verdict = read_alone(turn, policy)
    if turn.message is None or not turn.text.strip() or is_certain_courtesy(verdict):
        return verdict
    scene = Scene(turn.memory.forget(turn.message.sent_at), turn.message, verdict, policy)
    head = head or shipped_weights().heads["kind_plain"]
    kinds = head.probabilities((*signal_features(verdict), *context_features(scene)))
    return verdict.model_copy(update={"kinds": {Kind(name): round(value, 4) for name, value in kinds.items()}})


def read_alone(turn: Turn, policy: Policy) -> Verdict:
    """What the words of a turn show, whatever was said around them; flagged when they give orders to the bot."""
    verdict = judge(turn.text, policy.categories, turn.memory.known_sites)
    return verdict.model_copy(update={"flags": (INJECTION,)}) if find_injection(turn.text) else verdict


def is_certain_courtesy(verdict: Verdict) -> bool:
    """Whether the text is nothing but courtesy, so that nobody else needs to read it."""
    s = verdict.signals
    if verdict.numbers or s.question or s.resolution or s.problem or s.request or s.insistence or s.same_case:
        return False
    return s.courtesy >= 0.95


def keyword_judge(policy: Policy) -> Judge:
    """The keyword tier as a `Judge`."""

    async def judge_turn(turn: Turn) -> Verdict:
        return judge_by_keywords(turn, policy)

    return judge_turn
