"""24 hours without any model, in virtual time, over the labelled conversations: what is decided, when, at what cost.

The messages of all groups come within one day, each group with a memory of its own, while every model fails in one way
after the other. What the local tiers decide without models is what must be decided now.
"""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field

import pytest
from tests.benchmarks.conversations import CONVERSATIONS, POLICY, read_conversation
from tests.unit.classifier.models.fakes import DEAF, HANGS, Scripted, Step, fail, link_up
from tests.virtual_time import now, run_virtually

from supportbot.breaker import BreakerState
from supportbot.classifier.incidents import DEGRADED_CONFIDENCE, assemble
from supportbot.classifier.memory import Memory
from supportbot.classifier.models.chain import DEADLINE_S, Chain
from supportbot.classifier.models.judge import LocalJudge, ModelJudge
from supportbot.classifier.models.outcomes import BadOutput, OutcomeKind
from supportbot.classifier.models.sparing import LIMITED, spare
from supportbot.classifier.tiers import choose_local
from supportbot.classifier.turn import Turn, judge_by_keywords, make_turn
from supportbot.contracts import Decision
from supportbot.evaluation.conversation import Labelled

DAY_S = 24 * 3600.0
OUTAGES: tuple[Step, ...] = (
    HANGS,
    fail(OutcomeKind.RETRYABLE, status=503),
    fail(OutcomeKind.RATE_LIMITED, retry_after_s=20),
    BadOutput("not an opinion"),
    fail(OutcomeKind.TRUNCATED),
    fail(OutcomeKind.MISCONFIGURED, status=401),
    DEAF,
    fail(OutcomeKind.RATE_LIMITED),
)


def day_of(paths: list[str]) -> list[tuple[str, Labelled]]:
    """The messages of all groups, in turns."""
    groups = [[(name, one) for one in read_conversation(CONVERSATIONS / f"{name}.jsonl")] for name in paths]
    return [one for row in itertools.zip_longest(*groups) for one in row if one is not None]


@dataclass
class Day:
    """What became of a day."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    delays_s: list[float] = field(default_factory=list)
    spared: int = 0

    def opened_by_chatter(self, messages: list[tuple[str, Labelled]]) -> list[str]:
        return [
            one.message.message_ref
            for _, one in messages
            if one.role == "chatter" and self.decisions[one.message.message_ref].opens
        ]


async def live(messages: list[tuple[str, Labelled]], judge: ModelJudge, local: LocalJudge | None = None) -> Day:
    """Judge and decide on all messages, spread over 24 hours."""
    day, memories = Day(), dict[str, Memory]()
    begin, each_s = now(), DAY_S / len(messages)
    for number, (group, one) in enumerate(messages):
        await asyncio.sleep(max(0.0, begin + number * each_s - now()))
        turn = make_turn(memories.get(group, Memory()), one.message)
        if local is not None:
            spared = spare(turn, local(turn), POLICY)
            day.spared += spared is not None and spared not in LIMITED
        came = now()
        verdict = await judge(turn)
        day.delays_s.append(now() - came)
        assembly, memories[group] = assemble(turn.memory, one.message, verdict, POLICY)
        day.decisions[one.message.message_ref] = assembly.decision
        day.decisions |= assembly.earlier
    return day


def without_marks(decision: Decision) -> Decision:
    return decision.model_copy(update={"degraded": False, "confidence": min(decision.confidence, DEGRADED_CONFIDENCE)})


def check_a_day(names: list[str], local: LocalJudge | None) -> None:
    messages = day_of(names)

    async def work() -> None:
        alone = await live(messages, ModelJudge(POLICY, local=local))
        providers = {"gpt-6-luna": Scripted(), "gpt-4o-mini": Scripted(), "gpt-5.6-luna": Scripted()}
        chain = Chain(link_up(providers))
        changing = asyncio.create_task(change_outages(list(providers.values())))
        judge_locally = local or (lambda turn: judge_by_keywords(turn, POLICY))
        outage = await live(messages, ModelJudge(POLICY, local=local, chain=chain), judge_locally)
        changing.cancel()

        assert {ref: without_marks(one) for ref, one in outage.decisions.items()} == {
            ref: without_marks(one) for ref, one in alone.decisions.items()
        }
        assert outage.opened_by_chatter(messages) == alone.opened_by_chatter(messages)
        assert not any(one.degraded for one in alone.decisions.values())
        marked = sum(one.degraded for one in outage.decisions.values())
        # What an opening draws in later, a photo say, is decided by structure and carries no mark.
        assert 0.5 * (len(messages) - outage.spared) <= marked <= len(messages) - outage.spared

        assert max(outage.delays_s) <= DEADLINE_S + 0.21
        assert sum(delay > 0.05 for delay in outage.delays_s) <= 250, "all others are decided at once"
        for one in providers.values():
            # A probe every 20 s at the most while the vendor names that, and mostly every 5 minutes.
            hours = Counter(int((at - one.asked_at[0]) // 3600) for at in one.asked_at)
            assert max(hours.values()) <= 3600 / 20 + 10
            assert 100 <= len(one.asked_at) <= 600
        assert all(link.breaker.state is not BreakerState.CLOSED for link in chain.links)
        assert chain.available == ()

    run_virtually(work())


async def change_outages(providers: list[Scripted]) -> None:
    """Each model fails in another way every three hours."""
    for hour in itertools.count():
        for number, provider in enumerate(providers):
            provider.steps = [OUTAGES[(hour + number) % len(OUTAGES)]]
        await asyncio.sleep(DAY_S / len(OUTAGES))


@pytest.mark.slow
def test_a_day_of_all_models_failing_decides_as_keywords_alone_do() -> None:
    check_a_day(sorted(path.stem for path in CONVERSATIONS.glob("*.jsonl"))[::2], None)


@pytest.mark.slow
def test_a_day_of_all_models_failing_decides_as_the_local_tier_does() -> None:
    local = choose_local(POLICY)
    if local.judge is None:
        pytest.skip(local.why)
    check_a_day(["bakeries", "couriers", "pharmacies"], local.judge)


def test_turns_without_a_group_are_decided_as_well() -> None:
    """The HTTP door's texts have no conversation."""

    async def work() -> None:
        chain = Chain(link_up({"gpt-6-luna": Scripted(HANGS)}))
        verdicts = [await ModelJudge(POLICY, chain=chain)(Turn("la 909 no imprime")) for _ in range(5)]
        expected = judge_by_keywords(Turn("la 909 no imprime"), POLICY).model_copy(update={"degraded": True})
        assert verdicts == [expected] * 5

    run_virtually(work())
