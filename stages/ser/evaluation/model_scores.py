"""All tables of the evaluation, by name: what stands in reports/<name>.csv."""

import numpy as np
import pandas as pd

from ser.evaluation.calibration import AS_PREDICTED, SCALED, calibration_scores, reliability, temperature_scaled
from ser.evaluation.comparisons import compare_all
from ser.evaluation.confusions import confusions_by_speaker, uar
from ser.evaluation.coverage_risk import coverage_curve
from ser.evaluation.intervals import Interval
from ser.evaluation.scored_speakers import Speakers
from ser.evaluation.scoring import confusion, per_class, precision_recall_points, roc_points, scores
from ser.evaluation.subgroups import gaps, scores_by_group
from ser.storage.prediction_tables import scored_rows

CHANCE, MAJORITY = "chance", "majority"  # stand among the models in the table of scores
ENSEMBLE = "ensemble"


def evaluation_tables(
    tables: dict[str, pd.DataFrame],
    temperatures: dict[str, dict[int, float]],
    clips: pd.DataFrame,
    speakers: Speakers,
    *,
    bins: int,
    confidence: float,
) -> dict[str, pd.DataFrame]:
    """Return everything that predictions alone tell, as tables.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Prediction tables by model, all with the same test rows in the same order.
    temperatures : dict of str to dict of int to float
        By model and fold; see `ser.storage.prediction_tables.read_temperatures`.
    clips : pd.DataFrame
        The table of clips.
    speakers : Speakers
        Of the test rows.
    bins : int
        Of the expected calibration error and the reliability curve.
    confidence : float
        Of all intervals.

    Returns
    -------
    dict of str to pd.DataFrame
        ``scores`` (the best model first), ``per_class``, ``roc``, ``precision_recall``, ``calibration``,
        ``reliability``, ``coverage``, ``groups``, ``gaps``, ``differences`` and ``confusion`` (of `best_model`).
    """

    def together(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(parts, names=["model"]).reset_index(level="model").reset_index(drop=True)

    def of_every_model(compute) -> pd.DataFrame:
        return together({model: compute(table) for model, table in tables.items()})

    def scaled_of_every_model(compute) -> pd.DataFrame:
        return together({model: compute(table, temperatures.get(model, {}), bins) for model, table in tables.items()})

    score_table = of_every_model(lambda table: as_rows(scores(table, speakers, bins=bins, confidence=confidence)))
    order = ranking(score_table)
    best = best_model(order, validation_scores(tables))
    return {
        "scores": score_table.sort_values("model", key=lambda column: column.map(order.index), kind="stable"),
        "per_class": of_every_model(lambda table: per_class(table, speakers, confidence=confidence)),
        "roc": of_every_model(roc_points),
        "precision_recall": of_every_model(precision_recall_points),
        "calibration": scaled_of_every_model(calibration_row),
        "reliability": scaled_of_every_model(reliability_points),
        "coverage": of_every_model(lambda table: coverage_curve(scored_rows(table))),
        "groups": of_every_model(lambda table: scores_by_group(table, clips, confidence=confidence)),
        "gaps": of_every_model(lambda table: pd.DataFrame([gaps(table, clips, confidence=confidence)])),
        "differences": compare_all(tables, clips, confidence=confidence),
        "confusion": confusion_pairs(tables[best]).assign(model=best),
    }


def as_rows(found: dict[str, Interval]) -> pd.DataFrame:
    """Return scores as ``score, value, low, high``."""
    return pd.DataFrame([(score, *interval) for score, interval in found.items()]).set_axis(
        ["score", "value", "low", "high"], axis=1
    )


def ranking(score_table: pd.DataFrame) -> list[str]:
    """Return the models of a table of scores, the highest UAR first, equal ones by name.

    The ensemble comes after its equals: one of a single member is that model, which has a folder to predict with.
    """
    of_uar = score_table[score_table["score"] == "uar"].assign(fused=lambda table: table["model"] == ENSEMBLE)
    return list(of_uar.sort_values(["value", "fused", "model"], ascending=[False, True, True])["model"])


def best_model(order: list[str], validation: dict[str, float]) -> str:
    """Return the model with the highest UAR on validation speakers: test clips are there to score, not to choose.

    Parameters
    ----------
    order : list of str
        The models; the first is taken where one of them has no validation score.
    validation : dict of str to float
        See `validation_scores`; of equal ones the first by name, the ensemble last, as in `ranking`.
    """
    if not set(order) <= set(validation):
        return order[0]
    return min(order, key=lambda model: (-validation[model], model == ENSEMBLE, model))


def baseline_rows(chance: float, majority: dict[str, float], classes: int) -> pd.DataFrame:
    """Return the scores of guessing and of always saying the most frequent emotion, as rows of the table of scores."""
    rows = [
        (CHANCE, "uar", chance),
        (CHANCE, "accuracy", chance),
        (CHANCE, "auc_macro", 0.5),
        (CHANCE, "brier", (classes - 1) / classes),
        (MAJORITY, "uar", majority["uar"]),
        (MAJORITY, "accuracy", majority["accuracy"]),
        (MAJORITY, "auc_macro", 0.5),
        (MAJORITY, "brier", 2 * (1 - majority["accuracy"])),
    ]
    return pd.DataFrame(rows, columns=["model", "score", "value"])


def calibration_row(table: pd.DataFrame, temperatures: dict[int, float], bins: int) -> pd.DataFrame:
    """Return the calibration scores of a model before and after temperature scaling, in a row.

    ``temperature`` is the median of the folds' ones, each fitted on its fold's validation rows.
    """
    scaled = temperature_scaled(table, temperatures)
    before, after = (calibration_scores(rows, bins) for rows in (scored_rows(table), scaled))
    row = {"temperature": float(np.median(list(temperatures.values()) or [1.0]))}
    for name in before:
        row |= {name: before[name], f"{name}_scaled": after[name]}
    return pd.DataFrame([row])


def reliability_points(table: pd.DataFrame, temperatures: dict[int, float], bins: int) -> pd.DataFrame:
    """Return the reliability curve of a model before and after temperature scaling."""
    parts = {AS_PREDICTED: scored_rows(table), SCALED: temperature_scaled(table, temperatures)}
    curves = {name: reliability(rows, bins) for name, rows in parts.items()}
    return pd.concat(curves, names=["probabilities"]).reset_index(level="probabilities").reset_index(drop=True)


def confusion_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion matrix of a model as ``model, actual, predicted, clips, share``, a row a cell."""
    shares, counts = confusion(table)
    pairs = counts.stack().rename("clips").reset_index()
    return pairs.assign(share=shares.stack(future_stack=True).to_numpy())


def validation_scores(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Return the UAR of each model over the validation rows of all folds: what settings may be chosen by."""
    found = {}
    for model, table in tables.items():
        rows = table[table["part"] == "validation"]
        if len(rows):
            found[model] = round(float(uar(confusions_by_speaker(rows, np.zeros(len(rows))).sum(axis=0))), 4)
    return found


def mean_importance(importance: pd.DataFrame) -> pd.DataFrame:
    """Return ``model, group, features, uar_drop, deviation, recall_drop_<emotion>...``: means over the folds.

    The deviation is that of the falls of the UAR between folds.

    Parameters
    ----------
    importance : pd.DataFrame
        See `ser.training.permutation_importance.group_importance`, with the columns ``model`` and ``fold``.
    """
    by_group = importance.groupby(["model", "group"], sort=True)
    by_emotion = {name: (name, "mean") for name in importance.columns if name.startswith("recall_drop_")}
    table = by_group.agg(
        features=("features", "first"), uar_drop=("uar_drop", "mean"), deviation=("uar_drop", "std"), **by_emotion
    ).reset_index()
    return table.sort_values(["model", "uar_drop", "group"], ascending=[True, False, True], ignore_index=True)
