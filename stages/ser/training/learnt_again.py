"""A model for use, learnt again with labelled recordings of somebody: what it learnt from is in the clone's data."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ser.errors import InputError
from ser.networks.batches import Examples
from ser.storage.seeds import derive_seed
from ser.training.adapted_folds import saved_graph
from ser.training.dataset import examples, open_dataset
from ser.training.fit_rows import Job, rows_of_job
from ser.training.labelled_refit import refit_with_labels
from ser.training.learnt_from import learnt_from
from ser.training.seeded_networks import library_of

if TYPE_CHECKING:
    from onnx import ModelProto

    from ser.adaptation.adapted_graph import Adapted, Reference
    from ser.settings.all_sections import Params
    from ser.storage.shards import Ragged

MODULES = {
    "train_ml": "ser.models.classical",
    "train_residual_keras": "ser.models.residual",
    "train_lstm": "ser.models.lstm",
    "train_cnn": "ser.models.cnn",
}


def own_settings(params: Params, trainer: str, model: str) -> dict:
    """Return what the ``fit`` of a model is given besides examples; see `ser.training.trainer_loop.cross_fit`."""
    if trainer == "train_ml":
        return {"settings": params.train_ml.of_model(model), "name": model}
    return {"settings": getattr(params, trainer)}


def learn_again(
    params: Params,
    description: dict,
    model: ModelProto,
    adapted: Adapted,
    reference: Reference,
    inputs: np.ndarray | Ragged,
    emotions: Sequence[str],
    speakers: np.ndarray,
) -> tuple[ModelProto, float]:
    """Learn an adapted model again with labelled recordings; see `refit_with_labels`.

    Parameters
    ----------
    params : Params
    description : dict
        The model's ``model.json``.
    model, adapted, reference
        See `refit_with_labels`.
    inputs : np.ndarray or Ragged
        What the model reads of the recordings.
    emotions : sequence of str
    speakers : np.ndarray of str

    Raises
    ------
    InputError
        If the data in this folder are not those that the model learnt from.
    """
    trainer, name = description["trainer"], description["model"]
    own, data = own_settings(params, trainer, name), open_dataset(description["input"]["kind"])
    if own["settings"].model_dump(mode="json") != description.get("settings"):
        raise InputError(
            f"params.yaml has other settings of {name} than it was trained with, and it is learnt again by them: go "
            "back to those, or run `dvc repro`"
        )
    rows = rows_of_job(data, Job(name, description["fold"]), params.train).learnt
    train = examples(data, rows, with_copies=True)
    found = learnt_from(data, rows) | {"examples": len(train.labels)}
    if data.description != description["input"] or found != description["learnt_from"]:
        raise InputError(
            f"data/ holds other clips or features than {name} learnt from, and it is learnt again with those: work in "
            "the clone that trained it, or run `dvc repro` and take its model"
        )
    labels = np.array([data.classes.index(emotion) for emotion in emotions])
    given = Examples(inputs, labels, speakers, np.array([f" recording {row}" for row in range(len(labels))]))
    library, seed = library_of(MODULES[trainer], own), derive_seed(params.train.seed, trainer, name, "learnt again")

    def fit(more: Examples) -> ModelProto:
        epochs = description["epochs"]
        fitted = library.fit(more, None, len(data.classes), seed=seed, epochs=epochs, checkpoint=None, **own)
        return saved_graph(library, fitted.model)

    is_network = hasattr(importlib.import_module(MODULES[trainer]), "network_layers")
    return refit_with_labels(model, adapted, reference, train, given, None if is_network else fit)
