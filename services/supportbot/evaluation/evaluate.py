"""Lets tiers decide on conversations and scores them: from rows to a report."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from supportbot.classifier.scene import Policy
from supportbot.evaluation.conversation import Row, make_conversation
from supportbot.evaluation.measures import Scores, measure
from supportbot.evaluation.report import Report, Run
from supportbot.evaluation.run import to_outcome
from supportbot.evaluation.tiers import Part, TierName, make_decide

Data = Mapping[str, Sequence[Row]]
"""Conversations by name."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """How a tier is measured."""

    tier: TierName
    staff_known: bool = True
    without: tuple[Part, ...] = ()

    @property
    def staff(self) -> str:
        """In a word."""
        return "listed" if self.staff_known and Part.STAFF not in self.without else "none"


def evaluate(
    data: Data,
    conditions: Sequence[Condition],
    policy: Policy,
    progress: Callable[[Condition, str], None] | None = None,
) -> Report:
    """Measure under each condition.

    Args:
        data: At least one conversation.
        conditions: At least one.
        policy: Of the bot.
        progress: Gets the condition and the conversation that come next.

    Raises:
        UserError: A tier is not there.
    """
    runs = []
    for condition in conditions:
        decide = make_decide(condition.tier, policy, condition.without)
        groups: dict[str, Scores] = {}
        began = time.perf_counter()
        for name, rows in data.items():
            if progress is not None:
                progress(condition, name)
            conversation = make_conversation(
                name, rows, staff_known=condition.staff == "listed", quotes=Part.QUOTES not in condition.without
            )
            groups[name] = measure(conversation, to_outcome(conversation, decide(conversation)))
        seconds = time.perf_counter() - began
        hidden = tuple(part.value for part in condition.without if part is not Part.STAFF)
        runs.append(Run(tier=condition.tier, staff=condition.staff, without=hidden, groups=groups, seconds=seconds))
    return Report.of(runs)
