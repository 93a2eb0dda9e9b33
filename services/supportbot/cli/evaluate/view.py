"""Shows a report on the terminal, in tables of at most 100 columns."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from supportbot.evaluation.compare import COMPARED, Change
from supportbot.evaluation.corrections import CorrectionScore
from supportbot.evaluation.measures import Figures, figures
from supportbot.evaluation.report import Report, Run, bounds, percent, share

WIDTH = 100
MAX_RUNS_BESIDE = 6
_HEADS = {
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "f1_text": "F1\ntext",
    "b3": "B³",
    "chatter_opens": "chatter\nopens",
    "chatter_attached": "att.",
    "category": "cat.",
    "priority": "prio.",
    "delay_min_p90": "min\np90",
}


def show_report(console: Console, report: Report) -> None:
    """Totals, then each conversation when there are several."""
    groups = len(report.runs[0].groups)
    of = f" in {groups} conversations" if groups > 1 else ""
    _say(console, f"{report.messages:,} messages, {report.incidents:,} incidents{of}", "bold")
    _say(console)
    console.print(_tickets(report.runs))
    _say(console)
    console.print(_threads(report.runs))
    if groups > 1:
        _say(console)
        console.print(_groups(report))
    if any(run.total.emptied for run in report.runs):
        most = max(run.total.emptied for run in report.runs)
        _say(console, f"beside these, up to {most} tickets lost their opening message to another one later", "dim")


def show_corrections(console: Console, scores: Sequence[CorrectionScore]) -> None:
    """What people corrected, and what would be said of it now; nothing when there is none."""
    if not scores:
        return
    _say(console)
    table = _table(f"{scores[0].texts} corrected texts, no sample: {scores[0].reports} of them are reports")
    table.add_column("")
    for name in ("reports found", "false alarms", "kind right"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in scores:
        table.add_row(one.name, f"{one.found}", f"{one.alarms}", f"{one.kinds}")
    console.print(table)


def show_changes(console: Console, changes: Iterable[Change]) -> None:
    """Each measure then and now, a row for each run."""
    table = _table("then → now")
    table.add_column("", no_wrap=True)
    for measure in COMPARED:
        table.add_column(_HEADS[measure], justify="right", no_wrap=True)
    rows: dict[str, list[str]] = {}
    for change in changes:
        rows.setdefault(change.run, []).append(_change(change))
    for name, cells in rows.items():
        table.add_row(name.replace("staff ", "").replace(" and ", "\n").replace(", ", "\n"), *cells)
    console.print(table)


def _change(change: Change) -> str:
    delay = change.measure.startswith("delay")
    now, then = (_number(value, delay=delay) for value in (change.now, change.then))
    if now == then:
        return f"[dim]{now}[/]"
    style = "green" if change.gain > 0 else "red"
    return f"{then}\n[{style}]{now}[/]"


def _tickets(runs: Sequence[Run]) -> Table:
    table = _table("tickets")
    for name in ("tier", "staff"):
        table.add_column(name, no_wrap=True)
    for name in ("P", "R", "F1", "95 %", "F1 text", "right", "dup", "false", "missed", "(photos)"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        f = run.figures
        shares = [share(f["precision"]), share(f["recall"]), f"[bold]{share(f['f1'])}[/]", bounds(run, "f1")]
        counts = [f"{f[name]}" for name in ("right", "duplicates", "false", "missed")]
        table.add_row(*_names(run), *shares, share(f["f1_text"]), *counts, f"({f['missed_photos']})")
    return table


def _threads(runs: Sequence[Run]) -> Table:
    table = _table("threads, chatter, fields of right tickets, delay (median, nine in ten)")
    for name in ("tier", "staff"):
        table.add_column(name, no_wrap=True)
    for name in ("B³", "95 %", "opens", "att.", "cat.", "prio.", "sites", "msgs", "min"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        f = run.figures
        table.add_row(
            *_names(run),
            f"[bold]{share(f['b3'])}[/]",
            bounds(run, "b3"),
            percent(f["chatter_opens"]),
            percent(f["chatter_attached"]),
            share(f["category"]),
            share(f["priority"]),
            share(f["sites_recall"]),
            _delay(f, "delay_messages"),
            _delay(f, "delay_min"),
        )
    return table


def _groups(report: Report) -> Table:
    runs = report.runs[:MAX_RUNS_BESIDE]
    table = _table("each conversation: F1 of tickets, B³ of threads")
    table.add_column("", no_wrap=True, max_width=22, overflow="ellipsis")
    for name in ("msgs", "inc."):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        table.add_column("\n".join(_names(run)), justify="right", no_wrap=True)
    for name in runs[0].groups:
        first = runs[0].groups[name]
        cells = []
        for run in runs:
            f = figures(run.groups[name])
            cells.append(f"{share(f['f1'])} {share(f['b3'])}")
        table.add_row(name, str(first.messages), str(first.labelled), *cells)
    return table


def _names(run: Run) -> tuple[str, str]:
    return "\n−".join([run.tier, *run.without]), run.staff


def _delay(values: Figures, name: str) -> str:
    return " ".join(_number(values[f"{name}_{part}"], delay=True) for part in ("p50", "p90"))


def _number(value: float | None, *, delay: bool) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if delay and value >= 10 else f"{value:.1f}" if delay else share(value)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _say(console: Console, text: str = "", style: str = "") -> None:
    console.print(text, style=style, markup=False, highlight=False)
