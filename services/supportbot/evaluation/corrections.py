"""The labels that a running bot collected (`supportbot labels`): single texts that somebody said something about.

They are no sample: people correct what was wrong or asked about. So they show whether a tier would do better on just
these, and nothing about all the other messages. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from supportbot.classifier.examples import Example
from supportbot.classifier.turn import Turn
from supportbot.contracts import Kind
from supportbot.evaluation.run import Judge


@dataclass(frozen=True, kw_only=True)
class CorrectionScore:
    """What one opinion on the texts is worth."""

    name: str
    texts: int
    reports: int
    """Texts that people call an incident."""
    found: int
    """Of the reports, those that are seen as such."""
    alarms: int
    """Of the others, those that are seen as an incident."""
    kinds: int
    """Texts whose kind is right."""


def score_corrections(examples: Sequence[Example], judges: dict[str, Judge]) -> list[CorrectionScore]:
    """What was decided at the time, and then what each tier says of the text alone."""
    scores = [_score("as decided then", examples, lambda one: one.predicted.kind)]
    scores += [_score(f"{name}, the text alone", examples, partial(_kind, judge)) for name, judge in judges.items()]
    return scores


def _kind(judge: Judge, example: Example) -> Kind:
    kinds = judge(Turn(example.text)).kinds
    return max(kinds, key=kinds.__getitem__, default=Kind.CHATTER)


def _score(name: str, examples: Sequence[Example], see: Callable[[Example], Kind]) -> CorrectionScore:
    seen = [(one.kind, see(one)) for one in examples]
    reports = [pair for pair in seen if pair[0] is Kind.INCIDENT]
    return CorrectionScore(
        name=name,
        texts=len(seen),
        reports=len(reports),
        found=sum(said is Kind.INCIDENT for _, said in reports),
        alarms=sum(said is Kind.INCIDENT for kind, said in seen if kind is not Kind.INCIDENT),
        kinds=sum(kind is said for kind, said in seen),
    )
