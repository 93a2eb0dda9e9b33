"""The training in its stages: heads, then the choice, which must not see probabilities that know the answers.

For that the conversations are parted into folds; the probabilities of each come from heads that were fitted to the
others. The choice is fitted twice, each time on the ways that its forerunner's decisions lead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from supportbot.classifier.choice import ChoiceWeights, TraitWeights
from supportbot.classifier.embedding import Embedding
from supportbot.classifier.heads import Head, Weights
from supportbot.classifier.local import INPUT_NAMES, LocalTier
from supportbot.classifier.scene import Policy
from supportbot.evaluation.conversation import Conversation
from supportbot.training.choices import Choice, list_choices
from supportbot.training.examples import Example, conversation_examples
from supportbot.training.fit import fit_choice, fit_fields, fit_kinds

FOLDS = 7
ROUNDS = 2
START: TraitWeights = {
    "open": {"always": -0.2, "reports": 2.0, "reads_like_report": 0.5},
    "leave": {"reads_like_chatter": 0.8, "courtesy": 1.0},
    "follow": {"fits": 1.5, "goes_on": 0.5},
    "photo": {"always": -1.0, "right_behind": 1.5, "asks": 0.7},
}
"""Where the first round begins: what anybody would weigh first."""


@dataclass(frozen=True)
class Trained:
    """What a training gives."""

    heads: Weights
    choice: ChoiceWeights


def train(
    conversations: Sequence[Sequence[Conversation]], lines: Sequence[Example], policy: Policy, embedding: Embedding
) -> Trained:
    """Train on conversations.

    Args:
        conversations: Each in its variants, which stay in one fold together, and single first words.
        lines: Texts that stand alone.
        policy: Names the categories.
        embedding: Of the local tier.
    """
    start = {"keywords": START, "local": START}
    examples = [[e for one in group for e in conversation_examples(one, policy, start)] for group in conversations]
    everything = [example for group in examples for example in group]
    folds = [_fit_without(examples, fold, embedding) for fold in range(FOLDS)]
    heads = fit_kinds(everything, embedding.embed) | fit_fields([*everything, *lines], embedding.embed)
    choice = {
        "keywords": _fit_choice(conversations, [_tier(policy, fold, None) for fold in folds], policy),
        "local": _fit_choice(conversations, [_tier(policy, fold, embedding) for fold in folds], policy),
    }
    return Trained(Weights(heads, embedding.name, INPUT_NAMES), choice)


def _fit_without(examples: Sequence[Sequence[Example]], fold: int, embedding: Embedding) -> dict[str, Head]:
    others = [example for index, group in enumerate(examples) if index % FOLDS != fold for example in group]
    return fit_kinds(others, embedding.embed)


def _tier(policy: Policy, heads: dict[str, Head], embedding: Embedding | None) -> LocalTier:
    return LocalTier(policy, Weights(heads, "of a fold", INPUT_NAMES), embedding)


def _fit_choice(
    conversations: Sequence[Sequence[Conversation]], tiers: Sequence[LocalTier], policy: Policy
) -> TraitWeights:
    weights = START
    for _ in range(ROUNDS):
        choices: list[Choice] = []
        both = {"keywords": weights, "local": weights}
        for index, group in enumerate(conversations):
            judge = tiers[index % FOLDS].judge
            choices += [found for one in group for found in list_choices(one, judge, policy, both)]
        weights = fit_choice(choices)
    return weights
