"""Labels as examples for training and evaluation: one JSON line each, the file of `supportbot labels`. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from supportbot.classifier.labels import WEIGHTS, Label, Source
from supportbot.classifier.normalise import fold
from supportbot.contracts import Decision, Kind, Priority

MIN_VOICES = 2
"""So many people who are not staff must say the same of the same text before it counts."""


class Example(BaseModel):
    """A text with what it is, for whoever trains or measures a tier."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    """Redacted: `<PHONE>` and the like stand for what was personal."""
    kind: Kind
    category: str | None = None
    priority: Priority | None = None
    context: dict[str, float] = {}
    """The conversation before it, by `features.CONTEXT_NAMES`; zeros are left out."""
    signals: dict[str, float] = {}
    """What the keyword tier saw in the text before it was redacted; zeros are left out."""
    source: Source
    weight: float
    at: AwareDatetime
    """When the person said so."""
    trains: bool
    """Said by staff, or by two people of the same text: before that a label is one person's opinion."""
    group: str
    """The `group_ref`, to keep a group's texts on one side of a split."""
    message_ref: str
    predicted: Decision
    """What was decided at the time."""


def make_examples(labels: Iterable[Label]) -> list[Example]:
    """The examples of labels, oldest first."""
    kept = sorted(labels, key=lambda label: (label.decided_at, label.message_ref))
    voices: dict[tuple[str, Kind], set[str]] = defaultdict(set)
    for label in kept:
        for said in label.said:
            voices[fold(label.text), said.kind].add(said.by)
    return [_make_example(label, len(voices[fold(label.text), label.best.kind])) for label in kept]


def _make_example(label: Label, voices: int) -> Example:
    best = label.best
    return Example(
        text=label.text,
        kind=best.kind,
        category=best.category,
        priority=best.priority,
        context=label.context,
        signals=label.signals,
        source=best.source,
        weight=WEIGHTS[best.source],
        at=best.at,
        trains=best.source == "staff" or voices >= MIN_VOICES,
        group=label.group_ref,
        message_ref=label.message_ref,
        predicted=label.predicted,
    )


def dump_examples(examples: Iterable[Example]) -> str:
    """The file."""
    return "".join(f"{one.model_dump_json()}\n" for one in examples)


def read_examples(text: str) -> Iterator[Example]:
    """The examples of a file.

    Raises:
        ValueError: A line is no example; the message has its number and no text of it.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield Example.model_validate_json(line)
        except ValidationError as exc:
            where = ", ".join(".".join(map(str, error["loc"])) or error["type"] for error in exc.errors()[:3])
            raise ValueError(f"line {number} is no label of `supportbot labels`: {where}") from exc
