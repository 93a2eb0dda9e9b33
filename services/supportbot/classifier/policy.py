"""What the bot's spec says about classification, as a `Policy`."""

import math

from supportbot.classifier.keywords import Category
from supportbot.classifier.scene import CONFIDENCE_AT_ZERO, Policy
from supportbot.spec import Spec


def make_policy(spec: Spec) -> Policy:
    """The policy of a spec; the last category stands in for what fits none when the spec names no default."""
    classification = spec.classification
    categories = tuple(
        Category(one.name, tuple(one.keywords), one.priority, one.description) for one in classification.categories
    )
    names = [one.name for one in categories]
    default = classification.default_category or next(
        (name for name in ("operations", "general_inquiry") if name in names), names[0]
    )
    share = min(0.99, max(0.01, classification.min_confidence_percent / 100))
    return Policy(
        categories=categories,
        default_category=default,
        language=spec.language.value,
        open_at=math.log(share / (1 - share)) - CONFIDENCE_AT_ZERO,
        ask_band=0.35 if spec.replies.ask_when_unsure else 0.0,
    )
