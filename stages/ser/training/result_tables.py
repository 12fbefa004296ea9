"""What the fits of a model leave besides its folders: its tables of predictions, histories and importances."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ser.networks.collapse import collapsed_folds, describe_collapse
from ser.probabilities.model_results import uar_of
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import scored_rows, write_predictions
from ser.training.dataset import DATA
from ser.training.fit_rows import Job
from ser.training.kept_fits import Outcome
from ser.training.model_fits import MODELS


def write_tables(
    model: str, of_folds: dict[Job, Outcome], path_of: Callable[[str], Path], *, stopped_early: bool, taken_over: int
) -> pd.DataFrame:
    """Write predictions, importance and, of models with epochs, the history; print a summary.

    Parameters
    ----------
    model : str
    of_folds : dict of Job to Outcome
    path_of : callable
        Returns where ``predictions``, ``history`` and ``importance`` go.
    stopped_early : bool
        Whether the kept epochs are the best ones; else they are the last.
    taken_over : int
        How many of the fits an earlier run has left.

    Returns
    -------
    pd.DataFrame
        The predictions.
    """
    predictions, histories, importances, _, seconds, _ = zip(*of_folds.values(), strict=True)
    kept_epochs = tuple(outcome.epochs for job, outcome in of_folds.items() if job.inner is None)
    table = pd.concat(predictions, ignore_index=True)
    write_predictions(table, path_of("predictions"))
    history = pd.concat(histories, ignore_index=True)
    if len(history):
        write_csv(history, path_of("history"))
    write_csv(pd.concat(importances, ignore_index=True), path_of("importance"))
    print_summary(model, table, history, kept_epochs, seconds, stopped_early=stopped_early, taken_over=taken_over)
    return table


def table_path(table: str, *, trainer: str, model: str, alone: bool) -> Path:
    """Return where a table of a model lies: ``predictions``, ``history`` or ``importance``; see `cross_fit`."""
    return MODELS / trainer / model / f"{table}.csv" if alone else DATA / table / trainer / f"{model}.csv"


def print_summary(
    model: str,
    table: pd.DataFrame,
    history: pd.DataFrame,
    epochs: tuple,
    seconds: tuple,
    *,
    stopped_early: bool,
    taken_over: int = 0,
) -> None:
    """Print the test UAR of a model, what it took, and the folds in which it collapsed; see `write_tables`."""
    uar, kept = uar_of(scored_rows(table)), ""
    if None not in epochs:
        kept = f", {'best' if stopped_early else 'kept the last'} epochs {', '.join(map(str, epochs))}"
    earlier = f" ({taken_over} of them earlier)" if taken_over else ""
    print(f"  {model:<20} test UAR {uar:.3f}, {sum(seconds):.0f} s in {len(seconds)} fits{earlier}{kept}")
    for _, row in collapsed_folds(table, history).iterrows():
        print(f"  warning: {model} {describe_collapse(row)}")
