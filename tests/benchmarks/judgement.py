"""Everything that `docs/quality.md` says in figures, as Markdown.

    python -m tests.benchmarks.judgement                    # what `make bench` prints
    python -m tests.benchmarks.judgement --split tune       # the conversations whose misses may be read
    python -m tests.benchmarks.judgement --replay 5000 --irc DIR

The tiers on the test groups, with and without a staff list, beside the plain rule; what the best tier is without its
parts; each group; time and memory; with `--replay` the whole pipeline on a chat of so many messages; with `--irc` the
channels of DIR (see `tests/benchmarks/irc.py`). To read mistakes: `supportbot eval FILE --show mistakes`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.conversations import POLICY, SPLITS, read_split
from tests.benchmarks.irc import to_table

from supportbot.evaluation.evaluate import Condition, Data, evaluate
from supportbot.evaluation.measures import figures
from supportbot.evaluation.report import Report, Run, percent, share, to_markdown
from supportbot.evaluation.tiers import Part, TierName, available_tiers, why_no_local


def show_tiers(data: Data) -> None:
    """Each tier with and without a staff list; then each group; then delays and sites."""
    conditions = [Condition(tier=tier, staff_known=known) for tier in available_tiers() for known in (True, False)]
    report = evaluate(data, conditions, POLICY)
    print(f"{report.messages:,} messages, {report.incidents} incidents in {len(data)} conversations\n")
    print(to_markdown(report.runs))
    print("\n" + _groups_to_markdown(report))
    print("\n" + _more_to_markdown(report.runs))


def show_ablations(data: Data) -> None:
    """The best tier whole, and without each of its parts."""
    best = available_tiers()[0]
    parts = [
        (Part.STAFF,),
        (Part.QUOTES,),
        (Part.STAFF, Part.QUOTES),
        (Part.CONTEXT,),
        *([(Part.EMBEDDINGS,)] if best is TierName.LOCAL else []),
        (Part.MEMORY,),
    ]
    conditions = [Condition(tier=best), *(Condition(tier=best, without=part) for part in parts)]
    if best is not TierName.KEYWORDS:
        conditions.append(Condition(tier=TierName.KEYWORDS))
    print(to_markdown(evaluate(data, conditions, POLICY).runs))


def _groups_to_markdown(report: Report) -> str:
    runs = report.runs
    heads = [
        "group",
        "messages, incidents",
        *(f"{run.tier}, {'staff' if run.staff == 'listed' else 'no list'}" for run in runs),
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, first in runs[0].groups.items():
        cells = [name, f"{first.messages}, {first.labelled}"]
        for run in runs:
            found = figures(run.groups[name])
            cells.append(f"{share(found['f1'])} {share(found['b3'])}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _more_to_markdown(runs: Sequence[Run]) -> str:
    heads = ["", "staff list", "missed, of them photos", "chatter opens, attached", "delay p50, p90 (messages)"]
    heads += ["delay p50, p90 (minutes)", "sites found, right"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for run in runs:
        f = run.figures
        cells = [
            run.tier,
            {"listed": "yes"}.get(run.staff, run.staff),
            f"{f['missed']}, {f['missed_photos']}",
            f"{percent(f['chatter_opens'])}, {percent(f['chatter_attached'])}",
            f"{_decimal(f['delay_messages_p50'])}, {_decimal(f['delay_messages_p90'])}",
            f"{_decimal(f['delay_min_p50'])}, {_decimal(f['delay_min_p90'])}",
            f"{share(f['sites_recall'])}, {share(f['sites_precision'])}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def show_costs() -> None:
    """Time and memory, each tier in a process of its own."""
    for tier in available_tiers():
        if tier is not TierName.RULE:
            _run("tests.benchmarks.local_tier", "--tier", tier)


def _run(module: str, *arguments: str) -> None:
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


def _title(text: str) -> None:
    print(f"\n## {text}\n", flush=True)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description="The judgement in figures.")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--replay", type=int, metavar="MESSAGES", help="also replay a chat of so many messages")
    parser.add_argument("--irc", type=Path, metavar="DIR", help="also annotated IRC channels")
    arguments = parser.parse_args()
    if reason := why_no_local():
        print(f"without the local tier: {reason}", file=sys.stderr)
    data = read_split(arguments.split)
    _title(f"Tiers on the {arguments.split} groups")
    show_tiers(data)
    _title(f"The best tier without its parts, on the {arguments.split} groups")
    show_ablations(data)
    _title("Time and memory")
    show_costs()
    if arguments.replay:
        _title("The whole pipeline")
        _run("tests.benchmarks.replay", "--messages", str(arguments.replay), "--only", "command")
    if arguments.irc:
        _title("Annotated IRC channels")
        print(to_table(arguments.irc))


if __name__ == "__main__":
    main()
