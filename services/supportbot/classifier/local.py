"""The local tier: the keyword tier's verdict with the probabilities of a linear head. No network, about 10 ms a text.

The head reads the text's embedding, the keyword tier's signals and the conversation around the text, so it tells a new
incident from more about a known one. `supportbot.training` makes its weights.
"""

from collections.abc import Iterable, Mapping
from operator import mul

from supportbot.classifier.embedding import Embedding, prepare_text
from supportbot.classifier.features import CONTEXT_NAMES, SIGNAL_NAMES, context_features, signal_features
from supportbot.classifier.heads import Weights, shipped_weights
from supportbot.classifier.memory import Incident
from supportbot.classifier.scene import Policy, Scene
from supportbot.classifier.turn import Turn, is_certain_courtesy, judge_by_keywords, read_alone
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Kind, Priority, Tier

EMBEDDING_SCALE = 3.0
"""An embedding has length 1 and 384 numbers; so its parts weigh about as much as the other inputs."""
INPUT_NAMES = (*SIGNAL_NAMES, *CONTEXT_NAMES)
MAX_COMPARED = 14
"""Incidents whose subject is compared with the text: those with the latest activity, and the author's own."""
HIT_WEIGHT = 0.5
"""How much the share of keyword hits counts beside the head's probability of a category."""


class LocalTier:
    """Judges turns; keeps nothing but embeddings of texts.

    Args:
        policy: Of the spec.
        weights: Of a training; without `category` and `priority` the words alone say those.
        embedding: None works without it, by signals and context alone.
        context: False hides the conversation from the head; for measurements.
    """

    def __init__(self, policy: Policy, weights: Weights, embedding: Embedding | None, *, context: bool = True) -> None:
        if weights.inputs != INPUT_NAMES:
            raise ValueError("the weights were trained on other inputs; run `make train`")
        self.embedding = embedding
        self._policy, self._weights, self._context = policy, weights, context

    @property
    def name(self) -> str:
        """What runs, for people."""
        return self.embedding.name if self.embedding else "keywords"

    def judge(self, turn: Turn) -> Verdict:
        """The verdict on a turn; a text without letters stays with the keyword tier, which knows what it is."""
        if self.embedding is None:
            return judge_by_keywords(turn, self._policy, self._weights.heads["kind_plain"])
        verdict = read_alone(turn, self._policy)
        if not turn.text.strip() or is_certain_courtesy(verdict):
            return verdict.model_copy(update={"tier": Tier.LOCAL})
        signals = signal_features(verdict)
        vector = self.embed(turn.text)
        context = self._context_of(turn, verdict)
        head = self._weights.heads["kind_alone" if context is None else "kind"]
        kinds = head.probabilities((*vector, *signals, *(context or ())))
        probabilities = {Kind(name): round(value, 4) for name, value in kinds.items()}
        return verdict.model_copy(
            update={
                "kinds": probabilities,
                "local": probabilities,
                "tier": Tier.LOCAL,
                "similar": self._similar(turn),
                **(self._fields(verdict, (*vector, *signals)) if "category" in self._weights.heads else {}),
            }
        )

    def prepare(self, text: str) -> None:
        """Embed a text that is judged soon, so that it is quick then; on any thread."""
        if self.embedding is not None and text.strip():
            self.embedding.embed(text)

    def embed(self, text: str) -> tuple[float, ...]:
        """The scaled embedding that the heads read."""
        assert self.embedding is not None
        return tuple(EMBEDDING_SCALE * value for value in self.embedding.embed(text))

    def _context_of(self, turn: Turn, verdict: Verdict) -> tuple[float, ...] | None:
        if turn.message is None or not self._context:
            return None
        memory = turn.memory.forget(turn.message.sent_at)
        return context_features(Scene(memory, turn.message, verdict, self._policy))

    def _similar(self, turn: Turn) -> dict[str, float]:
        """How near the turn is to each incident that it may speak of."""
        assert self.embedding is not None
        if turn.message is None or not self._context:
            return {}
        vector = self.embedding.embed(turn.text)
        author = turn.message.sender.ref
        incidents = [one for one in turn.memory.incidents if one.told and not one.dropped]
        near = {one.incident_id: one for one in incidents[-MAX_COMPARED:]}
        near |= {one.incident_id: one for one in incidents if one.reporter == author}
        return {name: round(_dot(vector, self.embedding.embed(_words_of(one))), 3) for name, one in near.items()}

    def _fields(self, verdict: Verdict, inputs: tuple[float, ...]) -> dict[str, object]:
        """Category and priority, by the heads and by what the words say."""
        likely = self._weights.heads["category"].probabilities(inputs)
        names = [one.name for one in self._policy.categories]
        points = blend_categories(likely, verdict.categories, names)
        urgency = self._weights.heads["priority"].probabilities(inputs)
        return {
            "category": max(points, key=points.__getitem__, default=verdict.category),
            "categories": points,
            "priority": verdict.priority or Priority(max(urgency, key=urgency.__getitem__)),
        }


def _words_of(incident: Incident) -> str:
    """The words that told it, unless its subject says something else by now.

    They were embedded when they were judged; the subject, where it is a part of them, would have to be embedded anew.
    """
    subject = prepare_text(incident.state.subject.removesuffix("…"))
    return incident.said if incident.said.startswith(subject) else subject


def _dot(left: Iterable[float], right: Iterable[float]) -> float:
    return float(sum(map(mul, left, right)))


def blend_categories(
    likely: Mapping[str, float], points: Mapping[str, float], names: Iterable[str]
) -> dict[str, float]:
    """Points by the bot's own categories: the head knows those that ship, the words those that a bot names."""
    total = sum(points.values())
    return {
        name: round(likely.get(name, 0.0) + HIT_WEIGHT * points.get(name, 0.0) / max(total, 1.0), 4) for name in names
    }


def load_local(policy: Policy, *, threads: int = 2, embeddings: bool = True, context: bool = True) -> LocalTier:
    """The local tier with the weights that ship.

    Args:
        policy: Of the spec.
        threads: For one text.
        embeddings: False leaves the embedding out; for measurements.
        context: False leaves the conversation out; for measurements.

    Raises:
        ImportError: The extra `local` is not installed, or this machine cannot run it.
    """
    return LocalTier(policy, shipped_weights(), Embedding(threads) if embeddings else None, context=context)
