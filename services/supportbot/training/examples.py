"""What a text is: examples for the heads, with what they read of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from supportbot.classifier.choice import ChoiceWeights
from supportbot.classifier.examples import read_examples
from supportbot.classifier.features import CONTEXT_NAMES, context_features, signal_features
from supportbot.classifier.incidents import assemble, set_scene
from supportbot.classifier.memory import Memory
from supportbot.classifier.scene import Policy, Scene
from supportbot.classifier.turn import Turn, make_turn, read_alone
from supportbot.contracts import Kind
from supportbot.errors import UserError
from supportbot.evaluation.conversation import Conversation, Labelled, Role, Row, make_conversation

KINDS = {
    Role.OPEN: Kind.INCIDENT,
    Role.EVIDENCE: Kind.EVIDENCE,
    Role.FOLLOW_UP: Kind.FOLLOW_UP,
    Role.AGENT: Kind.STAFF,
    Role.RESOLVED: Kind.RESOLUTION,
    Role.CHATTER: Kind.CHATTER,
}


@dataclass(frozen=True)
class Example:
    """One text with its labels."""

    text: str
    """The turn's, as the embedding reads it."""
    signals: tuple[float, ...]
    context: tuple[float, ...] | None
    """None for a line that stands alone."""
    kind: Kind
    category: str | None = None
    priority: str | None = None
    weight: float = 1.0


def conversation_examples(conversation: Conversation, policy: Policy, choice: ChoiceWeights) -> Iterator[Example]:
    """An example for every message with words, in the memory that the words alone would make."""
    memory = Memory()
    for one in conversation.messages:
        turn = make_turn(memory, one.message)
        verdict = read_alone(turn, policy)
        if one.message.text.strip():
            scene, _, _ = set_scene(memory, one.message, verdict, policy)
            yield _example(one, turn, scene)
        _, memory = assemble(memory, one.message, verdict, policy, choice)


def _example(one: Labelled, turn: Turn, scene: Scene) -> Example:
    return Example(
        text=turn.text,
        signals=signal_features(scene.verdict),
        context=context_features(scene),
        kind=KINDS[Role(one.role)],
        category=one.category,
        priority=one.priority,
    )


def line_examples(path: Path, policy: Policy) -> Iterator[Example]:
    """Examples of single lines, read alone.

    Raises:
        UserError: A line has another form.
    """
    for kind, category, priority, text in _read_lines(path):
        yield Example(
            text=text,
            signals=signal_features(read_alone(Turn(text), policy)),
            context=None,
            kind=kind,
            category=category if kind is Kind.INCIDENT else None,
            priority=priority.capitalize() if kind is Kind.INCIDENT else None,
        )


def line_conversations(path: Path) -> Iterator[Conversation]:
    """Conversations of one message: what somebody says first in a quiet group is a report, or is nothing."""
    for number, (kind, _, _, text) in enumerate(_read_lines(path)):
        if kind in {Kind.INCIDENT, Kind.CHATTER}:
            opens = kind is Kind.INCIDENT
            row = Row(
                id="1",
                at=datetime(2026, 3, 2, 9, tzinfo=UTC),
                author="Ana",
                text=text,
                role=Role.OPEN if opens else Role.CHATTER,
                incidents=("A",) if opens else (),
            )
            yield make_conversation(f"{path.stem}-{number}", [row])


def _read_lines(path: Path) -> Iterator[tuple[Kind, str, str, str]]:
    """Kind, category, priority and text of the lines `kind|category|priority|language|text`; `#` begins a comment."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("|", 4)
        if len(parts) != 5 or parts[0] not in set(Kind):
            raise UserError(f"{path.name}, line {number}: write kind|category|priority|language|text")
        yield Kind(parts[0]), parts[1], parts[2], parts[4]


def correction_examples(path: Path, policy: Policy) -> Iterator[Example]:
    """Examples of what people said of a running bot's decisions; one person's opinion does not train.

    Raises:
        UserError: The file is none of `supportbot labels`.
    """
    try:
        found = list(read_examples(path.read_text(encoding="utf-8")))
    except ValueError as exc:
        raise UserError(f"{path.name}: {exc}") from exc
    for one in found:
        if not one.trains:
            continue
        yield Example(
            text=one.text,
            signals=signal_features(read_alone(Turn(one.text), policy)),
            context=tuple(one.context[name] for name in CONTEXT_NAMES) if one.context else None,
            kind=one.kind,
            category=one.category,
            priority=one.priority.value if one.priority else None,
            weight=one.weight,
        )
