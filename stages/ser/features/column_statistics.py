"""Means and deviations of the training inputs, by which the deep models standardise."""

import numpy as np

from ser.errors import InputError
from ser.storage.shards import Ragged


def column_statistics(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column.

    Parameters
    ----------
    inputs : np.ndarray, shape (n, columns)

    Returns
    -------
    mean, deviation : np.ndarray of float32, shape (columns,)
        The deviation of a constant column is 1, so that dividing by it is safe.

    Raises
    ------
    InputError
        If a value is not finite; the message names the column.
    """
    check_finite(inputs)
    return _mean_and_deviation(len(inputs), inputs.sum(axis=0, dtype=np.float64), _squares(inputs))


def frame_statistics(clips: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column over the frames of all clips, reading a clip at a time.

    Parameters
    ----------
    clips : Ragged of arrays (frames, columns)

    Returns
    -------
    mean, deviation : np.ndarray of float32, shape (columns,)
        See `column_statistics`.

    Raises
    ------
    InputError
        If a value is not finite; the message names the column.
    """
    total, squares = 0.0, 0.0
    for frames in clips:
        check_finite(frames)
        total = total + frames.sum(axis=0, dtype=np.float64)
        squares = squares + _squares(frames)
    return _mean_and_deviation(clips.lengths.sum(), total, squares)


def check_finite(inputs: np.ndarray) -> None:
    """Raise an InputError that names the first column of `inputs`, shape (n, columns), with a NaN or infinity."""
    finite = np.isfinite(inputs).all(axis=0)
    if not finite.all():
        raise InputError(f"inputs: column {finite.argmin()} (counted from 0) has values that are not finite")


def _squares(inputs: np.ndarray) -> np.ndarray:
    return np.square(inputs, dtype=np.float64).sum(axis=0)


def _mean_and_deviation(count: int, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = total / count
    variance = squares / count - mean**2
    # What the difference of two large numbers leaves of a constant column is rounding, not a deviation.
    constant = variance <= 1e-12 * (squares / count)
    deviation = np.sqrt(np.where(constant, 1.0, variance))
    return mean.astype(np.float32), deviation.astype(np.float32)


def clip_means(inputs: np.ndarray | Ragged, rows: np.ndarray) -> np.ndarray:
    """Return one vector a clip, shape (clips, columns): functionals as they are, of sequences the means over frames.

    Parameters
    ----------
    inputs : np.ndarray, shape (n, columns), or Ragged of n arrays (frames, columns)
    rows : np.ndarray of bool, shape (n,)
        The clips that are wanted.
    """
    if isinstance(inputs, Ragged):
        return np.stack([frames.mean(axis=0) for frames in inputs.select(rows)])
    return np.asarray(inputs[rows])


def beyond_three_deviations(inputs: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return what share of the columns of each clip, shape (clips, columns), is more than 3 deviations from the mean.

    As cheap as it is: it tells a recording that is like no other, not by what.
    """
    return np.mean(np.abs(inputs - mean) > 3 * deviation, axis=1)
