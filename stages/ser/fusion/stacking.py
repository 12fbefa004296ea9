"""Stacking (Wolpert 1992): a logistic regression that takes the members' log-probabilities and says the emotion.

References
----------
.. [1] D. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
.. [2] K. Ting, I. Witten, "Issues in stacked generalization", Journal of Artificial Intelligence Research 10, 1999.
"""

import numpy as np

from ser.probabilities.fused import Rule, stacking_columns


def learn_stacking(probabilities: np.ndarray, truth: np.ndarray, C: float) -> Rule:
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
    Rule
        The mean where there is nothing to tell apart: fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression  # here: a mean of probabilities needs none

    members = len(probabilities)
    if len(np.unique(truth)) < 2:
        return Rule("stacking", np.full(members, 1 / members))
    columns = stacking_columns(probabilities)
    fitted = LogisticRegression(C=C, class_weight="balanced", max_iter=10_000).fit(columns, truth)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    of_member = np.abs(coefficients).reshape(len(coefficients), members, -1).sum(axis=(0, 2))
    if len(fitted.classes_) == 2:  # scikit-learn stores the second class against the first
        coefficients, intercepts = (np.concatenate([np.zeros_like(part), part]) for part in (coefficients, intercepts))
    return Rule("stacking", of_member / of_member.sum(), coefficients, intercepts, fitted.classes_)
