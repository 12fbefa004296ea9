"""One fit: a model learns from a part of the data, is stored, and predicts the clips that it has not seen.

Predictions are made by the stored model, so they are what a user of its folder gets.
"""

from __future__ import annotations

import importlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ser.networks.batches import Examples, learnt_counts
from ser.networks.checkpoints import open_checkpoint
from ser.networks.layer_graph import Layer
from ser.probabilities.copy_mean import mean_over_copies
from ser.probabilities.logit_adjustment import adjust, class_factors
from ser.settings.train_section import Train
from ser.storage.model_formats import FORMAT, remove_seed_folders
from ser.storage.seeds import derive_seed
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json
from ser.training.adapted_folds import GRAPH, adapt_to_test, saved_graph, usual_last_layers
from ser.training.dataset import (
    DATA,
    Dataset,
    Source,
    dataset_of,
    examples,
    file_stamps,
    take,
)
from ser.training.fit_rows import Job, rows_of_job
from ser.training.kept_fits import HERE, Outcome, digest_of, keep_fit, kept_json
from ser.training.learnt_from import learnt_from, usual_recordings
from ser.training.permutation_importance import group_importance
from ser.training.seeded_networks import library_of, seeds_of

if TYPE_CHECKING:
    from onnx import ModelProto

MODELS = DATA / "models"

# PyTorch and Keras draw from one generator a process: where a process has several threads, they fit by turns
FIT_LOCK = threading.Lock()


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
    """Return the folder of the model that a job fits; that of an inner model is gone when it has predicted."""
    folder = MODELS / trainer / job.model / (job.fold or "")
    return folder if job.inner is None else folder.with_name(f".tmp-{os.getpid()}-{job.fold}-{job.inner}")


def fit_key(job: Job, plan: Plan, data: Dataset) -> str:
    """Return the name of a fit: a digest of all that its model, predictions, history and importance depend on."""
    shared = plan.trainer, plan.stage, plan.module, plan.settings, plan.source.digest
    parts = [None if rows is None else rows.tobytes() for rows in rows_of_job(data, job, plan.settings)]
    return digest_of("fit", job, plan.fits[job.model], shared, parts)


def run_job(item: tuple[Job, str], *, plan: Plan) -> Outcome:
    """Fit, store and keep one model, which is `item` with its `fit_key`."""
    with FIT_LOCK:
        return _run_job(*item, plan)


def _run_job(job: Job, key: str, plan: Plan) -> Outcome:
    started = time.perf_counter()
    data, settings = dataset_of(plan.source), plan.settings
    library = library_of(plan.module, plan.fits[job.model])
    inner = () if job.inner is None else (f"inner {job.inner}",)
    seed = derive_seed(settings.seed, plan.trainer, job.model, job.fold or "for use", *inner)
    rows = rows_of_job(data, job, settings)
    validation = None if rows.validation is None else examples(data, rows.validation, with_copies=False)
    train = examples(data, rows.learnt, with_copies=True)
    own, classes = plan.fits[job.model], len(data.classes)
    checkpoint = open_checkpoint(plan.stage, key)

    def may_be_kept() -> bool:
        """Whether what comes of this is of this data and code; else files were edited, or a cluster has another CPU."""
        return plan.here == HERE and plan.source.files == file_stamps(plan.source.kind)

    fitted = library.fit(train, validation, classes, seed=seed, epochs=job.epochs, checkpoint=checkpoint, **own)

    def fit_again(examples: Examples) -> ModelProto:
        """Fit for as long without anybody to watch, and return the graph."""
        again = library.fit(examples, None, classes, seed=seed, epochs=fitted.epochs, checkpoint=None, **own)
        return saved_graph(library, again.model)

    classifier_again = None if hasattr(library, "network_layers") else fit_again  # of a network the last layer alone
    folder = model_folder(plan.trainer, job)
    with _new_files(folder) as (scratch, names):
        library.save(fitted.model, scratch)
    met = learnt_counts(train.labels, classes, own["settings"].balance)
    factors = class_factors(met, settings.logit_adjustment)
    if job.inner is None:
        # it depends on the data alone: the models of all trainers that read them share it
        usual_key = digest_of("usual", plan.source.digest, rows.learnt.tobytes())
        usual = kept_json(usual_key, lambda: usual_recordings(data, rows.learnt), may_be_kept)
        if GRAPH in names and isinstance(data.inputs, Ragged):
            usual["last_layers"] = usual_last_layers(folder / GRAPH, data.inputs, rows.learnt)
        description = {
            "format": FORMAT,
            "trainer": plan.trainer,
            "model": job.model,
            "fold": job.fold,
            "classes": data.classes,
            "normalization": settings.normalization,
            "adapt": settings.adapt,
            "epochs": fitted.epochs,
            "seeds": seeds_of(own),
            "settings": own["settings"].model_dump(mode="json"),
            "learnt_from": learnt_from(data, rows.learnt) | {"examples": len(train.labels)},
            "usual": usual,
            "class_factors": factors,
            "copies": list(data.answer_copies),
            "input": data.description,
        }
        write_json(description, folder / "model.json")
        names.append("model.json")
    predictions = history = importance = pd.DataFrame()
    layers: list[Layer] = []
    if job.fold is None:
        layers = library.network_layers(fitted.model) if hasattr(library, "network_layers") else []
    else:
        # what a user of the folder predicts with: all but the pretrained encoders, which need no such room, are graphs
        predictor = importlib.import_module("ser.models.stored_model") if GRAPH in names else library
        model, number = predictor.load(folder), int(job.fold.removeprefix("fold_"))

        def predict_proba(inputs: np.ndarray | Ragged) -> np.ndarray:
            return adjust(predictor.predict_proba(model, inputs), factors)

        tables = []
        if rows.validation is not None:
            tables = [predict_rows(predict_proba, data, number, "validation", rows.validation)]
        if validation is not None and not job.inner:  # of the first inner model, or the only one that there is
            repeats = settings.importance_repeats
            importance = group_importance(
                predict_proba, validation, plan.groups, classes=data.classes, repeats=repeats, seed=seed
            )
            importance.insert(0, "fold", number)
            if len(history := fitted.history):
                history.insert(0, "fold", number)
        if rows.test is not None:
            if settings.adapt != "none":  # what is learnt from validation clips is of the model as it was
                adapt_to_test(folder, data, job.fold, train, settings.adapt == "labels", classifier_again)
                model = predictor.load(folder)
            tables.insert(0, predict_rows(predict_proba, data, number, "test", rows.test))
        predictions = pd.concat(tables, ignore_index=True)
    if job.inner is not None:
        shutil.rmtree(folder)
        names = []
    outcome = Outcome(predictions, history, importance, fitted.epochs, time.perf_counter() - started, layers)
    if may_be_kept() and keep_fit(key, outcome, folder, names):
        checkpoint.remove()
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
        remove_seed_folders(folder)  # there may have been more of them
        for path in sorted(path for path in scratch.rglob("*") if path.is_file()):
            name = path.relative_to(scratch).as_posix()
            (folder / name).parent.mkdir(exist_ok=True)
            path.replace(folder / name)
            names.append(name)
    finally:
        shutil.rmtree(scratch)


def predict_rows(
    predict_proba: Callable[[np.ndarray | Ragged], np.ndarray],
    data: Dataset,
    fold: int,
    part: str,
    of_part: np.ndarray,
) -> pd.DataFrame:
    """Return a model's predictions for a part of the clips of a fold, with their copies to answer by."""
    table = data.clips.loc[of_part, ["clip", "emotion"]].reset_index(drop=True)
    table.insert(1, "fold", fold)
    table.insert(2, "part", part)
    versions = (data.inputs, *data.answer_copies.values())
    probabilities = mean_over_copies([predict_proba(take(inputs, of_part)) for inputs in versions])
    columns = [f"p_{emotion}" for emotion in data.classes]
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)
