"""An adapted model, learnt again with a few labelled clips of other people beside what it learnt from.

Of a network the last layer is learnt again, of any other model the classifier. The few clips get a share of the weight
of all, chosen by cross-validation over the people who gave them; where no share helps, the model stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from ser.adaptation.adapted_graph import (
    Adapted,
    Reference,
    last_layer_inputs,
    layer_weights,
    probabilities_of,
    with_last_layers,
    with_moved_inputs,
)
from ser.adaptation.input_statistics import movement
from ser.networks.batches import Examples
from ser.probabilities.temperature import fit_temperature, scale
from ser.storage.shards import Ragged

if TYPE_CHECKING:
    from onnx import ModelProto

SHARES = (0.1, 0.3)  # of the weight of all examples, that are tried for the labelled clips
GROUPS = 5  # of people, at most, each left out once
PENALTY = 30.0  # on the change of a last layer's weights, of what it reads in units of its deviation


def refit_with_labels(
    model: ModelProto,
    adapted: Adapted,
    reference: Reference,
    train: Examples,
    given: Examples,
    fit: Callable[[Examples], ModelProto] | None,
) -> tuple[ModelProto, float]:
    """Learn an adapted model again with labelled clips.

    Parameters
    ----------
    model : ModelProto
        As it was before.
    adapted : Adapted
        Without labels.
    reference : Reference
        What `model` expects.
    train, given : Examples
        What the model learnt from, and the labelled clips, of two speakers at least; their inputs are as they came.
    fit : callable or None
        Fits the classifier and what comes before it to examples, and returns the graph. None: of a network, whose
        last layer alone is learnt again.

    Returns
    -------
    model : ModelProto
    share : float
        The chosen share of the labelled clips in the weight of all; 0 where none helps.
    """
    again = _classifier(adapted, reference, train, fit) if fit else _last_layer(model, adapted, reference, train)
    before = probabilities_of(adapted.model, given.inputs)
    losses = {0.0: _loss(before, given.labels)}
    for share in SHARES:
        told = np.empty_like(before)
        for out in _groups(given.speakers):
            told[out] = probabilities_of(again(_take(given, ~out), share), _take(given, out).inputs)
        losses[share] = _loss(told, given.labels)
    chosen = min(losses, key=lambda share: (losses[share], share))
    return (again(given, chosen) if chosen else adapted.model), chosen


def _classifier(
    adapted: Adapted, reference: Reference, train: Examples, fit: Callable[[Examples], ModelProto]
) -> Callable[[Examples, float], ModelProto]:
    """Return what fits the classifier to the old examples and labelled clips, each as often as its share wants."""
    subtract, factor, add = movement(reference.inputs, adapted.reference.inputs)

    def again(given: Examples, share: float) -> ModelProto:
        times = max(1, round(share / (1 - share) * len(train.labels) / len(given.labels)))
        moved = given._replace(inputs=(given.inputs - subtract) * factor + add)
        examples = Examples(*(np.concatenate([old, *[new] * times]) for old, new in zip(train, moved, strict=True)))
        return with_moved_inputs(fit(examples), reference.inputs, adapted.reference.inputs)

    return again


def _last_layer(
    model: ModelProto, adapted: Adapted, reference: Reference, train: Examples
) -> Callable[[Examples, float], ModelProto]:
    """Return what fits the last layers to what they read of the old examples and of labelled clips."""
    before = last_layer_inputs(model, train.inputs)
    moves = [movement(*each) for each in zip(reference.last_layers, adapted.reference.last_layers, strict=True)] or [
        (0.0, 1.0, 0.0)
    ] * len(before)
    classes = layer_weights(model)[0][1].shape[0]
    counts = np.bincount(train.labels, minlength=classes)
    weights = len(train.labels) / (classes * counts[train.labels])

    def again(given: Examples, share: float) -> ModelProto:
        layers = []
        own = np.full(len(given.labels), share / (1 - share) * weights.sum() / len(given.labels))
        read = last_layer_inputs(adapted.model, given.inputs)
        for old, new, (subtract, factor, add), layer in zip(before, read, moves, layer_weights(model), strict=True):
            values = np.concatenate([old, (new - subtract) * factor + add])
            labels = np.concatenate([train.labels, given.labels])
            fitted, biases = fit_layer(values, labels, np.concatenate([weights, own]), *layer)
            offset = np.broadcast_to(add - subtract * factor, len(fitted))
            layers.append((np.reshape(factor, (-1, 1)) * fitted, biases + offset @ fitted))
        return with_last_layers(adapted.model, layers)

    return again


def fit_layer(
    values: np.ndarray, labels: np.ndarray, weights: np.ndarray, start: np.ndarray, start_biases: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of a layer with a softmax, as near to the old ones as the examples allow.

    The minimum of the weighted cross-entropy plus `PENALTY` / 2 times the squared change of the weights, in units of
    the deviation of what the layer reads.

    Parameters
    ----------
    values : np.ndarray, shape (n, width)
    labels : np.ndarray of int, shape (n,)
    weights : np.ndarray, shape (n,)
    start : np.ndarray, shape (width, classes)
    start_biases : np.ndarray, shape (classes,)
    """
    scale = np.maximum(values.std(axis=0, dtype=np.float64), 1e-6)
    x, wanted = values / scale, np.eye(start.shape[1])[labels]
    first = np.concatenate([start * scale[:, None], start_biases[None]])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = flat.reshape(first.shape)
        logs, change = log_softmax(x @ parameters[:-1] + parameters[-1], axis=1), parameters[:-1] - first[:-1]
        residuals = weights[:, None] * (np.exp(logs) - wanted)
        gradient = np.concatenate([x.T @ residuals + PENALTY * change, residuals.sum(axis=0)[None]])
        return -(weights[:, None] * wanted * logs).sum() + PENALTY / 2 * (change**2).sum(), gradient.ravel()

    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B").x.reshape(first.shape)
    return found[:-1] / scale[:, None], found[-1]


def _groups(speakers: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which clips are those of a group of people, bool of shape (clips,)."""
    people = np.unique(speakers)
    for some in np.array_split(people, min(GROUPS, len(people))):
        yield np.isin(speakers, some)


def _take(examples: Examples, rows: np.ndarray) -> Examples:
    inputs = examples.inputs.select(rows) if isinstance(examples.inputs, Ragged) else examples.inputs[rows]
    return Examples(inputs, *(values[rows] for values in examples[1:]))


def _loss(told: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log probability of the labels, nats, at the temperature that fits them best.

    What is compared is how well emotions are told, not how certain a model is of it.
    """
    scaled = scale(told, fit_temperature(told, labels))
    return float(-np.log(scaled[np.arange(len(labels)), labels]).mean())
