"""Learning an opinion pool, its weights and its kind of mean; see `ser.probabilities.fused.pool`.

A mean of calibrated models is less certain than it could be (Ranjan & Gneiting 2010), the arithmetic one most of all,
and would have the higher cross-entropy for that alone. An ensemble has a temperature of its own, which puts that right:
kinds of mean are compared at it.

References
----------
.. [1] C. Genest, "A characterization theorem for externally Bayesian groups", Annals of Statistics 12(3), 1984.
.. [2] T. Heskes, "Selecting weighting factors in logarithmic opinion pools", NIPS 10, 1998.
.. [3] R. Ranjan, T. Gneiting, "Combining probability forecasts", J. R. Statist. Soc. B 72(1), 2010.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax, rel_entr, softmax

from ser.probabilities.fused import GEOMETRIC, Rule, log_probabilities, pool
from ser.probabilities.temperature import fit_temperature, floored, scale


def learn_pool(probabilities: np.ndarray, truth: np.ndarray, shrinkage: float, powers: Sequence[float]) -> Rule:
    """Return the pool that has the least of what `learn_weights` minimises, each at the temperature that fits it.

    Parameters
    ----------
    probabilities, truth, shrinkage
        See `learn_weights`.
    powers : sequence of float, 0 to 1
        The kinds of mean to choose from. The first is taken where nothing tells them apart.
    """
    rules = [Rule("weights", learn_weights(probabilities, truth, shrinkage, each), power=each) for each in powers]
    if len(rules) == 1 or not len(truth) or len(probabilities) == 1:
        return rules[0]
    counts = class_balance(truth)

    def loss(rule: Rule) -> float:
        pooled = pool(probabilities, rule.weights, rule.power)
        scaled = floored(scale(pooled, fit_temperature(pooled, truth)))[np.arange(len(truth)), truth]
        return -(counts @ np.log(scaled)) + shrinkage * rel_entr(rule.weights, 1 / len(rule.weights)).sum()

    return min(rules, key=loss)


def class_balance(truth: np.ndarray) -> np.ndarray:
    """Return what each row counts, shape (rows,): every class that occurs the same, 1 in the mean over rows."""
    from sklearn.utils.class_weight import compute_sample_weight  # here: a mean of probabilities needs none

    return compute_sample_weight("balanced", truth)


def learn_weights(probabilities: np.ndarray, truth: np.ndarray, shrinkage: float, power: float = 0.0) -> np.ndarray:
    """Return the weights of the pool with the least cross-entropy, drawn towards equal ones.

    Minimised is ``sum of -log p(true class) + shrinkage * KL(weights || equal weights)``, which is convex in the
    weights of the geometric mean. In the sum every class that occurs counts the same, as it does in the UAR. With the
    relative entropy a useless member's weight can vanish: it falls by a factor of e for each `shrinkage` nats that the
    sum would gain.

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    truth : np.ndarray of int, shape (rows,)
        Position of the true class. Classes may be missing; without any rows the weights are equal.
    shrinkage : float
        At least 0.
    power : float
        The kind of mean; see `ser.probabilities.fused.pool`.

    Returns
    -------
    np.ndarray, shape (members,)
        Positive; they sum to 1.
    """
    from scipy.optimize import minimize  # here: a mean of probabilities needs none

    members, rows = probabilities.shape[:2]
    if not rows or members == 1:
        return np.full(members, 1 / members)
    geometric = power < GEOMETRIC
    logs = log_probabilities(probabilities)
    terms = logs if geometric else np.exp(power * logs)
    counts = class_balance(truth)

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        """Return what is minimised and its gradient, for weights ``softmax(scores)``."""
        log_weights = log_softmax(scores)
        weights = np.exp(log_weights)
        together = np.tensordot(weights, terms, axes=1)
        pooled = log_softmax(together if geometric else np.log(together) / power, axis=1)
        surprise = log_weights + np.log(members)
        value = -(counts @ pooled[np.arange(rows), truth]) + shrinkage * (weights @ surprise)
        slopes = terms if geometric else terms / (power * together)  # of the logarithm before it is normalised
        expected, of_truth = np.einsum("mrc,rc->mr", slopes, np.exp(pooled)), slopes[:, np.arange(rows), truth]
        by_weight = (expected - of_truth) @ counts + shrinkage * surprise
        return value / rows, weights * (by_weight - weights @ by_weight) / rows

    found = minimize(loss, np.zeros(members), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    return softmax(found.x)
