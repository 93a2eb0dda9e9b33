"""Fits the weights: logistic regression for the heads, a conditional logit for the choice.

The same data give the same weights.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from supportbot.classifier.choice import TraitWeights
from supportbot.classifier.heads import Head
from supportbot.classifier.local import EMBEDDING_SCALE
from supportbot.training.choices import Choice
from supportbot.training.examples import Example

HEAD_STRENGTH = 1.0
"""Inverse strength of the heads' regularisation. From .3 to 3 the figures on groups left out move by half a point."""
CHOICE_PENALTY = 10.0
"""Of the squared weights. From 3 to 30 the figures on groups left out move by half a point."""
MODEL_WEIGHTS = {
    "open": {},
    "leave": {},
    "follow": {"model_names_it": 0.6, "model_names_another": -0.3},
    "photo": {},
}
"""What naming an incident by a language model weighs, beside its probabilities: set by hand, since no labelled
conversation has such words, and low, since a model may have been talked into it."""

Embed = Callable[[str], Sequence[float]]


def fit_kinds(examples: Sequence[Example], embed: Embed) -> dict[str, Head]:
    """The heads that tell kinds, for a text in its conversation: `kind`, and `kind_plain` without the embedding."""
    told = [one for one in examples if one.context is not None]
    plain = np.array([(*one.signals, *(one.context or ())) for one in told])
    kinds = [one.kind.value for one in told]
    weights = [one.weight for one in told]
    whole = np.hstack([_vectors(told, embed), plain])
    return {"kind": _fit(whole, kinds, weights), "kind_plain": _fit(plain, kinds, weights)}


def fit_fields(examples: Sequence[Example], embed: Embed) -> dict[str, Head]:
    """The heads that read a text alone: `kind_alone`, `category` and `priority`."""
    inputs = np.hstack([_vectors(examples, embed), np.array([one.signals for one in examples])])
    heads: dict[str, Head] = {}
    labels: Mapping[str, list[str | None]] = {
        "kind_alone": [one.kind.value for one in examples],
        "category": [one.category for one in examples],
        "priority": [one.priority for one in examples],
    }
    for name, values in labels.items():
        rows = [index for index, value in enumerate(values) if value is not None]
        weights = [examples[index].weight for index in rows]
        heads[name] = _fit(inputs[rows], [str(values[index]) for index in rows], weights)
    return heads


def _vectors(examples: Sequence[Example], embed: Embed) -> Any:
    return EMBEDDING_SCALE * np.array([embed(one.text) for one in examples])


def _fit(inputs: Any, labels: Sequence[str], weights: Sequence[float]) -> Head:
    model = LogisticRegression(C=HEAD_STRENGTH, max_iter=2000, tol=1e-4)
    model.fit(inputs, np.array(labels), sample_weight=np.array(weights))
    rows, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # Of two classes only the second has a row; halved, the softmax gives the same.
        rows, bias = np.vstack([-rows, rows]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(
        tuple(str(name) for name in model.classes_),
        tuple(tuple(float(value) for value in row) for row in rows),
        tuple(float(value) for value in bias),
    )


def fit_choice(choices: Sequence[Choice]) -> TraitWeights:
    """The weights under which the right possibilities are likeliest, each text counting the same."""
    options = [(index, option, right) for index, one in enumerate(choices) for option, right in _pairs(one)]
    names = sorted({(option.way.value, name) for _, option, _ in options for name in option.traits})
    column = {name: index for index, name in enumerate(names)}
    entries = [
        (row, column[option.way.value, name], value)
        for row, (_, option, _) in enumerate(options)
        for name, value in option.traits.items()
    ]
    rows, columns, values = zip(*entries, strict=True)
    traits = csr_matrix((values, (rows, columns)), shape=(len(options), len(names)))
    text = np.array([index for index, _, _ in options])
    right = np.array([float(ok) for _, _, ok in options])

    def loss(weights: Any) -> tuple[float, Any]:
        scores = traits @ weights
        top = np.full(len(choices), -np.inf)
        np.maximum.at(top, text, scores)
        exponents = np.exp(scores - top[text])
        total = np.bincount(text, exponents)
        hit = np.bincount(text, exponents * right)
        gradient = traits.T @ (exponents / total[text] - exponents * right / hit[text])
        penalty = 0.5 * CHOICE_PENALTY * float(weights @ weights)
        return float(np.sum(np.log(total) - np.log(hit))) + penalty, gradient + CHOICE_PENALTY * weights

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    fitted: dict[str, dict[str, float]] = {way: dict(known) for way, known in MODEL_WEIGHTS.items()}
    for (way, name), value in zip(names, found.x, strict=True):
        fitted[way][name] = round(float(value), 3)
    return fitted


def _pairs(choice: Choice) -> list[tuple[Any, bool]]:
    return list(zip(choice.options, choice.right, strict=True))
