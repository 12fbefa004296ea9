"""One fit: a model learns from a part of the data, is stored, and predicts the clips that it has not seen.

Predictions are made by the stored model, so they are what a user of its folder gets.
"""

import importlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.networks.batches import learnt_counts
from ser.networks.checkpoints import open_checkpoint
from ser.probabilities.logit_adjustment import adjust, class_factors
from ser.probabilities.model_results import add_results
from ser.settings.train_section import Train
from ser.storage.model_cards import CARD
from ser.storage.model_formats import FORMAT
from ser.storage.seeds import derive_seed
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json
from ser.training.dataset import (
    DATA,
    Dataset,
    Source,
    dataset_of,
    examples,
    file_stamps,
    fold_names,
    rows_of_part,
    take,
)
from ser.training.kept_fits import HERE, Outcome, digest_of, keep_fit, kept_json
from ser.training.learnt_from import learnt_from, usual_recordings
from ser.training.permutation_importance import group_importance

MODELS = DATA / "models"

# PyTorch and Keras draw from one generator a process: where a process has several threads, they fit by turns
FIT_LOCK = threading.Lock()


class Job(NamedTuple):
    """One fit: of a model on a fold, or, with a fold of None, on everything outside the final holdout."""

    model: str
    fold: str | None
    epochs: int | None = None


class Plan(NamedTuple):
    """What all fits of a stage share.

    Attributes
    ----------
    trainer, module, fits, settings
        See `ser.training.trainer_loop.cross_fit`.
    stage : str
        Names the folder of the checkpoints.
    source : Source
    groups : dict of str to np.ndarray of int
        Columns whose importance is measured; see `ser.features.column_groups`.
    here : str
        The code and the machine of the stage; see `ser.training.kept_fits`.
    """

    trainer: str
    stage: str
    module: str
    source: Source
    fits: dict[str, dict]
    groups: dict[str, np.ndarray]
    settings: Train
    here: str


def model_folder(trainer: str, job: Job) -> Path:
    """Return the folder of the model that a job fits."""
    return MODELS / trainer / job.model / (job.fold or "")


def fit_key(job: Job, plan: Plan, data: Dataset) -> str:
    """Return the name of a fit: a digest of all that its model, predictions, history and importance depend on."""
    shared = plan.trainer, plan.stage, plan.module, plan.settings, plan.source.digest
    parts = [training_rows(data, job.fold).tobytes()]
    if job.fold:
        parts += [rows_of_part(data, job.fold, part).tobytes() for part in ("validation", "test")]
    return digest_of("fit", job, plan.fits[job.model], shared, parts)


def run_job(item: tuple[Job, str], *, plan: Plan) -> Outcome:
    """Fit, store and keep one model, which is `item` with its `fit_key`."""
    with FIT_LOCK:
        return _run_job(*item, plan)


def _run_job(job: Job, key: str, plan: Plan) -> Outcome:
    started = time.perf_counter()
    data, settings = dataset_of(plan.source), plan.settings
    library = importlib.import_module(plan.module)
    seed = derive_seed(settings.seed, plan.trainer, job.model, job.fold or "for use")
    rows, validation = training_rows(data, job.fold), None
    if job.fold:
        validation = examples(data, rows_of_part(data, job.fold, "validation"), with_copies=False)
    train = examples(data, rows, with_copies=True)
    own, classes = plan.fits[job.model], len(data.classes)
    checkpoint = open_checkpoint(plan.stage, key)

    def may_be_kept() -> bool:
        """Whether what comes of this is of this data and code; else files were edited, or a cluster has another CPU."""
        return plan.here == HERE and plan.source.files == file_stamps(plan.source.kind)

    fitted = library.fit(train, validation, classes, seed=seed, epochs=job.epochs, checkpoint=checkpoint, **own)

    folder = model_folder(plan.trainer, job)
    with _new_files(folder) as (scratch, names):
        library.save(fitted.model, scratch)
    met = learnt_counts(train.labels, classes, own["settings"].balance)
    factors = class_factors(met, settings.logit_adjustment)
    # it depends on the data alone: the models of all trainers that read them share it
    usual = digest_of("usual", plan.source.digest, rows.tobytes())
    description = {
        "format": FORMAT,
        "trainer": plan.trainer,
        "model": job.model,
        "fold": job.fold,
        "classes": data.classes,
        "normalization": settings.normalization,
        "epochs": fitted.epochs,
        "learnt_from": learnt_from(data, rows) | {"examples": len(train.labels)},
        "usual": kept_json(usual, lambda: usual_recordings(data, rows), may_be_kept),
        "class_factors": factors,
        "input": data.description,
    }
    write_json(description, folder / "model.json")
    history = fitted.history
    if job.fold is None:
        layers = library.network_layers(fitted.model) if hasattr(library, "network_layers") else []
        tables = (pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    else:
        # what a user of the folder predicts with: all but the pretrained encoders, which need no such room, are graphs
        predictor = importlib.import_module("ser.models.stored_model") if "model.onnx" in names else library
        layers, model, number = [], predictor.load(folder), int(job.fold.removeprefix("fold_"))

        def predict_proba(inputs: np.ndarray | Ragged) -> np.ndarray:
            return adjust(predictor.predict_proba(model, inputs), factors)

        predictions = predict_fold(predict_proba, data, job.fold)
        add_results(folder, predictions)
        names.append(CARD)
        repeats = settings.importance_repeats
        importance = group_importance(predict_proba, validation, plan.groups, repeats=repeats, seed=seed)
        importance.insert(0, "fold", number)
        if len(history):
            history.insert(0, "fold", number)
        tables = (predictions, history, importance)
    outcome = Outcome(*tables, fitted.epochs, time.perf_counter() - started, layers)
    if may_be_kept():
        keep_fit(key, outcome, folder, [*names, "model.json"])
    return outcome


@contextmanager
def _new_files(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder to write files to that are moved to `folder` afterwards, and the list of their names to come.

    The folder of a model for use holds more than its fit writes, such as those of the folds.
    """
    scratch, names = folder.with_name(f".tmp-{os.getpid()}-{folder.name}"), []
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch, names
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(scratch.iterdir()):
            path.replace(folder / path.name)
            names.append(path.name)
    finally:
        shutil.rmtree(scratch)


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
