"""One answer out of those of several models: by the mean, the logarithmic opinion pool or a stacked regression.

How to fuse is data (`Rule`), so that an ensemble's folder can hold it; `ser.fusion` learns it.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from ser.probabilities.temperature import LEAST_PROBABILITY

METHODS = ("mean", "weights", "stacking")


class Rule(NamedTuple):
    """How to fuse.

    Attributes
    ----------
    method : {"mean", "weights", "stacking"}
    weights : np.ndarray, shape (members,)
        What each member counts; they sum to 1. Of a stacking its share of the absolute coefficients.
    coefficients : np.ndarray, shape (met classes, members * classes)
        Of a stacking; of the others without rows.
    intercepts : np.ndarray, shape (met classes,)
    met : np.ndarray of int, shape (met classes,)
        The classes that the stacking has learnt to tell apart.
    """

    method: str
    weights: np.ndarray
    coefficients: np.ndarray = np.empty((0, 0))
    intercepts: np.ndarray = np.empty(0)
    met: np.ndarray = np.empty(0, dtype=int)

    def as_json(self) -> dict:
        """Return the rule as lists and texts."""
        return {name: np.asarray(value).tolist() for name, value in self._asdict().items()}

    @classmethod
    def of_json(cls, stored: dict) -> "Rule":
        """Return what `as_json` made; KeyError, TypeError or ValueError where it is none."""
        if stored["method"] not in METHODS:
            raise ValueError(f"no way to fuse: {stored['method']}")
        numbers = {name: np.array(stored[name], dtype=float) for name in ("weights", "coefficients", "intercepts")}
        return cls(stored["method"], **numbers, met=np.array(stored["met"], dtype=int))


def fuse(probabilities: np.ndarray, rule: Rule) -> np.ndarray:
    """Return the probabilities of several models as one, shape (rows, classes).

    Parameters
    ----------
    probabilities : np.ndarray of float64, shape (members, rows, classes)
    rule : Rule
    """
    if rule.method == "weights":
        return pool(probabilities, rule.weights)
    fused = probabilities.mean(axis=0)
    if rule.method == "stacking" and len(rule.met) and len(fused):
        # of a class that the regression has not met it knows nothing: such a class keeps the mean of the members'
        # probabilities, and the regression shares out the rest
        shares = softmax(stacking_columns(probabilities) @ rule.coefficients.T + rule.intercepts, axis=1)
        fused[:, rule.met] = fused[:, rule.met].sum(axis=1, keepdims=True) * shares
    return fused


def pool(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the normalised product of the members' probabilities to the power of their weights, (rows, classes).

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    weights : np.ndarray, shape (members,)
        They sum to 1.
    """
    return softmax(np.tensordot(weights, log_probabilities(probabilities), axes=1), axis=1)


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms, of a probability of 0 that of the least one that is stored."""
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))


def stacking_columns(probabilities: np.ndarray) -> np.ndarray:
    """Return what a stacking reads: the log-probabilities of all members beside one another, a row a clip."""
    return np.concatenate(list(log_probabilities(probabilities)), axis=1)
