"""The tiers that can be measured, whole or without a part of what they know."""

from collections.abc import Callable, Collection
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec

from supportbot.classifier.memory import Memory
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
    EMBEDDINGS = "embeddings"
    STAFF = "staff"
    """Nobody is listed as staff: the same as `--staff none`."""


def available_tiers(policy: Policy) -> list[TierName]:
    """Those that run on this machine, the best first."""
    local = [TierName.LOCAL] if _load_local(policy) is not None else []
    return [*local, TierName.KEYWORDS, TierName.RULE]


def make_decide(tier: TierName, policy: Policy, without: Collection[Part] = ()) -> Decide:
    """What decides on a conversation by that tier.

    Raises:
        UserError: The tier is not there, or has no such part.
    """
    parts = set(without) - {Part.STAFF}
    if tier is TierName.RULE:
        if parts:
            raise UserError("the rule has neither context nor embeddings that it could go without")
        return decide_plainly
    judge = _make_judge(tier, policy, embeddings=Part.EMBEDDINGS not in parts)
    if Part.CONTEXT in parts:
        judge = _without_context(judge)
    return lambda conversation: decide(conversation, judge, policy)


def _make_judge(tier: TierName, policy: Policy, *, embeddings: bool) -> Judge:
    if tier is TierName.KEYWORDS:
        return lambda turn: judge_by_keywords(turn, policy)
    local = _load_local(policy, embeddings=embeddings)
    if local is None:
        raise UserError("the local tier is not installed here; `pip install 'supportbot[local]'` brings it")
    return local


def _without_context(judge: Judge) -> Judge:
    def judge_alone(turn: Turn) -> Verdict:
        text = turn.message.text if turn.message is not None else turn.text
        return judge(replace(turn, text=text, memory=Memory()))

    return judge_alone


def _load_local(policy: Policy, *, embeddings: bool = True) -> Judge | None:
    if find_spec("supportbot.classifier.local") is None:
        return None
    tier = import_module("supportbot.classifier.local").load_local(
        policy, **({} if embeddings else {"embeddings": False})
    )
    judge: Judge | None = tier.judge if tier is not None else None
    return judge
