"""How sure a figure is: bootstrap over incidents, always with the same dice. Pure.

What is drawn are labelled incidents with all that was made of them, and false tickets. Incidents of one group are more
alike than these intervals assume: between groups the figures differ more.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from supportbot.evaluation.measures import IncidentScore, Scores, b_cubed, tickets

RESAMPLES = 1000
SEED = 5


@dataclass(frozen=True)
class Interval:
    """Bounds between which a figure lies in 95 of 100 draws."""

    low: float
    high: float


def intervals(scores: Scores, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """The intervals of `f1`, `f1_text` and `b3`; none of what cannot be measured."""
    dice = random.Random(SEED)  # noqa: S311 (nothing secret)
    units: list[IncidentScore | None] = [*scores.incidents, *([None] * scores.false)]
    drawn: dict[str, list[float]] = {"f1": [], "f1_text": [], "b3": []}
    for _ in range(resamples if units else 0):
        sample = dice.choices(units, k=len(units))
        incidents = [one for one in sample if one is not None]
        false, begun = len(sample) - len(incidents), [one for one in incidents if one.begins]
        figures = {
            "f1": tickets(begun, false)[2],
            "f1_text": tickets([one for one in begun if not one.photo_only], false)[2],
            "b3": b_cubed(incidents)[2],
        }
        for name, value in figures.items():
            if value is not None:
                drawn[name].append(value)
    return {name: _middle(values) for name, values in drawn.items() if values}


def _middle(values: Sequence[float]) -> Interval:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Interval(ordered[round(0.025 * last)], ordered[round(0.975 * last)])
