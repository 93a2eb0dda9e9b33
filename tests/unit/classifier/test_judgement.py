"""The decisions on the invented conversations do not get worse."""

import pytest
from tests.benchmarks.conversations import CONVERSATIONS, POLICY, SPLITS, read_split, read_splits

from supportbot.evaluation.evaluate import Condition, evaluate
from supportbot.evaluation.tiers import TierName

FLOORS = {"train": (0.90, 0.86, 0.06), "tune": (0.85, 0.82, 0.08), "test": (0.80, 0.80, 0.08)}
"""By split, of the keyword tier: least F1 of tickets, least B3 of threads, largest share of chatter that opens one."""


@pytest.mark.parametrize("staff_known", [True, False])
@pytest.mark.parametrize("split", SPLITS)
def test_the_conversations_are_judged_well(split: str, staff_known: bool) -> None:
    """Floors below what is measured; a real group is harder than these."""
    conditions = [Condition(tier=tier, staff_known=staff_known) for tier in (TierName.KEYWORDS, TierName.RULE)]
    ours, rule = (run.figures for run in evaluate(read_split(split), conditions, POLICY).runs)
    tickets, threads, opens = FLOORS[split]
    f1, b3, noise, their_f1, their_b3 = ours["f1"], ours["b3"], ours["chatter_opens"], rule["f1"], rule["b3"]
    assert f1 is not None
    assert b3 is not None
    assert noise is not None
    assert their_f1 is not None
    assert their_b3 is not None
    assert (f1 >= tickets, b3 >= threads, noise <= opens) == (True, True, True), (f1, b3, noise)
    assert (f1 > their_f1, b3 > their_b3) == (True, True)


def test_every_conversation_has_one_split() -> None:
    named = [name for names in read_splits().values() for name in names]
    assert sorted(named) == sorted(path.stem for path in CONVERSATIONS.glob("*.jsonl"))
