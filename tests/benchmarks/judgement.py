"""Judges decisions against labelled conversations: tickets, threads, noise and fields.

`python -m tests.benchmarks.judgement` scores the keyword tier, and beside it a plain rule, on the invented
conversations of `tests/data/groups`, by split, with and without a staff list; `-v FILE` shows every message.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.conversations import SPLITS, Labelled, read_conversation, replay
from tests.benchmarks.plain_rule import decide_plainly

from supportbot.contracts import Decision

CONVERSATIONS = Path(__file__).parents[1] / "data" / "groups"


@dataclass(frozen=True)
class Judged:
    """What decisions are worth on one or several conversations; counts add up, shares are computed from them."""

    labelled: int = 0
    right: int = 0
    duplicates: int = 0
    false: int = 0
    missed: tuple[str, ...] = ()
    missed_photos: int = 0
    """Of the missed ones, those whose labelled opening has no text."""
    chatter: int = 0
    chatter_opens: int = 0
    chatter_attached: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    b3: tuple[float, float, int] = (0.0, 0.0, 0)
    """Sums of precision and recall over the messages that belong to an incident, and their number."""

    def __add__(self, other: "Judged") -> "Judged":
        return Judged(
            self.labelled + other.labelled,
            self.right + other.right,
            self.duplicates + other.duplicates,
            self.false + other.false,
            self.missed + other.missed,
            self.missed_photos + other.missed_photos,
            self.chatter + other.chatter,
            self.chatter_opens + other.chatter_opens,
            self.chatter_attached + other.chatter_attached,
            self.fields + other.fields,
            (self.b3[0] + other.b3[0], self.b3[1] + other.b3[1], self.b3[2] + other.b3[2]),
        )

    @property
    def precision(self) -> float:
        """Right among the predicted incidents."""
        return self.right / max(1, self.right + self.duplicates + self.false)

    @property
    def recall(self) -> float:
        """Right among the labelled incidents."""
        return self.right / max(1, self.labelled)

    @property
    def f1(self) -> float:
        """Of the tickets."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    @property
    def b3_f1(self) -> float:
        """Of the threads."""
        precision, recall, count = self.b3
        return 2 * precision * recall / max(1e-9, precision + recall) / max(1, count)

    def __str__(self) -> str:
        opens, attached = (share / max(1, self.chatter) for share in (self.chatter_opens, self.chatter_attached))
        fields = " ".join(f"{name} {self.fields[name] / max(1, self.right):.2f}" for name in ("category", "priority"))
        return (
            f"P {self.precision:.2f} R {self.recall:.2f} F1 {self.f1:.2f} "
            f"(dup {self.duplicates}, false {self.false}, "
            f"missed {len(self.missed)} of which photos {self.missed_photos}) "
            f"B3 {self.b3_f1:.2f}  chatter opens {opens:.0%} attached {attached:.0%}  {fields}"
        )


def judge_decisions(messages: list[Labelled], decisions: dict[str, Decision]) -> Judged:
    """Score decisions, by message id, as they stood at the end."""
    labelled = {incident for one in messages for incident in one.incidents}
    claimed: dict[str, str] = {}
    duplicates = false = 0
    for one in messages:
        if not decisions[one.id].opens:
            continue
        free = [incident for incident in one.incidents if incident not in claimed]
        if free:
            claimed[free[0]] = one.id
        elif one.incidents:
            duplicates += 1
        else:
            false += 1
    openings = {one.incidents[0]: one for one in messages if one.role == "open"}
    missed = tuple(sorted(labelled - set(claimed)))
    chatter = [one for one in messages if one.role == "chatter"]
    return Judged(
        labelled=len(labelled),
        right=len(claimed),
        duplicates=duplicates,
        false=false,
        missed=missed,
        missed_photos=sum(not openings[name].message.text for name in missed),
        chatter=len(chatter),
        chatter_opens=sum(decisions[one.id].opens for one in chatter),
        chatter_attached=sum(decisions[one.id].incident_id is not None for one in chatter),
        fields=_fields(openings, claimed, decisions),
        b3=_b_cubed(messages, decisions),
    )


def _fields(openings: dict[str, Labelled], claimed: dict[str, str], decisions: dict[str, Decision]) -> Counter[str]:
    hits: Counter[str] = Counter()
    for incident, opening_id in claimed.items():
        label, decision = openings[incident], decisions[opening_id]
        hits["category"] += label.category in {None, decision.category}
        hits["priority"] += label.priority in {None, decision.priority.value if decision.priority else None}
    return hits


def _b_cubed(messages: list[Labelled], decisions: dict[str, Decision]) -> tuple[float, float, int]:
    """B3 over messages of an incident; one that is alone is a cluster of its own, one of several fits any of them."""
    own = [one for one in messages if one.incidents]
    predicted = {one.id: decisions[one.id].incident_id or one.id for one in own}
    precision = recall = 0.0
    for one in own:
        same_predicted = [other for other in own if predicted[other.id] == predicted[one.id]]
        same_labelled = [other for other in own if set(one.incidents) & set(other.incidents)]
        right = sum(1 for other in same_predicted if set(one.incidents) & set(other.incidents))
        precision += right / len(same_predicted)
        recall += right / len(same_labelled)
    return precision, recall, len(own)


def score(paths: Iterable[Path], *, staff_known: bool, plain: bool = False) -> Judged:
    """Decide on each conversation and add up the scores."""
    total = Judged()
    for path in paths:
        messages = read_conversation(path, staff_known=staff_known)
        total += judge_decisions(messages, decide_plainly(messages) if plain else replay(messages))
    return total


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=sorted(CONVERSATIONS.glob("*.jsonl")))
    parser.add_argument("-v", "--verbose", action="store_true", help="every message with its decision")
    parser.add_argument("--no-staff", action="store_true", help="with -v: without the staff list")
    arguments = parser.parse_args()
    for path in arguments.files:
        for staff_known in (True, False):
            list_word = "staff list" if staff_known else "none      "
            print(f"{path.stem:14} {list_word} rule  {score([path], staff_known=staff_known, plain=True)}")
            started = time.perf_counter()
            result = score([path], staff_known=staff_known)
            took_ms = (time.perf_counter() - started) * 1000
            print(f"{path.stem:14} {list_word} ours  {result}  {took_ms:.0f} ms")
    for split, names in SPLITS.items():
        paths = [path for path in arguments.files if path.stem in names]
        for staff_known in (True, False) if paths else ():
            list_word = "staff list" if staff_known else "none      "
            print(f"{split:14} {list_word} rule  {score(paths, staff_known=staff_known, plain=True)}")
            print(f"{split:14} {list_word} ours  {score(paths, staff_known=staff_known)}")
    if arguments.verbose:
        for path in arguments.files:
            _show(path, staff_known=not arguments.no_staff)


def _show(path: Path, *, staff_known: bool) -> None:
    messages = read_conversation(path, staff_known=staff_known)
    decisions = replay(messages)
    names: dict[str, str] = {}
    for one in messages:
        decision = decisions[one.id]
        if decision.opens and decision.incident_id:
            names[decision.incident_id] = "/".join(one.incidents) + "@" + one.id
    for one in messages:
        decision = decisions[one.id]
        where = names.get(decision.incident_id or "", "-")
        right = bool(one.incidents) == (where != "-") and (
            not one.incidents or where.split("@")[0].split("/")[0] in one.incidents
        )
        mark = " " if right else "!" if one.incidents else "~"
        kind = "OPENS" if decision.opens else "ASKS" if decision.asks else decision.kind.value
        text = one.message.text[:70] or f"[{one.message.media.kind if one.message.media else '-'}]"
        labels = f"{mark} {one.id:5} {one.name[:7]:7} {one.role[:5]:5} {','.join(one.incidents):3}"
        print(f"{labels} {where:7} {kind:10} {text:70} {'; '.join(decision.reasons)[:90]}")


if __name__ == "__main__":
    main()
