"""The loop around every trainer: a model for each fold, scored on clips it has not seen, then one for use.

Predictions are made by the stored model, so they are what a user of its folder gets.
"""

import importlib
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.dataset import Dataset, examples, fold_names, open_dataset, rows_of_part, take
from ser.features.groups import feature_groups
from ser.files import write_csv, write_json
from ser.importance import group_importance
from ser.parallel import parallel_map
from ser.params import Compute, Train
from ser.predictions import predicted_emotions, scored_rows, write_predictions
from ser.seeds import derive_seed

MODELS = Path("data/models")
PREDICTIONS = Path("data/predictions")
HISTORY = Path("data/history")
IMPORTANCE = Path("data/importance")

# PyTorch and Keras draw from one generator a process: where a process has several threads, they fit by turns
FIT_LOCK = threading.Lock()


class Job(NamedTuple):
    """One fit: of a model on a fold, or, with a fold of None, on everything outside the final holdout."""

    model: str
    fold: str | None
    epochs: int | None = None


def cross_fit(
    trainer: str, module: str, kind: str, fits: dict[str, Callable], *, settings: Train, compute: Compute
) -> dict[str, Path]:
    """Train models on every fold, then once more for use; write models, predictions, histories and importances.

    Parameters
    ----------
    trainer : str
        Names the folders below data/models, data/predictions, data/history and data/importance.
    module : str
        The module with ``save``, ``load`` and ``predict_proba``, such as ``ser.models.lstm``.
    kind : {"functionals", "frames", "logmel"}
        The input of the models.
    fits : dict of str to callable
        By model: ``fit(train, validation, classes, seed=…, epochs=…)`` that returns a `ser.examples.Fitted`.
    settings : Train
        Section ``train`` of the parameters; each fit derives its own seed from that.
    compute : Compute
        See `parallel_map`.

    Returns
    -------
    dict of str to Path
        The folder of each model for use.
    """
    data = open_dataset(kind)
    folds, groups = fold_names(data), feature_groups(data.description)
    jobs = [Job(model, fold) for model in fits for fold in folds]
    run = partial(run_job, trainer=trainer, module=module, kind=kind, fits=fits, groups=groups, settings=settings)
    results = list(parallel_map(run, jobs, compute=compute, label=trainer, unit="fit"))
    final_jobs = []
    for model in fits:
        predictions, histories, importances, epochs, seconds = zip(
            *(result for job, result in zip(jobs, results, strict=True) if job.model == model), strict=True
        )
        table = pd.concat(predictions, ignore_index=True)
        write_predictions(table, PREDICTIONS / trainer / f"{model}.csv")
        history = pd.concat(histories, ignore_index=True)
        if len(history):
            write_csv(history, HISTORY / trainer / f"{model}.csv")
        write_csv(pd.concat(importances, ignore_index=True), IMPORTANCE / trainer / f"{model}.csv")
        final_jobs.append(Job(model, None, None if None in epochs else int(np.median(epochs))))
        print_summary(model, table, epochs, seconds)
    (HISTORY / trainer).mkdir(parents=True, exist_ok=True)  # a declared output, also if no model has epochs
    list(parallel_map(run, final_jobs, compute=compute, label=f"{trainer}, for use", unit="fit"))
    return {model: MODELS / trainer / model for model in fits}


def run_job(job: Job, **arguments):
    """Fit and store one model; of a fold also return predictions, history, importance, best epoch and seconds."""
    with FIT_LOCK:
        return _run_job(job, **arguments)


def _run_job(
    job: Job, *, trainer: str, module: str, kind: str, fits: dict[str, Callable], groups: dict, settings: Train
):
    started = time.perf_counter()
    data = open_dataset(kind)
    library = importlib.import_module(module)
    seed = derive_seed(settings.seed, trainer, job.model, job.fold or "for use")
    train_rows, validation = training_rows(data, job.fold), None
    if job.fold:
        validation = examples(data, rows_of_part(data, job.fold, "validation"), with_copies=False)
    train = examples(data, train_rows, with_copies=True)
    fit = fits[job.model]
    fitted = fit(train, validation, len(data.classes), seed=seed, epochs=job.epochs)

    folder = MODELS / trainer / job.model / (job.fold or "")
    library.save(fitted.model, folder)
    description = {
        "trainer": trainer,
        "model": job.model,
        "fold": job.fold,
        "classes": data.classes,
        "epochs": fitted.epochs,
        "training_clips": int(train_rows.sum()),
        "training_examples": len(train.labels),
        "input": data.description,
    }
    write_json(description, folder / "model.json")
    if job.fold is None:
        return None
    model, number = library.load(folder), int(job.fold.removeprefix("fold_"))
    predictions = predict_fold(library, model, data, job.fold)
    predict_proba = partial(library.predict_proba, model)
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


def predict_fold(library, model, data: Dataset, fold: str) -> pd.DataFrame:
    """Return the predictions for the test and validation clips of a fold."""
    tables = []
    for part in ("test", "validation"):
        rows = rows_of_part(data, fold, part)
        table = data.clips.loc[rows, ["clip", "emotion"]].reset_index(drop=True)
        table.insert(1, "fold", int(fold.removeprefix("fold_")))
        table.insert(2, "part", part)
        probabilities = library.predict_proba(model, take(data.inputs, rows))
        columns = [f"p_{emotion}" for emotion in data.classes]
        tables.append(pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1))
    return pd.concat(tables, ignore_index=True)


def print_summary(model: str, table: pd.DataFrame, epochs: tuple, seconds: tuple) -> None:
    """Print the test UAR of a model and what it took."""
    rows = scored_rows(table)
    right = predicted_emotions(rows) == rows["emotion"]
    uar = right.groupby(rows["emotion"]).mean().mean()
    best = "" if None in epochs else f", best epochs {', '.join(map(str, epochs))}"
    print(f"  {model:<20} test UAR {uar:.3f}, {sum(seconds):.0f} s in {len(seconds)} fits{best}")
