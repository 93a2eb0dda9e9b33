"""Providers that do what they are told, and the links and requests around them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from tests.virtual_time import now

from supportbot.classifier.models.links import Link, make_links
from supportbot.classifier.models.outcomes import OutcomeKind, ProviderError
from supportbot.classifier.models.request import Entities, Opinion, OpinionKind, Reply, Request, Usage, make_schema
from supportbot.spec import Model, Models

USAGE = Usage(1_600, 140, cached_tokens=1_400)
REQUEST = Request(system="s", user="{}", schema=make_schema(("technical",)), turn_text="la 909 no imprime")


def make_opinion(kind: OpinionKind = "incident", **values: Any) -> Opinion:
    fields: dict[str, Any] = {
        "evidence": "no imprime",
        "kind": kind,
        "category": "technical",
        "language": "es",
        "priority": "high",
        "subject": "La 909 no imprime",
        "summary": "",
        "entities": Entities(site="909", device=None, error_code=None, system=None),
        "follow_up_of": None,
        "confidence": 0.9,
        "needs_review": False,
    }
    return Opinion(**{**fields, **values})


def fail(outcome: OutcomeKind, **values: Any) -> ProviderError:
    return ProviderError(f"it is {outcome}", outcome, **values)


Step = float | Opinion | BaseException
"""Waits for seconds and then answers; answers at once; fails."""

HANGS = 1e9
DEAF = -1.0
"""Hangs, and does not end by its deadline either."""


class Scripted:
    """A provider that takes one step per call; the last one again and again."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps) or [0.0]
        self.asked_at: list[float] = []
        self.cancelled = 0
        self.closed = False
        self.name, self.model = "scripted", "m"

    async def classify(self, request: Request, deadline: float) -> Reply:
        self.asked_at.append(now())
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        try:
            match step:
                case BaseException():
                    raise step
                case Opinion():
                    return Reply(step, USAGE, "m-2026", "stop")
                case _ if step == DEAF:
                    await asyncio.Event().wait()
                case _:
                    async with asyncio.timeout_at(deadline):
                        await asyncio.sleep(step)
        except TimeoutError:
            raise fail(OutcomeKind.RETRYABLE) from None
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Reply(make_opinion(), USAGE, "m-2026", "stop")

    async def close(self) -> None:
        self.closed = True


def make_model(name: str, **values: Any) -> Model:
    ref = {"name": "ai", "key": "k"}
    return Model.model_validate({"provider": "OpenAI", "model": name, "apiKeySecretRef": ref, **values})


def link_up(
    providers: Mapping[str, Scripted], clock: Callable[[], float] | None = None, **values: Any
) -> tuple[Link, ...]:
    """Links of these models, in their order; `values` are fields of all of them."""
    first, *others = (make_model(name, **values) for name in providers)
    models = Models(primary=first, fallbacks=tuple(others))
    return make_links(models, lambda _: "sk", lambda model, _: providers[model.model], clock=clock or now)
