"""Are probabilities what they say? Brier score, calibration error, log loss, and temperature scaling."""

import numpy as np
import pandas as pd

from ser.probabilities.temperature import floored, scale
from ser.storage.prediction_tables import PREFIX, emotions_of, probabilities_of

AS_PREDICTED, SCALED = "as predicted", "temperature-scaled"


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int) -> float:
    """Return how far confidence and accuracy are apart: the mean over equally wide bins, weighted by their rows.

    Parameters
    ----------
    confidence : np.ndarray, shape (rows,)
        Probability of the predicted class, 0 to 1.
    correct : np.ndarray of bool, shape (rows,)
        Whether that class is the true one.
    bins : int
        Number of bins, each open on the left: (0, 1/bins], (1/bins, 2/bins], …

    References
    ----------
    .. [1] M. Naeini, G. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
       AAAI 2015.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017.
    """
    excess = np.bincount(bin_of(confidence, bins), weights=correct - confidence, minlength=bins)
    return float(np.abs(excess).sum() / len(confidence))


def bin_of(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each confidence, 0 to bins - 1."""
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def squared_errors(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row from certainty of the true class, 0 to 2; their mean is the Brier score.

    Parameters
    ----------
    probabilities : np.ndarray, shape (rows, classes)
    truth : np.ndarray of int, shape (rows,)
        Position of the true class.

    References
    ----------
    .. [1] G. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
    """
    return ((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1)


def log_losses(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of the true class's probability of each row, nats."""
    return -np.log(floored(probabilities))[np.arange(len(truth)), truth]


def temperature_scaled(table: pd.DataFrame, temperatures: dict[int, float]) -> pd.DataFrame:
    """Return the test rows of a prediction table with their probabilities at the temperatures of their folds.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    temperatures : dict of int to float
        By fold, fitted on the validation rows of that fold.
    """
    rows = table[table["part"] == "test"].copy()
    of_row = rows["fold"].map(temperatures).fillna(1.0).to_numpy()
    rows[[PREFIX + emotion for emotion in emotions_of(rows)]] = scale(probabilities_of(rows), of_row)
    return rows


def calibration_scores(rows: pd.DataFrame, bins: int) -> dict[str, float]:
    """Return ``ece``, ``brier`` and ``log_loss`` of rows of a prediction table."""
    probabilities, truth = probabilities_of(rows), truth_of(rows)
    return {
        "ece": expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth, bins),
        "brier": float(squared_errors(probabilities, truth).mean()),
        "log_loss": float(log_losses(probabilities, truth).mean()),
    }


def reliability(rows: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Return ``confidence, accuracy, clips`` of each bin of confidence that has clips: mean, share right, number."""
    probabilities = probabilities_of(rows)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth_of(rows)
    table = pd.DataFrame({"confidence": confidence, "accuracy": correct, "clips": 1})
    return table.groupby(bin_of(confidence, bins)).agg({"confidence": "mean", "accuracy": "mean", "clips": "sum"})


def truth_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the position of each row's true emotion among the classes, shape (rows,)."""
    return pd.Categorical(rows["emotion"], categories=emotions_of(rows)).codes.astype(int)
