"""The tiers that can be measured, whole or without a part of what they know."""

from collections.abc import Callable, Collection
from enum import StrEnum
from functools import cache

from supportbot.classifier.embedding import Embedding
from supportbot.classifier.heads import shipped_weights
from supportbot.classifier.local import LocalTier
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn, judge_by_keywords
from supportbot.classifier.verdict import Verdict
from supportbot.errors import UserError
from supportbot.evaluation.conversation import Conversation
from supportbot.evaluation.plain_rule import decide_plainly
from supportbot.evaluation.run import Course, Judge, decide

Decide = Callable[[Conversation], Course]


class TierName(StrEnum):
    """What can be measured without asking a language model; a replay's decisions show those."""

    LOCAL = "local"
    """The embedding model with its linear head, and what it leaves to the keywords."""
    KEYWORDS = "keywords"
    RULE = "rule"
    """Sixty lines of words, numbers and times that anybody would write first."""


class Part(StrEnum):
    """What a tier can be measured without, to see what it brings."""

    CONTEXT = "context"
    """The tier reads each text alone; the assembly still remembers."""
    MEMORY = "memory"
    """Nobody remembers: each message is decided on as if it were the group's first."""
    EMBEDDINGS = "embeddings"
    QUOTES = "quotes"
    """Nobody quotes, as in an exported chat, which does not tell quotes."""
    STAFF = "staff"
    """Nobody is listed as staff: the same as `--staff none`."""


def available_tiers() -> list[TierName]:
    """Those that run on this machine, the best first."""
    return [*([] if why_no_local() else [TierName.LOCAL]), TierName.KEYWORDS, TierName.RULE]


def why_no_local() -> str | None:
    """Why the local tier does not run here; None when it does."""
    try:
        _embedding()
        shipped_weights()
    except ImportError as exc:
        return f"{exc}; `pip install 'supportbot[local]'` brings what it needs"
    except FileNotFoundError as exc:
        return f"{exc}; `make train` makes its weights"
    return None


def make_decide(tier: TierName, policy: Policy, without: Collection[Part] = ()) -> Decide:
    """What decides on a conversation by that tier.

    Raises:
        UserError: The tier is not there, or has no such part.
    """
    parts = set(without) - {Part.STAFF, Part.QUOTES}
    if tier is TierName.RULE:
        if parts:
            raise UserError("the rule has no parts that it could go without")
        return decide_plainly
    judge = make_judge(tier, policy, parts)
    return lambda conversation: decide(conversation, judge, policy, remembers=Part.MEMORY not in parts)


def make_judge(tier: TierName, policy: Policy, without: Collection[Part] = ()) -> Judge:
    """What a tier says of a turn.

    Raises:
        UserError: The tier is not there, has no such part, or reads whole conversations only.
    """
    match tier:
        case TierName.KEYWORDS:
            return _judge_by_keywords(policy, without)
        case TierName.LOCAL:
            return _judge_locally(policy, without)
        case TierName.RULE:
            raise UserError("the rule reads conversations, not single texts")


def _judge_by_keywords(policy: Policy, without: Collection[Part]) -> Judge:
    if Part.EMBEDDINGS in without:
        raise UserError("the keyword tier has no embeddings that it could go without")
    context = Part.CONTEXT not in without

    def judge(turn: Turn) -> Verdict:
        if not context and turn.message is not None:
            turn = Turn(turn.message.text, message=turn.message)
        return judge_by_keywords(turn, policy)

    return judge


def _judge_locally(policy: Policy, without: Collection[Part]) -> Judge:
    if reason := why_no_local():
        raise UserError(f"the local tier does not run here: {reason}")
    if {Part.CONTEXT, Part.EMBEDDINGS} <= set(without):
        raise UserError("the local tier can go without its context or without its embeddings, one at a time")
    embedding = None if Part.EMBEDDINGS in without else _embedding()
    return LocalTier(policy, shipped_weights(), embedding, context=Part.CONTEXT not in without).judge


@cache
def _embedding() -> Embedding:
    """One for all runs: it remembers the texts."""
    return Embedding()
