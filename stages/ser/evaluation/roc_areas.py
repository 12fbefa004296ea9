"""One-vs-rest areas under the ROC curve, also without each speaker."""

import numpy as np
import pandas as pd

from ser.storage.prediction_tables import emotions_of, probabilities_of


def macro_area(rows: pd.DataFrame, speakers: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean area of the present classes, and the same without each speaker.

    Parameters
    ----------
    rows : pd.DataFrame
        Rows of a prediction table.
    speakers : np.ndarray of str, shape (rows,)

    Returns
    -------
    area : float
    left_out : np.ndarray, shape (speakers,)
        In the order of the speakers' names; NaN without one who is the only one of a class.
    """
    emotions, probabilities = emotions_of(rows), probabilities_of(rows)
    actual = rows["emotion"].to_numpy(dtype=object)
    present = [emotion for emotion in emotions if (actual == emotion).any()]
    columns = [probabilities[:, emotions.index(emotion)] for emotion in present]
    areas, left_out = zip(
        *(area(actual == name, column, speakers) for name, column in zip(present, columns, strict=True)), strict=True
    )
    return float(np.mean(areas)), np.mean(left_out, axis=0)


def area(positive: np.ndarray, scores: np.ndarray, speakers: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the area under the ROC curve: the share of pairs, one positive and one not, in which the first is higher.

    A pair that ties counts half. Leaving a speaker out removes the pairs that one of the two clips is theirs of, so
    one sorting of all clips and one of each speaker's give all areas (the terms of DeLong et al. 1988 and, for
    clustered data, Obuchowski 1997).

    Parameters
    ----------
    positive : np.ndarray of bool, shape (rows,)
        With at least one row of both kinds.
    scores : np.ndarray, shape (rows,)
    speakers : np.ndarray of str, shape (rows,)

    Returns
    -------
    area : float
    left_out : np.ndarray, shape (speakers,)
        NaN where nothing positive or nothing else is left.

    References
    ----------
    .. [1] E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
       operating characteristic curves", Biometrics 44, 1988.
    .. [2] N. Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53, 1997.
    """
    who, names = pd.factorize(speakers, sort=True)
    pairs_of = won_pairs(positive, scores)
    total = pairs_of[positive].sum()
    order = np.argsort(who, kind="stable")
    inside = np.array([won_pairs(positive[part], scores[part])[positive[part]].sum() for part in _runs(who, order)])
    won = total - np.bincount(who, weights=pairs_of, minlength=len(names)) + inside  # pairs inside are subtracted twice
    positives = positive.sum() - np.bincount(who, weights=positive, minlength=len(names))
    others = (~positive).sum() - np.bincount(who, weights=~positive, minlength=len(names))
    with np.errstate(invalid="ignore"):
        return total / (positive.sum() * (~positive).sum()), won / (positives * others)


def won_pairs(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return in how many pairs that a row is in the positive one is higher, a tie counting half; shape (rows,)."""
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    below = (np.searchsorted(low, scores, "left") + np.searchsorted(low, scores, "right")) / 2
    above = len(high) - (np.searchsorted(high, scores, "left") + np.searchsorted(high, scores, "right")) / 2
    return np.where(positive, below, above)


def _runs(who: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    return np.split(order, np.flatnonzero(np.diff(who[order])) + 1)
