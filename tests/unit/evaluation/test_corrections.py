"""What a running bot collected is measured apart, text by text."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.evaluation.talk import START, make_row

from supportbot.classifier.examples import Example, dump_examples
from supportbot.classifier.turn import Turn
from supportbot.classifier.verdict import Verdict
from supportbot.cli.evaluate.data import read_data
from supportbot.contracts import Decision, Kind
from supportbot.errors import UserError
from supportbot.evaluation.conversation import dump_row
from supportbot.evaluation.corrections import CorrectionScore, score_corrections


def example(text: str, kind: Kind, predicted: Kind) -> Example:
    fields: dict[str, Any] = {"source": "staff", "weight": 1.0, "at": START, "trains": True, "group": "g"}
    return Example(text=text, kind=kind, predicted=Decision(kind=predicted), message_ref="m", **fields)


EXAMPLES = (
    example("no imprime", Kind.INCIDENT, Kind.CHATTER),
    example("error de dedo jaja", Kind.CHATTER, Kind.INCIDENT),
    example("ya quedó", Kind.RESOLUTION, Kind.STAFF),
    example("no abre", Kind.INCIDENT, Kind.INCIDENT),
)


def judge(turn: Turn) -> Verdict:
    """Calls everything with `no` an incident, and says nothing of the rest."""
    return Verdict(kinds={Kind.INCIDENT: 0.9, Kind.CHATTER: 0.1} if turn.text.startswith("no ") else {})


def test_the_bots_word_then_and_a_tiers_now() -> None:
    assert score_corrections(EXAMPLES, {"keywords": judge}) == [
        CorrectionScore(name="as decided then", texts=4, reports=2, found=1, alarms=1, kinds=1),
        CorrectionScore(name="keywords, the text alone", texts=4, reports=2, found=2, alarms=0, kinds=3),
    ]


def test_files_of_both_kinds_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "talk.jsonl").write_text(dump_row(make_row(1, "chatter")) + "\n", encoding="utf-8")
    collected = tmp_path / "collected.jsonl"
    collected.write_text(dump_examples(EXAMPLES), encoding="utf-8")
    found = read_data([tmp_path])
    assert (list(found.conversations), found.corrections) == (["talk"], EXAMPLES)
    collected.write_text(dump_examples(EXAMPLES).replace('"weight":1.0', '"weight":"x"', 2), encoding="utf-8")
    with pytest.raises(UserError, match=r"line 1 is no label"):
        read_data([collected])
