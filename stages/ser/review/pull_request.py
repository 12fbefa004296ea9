"""How good the models of two revisions are, beside each other: scores, classes and speakers, and verdicts."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.evaluation.comparisons import UNKNOWN, compare_uar, verdicts
from ser.evaluation.confusions import confusions_by_speaker, recalls, shown, uar
from ser.evaluation.intervals import MINIMUM_FOLDS, holm
from ser.evaluation.model_scores import ENSEMBLE
from ser.evaluation.scored_speakers import speakers_of, why_no_intervals
from ser.storage.prediction_tables import emotions_of, predicted_emotions, scored_rows

UNCHANGED, ADDED, REMOVED = "unchanged", "added", "removed"


class Results(NamedTuple):
    """Scores of a revision's models and, where they can be had, the predictions behind them."""

    metrics: dict[str, dict[str, float]]
    tables: dict[str, pd.DataFrame]  # by model; none if there is a problem
    clips: pd.DataFrame | None
    problem: str  # why there are no predictions that can be used, and the remedy
    missing: bool = False  # whether they cannot be had at all
    normalization: str = ""  # train, speaker, adapted by …; empty where the revision does not say


def compare_results(
    old: Results, new: Results, main: str, *, same: bool, confidence: float
) -> tuple[pd.DataFrame, str]:
    """Compare all models of two revisions.

    Parameters
    ----------
    old, new : Results
    main : str
        The model that the question is about; see `compare_models`.
    same : bool
        Whether both revisions' ``dvc.lock`` name the same predictions; then nobody needs to have them.
    confidence : float
        Of the intervals.

    Returns
    -------
    models : pd.DataFrame
        See `compare_metrics`.
    problem : str
        Why there are no intervals and verdicts, and the remedy; an empty text if there are.
    """
    # a revision without scores lacks no predictions either
    problem = "; ".join(side.problem for side in (old, new) if side.metrics and side.problem)
    # predictions that contradict the scores are a problem even if they should be the same
    missing = all(side.missing for side in (old, new) if side.problem)
    if problem and missing and same and _uars(old.metrics) == _uars(new.metrics):
        nothing = {"difference": 0.0, "low": np.nan, "high": np.nan, "p": np.nan, "p_adjusted": np.nan}
        differences = pd.DataFrame({"model": sorted(new.metrics), **nothing, "verdict": UNCHANGED})
        return compare_metrics(old.metrics, new.metrics, differences, main), ""
    if old.normalization and new.normalization and old.normalization != new.normalization:
        problem = (
            f"the old scores are normalised by {old.normalization}, the new ones by {new.normalization} "
            "(train.normalization, train.adapt): they answer different questions and are never compared"
        )
    problem = problem or why_not_paired(old.tables, new.tables, new.clips)
    tables = ({}, {}) if problem else (old.tables, new.tables)
    differences = compare_models(*tables, new.clips, main, confidence=confidence)
    models = compare_metrics(old.metrics, new.metrics, differences, main)
    if tests_other_emotions(old.tables, new.tables):  # two means over other emotions have no difference
        models["difference"] = np.nan
    return models, problem


def tests_other_emotions(old: dict[str, pd.DataFrame], new: dict[str, pd.DataFrame]) -> bool:
    """Return whether the test clips of two revisions show different emotions: their UARs are means over others.

    Parameters
    ----------
    old, new : dict of str to pd.DataFrame
        Prediction tables by model.
    """
    both = old.keys() & new.keys()
    return any(set(scored_rows(old[model])["emotion"]) != set(scored_rows(new[model])["emotion"]) for model in both)


def luck_is_hidden(tables: dict[str, pd.DataFrame]) -> bool:
    """Return whether there are too few folds to see what another training seed would have changed.

    Then a difference may be the luck of a training, however sure its interval is; see `ser.evaluation.intervals`.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Prediction tables by model.
    """
    return any(scored_rows(table)["fold"].nunique() < MINIMUM_FOLDS for table in tables.values())


def why_not_paired(old: dict[str, pd.DataFrame], new: dict[str, pd.DataFrame], clips: pd.DataFrame) -> str:
    """Say why predictions of two revisions cannot be compared clip by clip; an empty text if they can.

    Parameters
    ----------
    old, new : dict of str to pd.DataFrame
        Prediction tables by model.
    clips : pd.DataFrame
        ``clip, speaker``.
    """
    for model in sorted(old.keys() & new.keys()):
        before, after = _test_rows(old[model]), _test_rows(new[model])
        only = len(before.index.symmetric_difference(after.index))
        if emotions_of(old[model]) != emotions_of(new[model]):
            return "the two revisions tell other emotions apart"
        if set(before.index.get_level_values("clip")) != set(after.index.get_level_values("clip")):
            return f"the two revisions test other clips ({only} are only in one of them)"
        if only:
            return "the two revisions have other folds: a clip's models have learnt from other speakers"
        if not before.sort_index().equals(after.sort_index()):
            return "some test clips have another true emotion"
        reason = why_no_intervals(speakers_of(scored_rows(new[model]), clips))
        if reason:
            return reason
    return ""


def compare_models(
    old: dict[str, pd.DataFrame], new: dict[str, pd.DataFrame], clips: pd.DataFrame, main: str, *, confidence: float
) -> pd.DataFrame:
    """Compare the UAR of each model in two revisions, by speaker; see `ser.evaluation.comparisons.compare_uar`.

    One question is asked beforehand, whether `main` has changed, and its answer stands alone: it does not get less
    sure for other models that are looked at too. Those are many questions, so their p-values are corrected (Holm,
    Scandinavian Journal of Statistics 6, 1979). Where every test clip gets the same emotion as before there is nothing
    to ask.

    Parameters
    ----------
    old, new : dict of str to pd.DataFrame
        Prediction tables by model.
    clips : pd.DataFrame
        ``clip, speaker``.
    main : str
    confidence : float
        Of the intervals.

    Returns
    -------
    pd.DataFrame
        ``model, difference, low, high, p, p_adjusted, verdict`` of the models that both have; positive: better now.
        `low`, `high` and `p` are of each model alone; the verdict follows `p_adjusted`, and is `UNCHANGED` without p.
    """
    models = sorted(old.keys() & new.keys())
    found = [(model, *compare_uar(new[model], old[model], clips, confidence=confidence)) for model in models]
    table = pd.DataFrame(found, columns=["model", "difference", "low", "high", "p"])
    same = np.array([_predicted(old[model]).equals(_predicted(new[model])) for model in models], dtype=bool)
    table.loc[same, ["low", "high", "p"]] = np.nan
    others = (table["model"] != main).to_numpy()
    table["p_adjusted"] = table["p"]
    table.loc[others, "p_adjusted"] = holm(table.loc[others, "p"].to_numpy(dtype=float))
    table["verdict"] = verdicts(table["difference"], table["p_adjusted"], 1 - confidence)
    table.loc[same, "verdict"] = UNCHANGED
    return table


def main_model(old: dict, new: dict, wanted: str = "") -> str:
    """Return the model that a pull request is asked about: the wanted one, else the ensemble, else the base's best.

    It is chosen without looking at the new scores, which would favour what chance favours. Only where the base has
    none of today's models it is the best of now.

    Parameters
    ----------
    old, new : dict of str to dict
        Scores by model.
    wanted : str
        Empty: none in particular.

    Raises
    ------
    InputError
        There is no such model; the message names those that there are.
    """
    names = sorted(old.keys() | new.keys())
    if not new:
        raise InputError("reports/metrics.json has no scores: run `dvc repro`, or `git checkout reports/metrics.json`")
    if wanted and wanted not in names:
        raise InputError(
            f"no model is named {wanted!r}: MODEL is one of {', '.join(names)}; params.yaml may leave others "
            "out (enabled, train_ml.models)"
        )
    known = {model: scores for model, scores in old.items() if model in new} or new
    return wanted or (ENSEMBLE if ENSEMBLE in names else max(sorted(known), key=lambda model: known[model]["uar"]))


def compare_metrics(old: dict, new: dict, differences: pd.DataFrame, main: str) -> pd.DataFrame:
    """Put the UAR of all models of two revisions beside their differences.

    Parameters
    ----------
    old, new : dict of str to dict
        Scores by model.
    differences : pd.DataFrame
        What `compare_models` returns, or no rows if there are no predictions to compare.
    main : str
        The model that comes first.

    Returns
    -------
    pd.DataFrame
        ``model, old, new, difference, low, high, p, p_adjusted, verdict``, after `main` the best of now first;
        `verdict` may also be `ADDED`, `REMOVED` or `UNKNOWN`.
    """
    rows = []
    for model in old.keys() | new.keys():
        scores = [float(side[model]["uar"]) if model in side else np.nan for side in (old, new)]
        word = ADDED if model not in old else REMOVED if model not in new else UNKNOWN
        rows.append((model, *scores, scores[1] - scores[0], word))
    table = pd.DataFrame(rows, columns=["model", "old", "new", "difference", "verdict"]).set_index("model")
    paired = differences.set_index("model").reindex(table.index)
    table = table.assign(**{column: paired[column].astype(float) for column in ("low", "high", "p", "p_adjusted")})
    known = paired["verdict"].notna()
    for column in ("difference", "verdict"):  # the exact difference instead of that of rounded scores
        table[column] = table[column].mask(known, paired[column])
    table = table.assign(main=table.index == main).sort_index()
    table = table.sort_values(["main", "new", "old"], ascending=False, kind="stable").reset_index()
    return table[["model", "old", "new", "difference", "low", "high", "p", "p_adjusted", "verdict"]]


def moved_classes(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return ``name, clips, old, new, difference`` of the recalls of the emotions, what moved most first."""
    before, after = (confusions_by_speaker(rows, np.zeros(len(rows)))[0] for rows in map(scored_rows, (old, new)))
    known = pd.Series(recalls(before), index=emotions_of(old)).reindex(emotions_of(new))  # they may tell others apart
    return _moved(emotions_of(new), after.sum(axis=-1), known, recalls(after))


def moved_speakers(
    old: pd.DataFrame, new: pd.DataFrame, old_clips: pd.DataFrame, new_clips: pd.DataFrame
) -> pd.DataFrame:
    """Return ``name, clips, old, new, difference`` of the UAR of the speakers, what moved most first.

    Whose clips show other emotions in one of the two has no difference: these are means over other emotions.
    """
    both = _by_speaker(new, new_clips).join(_by_speaker(old, old_clips).add_suffix("_old"), how="inner")
    both = both[both["emotions"] == both["emotions_old"]]
    return _moved(both.index, both["clips"], both["uar_old"], both["uar"])


def moved_rows(
    old: pd.DataFrame | None, new: pd.DataFrame | None, where: dict[str, str], *, name: str, score: str
) -> pd.DataFrame:
    """Return the same from tables of both reports: rows as `where` says, column `name` says who, `score` how well."""
    columns = {name, score, "clips", *where}
    if old is None or new is None or not columns <= set(old.columns) & set(new.columns):
        return _moved([], [], [], [])
    old, new = (table[(table[list(where)].astype(str) == pd.Series(where)).all(axis=1)] for table in (old, new))
    both = new.merge(old, on=name, suffixes=("", "_old"))
    if "emotions_old" in both.columns:  # of groups.csv; see `moved_speakers`
        both = both[both["emotions"] == both["emotions_old"]]
    return _moved(both[name].astype(str), both["clips"], both[f"{score}_old"], both[score])


def _uars(metrics: dict[str, dict[str, float]]) -> dict[str, float]:
    return {model: scores["uar"] for model, scores in metrics.items()}


def _by_speaker(table: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    rows = scored_rows(table)
    speakers = speakers_of(rows, clips)
    counts = confusions_by_speaker(rows, speakers.of_row)
    emotions = [" ".join(np.array(emotions_of(rows))[present]) for present in shown(counts)]
    columns = {"clips": counts.sum(axis=(-2, -1)), "emotions": emotions, "uar": uar(counts)}
    return pd.DataFrame(columns, index=speakers.names)


def _test_rows(table: pd.DataFrame) -> pd.Series:
    return scored_rows(table).set_index(["clip", "fold"])["emotion"]


def _predicted(table: pd.DataFrame) -> pd.Series:
    rows = scored_rows(table)
    return pd.Series(predicted_emotions(rows), index=pd.MultiIndex.from_frame(rows[["clip", "fold"]])).sort_index()


def _moved(names, clips, old, new) -> pd.DataFrame:
    table = pd.DataFrame({"name": np.asarray(names, dtype=object), "clips": np.asarray(clips)})
    table = table.assign(old=np.asarray(old, dtype=float), new=np.asarray(new, dtype=float))
    table["difference"] = (table["new"] - table["old"]).round(6)
    table = table[table["difference"].abs() > 0]  # not what has no value in one of them
    return table.sort_values("difference", key=lambda column: -column.abs(), kind="stable", ignore_index=True)
