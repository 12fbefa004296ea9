"""One answer out of those of several models: by their mean, an opinion pool with weights, or a stacked regression.

How to fuse is data (`Rule`), so that an ensemble's folder can hold it; `ser.fusion` learns it.

References
----------
.. [1] C. Genest, J. Zidek, "Combining probability distributions", Statistical Science 1(1), 1986 (the pools).
.. [2] S. Amari, "Integration of stochastic models by minimizing α-divergence", Neural Computation 19(10), 2007 (what
   lies between them).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from ser.probabilities.temperature import LEAST_PROBABILITY, scale

METHODS = ("mean", "weights", "stacking")
GEOMETRIC = 1e-6  # a power below it is that of the geometric mean, which it tends to; a division by it loses digits


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
    temperatures : np.ndarray, shape (members,)
        At which each member's probabilities are taken; without any they are taken as they are.
    power : float
        Of a pool with weights, 0 (geometric mean) to 1 (arithmetic mean); see `pool`.
    """

    method: str
    weights: np.ndarray
    coefficients: np.ndarray = np.empty((0, 0))
    intercepts: np.ndarray = np.empty(0)
    met: np.ndarray = np.empty(0, dtype=int)
    temperatures: np.ndarray = np.empty(0)
    power: float = 0.0

    def as_json(self) -> dict:
        """Return the rule as lists, numbers and texts; ``temperatures`` and ``power`` only where they do something."""
        stored = {name: np.asarray(value).tolist() for name, value in self._asdict().items()}
        return {name: value for name, value in stored.items() if value or name not in ("temperatures", "power")}

    @classmethod
    def of_json(cls, stored: dict) -> "Rule":
        """Return what `as_json` made; KeyError, TypeError or ValueError where it is none."""
        if stored["method"] not in METHODS:
            raise ValueError(f"no way to fuse: {stored['method']}")
        numbers = {name: np.array(stored[name], dtype=float) for name in ("weights", "coefficients", "intercepts")}
        temperatures, power = np.array(stored.get("temperatures", []), dtype=float), float(stored.get("power", 0))
        if temperatures.size and (temperatures.shape != numbers["weights"].shape or not (temperatures > 0).all()):
            raise ValueError(f"no temperatures of its members: {stored['temperatures']}")
        if not 0 <= power <= 1:
            raise ValueError(f"no power from 0 to 1: {power}")
        met = np.array(stored["met"], dtype=int)
        return cls(stored["method"], **numbers, met=met, temperatures=temperatures, power=power)


def fuse(probabilities: np.ndarray, rule: Rule) -> np.ndarray:
    """Return the probabilities of several models as one, shape (rows, classes).

    Parameters
    ----------
    probabilities : np.ndarray of float64, shape (members, rows, classes)
    rule : Rule
    """
    if len(rule.temperatures):
        probabilities = at_temperatures(probabilities, rule.temperatures)
    if rule.method == "weights":
        return pool(probabilities, rule.weights, rule.power)
    fused = probabilities.mean(axis=0)
    if rule.method == "stacking" and len(rule.met) and len(fused):
        # of a class that the regression has not met it knows nothing: such a class keeps the mean of the members'
        # probabilities, and the regression shares out the rest
        shares = softmax(stacking_columns(probabilities) @ rule.coefficients.T + rule.intercepts, axis=1)
        fused[:, rule.met] = fused[:, rule.met].sum(axis=1, keepdims=True) * shares
    return fused


def at_temperatures(probabilities: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """Return each member's probabilities at its temperature, (members, rows, classes)."""
    return np.stack([scale(of_member, own) for of_member, own in zip(probabilities, temperatures, strict=True)])


def pool(probabilities: np.ndarray, weights: np.ndarray, power: float = 0.0) -> np.ndarray:
    """Return the normalised weighted power mean of the members' probabilities, (rows, classes).

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    weights : np.ndarray, shape (members,)
        They sum to 1.
    power : float
        0: the geometric mean, which is the logarithmic opinion pool [1]_: what one member rules out is ruled out.
        1: the arithmetic mean, the linear pool [1]_: what one member is certain of stays possible. Between: see [2]_.
    """
    logs = log_probabilities(probabilities)
    if power < GEOMETRIC:
        return softmax(np.tensordot(weights, logs, axes=1), axis=1)
    return softmax(np.log(np.tensordot(weights, np.exp(power * logs), axes=1)) / power, axis=1)


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms, of a probability of 0 that of the least one that is stored."""
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))


def stacking_columns(probabilities: np.ndarray) -> np.ndarray:
    """Return what a stacking reads: the log-probabilities of all members beside one another, a row a clip."""
    return np.concatenate(list(log_probabilities(probabilities)), axis=1)
