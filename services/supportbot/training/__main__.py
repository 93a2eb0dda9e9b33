"""`python -m supportbot.training`: labelled conversations in, the weights of the local tier out."""

import argparse
import json
import os
from pathlib import Path

from supportbot.classifier.choice import WEIGHTS_FILE as CHOICE_FILE
from supportbot.classifier.heads import WEIGHTS_FILE as HEADS_FILE
from supportbot.classifier.policy import make_policy
from supportbot.errors import UserError
from supportbot.evaluation.conversation import Conversation, make_conversation, read_rows
from supportbot.spec import parse_bot

ALL_TEXTS = 50_000
"""Embeddings that a training keeps: every text is read once for each fold, variant and round."""


def main() -> int:
    """Train and write."""
    parser = argparse.ArgumentParser(prog="python -m supportbot.training", description=__doc__)
    parser.add_argument("conversations", nargs="+", type=Path, help="labelled conversations, JSON lines")
    parser.add_argument("--lines", action="append", default=[], type=Path, help="single lines that stand alone")
    parser.add_argument("--corrections", action="append", default=[], type=Path, help="of `supportbot labels`")
    parser.add_argument("--out", required=True, type=Path, help="the folder of the weights")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # Sums in another order are other sums.
    try:
        _train(arguments.conversations, arguments.lines, arguments.corrections, arguments.out)
    except UserError as exc:
        parser.exit(1, f"{exc}\n")
    return 0


def _train(paths: list[Path], lines: list[Path], corrections: list[Path], out: Path) -> None:
    # Here, since numpy reads the environment when it is imported.
    from supportbot.classifier.embedding import Embedding
    from supportbot.training.examples import correction_examples, line_conversations, line_examples
    from supportbot.training.stages import train

    policy = make_policy(parse_bot(_BOT, source="the default bot").spec)
    alone = [example for path in lines for example in line_examples(path, policy)]
    alone += [example for path in corrections for example in correction_examples(path, policy)]
    groups = [_variants(path) for path in sorted(paths, key=lambda path: path.stem)]
    groups += [[one] for path in lines for one in line_conversations(path)]
    trained = train(groups, alone, policy, Embedding(cached=ALL_TEXTS))
    out.mkdir(parents=True, exist_ok=True)
    _write(out / HEADS_FILE, trained.heads.to_json())
    _write(out / CHOICE_FILE, trained.choice, indent=1)


def _variants(path: Path) -> list[Conversation]:
    """With and without a staff list, and with and without quotes, which an exported chat does not tell."""
    rows, both = read_rows(path), (True, False)
    return [make_conversation(path.stem, rows, staff_known=known, quotes=told) for known in both for told in both]


def _write(path: Path, document: object, *, indent: int | None = None) -> None:
    """Write JSON; without an indent, every row of numbers on a line of its own, so that a diff can be read."""
    text = json.dumps(document, indent=indent, sort_keys=True)
    path.write_text((text if indent else text.replace("], [", "],\n[")) + "\n", encoding="utf-8")


_BOT = {
    "apiVersion": "supportbot.dev/v1alpha1",
    "kind": "SupportBot",
    "metadata": {"name": "training"},
    "spec": {"mode": "Shadow", "whatsapp": {"groups": [{"jid": "1@g.us"}]}},
}


if __name__ == "__main__":
    raise SystemExit(main())
