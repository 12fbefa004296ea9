"""Is one model better than another? Differences of the UAR over the same clips, with what chance alone would do.

Two questions are told apart. Of two trained models of one run: which is better on new speakers? There the chance is in
the speakers. Of two runs, such as those of a pull request: is the change better? There a training with another seed
would have been better or worse, too, and all speakers of a fold share the luck of its model: `compare_uar` takes folds
into account.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.evaluation.confusions import confusions_by_speaker, left_out_scores, uar
from ser.evaluation.intervals import Difference, holm, paired_difference
from ser.evaluation.scored_speakers import Speakers, speakers_of
from ser.storage.prediction_tables import predicted_emotions, scored_rows

BETTER, WORSE, NO_EVIDENCE, UNKNOWN = "better", "worse", "no evidence", "cannot be told"


def compare_uar(first: pd.DataFrame, second: pd.DataFrame, clips: pd.DataFrame, *, confidence: float) -> Difference:
    """Compare the same model of two runs.

    Parameters
    ----------
    first, second : pd.DataFrame
        Prediction tables of the same test clips and folds.
    clips : pd.DataFrame
        ``clip, speaker`` of each (empty: unknown).
    confidence : float
        Of the interval, such as 0.95.

    Returns
    -------
    Difference
        Of the UAR, first less second; see `ser.evaluation.intervals.paired_difference`.

    Raises
    ------
    InputError
        The two do not predict the same clips in the same folds.
    """
    first, second = (scored_rows(table).sort_values(["clip", "fold"], ignore_index=True) for table in (first, second))
    columns = ["clip", "fold", "emotion"]
    if not first[columns].equals(second[columns]):
        raise InputError("two models can only be compared on the same test clips of the same folds")
    speakers = speakers_of(first, clips)
    confusions = (confusions_by_speaker(rows, speakers.of_row) for rows in (first, second))
    return _compare(*confusions, speakers, folds=speakers.folds, confidence=confidence)


def _compare(
    first: np.ndarray, second: np.ndarray, speakers: Speakers, *, folds: np.ndarray | None, confidence: float
) -> Difference:
    """Compare confusion matrices of shape (speakers, classes, classes); see `confusions_by_speaker`."""
    value = float(uar(first.sum(axis=0)) - uar(second.sum(axis=0)))
    if not speakers.allow_intervals:
        return Difference(value, np.nan, np.nan, np.nan)
    left_out = left_out_scores(uar, first) - left_out_scores(uar, second)
    return paired_difference(value, left_out, confidence=confidence, sizes=first.sum(axis=-1), folds=folds)


def compare_all(tables: dict[str, pd.DataFrame], clips: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Compare every two models of a run.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Prediction tables by model, all of the same test rows.

    Returns
    -------
    pd.DataFrame
        ``first, second, difference, low, high, p, p_holm, verdict, only_first_right, only_second_right, mcnemar_p``,
        `first` being the model with the higher UAR. `low` and `high` are of this pair alone; the verdict follows
        `p_holm`, which takes into account that many pairs are looked at (Holm 1979). McNemar's exact test counts
        clips as if each were a speaker of its own: a description, not evidence.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
       Psychometrika 12, 1947.
    """
    rows = {model: scored_rows(table).sort_values(["clip", "fold"]) for model, table in tables.items()}
    speakers = speakers_of(next(iter(rows.values())), clips)
    confusions = {model: confusions_by_speaker(part, speakers.of_row) for model, part in rows.items()}
    right = {model: predicted_emotions(part) == part["emotion"].to_numpy() for model, part in rows.items()}
    order = sorted(tables, key=lambda model: (-uar(confusions[model].sum(axis=0)), model))
    found = []
    for first, second in combinations(order, 2):
        difference = _compare(confusions[first], confusions[second], speakers, folds=None, confidence=confidence)
        found.append((first, second, *difference, *mcnemar(right[first], right[second])))
    columns = ["first", "second", "difference", "low", "high", "p"]
    table = pd.DataFrame(found, columns=[*columns, "only_first_right", "only_second_right", "mcnemar_p"])
    table.insert(6, "p_holm", holm(table["p"].to_numpy()))
    table.insert(7, "verdict", verdicts(table["difference"], table["p_holm"], 1 - confidence))
    return table


def verdicts(differences: pd.Series, p: pd.Series, level: float) -> list[str]:
    """Say of each difference whether it is real: ``better``, ``worse``, ``no evidence``, or that nothing is known."""
    sign = np.where(differences > 0, BETTER, WORSE)
    return list(np.select([p.isna(), p < level], [UNKNOWN, sign], NO_EVIDENCE))


def mcnemar(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Return how many clips only the first and only the second model has right, and the exact p-value that it is even.

    Parameters
    ----------
    first, second : np.ndarray of bool, shape (clips,)
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    from scipy.stats import binomtest  # here: it takes longer to import than most of what is imported

    return only_first, only_second, binomtest(only_first, discordant).pvalue if discordant else 1.0
