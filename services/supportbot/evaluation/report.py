"""The result of an evaluation as a value, as JSON, and as Markdown for `docs/quality.md`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from supportbot.evaluation.interval import Interval, intervals
from supportbot.evaluation.measures import Figures, Scores, figures

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """One tier, under one condition, on every conversation."""

    tier: str
    staff: str
    """`listed`, `none`, or `as replayed`."""
    without: tuple[str, ...] = ()
    groups: Mapping[str, Scores] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return name_run(self.tier, self.staff, self.without)

    @cached_property
    def total(self) -> Scores:
        """Of all conversations together."""
        return sum(self.groups.values(), Scores())

    @cached_property
    def figures(self) -> Figures:
        """Of the total."""
        return figures(self.total)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Of the total."""
        return intervals(self.total)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was measured on one set of conversations."""

    runs: tuple[Run, ...]
    messages: int
    incidents: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Report":
        """The report of runs over the same conversations."""
        total = runs[0].total
        return cls(runs=tuple(runs), messages=total.messages, incidents=total.labelled)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints, and `--compare` reads."""
        return {
            "format": FORMAT,
            "groups": list(self.runs[0].groups),
            "messages": self.messages,
            "incidents": self.incidents,
            "runs": [_run_to_json(run) for run in self.runs],
        }


def name_run(tier: str, staff: str, without: Sequence[str]) -> str:
    """The name of a run: `local, staff listed, without context`."""
    known = f"staff {staff}" if staff in {"listed", "none"} else staff
    return ", ".join([tier, known, *([f"without {' and '.join(without)}"] if without else [])])


def _run_to_json(run: Run) -> dict[str, Any]:
    bounds = {name: [_round(one.low), _round(one.high)] for name, one in run.intervals.items()}
    return {
        "tier": run.tier,
        "staff": run.staff,
        "without": list(run.without),
        "total": {**_rounded(run.figures), "intervals": bounds},
        "groups": {name: _rounded(figures(scores)) for name, scores in run.groups.items()},
        "seconds": round(run.seconds, 3),
    }


def _rounded(values: Figures) -> Figures:
    return {name: _round(value) for name, value in values.items()}


def _round(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else round(value, 4)


def share(value: float | None) -> str:
    """A share as `.87`; a dash for what cannot be measured."""
    return "–" if value is None else f"{value:.2f}".removeprefix("0")


def percent(value: float | None) -> str:
    """A share as `4 %`."""
    return "–" if value is None else f"{100 * value:.0f} %"


def to_markdown(runs: Iterable[Run]) -> str:
    """A table of runs, ready to be pasted."""
    heads = ["", "staff list", "tickets P / R / F1 (with text)", "95 %", "dup, false, missed", "threads", "95 %"]
    heads += ["chatter opens / attached", "category, priority"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for run in runs:
        f = run.figures
        name = f"{run.tier} without {' and '.join(run.without)}" if run.without else run.tier
        cells = [
            name,
            {"listed": "yes"}.get(run.staff, run.staff),
            f"{share(f['precision'])} / {share(f['recall'])} / **{share(f['f1'])}** ({share(f['f1_text'])})",
            bounds(run, "f1"),
            f"{f['duplicates']}, {f['false']}, {f['missed']}",
            f"**{share(f['b3'])}**",
            bounds(run, "b3"),
            f"{percent(f['chatter_opens'])} / {percent(f['chatter_attached'])}",
            f"{share(f['category'])}, {share(f['priority'])}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def bounds(run: Run, measure: str) -> str:
    """The interval of a measure as `.84–.93`."""
    interval = run.intervals.get(measure)
    return "–" if interval is None else f"{share(interval.low)}–{share(interval.high)}"
