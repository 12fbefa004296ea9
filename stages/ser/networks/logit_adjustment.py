"""Post-hoc logit adjustment [1]_: emotions that are rare in training become more probable, as the UAR counts all alike.

A model that has learnt from few clips of an emotion gives it too little probability for unseen speakers, even where
these clips counted more while it learnt.

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
        Examples (clips and their copies) that a model learns from. A class without any is taken for as rare as the
        rarest that has some.
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
