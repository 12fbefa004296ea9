"""Balancing classes by examples that are made up or drawn again, of a training part only."""

import numpy as np
from imblearn.over_sampling import SMOTE

NEIGHBORS = 5  # imbalanced-learn's default


def smote(rarest: int, seed: int) -> SMOTE | None:
    """Return SMOTE for classes of which the rarest has so many examples; None where none can be made up.

    A synthetic example lies between two real ones; if these are too few for SMOTE's neighbours there are fewer of them.
    """
    return SMOTE(k_neighbors=min(NEIGHBORS, rarest - 1), random_state=seed) if rarest > 1 else None


def oversample(inputs: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples, shape (n, features), with synthetic ones that make all classes as frequent as the first."""
    sampler = smote(np.unique(labels, return_counts=True)[1].min(), seed)
    return (inputs, labels) if sampler is None else sampler.fit_resample(inputs, labels)
