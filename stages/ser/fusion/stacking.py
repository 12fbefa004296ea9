"""Stacking (Wolpert 1992): a logistic regression that takes the members' log-probabilities and says the emotion.

References
----------
.. [1] D. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
.. [2] K. Ting, I. Witten, "Issues in stacked generalization", Journal of Artificial Intelligence Research 10, 1999.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser.fusion.opinion_pools import log_probabilities

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


def learn_stacking(probabilities: np.ndarray, truth: np.ndarray, C: float) -> LogisticRegression | None:
    """Fit the regression; every class that occurs counts the same, as it does in the UAR.

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    truth : np.ndarray of int, shape (rows,)
        Position of the true class; classes may be missing.
    C : float
        Inverse of the L2 penalty.

    Returns
    -------
    LogisticRegression or None
        None where there is nothing to tell apart: fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression  # here: a mean of probabilities needs none

    if len(np.unique(truth)) < 2:
        return None
    return LogisticRegression(C=C, class_weight="balanced", max_iter=10_000).fit(_columns(probabilities), truth)


def stack(probabilities: np.ndarray, regression: LogisticRegression | None) -> np.ndarray:
    """Return the fused probabilities, shape (rows, classes).

    Of a class that the regression has not met it knows nothing: such a class keeps the mean of the members'
    probabilities, and the regression shares out the rest.

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    regression : LogisticRegression or None
        None: the mean of all classes.
    """
    fused = probabilities.mean(axis=0)
    if regression is None or not len(fused):
        return fused
    met = regression.classes_
    fused[:, met] = fused[:, met].sum(axis=1, keepdims=True) * regression.predict_proba(_columns(probabilities))
    return fused


def influence(regression: LogisticRegression | None, members: int) -> np.ndarray:
    """Return each member's share of the sum of the absolute coefficients, shape (members,)."""
    if regression is None:
        return np.full(members, 1 / members)
    of_member = np.abs(regression.coef_).reshape(len(regression.coef_), members, -1).sum(axis=(0, 2))
    return of_member / of_member.sum()


def _columns(probabilities: np.ndarray) -> np.ndarray:
    """Return the log-probabilities as a row a clip, member after member."""
    members, rows, classes = probabilities.shape
    return log_probabilities(probabilities).transpose(1, 0, 2).reshape(rows, members * classes)
