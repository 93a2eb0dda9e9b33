"""The training on a little data: it gives the same twice, learns what it is shown, and refuses what it cannot read."""

import hashlib
from array import array
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
from tests.benchmarks.conversations import CONVERSATIONS, POLICY

from supportbot.classifier.choice import weights_for
from supportbot.classifier.embedding import SIZE
from supportbot.classifier.heads import Weights, read_weights
from supportbot.classifier.local import INPUT_NAMES, LocalTier
from supportbot.classifier.turn import Turn
from supportbot.contracts import Kind, Tier
from supportbot.errors import UserError
from supportbot.evaluation.conversation import Conversation, make_conversation, read_rows
from supportbot.training.examples import line_conversations, line_examples
from supportbot.training.stages import Trained, train

LINES = """# kind|category|priority|lang|text
incident|technical|high|es|la 909 no imprime etiquetas, su apoyo
incident|operations|medium|es|necesito alta de un artículo en la 118
chatter|none|none|es|feliz cumpleaños a todos
chatter|none|none|es|gracias, buen fin de semana
follow_up|none|none|es|alguna novedad de lo mío?
"""


class HashEmbedding:
    """Stands for the model: texts with a word in common point in directions that have something in common."""

    name = "hash"

    def embed(self, text: str) -> Sequence[float]:
        vector = array("f", bytes(4 * SIZE))
        for word in text.casefold().split():
            vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % SIZE] += 1.0
        length = sum(value * value for value in vector) ** 0.5 or 1.0
        return array("f", (value / length for value in vector))


def beginning(name: str, messages: int = 60) -> list[Conversation]:
    rows = list(islice(read_rows(CONVERSATIONS / f"{name}.jsonl"), messages))
    return [make_conversation(name, rows, staff_known=known) for known in (True, False)]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lines") / "lines.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def make(lines: Path) -> Trained:
    groups = [beginning("bakeries"), beginning("couriers"), *([one] for one in line_conversations(lines))]
    return train(groups, list(line_examples(lines, POLICY)), POLICY, HashEmbedding())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(lines: Path) -> Trained:
    return make(lines)


def test_the_same_data_give_the_same_weights(trained: Trained, lines: Path) -> None:
    again = make(lines)
    assert again.heads.to_json() == trained.heads.to_json()
    assert again.choice == trained.choice


def test_the_document_is_read_as_it_was_written(trained: Trained) -> None:
    document = trained.heads.to_json()
    read: Weights = read_weights(document)
    assert read.to_json() == document
    assert (read.inputs, set(read.heads)) == (INPUT_NAMES, {"kind", "kind_plain", "kind_alone", "category", "priority"})


def test_what_was_shown_is_known(trained: Trained) -> None:
    tier = LocalTier(POLICY, trained.heads, HashEmbedding())  # type: ignore[arg-type]
    for text, kind in (
        ("la 909 no imprime etiquetas, su apoyo", Kind.INCIDENT),
        ("alguna novedad de lo mío?", Kind.FOLLOW_UP),
    ):
        kinds = tier.judge(Turn(text)).kinds
        assert max(kinds, key=kinds.__getitem__) is kind


def test_the_choice_learns_that_a_report_opens_and_courtesy_does_not(trained: Trained) -> None:
    for tier in (Tier.KEYWORDS, Tier.LOCAL):
        weights = weights_for(tier, trained.choice)
        assert weights["open"]["reports"] > 0
        assert weights["leave"]["reads_like_chatter"] > 0


def test_a_line_of_another_form_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("incident|technical|high|es|no imprime\nno kind here\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"lines\.txt, line 2"):
        list(line_examples(path, POLICY))
