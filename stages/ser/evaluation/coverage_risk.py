"""How good a model is where it is sure: the coverage-risk curve (El-Yaniv and Wiener 2010)."""

import numpy as np
import pandas as pd

from ser.evaluation.calibration import truth_of
from ser.storage.prediction_tables import probabilities_of

STEPS = np.arange(1, 21)  # of 5 % each


def coverage_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the scores over the clips that a model decides when it leaves the least certain ones to a person.

    Parameters
    ----------
    rows : pd.DataFrame
        Rows of a prediction table. A model is as certain as the probability of the class it chooses; clips that it is
        equally certain of follow one another by name.

    Returns
    -------
    pd.DataFrame
        ``coverage, accuracy, uar``: share of the clips that are decided (rounded up to whole clips), and the scores
        over these; `uar` over the emotions among them.

    References
    ----------
    .. [1] R. El-Yaniv, Y. Wiener, "On the foundations of noise-free selective classification", JMLR 11, 2010.
    """
    rows = rows.sort_values(["clip", "fold"])
    probabilities, truth = probabilities_of(rows), truth_of(rows)
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    truth, correct = truth[order], (probabilities.argmax(axis=1) == truth)[order]
    clips = np.cumsum(truth[:, None] == np.arange(probabilities.shape[1]), axis=0)  # of each class so far
    right = np.cumsum((truth[:, None] == np.arange(probabilities.shape[1])) & correct[:, None], axis=0)
    last = -(-STEPS * len(rows) // len(STEPS)) - 1
    clips, right = clips[last], right[last]
    with np.errstate(invalid="ignore"):
        recalls = np.where(clips > 0, right / clips, 0)
    return pd.DataFrame(
        {
            "coverage": STEPS / len(STEPS),
            "accuracy": right.sum(axis=1) / clips.sum(axis=1),
            "uar": recalls.sum(axis=1) / (clips > 0).sum(axis=1),
        }
    )
