"""Linear heads of the local tier: weights as a JSON document, and the softmax over them. Pure.

`supportbot.training` makes the document; this module reads it without numpy, so that it can be checked anywhere.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from operator import mul
from typing import Any

WEIGHTS_FILE = "local.json"
SCALE = 1e-4
"""Weights are kept as whole numbers of this size: a smaller step changes no decision."""


@dataclass(frozen=True)
class Head:
    """One linear classifier."""

    classes: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    """One row for each class, one column for each input."""
    bias: tuple[float, ...]

    def probabilities(self, inputs: Sequence[float]) -> dict[str, float]:
        """The probability of each class; they add up to 1.

        Raises:
            ValueError: The inputs are not those that the head was trained on.
        """
        if len(inputs) != len(self.weights[0]):
            raise ValueError(f"the head takes {len(self.weights[0])} inputs, not {len(inputs)}")
        scores = [sum(map(mul, row, inputs)) + bias for row, bias in zip(self.weights, self.bias, strict=True)]
        top = max(scores)
        exponents = [math.exp(score - top) for score in scores]
        total = sum(exponents)
        return dict(zip(self.classes, (value / total for value in exponents), strict=True))


@dataclass(frozen=True)
class Weights:
    """What a training gave."""

    heads: Mapping[str, Head]
    """`kind`, `kind_plain` (the same without the embedding), `category` and `priority`."""
    embedding: str
    """Name and version of the embedding that the heads were trained on."""
    inputs: tuple[str, ...]
    """Names of the inputs beside the embedding; other ones need a new training."""

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "embedding": self.embedding,
            "inputs": list(self.inputs),
            "heads": {
                name: {
                    "classes": list(head.classes),
                    "bias": [round(value / SCALE) for value in head.bias],
                    "weights": [[round(value / SCALE) for value in row] for row in head.weights],
                }
                for name, head in self.heads.items()
            },
        }


def read_weights(document: Mapping[str, Any]) -> Weights:
    """The weights of a document."""
    heads = {
        name: Head(
            tuple(head["classes"]),
            tuple(tuple(value * SCALE for value in row) for row in head["weights"]),
            tuple(value * SCALE for value in head["bias"]),
        )
        for name, head in document["heads"].items()
    }
    return Weights(heads, document["embedding"], tuple(document["inputs"]))


@cache
def shipped_weights() -> Weights:
    """The weights that the package brings."""
    file = resources.files("supportbot.classifier") / "weights" / WEIGHTS_FILE
    return read_weights(json.loads(file.read_text(encoding="utf-8")))
