"""The loop around every trainer: a model for each fold, scored on clips it has not seen, then one for use.

Predictions are made by the stored model, so they are what a user of its folder gets.
"""

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.compute.parallel import parallel_map
from ser.features.column_groups import feature_groups
from ser.folds.speaker_groups import one_emotion_warning
from ser.networks.batches import learnt_counts
from ser.networks.checkpoints import open_checkpoint, remove_checkpoints
from ser.networks.collapse import collapsed_folds, describe_collapse
from ser.networks.logit_adjustment import adjust, class_factors
from ser.settings.compute_section import Compute
from ser.settings.train_section import Train
from ser.storage.csv_tables import write_csv
from ser.storage.model_formats import FORMAT
from ser.storage.prediction_tables import scored_rows, write_predictions
from ser.storage.seeds import derive_seed
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json
from ser.training.dataset import DATA, Dataset, Inputs, examples, fold_names, open_dataset, rows_of_part, take
from ser.training.learnt_from import add_scores, learnt_from, uar_of, usual_recordings
from ser.training.permutation_importance import group_importance

MODELS = DATA / "models"

# PyTorch and Keras draw from one generator a process: where a process has several threads, they fit by turns
FIT_LOCK = threading.Lock()


class Job(NamedTuple):
    """One fit: of a model on a fold, or, with a fold of None, on everything outside the final holdout."""

    model: str
    fold: str | None
    epochs: int | None = None


def cross_fit(
    trainer: str,
    module: str,
    kind: str | Inputs,
    fits: dict[str, partial],
    *,
    settings: Train,
    compute: Compute,
    alone: bool = False,
) -> dict[str, Path]:
    """Train models on every fold, then once more for use; write models, predictions, histories and importances.

    Parameters
    ----------
    trainer : str
        Names the folders below data/models, data/predictions, data/history and data/importance.
    module : str
        The module with ``save``, ``load`` and ``predict_proba``, such as ``ser.models.lstm``.
    kind : {"functionals", "frames", "logmel"} or Inputs
        The input of the models.
    fits : dict of str to functools.partial
        By model: ``fit(train, validation, classes, seed=…, epochs=…, checkpoint=…)`` that returns a
        `ser.networks.early_stopping.Fitted`, with its settings; see `job_for_use`.
    settings : Train
        Section ``train`` of the parameters; each fit derives its own seed from that.
    compute : Compute
        See `parallel_map`.
    alone : bool
        Each model of the trainer is a DVC stage, and this is the only one in `fits`. As stages cannot share a folder of
        tables, they go to that of the model, as ``predictions.csv``, ``history.csv`` and ``importance.csv``.

    Returns
    -------
    dict of str to Path
        The folder of each model for use.
    """
    data = open_dataset(kind, settings.normalization)
    if warning := one_emotion_warning(data.clips, settings.normalization):
        print(f"  warning: {warning}")
    stage = f"{trainer}@{next(iter(fits))}" if alone else trainer  # one must not remove the checkpoints of another
    shared = {"module": module, "kind": kind, "fits": fits, "groups": feature_groups(data.description)}
    run = partial(run_job, trainer=trainer, stage=stage, settings=settings, **shared)
    # those for use learn from most and take longest: begun first, they do not run alone at the end
    at_once = [job for model, fit in fits.items() if (job := job_for_use(model, fit)) is not None]
    jobs = [*at_once, *(Job(model, fold) for model in fits for fold in fold_names(data))]
    results = list(parallel_map(run, jobs, compute=compute, label=trainer, unit="fit"))
    best_epochs, predictions = {}, {}
    for model in fits:
        of_folds = [result for job, result in zip(jobs, results, strict=True) if job.model == model and job.fold]
        path_of = partial(table_path, trainer=trainer, model=model, alone=alone)
        best_epochs[model] = write_tables(model, of_folds, path_of, stopped_early=patience_of(fits[model]) is not None)
        predictions[model] = pd.concat([result[0] for result in of_folds])
    if not alone and not (histories := DATA / "history" / trainer).is_dir():
        write_json({"models": []}, histories / "models.json")  # a declared output, and DVC warns of empty folders
    trained = {job.model for job in at_once}
    if later := [job_for_use(model, fits[model], best_epochs[model]) for model in fits if model not in trained]:
        list(parallel_map(run, later, compute=compute, label=f"{trainer}, for use", unit="fit"))
    for model in fits:
        add_scores(MODELS / trainer / model, predictions[model])
    remove_checkpoints(stage)
    return {model: MODELS / trainer / model for model in fits}


def job_for_use(model: str, fit: partial, best_epochs: Sequence[int] | None = None) -> Job | None:
    """Return the fit of a model on all speakers: as many epochs as its settings say or, stopped early, the median fold.

    Parameters
    ----------
    model : str
    fit : functools.partial
        With ``settings`` and, where that section has one for each of several models, the ``name`` of the model's.
    best_epochs : sequence of int, optional
        Of the folds. Without them the fit of a model that is stopped early is not known yet: None.
    """
    if patience_of(fit) is None:
        return Job(model, None, getattr(_own_settings(fit), "epochs", None))
    return None if best_epochs is None else Job(model, None, int(np.median(best_epochs)))


def patience_of(fit: partial) -> int | None:
    """Return for how many epochs a fit waits for a better one; None: it has no epochs, or keeps the last of them all.

    Parameters
    ----------
    fit : functools.partial
        See `job_for_use`.
    """
    return getattr(_own_settings(fit), "patience", None)


def _own_settings(fit: partial) -> object:
    settings = fit.keywords["settings"]
    return getattr(settings, fit.keywords.get("name", ""), settings)


def write_tables(
    model: str, of_folds: Sequence[tuple], path_of: Callable[[str], Path], *, stopped_early: bool
) -> tuple:
    """Write predictions, importance and, of models with epochs, the history; print a summary; return the kept epochs.

    Parameters
    ----------
    model : str
    of_folds : sequence of tuple
        What `run_job` returned for each fold.
    path_of : callable
        Returns where ``predictions``, ``history`` and ``importance`` go.
    stopped_early : bool
        Whether the kept epochs are the best ones; else they are the last.
    """
    predictions, histories, importances, kept_epochs, seconds = zip(*of_folds, strict=True)
    table = pd.concat(predictions, ignore_index=True)
    write_predictions(table, path_of("predictions"))
    history = pd.concat(histories, ignore_index=True)
    if len(history):
        write_csv(history, path_of("history"))
    write_csv(pd.concat(importances, ignore_index=True), path_of("importance"))
    print_summary(model, table, history, kept_epochs, seconds, stopped_early=stopped_early)
    return kept_epochs


def table_path(table: str, *, trainer: str, model: str, alone: bool) -> Path:
    """Return where a table of a model lies: ``predictions``, ``history`` or ``importance``; see `cross_fit`."""
    return MODELS / trainer / model / f"{table}.csv" if alone else DATA / table / trainer / f"{model}.csv"


def run_job(job: Job, **arguments):
    """Fit and store one model; of a fold also return predictions, history, importance, kept epoch and seconds."""
    with FIT_LOCK:
        return _run_job(job, **arguments)


def _run_job(
    job: Job,
    *,
    trainer: str,
    stage: str,
    module: str,
    kind: str | Inputs,
    fits: dict[str, partial],
    groups: dict,
    settings: Train,
):
    started = time.perf_counter()
    data = open_dataset(kind, settings.normalization)
    library = importlib.import_module(module)
    seed = derive_seed(settings.seed, trainer, job.model, job.fold or "for use")
    train_rows, validation = training_rows(data, job.fold), None
    if job.fold:
        validation = examples(data, rows_of_part(data, job.fold, "validation"), with_copies=False)
    train = examples(data, train_rows, with_copies=True)
    fit, classes = fits[job.model], len(data.classes)
    parts = [part for part in (train, validation) if part is not None]
    checkpoint = open_checkpoint(stage, job, classes, fit.keywords, seed, parts=parts)
    fitted = fit(train, validation, classes, seed=seed, epochs=job.epochs, checkpoint=checkpoint)

    folder = MODELS / trainer / job.model / (job.fold or "")
    library.save(fitted.model, folder)
    met = learnt_counts(train.labels, classes, fit.keywords["settings"].balance)
    factors = class_factors(met, settings.logit_adjustment)
    description = {
        "format": FORMAT,
        "trainer": trainer,
        "model": job.model,
        "fold": job.fold,
        "classes": data.classes,
        "normalization": settings.normalization,
        "epochs": fitted.epochs,
        "learnt_from": learnt_from(data, train_rows) | {"examples": len(train.labels)},
        "usual": usual_recordings(data, train_rows),
        "class_factors": factors,
        "input": data.description,
    }
    write_json(description, folder / "model.json")
    if job.fold is None:
        return None
    model, number = library.load(folder), int(job.fold.removeprefix("fold_"))

    def predict_proba(inputs: np.ndarray | Ragged) -> np.ndarray:
        return adjust(library.predict_proba(model, inputs), factors)

    predictions = predict_fold(predict_proba, data, job.fold)
    add_scores(folder, predictions)
    importance = group_importance(predict_proba, validation, groups, repeats=settings.importance_repeats, seed=seed)
    importance.insert(0, "fold", number)
    history = fitted.history
    if len(history):
        history.insert(0, "fold", number)
    return predictions, history, importance, fitted.epochs, time.perf_counter() - started


def training_rows(data: Dataset, fold: str | None) -> np.ndarray:
    """Return which clips a fit learns from, a boolean mask.

    The model for use learns from everything but the final holdout, which exists where there is a single fold.
    """
    if fold:
        return rows_of_part(data, fold, "train")
    folds = fold_names(data)
    return ~rows_of_part(data, folds[0], "test") if len(folds) == 1 else np.ones(len(data.clips), dtype=bool)


def predict_fold(predict_proba: Callable[[np.ndarray | Ragged], np.ndarray], data: Dataset, fold: str) -> pd.DataFrame:
    """Return the predictions for the test and validation clips of a fold."""
    tables = []
    for part in ("test", "validation"):
        rows = rows_of_part(data, fold, part)
        table = data.clips.loc[rows, ["clip", "emotion"]].reset_index(drop=True)
        table.insert(1, "fold", int(fold.removeprefix("fold_")))
        table.insert(2, "part", part)
        probabilities = predict_proba(take(data.inputs, rows))
        columns = [f"p_{emotion}" for emotion in data.classes]
        tables.append(pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1))
    return pd.concat(tables, ignore_index=True)


def print_summary(
    model: str, table: pd.DataFrame, history: pd.DataFrame, epochs: tuple, seconds: tuple, *, stopped_early: bool
) -> None:
    """Print the test UAR of a model, what it took, and the folds in which it collapsed; see `write_tables`."""
    uar, kept = uar_of(scored_rows(table)), ""
    if None not in epochs:
        kept = f", {'best' if stopped_early else 'kept the last'} epochs {', '.join(map(str, epochs))}"
    print(f"  {model:<20} test UAR {uar:.3f}, {sum(seconds):.0f} s in {len(seconds)} fits{kept}")
    for _, row in collapsed_folds(table, history).iterrows():
        print(f"  warning: {model} {describe_collapse(row)}")
