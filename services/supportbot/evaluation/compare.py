"""A report beside an earlier one, and what a report must reach. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from supportbot.errors import UserError
from supportbot.evaluation.measures import MEASURES
from supportbot.evaluation.report import FORMAT, name_run

LOWER_IS_BETTER = frozenset(
    {"duplicates", "false", "missed", "missed_photos", "emptied", "chatter_opens", "chatter_attached"}
    | {"delay_messages_p50", "delay_messages_p90", "delay_min_p50", "delay_min_p90"}
)
GUARDED = ("f1", "f1_text", "b3", "chatter_opens", "chatter_attached")
"""What must not get worse."""
COMPARED = ("precision", "recall", *GUARDED, "category", "priority", "delay_min_p90")


@dataclass(frozen=True)
class Change:
    """One measure of one run, then and now."""

    run: str
    measure: str
    then: float | None
    now: float | None

    @property
    def gain(self) -> float:
        """How much better it is now; negative when worse, 0 when it cannot be said."""
        if self.then is None or self.now is None:
            return 0.0
        return (self.then - self.now) if self.measure in LOWER_IS_BETTER else (self.now - self.then)


@dataclass(frozen=True)
class Limit:
    """A bound that a measure must keep."""

    measure: str
    bound: float
    least: bool
    """Whether it is the least that is allowed; else the most."""

    def broken_by(self, value: float | None) -> bool:
        """Whether the value is beyond the bound; what cannot be measured keeps no bound."""
        if value is None:
            return True
        return value < self.bound if self.least else value > self.bound


def parse_limit(text: str, option: str, *, least: bool) -> Limit:
    """The limit of `f1=.88`.

    Raises:
        UserError: It has another form, or there is no such measure.
    """
    match = re.fullmatch(r"(\w+)=(\d*\.?\d+)", text.strip())
    if match is None:
        raise UserError(f"{option}: {text!r} is no limit; write it as f1=.88")
    if match[1] not in MEASURES:
        raise UserError(f"{option}: there is no measure {match[1]!r}; there are {', '.join(MEASURES)}")
    return Limit(match[1], float(match[2]), least)


def broken(report: Mapping[str, Any], limits: Sequence[Limit]) -> list[str]:
    """What each run misses of the limits, in words. The rule is there to compare with, and need keep none."""
    sentences = []
    for run in report["runs"]:
        for limit in limits if run["tier"] != "rule" else ():
            value = run["total"].get(limit.measure)
            if limit.broken_by(value):
                word = "least" if limit.least else "most"
                sentences.append(f"{_name(run)}: {limit.measure} is {value}, and {word} is {limit.bound:g}")
    return sentences


def read_report(document: object, source: str) -> Mapping[str, Any]:
    """A report that `--json` printed.

    Raises:
        UserError: It is none, or of another version.
    """
    if not isinstance(document, dict) or "runs" not in document:
        raise UserError(f"--compare: {source!r} is no report; `supportbot eval … --json` prints one")
    if document.get("format") != FORMAT:
        raise UserError(
            f"--compare: {source!r} has the format {document.get('format')!r} and not {FORMAT}; make it anew"
        )
    return document


def compare(base: Mapping[str, Any], report: Mapping[str, Any]) -> list[Change]:
    """The measures of all runs that both have.

    Raises:
        UserError: They are of other conversations.
    """
    for what in ("groups", "messages", "incidents"):
        if base[what] != report[what]:
            raise UserError("--compare: the earlier report is of other conversations; make it anew on these")
    earlier = {_name(run): run["total"] for run in base["runs"]}
    if not any(_name(run) in earlier for run in report["runs"]):
        raise UserError(f"--compare: the reports have no tier in common; the earlier one has {'; '.join(earlier)}")
    return [
        Change(name, measure, earlier[name].get(measure), run["total"].get(measure))
        for run in report["runs"]
        if (name := _name(run)) in earlier
        for measure in COMPARED
    ]


def losses(changes: Iterable[Change], most: float) -> list[str]:
    """Which guarded measures got worse by more than `most`, in words; the rule's do not count."""
    return [
        f"{one.run}: {one.measure} was {one.then}, and is {one.now}"
        for one in changes
        if one.measure in GUARDED and not one.run.startswith("rule") and -one.gain > most + 1e-9
    ]


def _name(run: Mapping[str, Any]) -> str:
    return name_run(run["tier"], run["staff"], run["without"])
