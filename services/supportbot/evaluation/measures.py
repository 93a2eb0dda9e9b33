"""The measures: tickets, threads, noise, fields, delay. Defined in `docs/labelling.md`; here they are counted. Pure.

Everything is counted by labelled incident, so that conversations add up and incidents can be drawn again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import quantiles

from supportbot.evaluation.conversation import Conversation, Labelled, Role
from supportbot.evaluation.outcome import Facts, Outcome, Prediction

_ALONE = Prediction()


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many names of a set were found."""

    labelled: int = 0
    predicted: int = 0
    both: int = 0


@dataclass(frozen=True, kw_only=True)
class IncidentScore:
    """What was made of one labelled incident."""

    begins: bool = True
    """It begins in the conversation; one from before has threads, but no ticket to be right or missed."""
    photo_only: bool = False
    """Its opening message has no text."""
    right: bool = False
    duplicates: int = 0
    category: bool | None = None
    """Whether it is right, of a ticket that is right; None when there is none, or no label. So are the next ones."""
    priority: bool | None = None
    sites: Found | None = None
    affected: Found | None = None
    delay_messages: int | None = None
    delay_min: float | None = None
    messages: int = 0
    """Those that count for the threads here: of several incidents, the first one counts them."""
    precision: float = 0.0
    """Sum over these messages, as is `recall`."""
    recall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What decisions on one or several conversations are worth."""

    messages: int = 0
    incidents: tuple[IncidentScore, ...] = ()
    false: int = 0
    emptied: int = 0
    chatter: int = 0
    chatter_opens: int = 0
    chatter_attached: int = 0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(
            messages=self.messages + other.messages,
            incidents=self.incidents + other.incidents,
            false=self.false + other.false,
            emptied=self.emptied + other.emptied,
            chatter=self.chatter + other.chatter,
            chatter_opens=self.chatter_opens + other.chatter_opens,
            chatter_attached=self.chatter_attached + other.chatter_attached,
        )

    @property
    def labelled(self) -> int:
        """Incidents that begin in the conversation."""
        return sum(one.begins for one in self.incidents)


def measure(conversation: Conversation, outcome: Outcome) -> Scores:
    """Score what a bot made of one conversation."""
    messages = conversation.messages
    openings = find_openings(messages)
    claims, duplicates, false = _claim(messages, openings, outcome)
    precision, recall = _threads(messages, outcome)
    scores: dict[str, IncidentScore] = {
        name: IncidentScore(
            begins=name in openings,
            photo_only=name in openings and not openings[name].message.text.strip(),
            right=name in claims,
            duplicates=duplicates[name],
        )
        for name in dict.fromkeys(name for one in messages for name in one.incidents)
    }
    for name, opening in claims.items():
        scores[name] = _rate(scores[name], openings[name], opening, messages, outcome)
    for one in messages:
        if one.incidents:
            score = scores[one.incidents[0]]
            scores[one.incidents[0]] = replace(
                score,
                messages=score.messages + 1,
                precision=score.precision + precision[one.id],
                recall=score.recall + recall[one.id],
            )
    chatter = [outcome.predictions.get(one.id, _ALONE) for one in messages if one.role == Role.CHATTER]
    return Scores(
        messages=len(messages),
        incidents=tuple(scores.values()),
        false=false,
        emptied=outcome.emptied,
        chatter=len(chatter),
        chatter_opens=sum(one.opens for one in chatter),
        chatter_attached=sum(one.incident is not None for one in chatter),
    )


def find_openings(messages: Iterable[Labelled]) -> dict[str, Labelled]:
    """Of each incident that begins in the conversation its opening message: the first with the role `open`."""
    openings: dict[str, Labelled] = {}
    for one in messages:
        if one.role == Role.OPEN and one.incidents:
            openings.setdefault(one.incidents[0], one)
    return openings


def _claim(
    messages: Sequence[Labelled], openings: Mapping[str, Labelled], outcome: Outcome
) -> tuple[dict[str, Labelled], Counter[str], int]:
    """Which predicted opening gets which incident; by incident how many too many there were; how many got none."""
    claims: dict[str, Labelled] = {}
    duplicates: Counter[str] = Counter()
    false = 0
    for one in messages:
        if not outcome.predictions.get(one.id, _ALONE).opens:
            continue
        meant = [name for name in one.incidents if name in openings]
        free = next((name for name in meant if name not in claims), None)
        if free is not None:
            claims[free] = one
        elif meant:
            duplicates[meant[0]] += 1
        else:
            false += 1
    return claims, duplicates, false


def _rate(
    score: IncidentScore, labelled: Labelled, opening: Labelled, messages: Sequence[Labelled], outcome: Outcome
) -> IncidentScore:
    """The score of an incident that `opening` claimed, with its fields and its delay."""
    places = {one.id: place for place, one in enumerate(messages)}
    prediction = outcome.predictions[opening.id]
    facts = outcome.incidents.get(prediction.incident or "", Facts())
    begun, opened = places[labelled.id], places[prediction.opened_on or opening.id]
    took = messages[opened].message.sent_at - messages[begun].message.sent_at
    return replace(
        score,
        right=True,
        category=_equal(labelled.category, facts.category),
        priority=_equal(labelled.priority, facts.priority),
        sites=_compare(labelled.sites, facts.sites),
        affected=_compare(labelled.affected, facts.affected),
        delay_messages=max(0, opened - begun),
        delay_min=max(0.0, took.total_seconds() / 60),
    )


def _equal(labelled: str | None, predicted: str | None) -> bool | None:
    return None if labelled is None or predicted is None else labelled == predicted


def _compare(labelled: Sequence[str] | None, predicted: Sequence[str] | None) -> Found | None:
    if labelled is None or predicted is None:
        return None
    both = set(labelled) & set(predicted)
    return Found(labelled=len(set(labelled)), predicted=len(set(predicted)), both=len(both))


def _threads(messages: Sequence[Labelled], outcome: Outcome) -> tuple[dict[str, float], dict[str, float]]:
    """B3 precision and recall of each message of an incident.

    What was left alone is a thread of its own. Two messages belong together when they share a labelled incident.
    """
    own = [one for one in messages if one.incidents]
    thread = {one.id: outcome.predictions.get(one.id, _ALONE).incident or f"alone {one.id}" for one in own}
    predicted: dict[str, set[str]] = {}
    labelled: dict[str, set[str]] = {}
    for one in own:
        predicted.setdefault(thread[one.id], set()).add(one.id)
        for name in one.incidents:
            labelled.setdefault(name, set()).add(one.id)
    precision, recall = {}, {}
    for one in own:
        together = set().union(*(labelled[name] for name in one.incidents))
        right = len(predicted[thread[one.id]] & together)
        precision[one.id] = right / len(predicted[thread[one.id]])
        recall[one.id] = right / len(together)
    return precision, recall


COUNTS = ("labelled", "right", "duplicates", "false", "missed", "missed_photos", "emptied")
SHARES = (
    "precision",
    "recall",
    "f1",
    "f1_text",
    "b3_precision",
    "b3_recall",
    "b3",
    "chatter_opens",
    "chatter_attached",
)
FIELDS = ("category", "priority", "sites_precision", "sites_recall", "affected_precision", "affected_recall")
DELAYS = ("delay_messages_p50", "delay_messages_p90", "delay_min_p50", "delay_min_p90")
MEASURES = (*COUNTS, *SHARES, *FIELDS, *DELAYS)

Figures = dict[str, float | None]
"""By the names of `MEASURES`; None where there is nothing to measure."""


def figures(scores: Scores) -> Figures:
    """All measures of scores."""
    begun = [one for one in scores.incidents if one.begins]
    right = [one for one in begun if one.right]
    precision, recall, f1 = tickets(begun, scores.false)
    threads = b_cubed(scores.incidents)
    result: Figures = {
        "labelled": len(begun),
        "right": len(right),
        "duplicates": sum(one.duplicates for one in begun),
        "false": scores.false,
        "missed": len(begun) - len(right),
        "missed_photos": sum(one.photo_only for one in begun if not one.right),
        "emptied": scores.emptied,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "f1_text": tickets([one for one in begun if not one.photo_only], scores.false)[2],
        "b3_precision": threads[0],
        "b3_recall": threads[1],
        "b3": threads[2],
        "chatter_opens": _share(scores.chatter_opens, scores.chatter),
        "chatter_attached": _share(scores.chatter_attached, scores.chatter),
        "category": _true([one.category for one in right]),
        "priority": _true([one.priority for one in right]),
    }
    for name in ("sites", "affected"):
        found = [value for one in right if (value := getattr(one, name)) is not None]
        result[f"{name}_precision"] = _share(sum(one.both for one in found), sum(one.predicted for one in found))
        result[f"{name}_recall"] = _share(sum(one.both for one in found), sum(one.labelled for one in found))
    for name in ("delay_messages", "delay_min"):
        delays = [value for one in right if (value := getattr(one, name)) is not None]
        result[f"{name}_p50"], result[f"{name}_p90"] = _percentile(delays, 50), _percentile(delays, 90)
    return result


def tickets(incidents: Iterable[IncidentScore], false: int) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of the tickets of incidents that begin in the conversation."""
    labelled = right = duplicates = 0
    for one in incidents:
        labelled, right, duplicates = labelled + 1, right + one.right, duplicates + one.duplicates
    precision, recall = _share(right, right + duplicates + false), _share(right, labelled)
    return precision, recall, _share(2 * right, right + duplicates + false + labelled)


def b_cubed(incidents: Iterable[IncidentScore]) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of the threads."""
    count, precision, recall = 0, 0.0, 0.0
    for one in incidents:
        count, precision, recall = count + one.messages, precision + one.precision, recall + one.recall
    return _share(precision, count), _share(recall, count), _share(2 * precision * recall, (precision + recall) * count)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _true(values: Iterable[bool | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _share(sum(known), len(known))


def _percentile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
