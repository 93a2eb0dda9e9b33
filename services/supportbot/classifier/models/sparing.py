"""About which turns no model is asked, because the answer is known, was given, or would cost too much. Pure."""

import re
import zlib
from enum import StrEnum
from typing import Final

from supportbot.classifier.budgets import call_limit
from supportbot.classifier.keywords import judge
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import BURST, Policy, Scene
from supportbot.classifier.turn import Turn, is_certain_courtesy
from supportbot.classifier.verdict import INJECTION, Verdict
from supportbot.contracts import Kind, MessageReceived, Tier

CERTAIN_CHATTER: Final = 0.97
SAMPLE_PERCENT: Final = 2
"""Of what is certain chatter a model is asked all the same, to notice when the local tier goes astray."""
_NEED, _SIGN = 0.8, 1.2
"""A problem or a request, and any other sign, of that strength is something that the turn had not said before."""

_DIGITS = re.compile(r"\d+")


class Spared(StrEnum):
    """Why no model is asked."""

    NO_WORDS = "no_words"
    INJECTION = "injection"
    """The turn gives orders to the bot: nothing that a model says of it would count."""
    CERTAIN_CHATTER = "certain_chatter"
    CONTINUES_TURN = "continues_turn"
    """The author goes on with a turn that a model judged, and says nothing new."""
    AUTHOR_BUSY = "author_busy"
    GROUP_BUSY = "group_busy"


LIMITED: Final = frozenset({Spared.AUTHOR_BUSY, Spared.GROUP_BUSY})
"""Here a model would have been asked, had there not been so many turns."""


def spare(turn: Turn, verdict: Verdict, policy: Policy) -> Spared | None:
    """Why no model is asked about the turn; None when one is to be asked.

    Args:
        turn: The turn.
        verdict: Of the local tiers.
        policy: Of the spec.
    """
    message = turn.message
    if not any(char.isalnum() for char in turn.text):
        return Spared.NO_WORDS
    if INJECTION in verdict.flags:
        return Spared.INJECTION
    if is_certain_chatter(turn, verdict, policy):
        return None if is_sample(message) else Spared.CERTAIN_CHATTER
    if message is None:
        return None
    if continues_judged_turn(Scene(turn.memory, message, verdict, policy)):
        return Spared.CONTINUES_TURN
    limit = call_limit(turn.memory, message)
    return None if limit is None else Spared(limit)


def is_certain_chatter(turn: Turn, verdict: Verdict, policy: Policy) -> bool:
    """Whether the local tier is sure, and nothing around the text says otherwise."""
    signals, message = verdict.signals, turn.message
    if signals.problem or signals.request or verdict.numbers:
        return False
    if verdict.kinds.get(Kind.CHATTER, 0.0) < CERTAIN_CHATTER and not is_certain_courtesy(verdict):
        return False
    if message is None:
        return True
    if message.media is not None or message.mentions or message.mentions_bot:
        return False
    # Behind a question even "sí" tells something.
    return Scene(turn.memory, message, verdict, policy).question is None


def is_sample(message: MessageReceived | None) -> bool:
    """Whether the message is of the sample; always the same for the same message."""
    return message is not None and zlib.crc32(message.message_ref.encode()) % 100 < SAMPLE_PERCENT


def continues_judged_turn(scene: Scene) -> bool:
    """Whether a model has judged this author's turn, and the message adds no number, problem, request or the like."""
    message, before = scene.message, _turn_so_far(scene.memory, scene.message)
    if (
        not any(tier is Tier.MODEL for tier, _ in before)
        or message.quoted_ref is not None
        or scene.question is not None
    ):
        return False
    known = {number for _, text in before for number in _DIGITS.findall(text)}
    if not set(_DIGITS.findall(message.text)) <= known:
        return False
    s = judge(message.text, scene.policy.categories, scene.memory.known_sites).signals
    return max(s.problem, s.request) < _NEED and max(s.resolution, s.report, s.another, s.same_case) < _SIGN


def _turn_so_far(memory: Memory, message: MessageReceived) -> list[tuple[Tier, str]]:
    """Tier and text of the author's messages before, each at most 3 minutes before the next."""
    turn, at = list[tuple[Tier, str]](), message.sent_at
    for one in reversed(memory.recent):
        if one.author != message.sender.ref:
            continue
        if at - one.at > BURST:
            break
        turn.append((one.decision.tier, one.text))
        at = one.at
    return turn
