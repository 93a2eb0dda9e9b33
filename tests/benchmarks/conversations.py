"""The invented conversations of `tests/data/groups`, and which of them what was made on."""

import json
from collections.abc import Sequence
from pathlib import Path

from supportbot.classifier.policy import make_policy
from supportbot.cli.replay.bot import default_bot
from supportbot.evaluation.conversation import Labelled, Row, make_conversation, make_person, make_ref, read_rows

CONVERSATIONS = Path(__file__).parents[1] / "data" / "groups"
POLICY = make_policy(default_bot([]).spec)
GROUP = "0" * 16
SPLITS = ("train", "tune", "test")
"""Weights and rules are made on `train`; the misses of `tune` are read; those of `test` are not read before a figure is
given, and nothing is changed for them."""

__all__ = ["CONVERSATIONS", "GROUP", "POLICY", "SPLITS", "Labelled", "make_person", "make_ref", "read_conversation"]


def read_conversation(path: Path, *, staff_known: bool = True) -> Sequence[Labelled]:
    """The messages of a file; without `staff_known` nobody is listed as staff."""
    return make_conversation(path.stem, read_rows(path), staff_known=staff_known).messages


def read_splits() -> dict[str, tuple[str, ...]]:
    """The names of the conversations of each split. What `splits.json` does not name is for the test."""
    named = json.loads((CONVERSATIONS / "splits.json").read_text(encoding="utf-8"))
    known = {name for names in named.values() for name in names}
    rest = sorted(path.stem for path in CONVERSATIONS.glob("*.jsonl") if path.stem not in known)
    return {split: tuple(named[split]) + (tuple(rest) if split == "test" else ()) for split in SPLITS}


def read_split(split: str) -> dict[str, list[Row]]:
    """The conversations of a split, by name."""
    return {name: read_rows(CONVERSATIONS / f"{name}.jsonl") for name in read_splits()[split]}
