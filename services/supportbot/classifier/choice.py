"""Chooses among the possibilities of a text: every trait times its weight, summed, in one place. Pure.

The weights are those of a conditional logit, fitted by `supportbot.training` to conversations that people have
labelled, and kept in `weights/choice.json` by possibility and trait, to be read. There is a set for each tier: where
the embedding is missing, the other traits weigh more.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from supportbot.classifier.options import Option, Options, Way
from supportbot.contracts import Tier

TraitWeights = Mapping[str, Mapping[str, float]]
"""By `Way`, then by trait."""
ChoiceWeights = Mapping[str, TraitWeights]
"""`keywords`, and `local` for every better tier."""
WEIGHTS_FILE = "choice.json"


@dataclass(frozen=True)
class Ranked:
    """A possibility with its weight."""

    option: Option
    score: float
    """Log-odds, but for a constant that all possibilities of the text share."""
    share: float
    """Probability among them."""
    reasons: tuple[tuple[str, float], ...] = ()
    """Traits with what each adds, largest first."""


def rank(options: Options, weights: TraitWeights, *, open_shift: float = 0.0) -> list[Ranked]:
    """All possibilities, best first.

    Args:
        options: Of one text.
        weights: Of the tier that judged it.
        open_shift: Log-odds that opening an incident must have beyond all else.
    """
    scores = [
        score(option, weights) - (open_shift if option.way in {Way.OPEN, Way.PHOTO} else 0.0)
        for option in options.options
    ]
    top = max(scores)
    total = sum(math.exp(one - top) for one in scores)
    ranked = (
        Ranked(option, one, math.exp(one - top) / total, _reasons(option, weights))
        for option, one in zip(options.options, scores, strict=True)
    )
    return sorted(ranked, key=lambda one: -one.score)


def score(option: Option, weights: TraitWeights) -> float:
    """The sum of what speaks for a possibility and against it."""
    known = weights[option.way]
    return math.fsum(known.get(name, 0.0) * value for name, value in option.traits.items())


def _reasons(option: Option, weights: TraitWeights) -> tuple[tuple[str, float], ...]:
    known = weights[option.way]
    parts = ((name, known.get(name, 0.0) * value) for name, value in option.traits.items())
    return tuple(sorted(parts, key=lambda part: -part[1]))


def weights_for(tier: Tier, weights: ChoiceWeights) -> TraitWeights:
    """The set that was fitted to the verdicts of a tier."""
    return weights["keywords" if tier is Tier.KEYWORDS else "local"]


@cache
def shipped_choice() -> ChoiceWeights:
    """The weights that the package brings."""
    file = resources.files("supportbot.classifier") / "weights" / WEIGHTS_FILE
    weights: ChoiceWeights = json.loads(file.read_text(encoding="utf-8"))
    return weights
