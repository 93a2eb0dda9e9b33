"""What a tier is asked about: the words of one author's turn, with the conversation around it. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Memory
from supportbot.classifier.models.injection import find_injection
from supportbot.classifier.scene import BURST, Policy
from supportbot.classifier.verdict import INJECTION, Verdict
from supportbot.contracts import MessageReceived


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


def judge_by_keywords(turn: Turn, policy: Policy) -> Verdict:
    """The verdict of the keyword tier, flagged when the text gives orders to the bot: for every tier behind it."""
    verdict = judge(turn.text, policy.categories, turn.memory.known_sites)
    return verdict.model_copy(update={"flags": (INJECTION,)}) if find_injection(turn.text) else verdict


def keyword_judge(policy: Policy) -> Judge:
    """The keyword tier as a `Judge`."""

    async def judge_turn(turn: Turn) -> Verdict:
        return judge_by_keywords(turn, policy)

    return judge_turn
