"""Confusion matrices by speaker, and the scores that can be computed from them.

Sums of matrices are matrices: of a group of speakers, of all, of all but one. So each score here takes any number of
matrices at once, shape (..., classes, classes), actual classes down, and returns an array of shape (...).

A class without clips has no recall, so averages over classes take the present ones; a class that is present but never
predicted has a precision of 0.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ser.storage.prediction_tables import emotions_of, probabilities_of


def confusions_by_speaker(rows: pd.DataFrame, speakers: pd.Series) -> np.ndarray:
    """Count the clips of every speaker by actual and predicted emotion.

    Parameters
    ----------
    rows : pd.DataFrame
        Rows of a prediction table.
    speakers : pd.Categorical-like
        Speaker of each row, shape (rows,).

    Returns
    -------
    np.ndarray of int, shape (speakers, classes, classes)
        In the order of the speakers' names.
    """
    emotions = emotions_of(rows)
    who, names = pd.factorize(np.asarray(speakers), sort=True)
    actual = pd.Categorical(rows["emotion"], categories=emotions).codes
    predicted = probabilities_of(rows).argmax(axis=1)
    shape = (len(names), len(emotions), len(emotions))
    cells = np.ravel_multi_index((who, actual, predicted), shape)
    return np.bincount(cells, minlength=np.prod(shape)).reshape(shape)


def without_each(totals: np.ndarray) -> np.ndarray:
    """Return the sums of all but one along the first axis, for each that is left out."""
    return totals.sum(axis=0) - totals


def left_out_scores(score: Callable, confusions: np.ndarray) -> np.ndarray:
    """Return a mean over classes without each speaker; NaN without one who is the only one of a class.

    Without that speaker it would be a mean over other classes: another score, which says nothing about this one.

    Parameters
    ----------
    score : callable
        `uar`, `f1_macro` or `precision_macro`.
    confusions : np.ndarray, shape (speakers, classes, classes)

    Returns
    -------
    np.ndarray, shape (speakers,)
    """
    rest = without_each(confusions)
    lost = (rest.sum(axis=-1) == 0) & (confusions.sum(axis=(0, -1)) > 0)
    return np.where(lost.any(axis=-1), np.nan, score(rest))


def shown(confusions: np.ndarray) -> np.ndarray:
    """Return which classes have clips, a boolean array of shape (..., classes)."""
    return confusions.sum(axis=-1) > 0


def only(confusions: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the matrices without the clips of other classes; their scores are means over the classes that are left.

    Parameters
    ----------
    confusions : np.ndarray, shape (..., classes, classes)
    classes : np.ndarray of bool, shape (classes,)
    """
    return np.where(classes[:, None], confusions, 0)


def recalls(confusions: np.ndarray) -> np.ndarray:
    """Return the recall (sensitivity) of each class, shape (..., classes); NaN where it has no clips."""
    return _ratio(_diagonal(confusions), confusions.sum(axis=-1))


def uar(confusions: np.ndarray) -> np.ndarray:
    """Return the unweighted average recall: the mean recall of the classes (Schuller et al. 2009).

    References
    ----------
    .. [1] B. Schuller, S. Steidl, A. Batliner, "The INTERSPEECH 2009 Emotion Challenge", Interspeech 2009.
    """
    return _mean_of_present(recalls(confusions), confusions)


def accuracy(confusions: np.ndarray) -> np.ndarray:
    """Return the share of clips that are right."""
    return _ratio(_diagonal(confusions).sum(axis=-1), confusions.sum(axis=(-2, -1)))


def precision_macro(confusions: np.ndarray) -> np.ndarray:
    """Return the mean precision of the classes."""
    return _mean_of_present(np.nan_to_num(_ratio(_diagonal(confusions), confusions.sum(axis=-2))), confusions)


def f1_macro(confusions: np.ndarray) -> np.ndarray:
    """Return the mean F1 (harmonic mean of precision and recall) of the classes."""
    sides = confusions.sum(axis=-1) + confusions.sum(axis=-2)
    return _mean_of_present(_ratio(2 * _diagonal(confusions), sides), confusions)


def _diagonal(confusions: np.ndarray) -> np.ndarray:
    return np.diagonal(confusions, axis1=-2, axis2=-1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return numerator / denominator  # 0 / 0 is NaN


def _mean_of_present(of_class: np.ndarray, confusions: np.ndarray) -> np.ndarray:
    present = shown(confusions)
    return _ratio(np.where(present, of_class, 0).sum(axis=-1), present.sum(axis=-1))
