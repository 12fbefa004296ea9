"""Post-hoc logit adjustment [1]_: emotions that are rare in training become more probable, as the UAR counts all alike.

A model that has learnt from few clips of an emotion gives it the less probability. Where the classes were balanced
while it learnt, that has been corrected already, and there is nothing left to divide by; see
`ser.networks.batches.learnt_counts`.

References
----------
.. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit, S. Kumar, "Long-tail learning via logit adjustment",
   ICLR 2021.
"""

from collections.abc import Sequence

import numpy as np


def class_factors(counts: np.ndarray, strength: float) -> list[float]:
    """Return what the odds of each class are to be multiplied by, 1 for the class with the most examples.

    Parameters
    ----------
    counts : np.ndarray of int, shape (classes,)
        How often a model met each class. A class without any is taken for as rare as the rarest that has some.
    strength : float
        Exponent of the factors; 0: all are 1.
    """
    counts = np.where(counts > 0, counts, counts[counts > 0].min())
    return ((counts.max() / counts) ** strength).tolist()


def adjust(probabilities: np.ndarray, factors: Sequence[float]) -> np.ndarray:
    """Return probabilities of shape (n, classes), multiplied by the classes' factors and normalised, float32.

    With equal factors the probabilities come back as they are, to the last bit.
    """
    if len(set(factors)) == 1:
        return probabilities
    odds = probabilities * np.asarray(factors)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
