"""All tiers in a row: keywords, the local tier, and a language model where it is worth a question.

Whatever becomes of the model, the turn has a verdict: that of the local tiers, marked as degraded when a model should
have answered and did not. Nothing here ever defaults to an incident.
"""

from collections.abc import Callable

from supportbot import metrics
from supportbot.classifier.models import guards
from supportbot.classifier.models.chain import ALL_AWAY, BUDGET_SPENT, Asked, Chain
from supportbot.classifier.models.merge import merge
from supportbot.classifier.models.prompt import make_request
from supportbot.classifier.models.sparing import LIMITED, Spared, is_certain_chatter, is_sample, spare
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import Turn, judge_by_keywords
from supportbot.classifier.verdict import Verdict
from supportbot.telemetry import tracer

LocalJudge = Callable[[Turn], Verdict]


class ModelJudge:
    """The `Judge` of the classifier.

    Args:
        policy: Of the spec.
        local: The local tier, which asks the keyword tier itself; None where keywords work alone.
        chain: The models; None where none are configured.
    """

    def __init__(self, policy: Policy, *, local: LocalJudge | None = None, chain: Chain | None = None) -> None:
        self._policy, self._local, self._chain = policy, local, chain
        if chain is not None:  # Counters are born at 0, for the alerts.
            for reason in (*Spared, BUDGET_SPENT, ALL_AWAY):
                metrics.LLM_SKIPPED.labels(str(reason))
            for agrees in ("true", "false"):
                metrics.LLM_DRIFT.labels(agrees)

    async def __call__(self, turn: Turn) -> Verdict:
        """The verdict of the best tier that is to be had."""
        with tracer.start_as_current_span("classify") as span:
            verdict = self._judge_locally(turn)
            if self._chain is not None:
                spared = spare(turn, verdict, self._policy)
                if spared is None:
                    verdict, asked = await self._ask(self._chain, turn, verdict)
                    span.set_attribute("supportbot.llm.attempts", asked.attempts)
                    span.set_attribute("supportbot.budget.exhausted", asked.reason == BUDGET_SPENT)
                else:
                    verdict = _without_model(verdict, spared)
                    span.set_attribute("supportbot.llm.skipped", spared.value)
            span.set_attribute("supportbot.classification.source", verdict.tier.value)
            span.set_attribute("supportbot.classification.degraded", verdict.degraded)
            return verdict

    def _judge_locally(self, turn: Turn) -> Verdict:
        return judge_by_keywords(turn, self._policy) if self._local is None else self._local(turn)

    async def _ask(self, chain: Chain, turn: Turn, local: Verdict) -> tuple[Verdict, Asked]:
        request = make_request(turn, local, self._policy)
        asked = await chain.ask(request, lambda opinion: guards.check(opinion, request))
        if asked.opinion is None:
            if not asked.attempts:
                metrics.LLM_SKIPPED.labels(asked.reason).inc()
            return local.model_copy(update={"degraded": True}), asked
        if is_sample(turn.message) and is_certain_chatter(turn, local, self._policy):
            metrics.LLM_DRIFT.labels(str(asked.opinion.kind == "chatter").lower()).inc()
        return merge(local, asked.opinion, request), asked


def _without_model(local: Verdict, spared: Spared) -> Verdict:
    metrics.LLM_SKIPPED.labels(spared.value).inc()
    return local.model_copy(update={"degraded": True}) if spared in LIMITED else local
