"""What a text should have become, for every text of a labelled conversation: examples for the choice.

The conversation runs as it would in operation, with the decisions that the classifier takes, right or wrong; the labels
say what would have been best from there. An incident that was missed may still be opened by a later message of it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from supportbot.classifier.choice import ChoiceWeights
from supportbot.classifier.incidents import assemble, set_scene
from supportbot.classifier.memory import Memory
from supportbot.classifier.options import Option, Way, list_options
from supportbot.classifier.scene import Policy
from supportbot.classifier.turn import make_turn
from supportbot.evaluation.conversation import Conversation, Labelled
from supportbot.evaluation.run import Judge


@dataclass(frozen=True)
class Choice:
    """The possibilities of one text, and which of them are right."""

    options: tuple[Option, ...]
    right: tuple[bool, ...]


def list_choices(conversation: Conversation, judge: Judge, policy: Policy, choice: ChoiceWeights) -> Iterator[Choice]:
    """The choices of a conversation in its order, where these weights lead it."""
    course = _Course(conversation)
    memory = Memory()
    for one in conversation.messages:
        verdict = judge(make_turn(memory, one.message))
        if one.message.text.strip():
            scene, _, _ = set_scene(memory, one.message, verdict, policy)
            options = list_options(scene).options
            right = tuple(course.is_right(one, option) for option in options)
            if any(right) and not all(right):
                yield Choice(options, right)
        _, memory = assemble(memory, one.message, verdict, policy, choice)
        course.follow(memory)


class _Course:
    """Which labelled incident each predicted one stands for."""

    def __init__(self, conversation: Conversation) -> None:
        self._labels = {one.message.message_ref: one for one in conversation.messages}
        self._meant: dict[str, str | None] = {}

    def follow(self, memory: Memory) -> None:
        """Note what the incidents of the memory are made of."""
        for incident in memory.incidents[-12:]:
            labelled = [self._labels[ref] for ref in incident.refs if ref in self._labels]
            counts = Counter(name for one in labelled for name in one.incidents[:1])
            opening = self._labels.get(incident.state.opening_ref)
            first = opening.incidents[:1] if opening is not None else ()
            counts.update(first * 2)
            self._meant[incident.incident_id] = counts.most_common(1)[0][0] if counts else None

    def is_right(self, one: Labelled, option: Option) -> bool:
        """Whether the possibility is what the labels ask for."""
        if option.way is Way.LEAVE:
            return not one.incidents
        if option.way is Way.FOLLOW:
            assert option.link is not None
            return self._meant.get(option.link.incident.incident_id) in one.incidents
        if option.way is Way.PHOTO:
            shown = {name for photo in option.photos for name in self._labels[photo.message_ref].incidents}
            return bool(shown & set(one.incidents)) and not self._claimed(one)
        return self._opens(one)

    def _opens(self, one: Labelled) -> bool:
        if not one.incidents or one.role == "chatter":
            return False
        if one.role == "open":
            return one.incidents[0] not in self._meant.values()
        return not self._claimed(one) and one.role != "agent"

    def _claimed(self, one: Labelled) -> bool:
        return any(name in self._meant.values() for name in one.incidents)
