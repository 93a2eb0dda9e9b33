"""`supportbot eval`: how good the judgement is on labelled conversations, tier by tier."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.status import Status

from supportbot.classifier.policy import make_policy
from supportbot.classifier.scene import Policy
from supportbot.cli.evaluate.data import LabelledData, read_data
from supportbot.cli.evaluate.story import tell
from supportbot.cli.evaluate.view import WIDTH, show_changes, show_corrections, show_report
from supportbot.cli.replay.bot import default_bot, read_bot
from supportbot.errors import UserError
from supportbot.evaluation.compare import broken, compare, losses, parse_limit, read_report
from supportbot.evaluation.conversation import make_conversation, read_text
from supportbot.evaluation.corrections import CorrectionScore, score_corrections
from supportbot.evaluation.evaluate import Condition, Data, evaluate
from supportbot.evaluation.measures import measure
from supportbot.evaluation.recorded import parse_decisions, to_outcome
from supportbot.evaluation.report import Report, Run
from supportbot.evaluation.tiers import Part, TierName, available_tiers, make_decide, make_judge, why_no_local


class StaffList(StrEnum):
    """Whether the tier knows who solves."""

    LISTED = "listed"
    NONE = "none"
    BOTH = "both"


class Show(StrEnum):
    """Which messages are shown."""

    MISTAKES = "mistakes"
    ALL = "all"


def eval_command(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Labelled conversations, or folders of them.")],
    tier: Annotated[
        list[TierName] | None, typer.Option(help="Repeatable; else the best that runs here, keywords and the rule.")
    ] = None,
    staff: Annotated[StaffList, typer.Option(help="Whether the tier is told who solves.")] = StaffList.BOTH,
    without: Annotated[list[Part] | None, typer.Option(help="Hide this from the tier; repeatable.")] = None,
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Score what `replay --decisions` wrote, instead of a tier.")
    ] = None,
    bot_file: Annotated[
        Path | None, typer.Option("--bot", metavar="FILE", help="The bot's file: its categories and thresholds.")
    ] = None,
    show: Annotated[Show | None, typer.Option(help="Also each message, by the first tier that is measured.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    base: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="Show what changed since that --json report.")
    ] = None,
    max_loss: Annotated[
        float | None, typer.Option(min=0, help="With --compare: fail when a guarded measure got worse by more.")
    ] = None,
    fail_below: Annotated[
        list[str] | None, typer.Option(metavar="f1=.88", help="Fail when a tier stays below; repeatable.")
    ] = None,
    fail_above: Annotated[
        list[str] | None, typer.Option(metavar="chatter_opens=.02", help="Fail when a tier goes beyond; repeatable.")
    ] = None,
) -> None:
    """Measure the judgement on labelled conversations. No model is asked, and nothing leaves this machine."""
    limits = [parse_limit(text, "--fail-below", least=True) for text in fail_below or ()]
    limits += [parse_limit(text, "--fail-above", least=False) for text in fail_above or ()]
    if max_loss is not None and base is None:
        raise UserError("--max-loss: give the earlier report, too, with --compare")
    earlier = read_report(_read_json(base), str(base)) if base is not None else None
    if decisions is not None and (tier or without or show):
        raise UserError("--decisions: they are made already; leave out --tier, --without and --show")
    found = read_data(data)
    if not found.conversations:
        raise UserError("DATA holds corrections only; add a labelled conversation to measure tickets and threads on")
    console = _console(quiet=as_json)
    if decisions is not None:
        report, corrected = score_decisions(found.conversations, decisions), []
    else:
        policy = make_policy((read_bot(bot_file) if bot_file is not None else default_bot([])).spec)
        conditions = make_conditions(tier or default_tiers(without or ()), staff, tuple(without or ()))
        report = _evaluate(found.conversations, conditions, policy)
        corrected = _score_corrections(found, conditions, policy)
        if show is not None:
            _show_story(console, found.conversations, conditions[0], policy, mistakes_only=show is Show.MISTAKES)
    show_report(console, report)
    show_corrections(console, corrected)
    document = {**report.to_json(), "corrections": [asdict(one) for one in corrected]}
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    _fail([*broken(document, limits), *(_compare(console, earlier, document, max_loss) if earlier else [])])


def default_tiers(without: Sequence[Part]) -> list[TierName]:
    """All that run here; a note says why the local tier does not. Only that one has embeddings to go without."""
    if Part.EMBEDDINGS in without:
        return [TierName.LOCAL]
    if reason := why_no_local():
        _say_aside(f"without the local tier: {reason}", "yellow")
    return available_tiers()


def make_conditions(tiers: Sequence[TierName], staff: StaffList, without: tuple[Part, ...]) -> list[Condition]:
    """Each tier with and without a staff list, as asked; the rule, which has no parts, stays whole."""
    known = {StaffList.LISTED: (True,), StaffList.NONE: (False,), StaffList.BOTH: (True, False)}[staff]
    if Part.STAFF in without:
        known = (False,)
    return [
        Condition(tier=tier, staff_known=listed, without=() if tier is TierName.RULE else without)
        for tier in tiers
        for listed in known
    ]


def score_decisions(data: Data, path: Path) -> Report:
    """The report of a decisions file.

    Raises:
        UserError: There are several conversations, or the file is of another chat.
    """
    if len(data) != 1:
        raise UserError(f"--decisions: they are of one chat, and DATA holds {len(data)} conversations")
    ((name, rows),) = data.items()
    lines = parse_decisions(read_text(path), str(path))
    conversation = make_conversation(name, rows)
    scores = measure(conversation, to_outcome(conversation, lines, str(path)))
    return Report.of([Run(tier="replay", staff="as replayed", groups={name: scores})])


def _evaluate(data: Data, conditions: Sequence[Condition], policy: Policy) -> Report:
    console = Console(stderr=True)
    if not console.is_terminal:
        return evaluate(data, conditions, policy)
    with Status("measuring", console=console) as status:
        return evaluate(
            data, conditions, policy, lambda one, name: status.update(f"{one.tier}, staff {one.staff}: {name}")
        )


def _score_corrections(found: LabelledData, conditions: Sequence[Condition], policy: Policy) -> list[CorrectionScore]:
    tiers = dict.fromkeys(one.tier for one in conditions if one.tier is not TierName.RULE)
    judges = {tier.value: make_judge(tier, policy) for tier in tiers}
    return score_corrections(found.corrections, judges) if found.corrections else []


def _show_story(console: Console, data: Data, condition: Condition, policy: Policy, *, mistakes_only: bool) -> None:
    decide = make_decide(condition.tier, policy, condition.without)
    for name, rows in data.items():
        conversation = make_conversation(name, rows, staff_known=condition.staff == "listed")
        console.print(f"{name}: {condition.tier}, staff {condition.staff}", style="bold", highlight=False)
        for told in tell(conversation, decide(conversation), mistakes_only=mistakes_only):
            console.print(
                str(told), style="" if told.mark != " " else "dim", markup=False, highlight=False, soft_wrap=True
            )
        console.print()


def _compare(console: Console, earlier: Mapping[str, Any], now: Mapping[str, Any], max_loss: float | None) -> list[str]:
    """Show what changed; what got worse than is allowed, in words."""
    changes = compare(earlier, now)
    console.print()
    show_changes(console, changes)
    return losses(changes, max_loss) if max_loss is not None else []


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except ValueError as exc:
        raise UserError(f"--compare: {str(path)!r} is no JSON") from exc


def _fail(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        _say_aside(sentence, "red")
    if sentences:
        raise typer.Exit(1)


def _say_aside(sentence: str, style: str) -> None:
    Console(stderr=True).print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


def _console(*, quiet: bool) -> Console:
    console = Console(quiet=quiet)
    return console if console.is_terminal else Console(width=WIDTH, quiet=quiet)
