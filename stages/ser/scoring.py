"""Scores of prediction tables (see `ser.predictions`): pure functions, over the test rows only.

A class that is absent from the test rows has no recall, so averages over classes take the present ones. A class that
is present but never predicted has a precision of 0. Test rows of all folds are pooled before anything is computed.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    multilabel_confusion_matrix,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from ser.errors import InputError
from ser.predictions import emotions_of, predicted_emotions, probabilities_of, scored_rows

FALSE_POSITIVE_RATES = np.linspace(0, 1, 51) ** 2  # denser where good models have their curve
MACRO = "macro average"


def scores(table: pd.DataFrame, bins: int) -> dict[str, float]:
    """Return the scores of one model over its test rows, rounded to 4 digits.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    bins : int
        Bins of the expected calibration error.

    Returns
    -------
    dict of str to float
        ``uar`` (unweighted average recall, Schuller et al. 2009: the mean of the classes' recalls), ``accuracy``,
        ``f1_macro``, ``precision_macro``, ``auc_macro`` (mean of the classes' one-vs-rest areas under the ROC curve)
        and ``ece``.

    Raises
    ------
    InputError
        All test rows have the same emotion: neither UAR nor AUC says anything then.

    References
    ----------
    .. [1] B. Schuller, S. Steidl, A. Batliner, "The INTERSPEECH 2009 Emotion Challenge", Interspeech 2009.
    """
    rows = scored_rows(table)
    actual, predicted = rows["emotion"].to_numpy(dtype=object), predicted_emotions(rows)
    present = _present(rows)
    average = {"labels": present, "average": "macro", "zero_division": 0}
    values = {
        "uar": recall_score(actual, predicted, **average),
        "accuracy": accuracy_score(actual, predicted),
        "f1_macro": f1_score(actual, predicted, **average),
        "precision_macro": precision_score(actual, predicted, **average),
        "auc_macro": np.mean([_area(rows, emotion) for emotion in present]),
        "ece": expected_calibration_error(probabilities_of(rows).max(axis=1), actual == predicted, bins),
    }
    return {name: round(float(value), 4) for name, value in values.items()}


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
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017, eq. 3.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    excess = np.bincount(bin_of, weights=correct - confidence, minlength=bins)
    return float(np.abs(excess).sum() / len(confidence))


def per_class(table: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of each class against all others, one row a class.

    Returns
    -------
    pd.DataFrame
        ``emotion, sensitivity, specificity, precision, f1, auc, clips``, rounded to 4 digits. `sensitivity` is the
        recall, `clips` the number of test rows of the class; without any, sensitivity, F1 and AUC are NaN.
    """
    rows = scored_rows(table)
    emotions, present = emotions_of(rows), _present(rows)
    actual = rows["emotion"].to_numpy(dtype=object)
    tables = multilabel_confusion_matrix(actual, predicted_emotions(rows), labels=emotions).astype(float)
    tn, fp, fn, tp = tables.reshape(-1, 4).T
    absent = tp + fn == 0
    with np.errstate(invalid="ignore"):
        columns = {
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "precision": np.where(tp + fp == 0, 0, tp / (tp + fp)),
            "f1": np.where(absent, np.nan, 2 * tp / (2 * tp + fp + fn)),
        }
    areas = [_area(rows, emotion) if emotion in present else np.nan for emotion in emotions]
    result = pd.DataFrame({"emotion": emotions, **columns, "auc": areas}).round(4)
    return result.assign(clips=(tp + fn).astype(int))


def roc_points(table: pd.DataFrame) -> pd.DataFrame:
    """Return the one-vs-rest ROC curve of every present class and their mean, on a common grid.

    Returns
    -------
    pd.DataFrame
        ``emotion, fpr, tpr``, rounded to 4 digits: false and true positive rates, 0 to 1, of each class and of
        `MACRO`, the mean of the classes' curves at equal false positive rate (Fawcett 2006, vertical averaging).

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27(8), 2006.
    """
    rows = scored_rows(table)
    curves = {emotion: _curve(rows, emotion) for emotion in _present(rows)}
    curves = {MACRO: np.mean(list(curves.values()), axis=0), **curves}
    parts = [
        pd.DataFrame({"emotion": emotion, "fpr": FALSE_POSITIVE_RATES, "tpr": curve})
        for emotion, curve in curves.items()
    ]
    return pd.concat(parts, ignore_index=True).round(4)


def confusion(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the confusion matrix of the test rows, actual emotions down and predicted ones across.

    Returns
    -------
    shares : pd.DataFrame, shape (classes, classes)
        Each row divided by its sum, so that the diagonal holds the recalls; NaN in the row of an absent class.
    counts : pd.DataFrame, shape (classes, classes)
        Numbers of clips.
    """
    rows = scored_rows(table)
    emotions = emotions_of(rows)
    matrix = confusion_matrix(rows["emotion"].to_numpy(dtype=object), predicted_emotions(rows), labels=emotions)
    index, columns = pd.Index(emotions, name="actual"), pd.Index(emotions, name="predicted")
    counts = pd.DataFrame(matrix, index=index, columns=columns)
    return counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0), counts


def speaker_dependence(clips: pd.DataFrame, folds: pd.DataFrame, scheme: str) -> str:
    """Say why scores over these folds do not tell how a model does on a new speaker; an empty text if they do.

    Parameters
    ----------
    clips : pd.DataFrame
        With the columns ``clip`` and ``speaker`` (empty: unknown).
    folds : pd.DataFrame
        ``clip, fold_0, …`` with ``train``, ``validation``, ``test`` or nothing in each cell.
    scheme : str
        ``split.scheme``.
    """
    if scheme == "random":
        return "split.scheme is random"
    roles = _roles(clips, folds)
    if roles["speaker"].isna().any():
        return f"{roles.loc[roles['speaker'].isna(), 'clip'].nunique()} clips have no known speaker"
    shared = _speakers_in_both(roles, ["train", "validation"], ["test"])
    if shared:
        fold, speaker = shared[0]
        return f"speaker {speaker} is in the training and in the test part of {fold}"
    return ""


def validation_sharing_speakers(clips: pd.DataFrame, folds: pd.DataFrame) -> list[str]:
    """Return the folds of which a speaker is both in the training and in the validation part; see the one above."""
    shared = _speakers_in_both(_roles(clips, folds), ["train"], ["validation"])
    return sorted({fold for fold, _ in shared}, key=lambda fold: int(fold.removeprefix("fold_")))


def _roles(clips: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return ``clip, fold, role, speaker``: one row a clip and fold that it has a role in."""
    columns = [column for column in folds.columns if column.startswith("fold_")]
    roles = folds.melt(id_vars="clip", value_vars=columns, var_name="fold", value_name="role").dropna(subset="role")
    return roles.merge(clips[["clip", "speaker"]], on="clip", how="left")


def _speakers_in_both(roles: pd.DataFrame, one: list[str], other: list[str]) -> list[tuple[str, str]]:
    """Return the (fold, speaker) pairs that occur both in the parts `one` and in the parts `other`, sorted."""
    known = roles[["fold", "speaker", "role"]].dropna().drop_duplicates()
    pairs = [
        set(known.loc[known["role"].isin(side), ["fold", "speaker"]].itertuples(index=False, name=None))
        for side in (one, other)
    ]
    return sorted(pairs[0] & pairs[1])


def _present(rows: pd.DataFrame) -> list[str]:
    present = sorted(rows["emotion"].unique())
    if len(present) < 2:
        raise InputError(f"all test clips have the emotion {present[0]}: nothing can be told apart; change split")
    return present


def _area(rows: pd.DataFrame, emotion: str) -> float:
    return roc_auc_score(rows["emotion"] == emotion, rows[f"p_{emotion}"])


def _curve(rows: pd.DataFrame, emotion: str) -> np.ndarray:
    fpr, tpr, _ = roc_curve(rows["emotion"] == emotion, rows[f"p_{emotion}"])
    curve = np.interp(FALSE_POSITIVE_RATES, fpr, tpr)
    curve[0] = 0  # every curve begins at the origin; interpolation would take the upper end of a first vertical step
    return curve
