"""Scores of prediction tables (see `ser.storage.prediction_tables`): pure functions, over the test rows only.

A class that is absent from the test rows has no recall, so averages over classes take the present ones. A class that
is present but never predicted has a precision of 0. Test rows of all folds are pooled before anything is computed.
"""

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.evaluation.calibration import calibration_scores, squared_errors, truth_of
from ser.evaluation.confusions import (
    accuracy,
    confusions_by_speaker,
    f1_macro,
    left_out_scores,
    precision_macro,
    recalls,
    uar,
    without_each,
)
from ser.evaluation.intervals import Interval
from ser.evaluation.roc_areas import macro_area, won_pairs
from ser.evaluation.scored_speakers import Speakers, interval_of
from ser.storage.prediction_tables import emotions_of, predicted_emotions, probabilities_of, scored_rows

FALSE_POSITIVE_RATES = np.linspace(0, 1, 51) ** 2  # denser where good models have their curve
RECALLS = np.linspace(0, 1, 51)
MACRO = "macro average"
OF_CONFUSIONS = {"uar": uar, "accuracy": accuracy, "f1_macro": f1_macro, "precision_macro": precision_macro}


def scores(table: pd.DataFrame, speakers: Speakers, *, bins: int, confidence: float) -> dict[str, Interval]:
    """Return the scores of one model over its test rows, with intervals over speakers.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    speakers : Speakers
        Of its test rows.
    bins : int
        Bins of the expected calibration error.
    confidence : float
        Of the intervals, such as 0.95.

    Returns
    -------
    dict of str to Interval
        ``uar`` (unweighted average recall), ``accuracy``, ``f1_macro``, ``precision_macro``, ``auc_macro`` (mean of
        the classes' one-vs-rest areas under the ROC curve), ``brier`` (0 to 2, low is good) and ``ece``, which has no
        interval: a finite number of clips makes it too high, in every part of them even more.

    Raises
    ------
    InputError
        All test rows have the same emotion: neither UAR nor AUC says anything then.
    """
    rows = scored_rows(table)
    _present(rows)
    confusions = confusions_by_speaker(rows, speakers.of_row)
    by_class = confusions.sum(axis=-1)
    clips = by_class.sum(axis=-1)
    found = {}
    for name, score in OF_CONFUSIONS.items():
        sizes = clips if name == "accuracy" else by_class
        left_out = score(without_each(confusions)) if name == "accuracy" else left_out_scores(score, confusions)
        value = score(confusions.sum(axis=0))
        found[name] = interval_of(value, left_out, speakers, sizes=sizes, confidence=confidence)
    area, areas_left = macro_area(rows, speakers.of_row)
    found["auc_macro"] = interval_of(area, areas_left, speakers, sizes=by_class, confidence=confidence)
    errors = squared_errors(probabilities_of(rows), truth_of(rows)) / 2  # intervals are for scores from 0 to 1
    sums = np.bincount(np.unique(speakers.of_row, return_inverse=True)[1], weights=errors)
    with np.errstate(invalid="ignore"):
        left_out = without_each(sums) / without_each(clips)
    half = interval_of(errors.mean(), left_out, speakers, sizes=clips, confidence=confidence)
    found["brier"] = Interval(*(2 * bound for bound in half))
    return found | {"ece": Interval(calibration_scores(rows, bins)["ece"], np.nan, np.nan)}


def per_class(table: pd.DataFrame, speakers: Speakers, *, confidence: float) -> pd.DataFrame:
    """Return the scores of each class against all others, one row a class.

    Parameters
    ----------
    table, speakers, confidence
        See `scores`.

    Returns
    -------
    pd.DataFrame
        ``emotion, sensitivity, low, high, specificity, precision, f1, auc, clips``. `sensitivity` is the recall,
        `low` and `high` its interval, `clips` the number of test rows of the class; without any, sensitivity, F1 and
        AUC are NaN.
    """
    rows = scored_rows(table)
    emotions, present = emotions_of(rows), _present(rows)
    by_speaker = confusions_by_speaker(rows, speakers.of_row)
    total, left_out = by_speaker.sum(axis=0).astype(float), recalls(without_each(by_speaker))
    tp, clips, said = np.diagonal(total), total.sum(axis=1), total.sum(axis=0)
    intervals = [
        interval_of(
            tp[c] / clips[c], left_out[:, c], speakers, sizes=by_speaker[:, c].sum(axis=-1), confidence=confidence
        )
        if emotion in present
        else Interval(np.nan, np.nan, np.nan)
        for c, emotion in enumerate(emotions)
    ]
    with np.errstate(invalid="ignore"):
        columns = {
            "specificity": (total.sum() - clips - said + tp) / (total.sum() - clips),
            "precision": np.where(said == 0, 0, tp / said),
            "f1": np.where(clips == 0, np.nan, 2 * tp / (clips + said)),
        }
    areas = [_area(rows, emotion) if emotion in present else np.nan for emotion in emotions]
    sensitivity = pd.DataFrame(intervals).set_axis(["sensitivity", "low", "high"], axis=1)
    result = pd.DataFrame({"emotion": emotions}).join(sensitivity).assign(**columns, auc=areas)
    return result.assign(clips=clips.astype(int))


def roc_points(table: pd.DataFrame) -> pd.DataFrame:
    """Return the one-vs-rest ROC curve of every present class and their mean, on a common grid.

    Returns
    -------
    pd.DataFrame
        ``emotion, fpr, tpr``: false and true positive rates, 0 to 1, of each class and of
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
    return pd.concat(parts, ignore_index=True)


def precision_recall_points(table: pd.DataFrame) -> pd.DataFrame:
    """Return the one-vs-rest precision-recall curve of every present class and their mean, on a common grid.

    Returns
    -------
    pd.DataFrame
        ``emotion, recall, precision``, 0 to 1, of each class and of `MACRO`, the mean at equal recall. At each recall
        stands the best precision that a threshold reaches at this recall or a higher one.
    """
    from sklearn.metrics import precision_recall_curve  # here: who reads tables of scores computes none

    rows = scored_rows(table)
    curves = {}
    for emotion in _present(rows):
        precision, recall, _ = precision_recall_curve(rows["emotion"] == emotion, rows[f"p_{emotion}"])
        best = np.maximum.accumulate(precision[:-1])  # its last point, precision 1 at recall 0, belongs to no clip
        curves[emotion] = best[np.searchsorted(-recall[:-1], -RECALLS, side="right") - 1]
    curves = {MACRO: np.mean(list(curves.values()), axis=0), **curves}
    parts = [
        pd.DataFrame({"emotion": emotion, "recall": RECALLS, "precision": curve}) for emotion, curve in curves.items()
    ]
    return pd.concat(parts, ignore_index=True)


def confusion(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the confusion matrix of the test rows, actual emotions down and predicted ones across.

    Returns
    -------
    shares : pd.DataFrame, shape (classes, classes)
        Each row divided by its sum, so that the diagonal holds the recalls; NaN in the row of an absent class.
    counts : pd.DataFrame, shape (classes, classes)
        Numbers of clips.
    """
    from sklearn.metrics import confusion_matrix

    rows = scored_rows(table)
    emotions = emotions_of(rows)
    matrix = confusion_matrix(rows["emotion"].to_numpy(dtype=object), predicted_emotions(rows), labels=emotions)
    index, columns = pd.Index(emotions, name="actual"), pd.Index(emotions, name="predicted")
    counts = pd.DataFrame(matrix, index=index, columns=columns)
    return counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0), counts


def _present(rows: pd.DataFrame) -> list[str]:
    present = sorted(rows["emotion"].unique())
    if len(present) < 2:
        raise InputError(f"all test clips have the emotion {present[0]}: nothing can be told apart; change split")
    return present


def _area(rows: pd.DataFrame, emotion: str) -> float:
    found = (rows["emotion"] == emotion).to_numpy()
    return won_pairs(found, rows[f"p_{emotion}"].to_numpy())[found].mean() / (~found).sum()


def _curve(rows: pd.DataFrame, emotion: str) -> np.ndarray:
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(rows["emotion"] == emotion, rows[f"p_{emotion}"])
    curve = np.interp(FALSE_POSITIVE_RATES, fpr, tpr)
    curve[0] = 0  # every curve begins at the origin; interpolation would take the upper end of a first vertical step
    return curve
