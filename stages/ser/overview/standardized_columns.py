"""Columns of features in deviations from the mean of all clips, or of each voice's, as the models see them."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

COLUMNS = 512  # that are looked at together: of a corpus of 30,000 clips 120 MB
LIMIT = 3.0  # deviations; what is further off counts as so many, as in the models


def standardized(x: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Return columns less the mean of each group, in deviations within groups, cut to `LIMIT` of these.

    Parameters
    ----------
    x : np.ndarray, shape (clips, columns)
        What is not finite counts as the mean of its column.
    groups : np.ndarray of int, shape (clips,), optional
        From 0, each at least once. None: all clips are one.

    Returns
    -------
    np.ndarray of float64, shape (clips, columns)
        The mean of every group is 0; columns that do not vary within any are 0 throughout.
    """
    groups = np.zeros(len(x), dtype=int) if groups is None else groups
    x = np.array(x, dtype=np.float64)
    usable = np.isfinite(x)
    if not usable.all():
        mean = np.where(usable, x, 0).sum(axis=0) / np.maximum(usable.sum(axis=0), 1)
        x = np.where(usable, x, mean)
    largest = np.maximum(x.max(axis=0), -x.min(axis=0))
    take_means_off(x, groups)
    deviation = np.sqrt(np.einsum("ij,ij->j", x, x) / len(x))
    varies = deviation > 1e-6 * largest  # less than that is the rounding of float32
    x *= np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    np.clip(x, -LIMIT, LIMIT, out=x)
    take_means_off(x, groups)
    return x


def column_blocks(inputs: np.ndarray) -> Iterator[slice]:
    """Yield the columns of a table some at a time."""
    for start in range(0, inputs.shape[1], COLUMNS):
        yield slice(start, start + COLUMNS)


def take_means_off(x: np.ndarray, groups: np.ndarray) -> None:
    """Subtract the mean of each group from values, shape (clips, columns), in place."""
    sizes = np.bincount(groups)
    members = csr_array((1 / sizes[groups], (groups, np.arange(len(x)))), shape=(len(sizes), len(x)))
    means = members @ x
    x -= means[groups] if len(means) > 1 else means
