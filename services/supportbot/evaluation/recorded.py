"""The decisions file of `supportbot replay` against labels: so the real pipeline is measured. Pure.

A labelled message and a line of the file are the same message when

- the label's id names the line (`L12`), as in what `supportbot label` makes; labels may then be fewer than lines; else
- they stand at the same place, when what WhatsApp itself wrote is left out; then there must be as many of both.

Either way each author of the labels must be one author of the file and no other, so that a wrong file is noticed;
anonymised names therefore do no harm.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from supportbot.errors import UserError
from supportbot.evaluation.conversation import Conversation, Labelled, refuse
from supportbot.evaluation.outcome import Facts, Outcome, Prediction


class DecidedLine(BaseModel):
    """One line of the decisions file; what later versions add is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: int
    at: AwareDatetime
    author: str
    """Empty for what WhatsApp wrote."""
    kind: str
    incident: str | None
    opens: bool
    category: str | None = None
    priority: str | None = None
    tier: str = "none"
    sites: tuple[str, ...] | None = None
    """Of the incident; None in files of earlier versions."""


def parse_decisions(text: str, source: str) -> list[DecidedLine]:
    """The lines of a decisions file that are people's messages.

    Raises:
        UserError: Lines are wrong; the first ten are told.
    """
    lines, faults = [], []
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        try:
            lines.append(DecidedLine.model_validate_json(line))
        except ValidationError as exc:
            faults.append(
                f"line {number} is no decision of `supportbot replay --decisions` ({exc.error_count()} faults)"
            )
    refuse(source, faults)
    return [line for line in lines if line.author]


def to_outcome(conversation: Conversation, decisions: Sequence[DecidedLine], source: str) -> Outcome:
    """What the file says of a labelled conversation.

    Raises:
        UserError: They are not of one chat.
    """
    matched = match(conversation.messages, decisions, source)
    predictions = {one: Prediction(incident=line.incident, opens=line.opens) for one, line in matched.items()}
    incidents = {
        line.incident: Facts(category=line.category, priority=line.priority, sites=line.sites)
        for line in matched.values()
        if line.incident is not None and line.opens
    }
    return Outcome(predictions=predictions, incidents=incidents)


def match(messages: Sequence[Labelled], decisions: Sequence[DecidedLine], source: str) -> dict[str, DecidedLine]:
    """The line of each labelled message, by its id.

    Raises:
        UserError: They are not of one chat.
    """
    if all(one.line is not None for one in messages):
        by_line = {line.line: line for line in decisions}
        absent = [one.id for one in messages if one.line not in by_line]
        if absent:
            raise UserError(f"{source!r} decides nothing on {absent[0]!r}; is it of the same chat and period?")
        matched = {one.id: by_line[one.line] for one in messages if one.line is not None}
    elif len(messages) != len(decisions):
        raise UserError(
            f"{source!r} has {len(decisions)} messages of people, and the labels have {len(messages)}; without "
            "lines in their ids (`L12`) both must be of the same messages"
        )
    else:
        matched = {one.id: line for one, line in zip(messages, decisions, strict=True)}
    _check_authors(((one, matched[one.id]) for one in messages), source)
    return matched


def _check_authors(pairs: Iterable[tuple[Labelled, DecidedLine]], source: str) -> None:
    theirs: dict[str, str] = {}
    ours: dict[str, str] = {}
    for one, line in pairs:
        if (
            theirs.setdefault(one.name, line.author) != line.author
            or ours.setdefault(line.author, one.name) != one.name
        ):
            raise UserError(
                f"line {line.line} of the chat in {source!r} is not by who wrote {one.id!r} in the labels; "
                "are both of the same chat and period?"
            )


def count_tiers(decisions: Iterable[DecidedLine]) -> Mapping[str, int]:
    """How many messages each tier decided, the most first."""
    counts: dict[str, int] = {}
    for line in decisions:
        counts[line.tier] = counts.get(line.tier, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
