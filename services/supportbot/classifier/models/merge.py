"""The opinion of a model and the verdict of the tier before it become one verdict. Pure.

A model's own confidence is nearly the same for right and wrong answers, so it is bounded and taken as one piece of
evidence beside the other tier: agreement raises, disagreement lowers, and strong disagreement asks a person.
"""

import math

from supportbot.classifier.assembly import make_subject
from supportbot.classifier.models.redact import restore
from supportbot.classifier.models.request import Opinion, OpinionKind, Request
from supportbot.classifier.verdict import INJECTION, MODEL_DISAGREES, NEEDS_REVIEW, Verdict
from supportbot.contracts import Kind, Priority, Tier

TRUST_LOCAL = 0.8
"""Exponent of the other tier's probabilities: both read the same words, so they are not independent."""
FLOOR = 0.02
"""No tier is surer than that against a kind."""
LEAST_RIGHT, MOST_RIGHT = 0.6, 0.9
"""How often a model is taken to be right when it says that it is not sure at all, and when it says that it is."""
SURE_LOCAL, UNLIKELY_LOCAL = 0.7, 0.15
"""Strong disagreement: the other tier gives its own kind at least the one, and the model's at most the other."""
HEARD_END = 0.5
"""A signal of resolution from which on a text speaks of an end at all."""

_KINDS: dict[OpinionKind, tuple[Kind, ...]] = {
    "incident": (Kind.INCIDENT,),
    "follow_up": (Kind.FOLLOW_UP, Kind.STAFF, Kind.EVIDENCE),
    "resolution": (Kind.RESOLUTION,),
    "chatter": (Kind.CHATTER,),
}
"""A model tells four kinds apart; what goes on with an incident is an answer when staff says it."""
_PRIORITIES = {
    "urgent": Priority.URGENT,
    "high": Priority.HIGH,
    "medium": Priority.MEDIUM,
    "low": Priority.LOW,
}


def merge(local: Verdict, opinion: Opinion, request: Request) -> Verdict:
    """One verdict of both.

    Args:
        local: Of the tier before; flagged `injection` where the turn gives orders.
        opinion: Checked by `guards.check`.
        request: That the opinion answers.
    """
    shares = _shares(local)
    opinion = _without_unheard_end(local, shares, opinion, request)
    flags = dict.fromkeys(local.flags)
    if disagree(shares, opinion.kind):
        flags[MODEL_DISAGREES] = None
    if opinion.needs_review:
        flags[NEEDS_REVIEW] = None
    if INJECTION in local.flags:
        # Whoever gives orders to a model has no say in what it answers: the words alone are judged.
        return local.model_copy(update={"local": local.kinds, "flags": tuple(flags)})
    goes_on = opinion.kind in {"follow_up", "resolution"}
    ref = opinion.follow_up_of if goes_on else None
    return local.model_copy(
        update={
            "kinds": _spread(_blend(shares, opinion), local, solves=request.solves),
            "local": local.kinds,
            "category": opinion.category,
            "priority": _PRIORITIES[opinion.priority],
            "incident_id": request.offered.get(ref) if ref else None,
            "subject": make_subject(restore(opinion.subject, request.placeholders)) or None,
            "language": local.language if opinion.language == "other" else opinion.language,
            "flags": tuple(flags),
            "tier": Tier.MODEL,
            **_sites(local, opinion),
        }
    )


def _without_unheard_end(
    local: Verdict, shares: dict[OpinionKind, float], opinion: Opinion, request: Request
) -> Opinion:
    """Only who solves ends a matter in words that no other tier takes for an end: nobody is talked into closing."""
    heard = request.solves or local.signals.resolution >= HEARD_END or shares["resolution"] >= UNLIKELY_LOCAL
    return opinion if opinion.kind != "resolution" or heard else opinion.model_copy(update={"kind": "follow_up"})


def disagree(shares: dict[OpinionKind, float], kind: OpinionKind) -> bool:
    """Whether the tier before is sure of something else than the model says."""
    best = max(shares, key=shares.__getitem__)
    return best != kind and shares[best] >= SURE_LOCAL and shares[kind] <= UNLIKELY_LOCAL


def _shares(local: Verdict) -> dict[OpinionKind, float]:
    """The other tier's probabilities of the kinds that a model tells apart; even where it has none."""
    if not local.kinds:
        return dict.fromkeys(_KINDS, 1 / len(_KINDS))
    return {name: sum(local.kinds.get(kind, 0.0) for kind in kinds) for name, kinds in _KINDS.items()}


def _blend(shares: dict[OpinionKind, float], opinion: Opinion) -> dict[OpinionKind, float]:
    """Log-odds of both added up: what the other tier found, tempered, and what a model's word is worth."""
    right = LEAST_RIGHT + (MOST_RIGHT - LEAST_RIGHT) * opinion.confidence
    if opinion.needs_review:
        right = min(right, LEAST_RIGHT)
    wrong = (1 - right) / (len(shares) - 1)
    logs = {
        kind: TRUST_LOCAL * math.log(max(share, FLOOR)) + math.log(right if kind == opinion.kind else wrong)
        for kind, share in shares.items()
    }
    total = sum(math.exp(value) for value in logs.values())
    return {kind: math.exp(value) / total for kind, value in logs.items()}


def _spread(blended: dict[OpinionKind, float], local: Verdict, *, solves: bool) -> dict[Kind, float]:
    """The four kinds as the six of a decision, in the proportions of the other tier."""
    spread: dict[Kind, float] = {}
    for name, kinds in _KINDS.items():
        if name == "follow_up" and solves:
            spread[Kind.STAFF] = blended[name]
            continue
        weights = {kind: local.kinds.get(kind, 0.0) for kind in kinds}
        if not any(weights.values()):
            weights = {kinds[0]: 1.0}
        total = sum(weights.values())
        spread |= {kind: blended[name] * weight / total for kind, weight in weights.items() if weight}
    return spread


def _sites(local: Verdict, opinion: Opinion) -> dict[str, tuple[str, ...]]:
    """A bare number that the model takes for a site is one."""
    site = opinion.entities.site
    if site is None or site not in local.bare_numbers:
        return {}
    rest = tuple(number for number in local.bare_numbers if number != site)
    return {"sites": (*local.sites, site), "bare_numbers": rest}
